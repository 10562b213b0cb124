"""Which operation of AWS a control-plane call names, and its parameters under the names of the service's model."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from labkit.local.messages import Request

_DATED = re.compile(r"/20\d\d-\d\d-\d\d/")
"""How the paths of Lambda begin, with the date of an API."""

_IN_LISTS = re.compile(r"\.(?:member|entry|key|value|\d+)(?=\.|$)")
"""What the query protocol writes between a list, or a map, and what it holds."""

_OF_THE_PROTOCOL = frozenset({"Action", "Version"})
"""Parameters of the query protocol that are none of the operation's."""


@dataclass(frozen=True, slots=True)
class Called:
    """One call of an operation.

    Attributes:
        operation: its name; verb and path where no operation has them.
        params: its parameters. A call of the query protocol has several: one for each of its parameters.
    """

    operation: str
    params: tuple[Mapping[str, Any], ...] = ({},)


@dataclass(frozen=True, slots=True)
class _Route:
    """What the model says of an operation of a REST service."""

    operation: str
    path: re.Pattern[str]
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    payload: str | None = None


def read_target(request: Request) -> Called:
    """A call of the JSON protocol."""
    operation = (request.header("x-amz-target") or "").rpartition(".")[2]
    return Called(operation, (_members(request.body),))


def read_action(request: Request) -> Called:
    """A call of the query protocol, whose parameters are in the query string and in the form."""
    form = request.body.decode("utf-8", "replace") if request.method == "POST" else ""
    pairs = [*request.query, *parse_qsl(form, keep_blank_values=True)]
    operation = next((value for name, value in pairs if name == "Action"), "")
    own = [
        _nested(_IN_LISTS.sub("", name), value)
        for name, value in pairs
        if name not in _OF_THE_PROTOCOL and not name.startswith("X-Amz-")
    ]
    return Called(operation, tuple(own))


def read_path(request: Request, service: str) -> Called:
    """A call of a REST service."""
    path = request.path
    found = [
        (route, match)
        for route in _routes(service).get(request.method, ())
        # The engine decodes a path twice.
        if (match := route.path.fullmatch(path)) and "%" not in path
    ]
    if not found:
        return Called(f"{request.method} {path}")
    route, match = found[0]
    params: dict[str, Any] = dict(match.groupdict())
    params |= {member: request.header(name) for name, member in route.headers.items()}
    params |= {route.query.get(name, name): value for name, value in request.query}
    if route.payload is None:
        params |= _members(request.body)
    return Called(route.operation, (params,))


def is_of_lambda(request: Request) -> bool:
    """Whether the engine would take the path for one of Lambda's."""
    return _DATED.match(request.path) is not None


def _members(body: bytes) -> dict[str, Any]:
    """The members of a JSON body; none of what isn't an object, which the service refuses itself."""
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _nested(name: str, value: str) -> dict[str, Any]:
    """A parameter of the query protocol as a member of a member.

    >>> _nested("Tags.Key", "colour")
    {'Tags': {'Key': 'colour'}}
    """
    first, *rest = name.split(".", 10)
    return {first: _nested(".".join(rest), value) if rest else value}


@cache
def _routes(service: str) -> dict[str, list[_Route]]:
    """The routes of a service by verb, those with the fewest labels first."""
    from botocore.loaders import Loader

    model = Loader().load_service_model(service, "service-2")
    routes: dict[str, list[_Route]] = {}
    for name, operation in model["operations"].items():
        uri = operation["http"]["requestUri"].partition("?")[0]
        shape = model["shapes"].get(operation.get("input", {}).get("shape"), {})
        places: dict[str, dict[str, str]] = {"header": {}, "querystring": {}}
        for member, target in shape.get("members", {}).items():
            if target.get("location") in places:
                places[target["location"]][target["locationName"]] = member
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", _label, re.escape(uri)) + "/?"
        route = _Route(
            name,
            re.compile(pattern),
            places["header"],
            places["querystring"],
            shape.get("payload"),
        )
        routes.setdefault(operation["http"]["method"], []).append(route)
    for found in routes.values():
        found.sort(key=lambda route: route.path.groups)
    return routes


def _label(match: re.Match[str]) -> str:
    return f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})"
