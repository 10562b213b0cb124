"""The route gate: which route serves a path and a verb (gateway 13.13).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html: a full match comes before
a greedy one, and that before ``$default``.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from labkit.journey import Code
from labkit.local.apigateway.http.call import HttpCall, HttpOutcome
from labkit.local.apigateway.http.cors import is_preflight
from labkit.local.apigateway.http.records import DEFAULT, HttpRoute
from labkit.local.apigateway.http.responses import NOT_FOUND, broken
from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.local.apigateway.records import VERBS, is_path_parameter

Match = tuple[HttpRoute, dict[str, str]]
Rank = tuple[int, int, tuple[int, ...], int]


def route(call: HttpCall) -> HttpOutcome:
    """Find the route: 404 when there is none, unless the CORS configuration answers a preflight."""
    best = find_routes(call.deployment.routes, call.verb, call.raw_path)
    if not best:
        reason = f"the stage {call.stage} has no route for {call.verb} {call.raw_path}"
        if call.deployment.cors and is_preflight(call.request):
            return Pass(f"{reason}, but the API answers preflights by itself")
        return Stop(NOT_FOUND, Code.ROUTE_NOT_FOUND, reason)
    if len(best) > 1:
        keys = [found.key for found, _parameters in best]
        reason = "two routes fit equally well, which AWS doesn't let you create"
        return broken(Code.ROUTE_AMBIGUOUS, reason, routes=keys)
    call.route, call.path_parameters = best[0]
    if call.route.unusable is not None:
        return broken(*call.route.unusable)
    return Pass(
        f"the route {call.route.key} of the stage {call.stage}", {"routeKey": call.route.key}
    )


def find_routes(routes: Iterable[HttpRoute], verb: str, raw_path: str) -> list[Match]:
    """The routes that fit best: one, or none, or several that fit equally.

    A segment that is written out comes before a parameter, and a verb before ``ANY``. A trailing slash is part of the
    path. What the best path doesn't serve falls through to the next, so ``ANY /{proxy+}`` catches it (gateway 8.7).
    """
    if verb not in VERBS:
        return []
    segments = [unquote(segment) for segment in raw_path.removeprefix("/").split("/")]
    if segments == [""]:
        segments = []
    ranked: list[tuple[Rank, Match]] = []
    for candidate in routes:
        if candidate.verb not in ("", "ANY", verb):
            continue
        parameters = _parameters(candidate, segments)
        if parameters is not None:
            ranked.append((_rank(candidate), (candidate, parameters)))
    best = min((rank for rank, _match in ranked), default=None)
    return [match for rank, match in ranked if rank == best]


def _parameters(candidate: HttpRoute, segments: list[str]) -> dict[str, str] | None:
    """The path parameters, or None when the route doesn't fit."""
    if candidate.key == DEFAULT:
        return {}
    parts = candidate.parts
    found: dict[str, str] = {}
    if candidate.is_greedy:
        rest = segments[len(parts) - 1 :]
        if not any(rest):
            return None
        found[parts[-1][1:-2]] = "/".join(rest)
        parts, segments = parts[:-1], segments[: len(parts) - 1]
    if len(parts) != len(segments):
        return None
    for part, segment in zip(parts, segments, strict=True):
        if is_path_parameter(part) and segment:
            found[part[1:-1]] = segment
        elif part != segment:
            return None
    return found


def _rank(candidate: HttpRoute) -> Rank:
    """The lower, the better."""
    kind = 2 if candidate.key == DEFAULT else int(candidate.is_greedy)
    depth = -len(candidate.parts)
    shape = tuple(int(is_path_parameter(part)) for part in candidate.parts)
    return kind, depth, shape, int(candidate.verb == "ANY")
