"""Which operation of ``apigateway`` or ``apigatewayv2`` a request calls, and its parameters, by botocore's models.

Source: the service models that AWS publishes for its SDKs (botocore: ``apigateway``, ``apigatewayv2``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

from labkit.local.json_protocol import ApiError, ServiceModel, body_of
from labkit.local.messages import Request

JsonObject = dict[str, Any]

_LABEL = re.compile(r"\{(?P<name>[\w-]+)\+?\}")
_REFUSE_UNKNOWN = ("JwtConfigurationInput",)
"""Shapes whose operations refuse what the model doesn't have, where others leave it out."""
_INTEGER = re.compile("-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the model.

    Attributes:
        service: botocore's name of the service.
        name: the API reference's name.
        method: the verb.
        parts: the path's segments; a label in braces stands for any.
        fixed: those of them that are no label, with their place.
        query: what the query string must say, such as ``mode=import``.
        status: of a success.
        shape: the name of the input's shape, empty without one.
    """

    service: str
    name: str
    method: str
    parts: tuple[str, ...]
    fixed: tuple[tuple[int, str], ...]
    query: tuple[tuple[str, str], ...]
    status: int
    shape: str

    @property
    def input_name(self) -> str:
        """How a ``ValidationException`` names the body: ``createRestApiInput`` (recorded 1.7)."""
        return f"{self.name[:1].lower()}{self.name[1:]}Input"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an operation.

    Attributes:
        operation: which one.
        parameters: the members of its input under their names with a small first letter, without those that are null
            or that the model doesn't have.
        region: the Region that the signature names.
        in_path: the names of the parameters that came in the path or the query string.
    """

    operation: Operation
    parameters: JsonObject
    region: str = ""
    in_path: frozenset[str] = field(default_factory=frozenset)

    def text(self, name: str) -> str:
        """A parameter that is text; empty when it is absent."""
        return str(self.parameters.get(name) or "")

    def given(self, *names: str) -> JsonObject:
        """Some parameters, without those that are absent or empty."""
        return {
            name: self.parameters[name]
            for name in names
            if self.parameters.get(name) not in (None, "", [], {})
        }

    @property
    def patches(self) -> list[JsonObject]:
        """The patch operations."""
        return list(self.parameters.get("patchOperations") or ())

    @property
    def settings(self) -> JsonObject:
        """What the body says: the parameters that came neither in the path nor in the query string."""
        return {k: v for k, v in self.parameters.items() if k not in self.in_path}


def find_operation(request: Request) -> Operation | None:
    """The operation that a method and a path name, or None."""
    service = "apigatewayv2" if request.raw_path.startswith("/v2/") else "apigateway"
    parts = tuple(request.raw_path.strip("/").split("/"))
    query = dict(request.query)
    found = None
    for operation in _operations(service).get((request.method, len(parts)), ()):
        fits = all(parts[index] == part for index, part in operation.fixed)
        if fits and all(query.get(name) == value for name, value in operation.query):
            if operation.query:  # more exact than the same path without a query
                return operation
            found = found or operation
    return found


def read_call(operation: Operation, request: Request, region: str) -> Call:
    """The call that a request makes.

    Raises:
        ApiError: ``SerializationException``: its body isn't JSON, or a value has the wrong type.
    """
    shapes = ServiceModel(operation.service).description["shapes"]
    shape = shapes.get(operation.shape, {})
    segments = request.raw_path.strip("/").split("/")
    labels = {
        match["name"]: unquote(part)
        for wanted, part in zip(operation.parts, segments, strict=True)
        if (match := _LABEL.fullmatch(wanted))
    }
    query: dict[str, list[str]] = {}
    for key, text in request.query:
        query.setdefault(key, []).append(text)
    parameters: JsonObject = {}
    in_path = set()
    payload = shape.get("payload")
    body = {} if payload or not shape or not request.body else body_of(request)
    for member, target in shape.get("members", {}).items():
        wire = target.get("locationName", member)
        kind = shapes[target["shape"]]
        value: Any = None
        match target.get("location"):
            case "uri":
                value = labels.get(wire)
            case "querystring" if kind["type"] == "map":
                named = {
                    t.get("locationName") for t in shape["members"].values() if t is not target
                }
                named |= {name for name, _value in operation.query}
                value = {k: v[0] for k, v in query.items() if k not in named} or None
            case "querystring":
                value = _from_query(kind, query.get(wire))
            case "header":
                value = request.header(wire)
            case _ if member == payload:
                value = request.body
            case _:
                value = _known(shapes, target["shape"], body.get(wire))
        name = f"{member[:1].lower()}{member[1:]}"
        if target.get("location"):
            in_path.add(name)
        if value is not None:
            parameters[name] = value
    return Call(operation, parameters, region, frozenset(in_path))


def call_of(service: str, name: str, region: str, parameters: JsonObject) -> Call:
    """The call that a request with these parameters makes; those that are None are absent."""
    operation = next(
        one for group in _operations(service).values() for one in group if one.name == name
    )
    shapes = ServiceModel(service).description["shapes"]
    members = {
        f"{member[:1].lower()}{member[1:]}": target
        for member, target in shapes[operation.shape]["members"].items()
    }
    in_path = {name for name, target in members.items() if target.get("location")}
    given = {
        name: _known(shapes, members[name]["shape"], value)
        for name, value in parameters.items()
        if value is not None
    }
    return Call(operation, given, region, frozenset(in_path))


def _known(shapes: JsonObject, name: str, value: Any) -> Any:
    """A value without the members that the model doesn't have, and without those that are null."""
    shape = shapes[name]
    if name in _REFUSE_UNKNOWN:
        return value
    if shape["type"] == "structure" and isinstance(value, dict):
        targets = {t.get("locationName", m): t["shape"] for m, t in shape["members"].items()}
        return {
            key: _known(shapes, targets[key], one)
            for key, one in value.items()
            if key in targets and one is not None
        }
    if shape["type"] == "list" and isinstance(value, list):
        return [_known(shapes, shape["member"]["shape"], one) for one in value]
    if shape["type"] == "map" and isinstance(value, dict):
        return {key: _known(shapes, shape["value"]["shape"], one) for key, one in value.items()}
    return value


def _from_query(kind: JsonObject, values: list[str] | None) -> Any:
    if not values:
        return None
    match kind["type"]:
        case "list":
            return values
        case "integer":
            if not _INTEGER.fullmatch(values[0]):
                raise ApiError(
                    "SerializationException", f"{json.dumps(values[0])} is not a valid integer"
                )
            return int(values[0])
        case "boolean":
            return values[0].lower() == "true"
        case _:
            return values[0]


@cache
def _operations(service: str) -> dict[tuple[str, int], tuple[Operation, ...]]:
    found: dict[tuple[str, int], list[Operation]] = {}
    for name, model in ServiceModel(service).description["operations"].items():
        path, _mark, query = model["http"]["requestUri"].partition("?")
        parts = tuple(path.strip("/").split("/"))
        pairs = tuple((k, v) for k, _equals, v in (q.partition("=") for q in query.split("&")) if k)
        operation = Operation(
            service,
            name,
            model["http"]["method"],
            parts,
            tuple((index, part) for index, part in enumerate(parts) if not _LABEL.fullmatch(part)),
            pairs,
            model["http"].get("responseCode", 200),
            model.get("input", {}).get("shape", ""),
        )
        found.setdefault((operation.method, len(parts)), []).append(operation)
    return {key: tuple(value) for key, value in found.items()}
