"""The route gate: which route serves a path and a verb (gateway.md 13.13).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html: a full match comes before
a greedy one, and that before ``$default``.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from labkit.local.apigateway.http.call import NOT_FOUND, HttpCall, Outcome, Stop, broken
from labkit.local.apigateway.http.cors import is_preflight
from labkit.local.apigateway.http.deployment import DEFAULT, Route
from labkit.local.apigateway.rest.call import Pass
from labkit.local.apigateway.rest.deployment import VERBS

Match = tuple[Route, dict[str, str]]
Rank = tuple[int, int, tuple[int, ...], int]

_ONLY_FOR_WEBSOCKETS = ("apiKeyRequired", "requestModels", "requestParameters")


def route(call: HttpCall) -> Outcome:
    """Find the route: 404 when there is none, unless the CORS configuration answers a preflight."""
    best = find_routes(call.deployment.routes, call.verb, call.raw_path)
    if not best:
        reason = f"the stage {call.stage} has no route for {call.verb} {call.raw_path}"
        if call.deployment.cors and is_preflight(call.request):
            return Pass(f"{reason}, but the API answers preflights by itself")
        return Stop(NOT_FOUND, reason)
    if len(best) > 1:
        keys = [found.key for found, _parameters in best]
        return broken("two routes fit equally well, which AWS doesn't let you create", routes=keys)
    call.route, call.path_parameters = best[0]
    record = call.route.record
    foreign = [name for name in _ONLY_FOR_WEBSOCKETS if record.get(name)]
    if foreign:
        return broken(f"the local cloud doesn't enforce {foreign[0]} on a route of an HTTP API")
    return Pass(
        f"the route {call.route.key} of the stage {call.stage}", {"routeKey": call.route.key}
    )


def find_routes(routes: Iterable[Route], verb: str, raw_path: str) -> list[Match]:
    """The routes that fit best: one, or none, or several that fit equally.

    A segment that is written out comes before a parameter, and a verb before ``ANY``. A trailing slash is part of the
    path. What the best path doesn't serve falls through to the next, so ``ANY /{proxy+}`` catches it (8.7).
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


def _parameters(candidate: Route, segments: list[str]) -> dict[str, str] | None:
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
        if _is_parameter(part) and segment:
            found[part[1:-1]] = segment
        elif part != segment:
            return None
    return found


def _rank(candidate: Route) -> Rank:
    """The lower, the better."""
    kind = 2 if candidate.key == DEFAULT else int(candidate.is_greedy)
    depth = -len(candidate.parts)
    shape = tuple(int(_is_parameter(part)) for part in candidate.parts)
    return kind, depth, shape, int(candidate.verb == "ANY")


def _is_parameter(part: str) -> bool:
    return part.startswith("{") and part.endswith("}")
