"""AWS's JSON 1.1 protocol: a request is read and checked against the service's model, a refusal has one shape.

The model is botocore's, which is AWS's own description of the API. What a body must be is therefore known; of the
wording of the refusals only the general form is (cognito 0.2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from labkit.local.messages import CONTROL_CHARACTER, Request, Response, without_headers
from labkit.local.strict_json import read_strict_json
from labkit.service_models import extra_search_paths

CONTENT_TYPE = "application/x-amz-json-1.1"

JsonObject = dict[str, Any]

# The model's patterns are Java's. Letters, marks, symbols, numbers and punctuation together are all that can be seen;
# Z are the separators.
_JAVA_CLASSES = (
    (re.compile(r"(?:\\p\{[LMSNP]\})+"), r"\\x21-\\x7e\\xa1-\\U0010ffff"),
    (re.compile(r"\\p\{Z\}"), r" \\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"),
)


_MAX_HEADER_CHARACTERS = 1_000
"""Of a text in a header: clients give up on a long line. The body has the whole text."""


class ApiError(Exception):
    """A refusal, as AWS words it.

    Args:
        error_type: the exception's name, ``__type`` on the wire.
        message: the text; None for the few refusals without one.
        status: the HTTP status.
    """

    def __init__(self, error_type: str, message: str | None, status: int = 400) -> None:
        super().__init__(message or error_type)
        self.error_type = error_type
        self.message = message
        self.status = status

    @property
    def response(self) -> Response:
        """The refusal on the wire (cognito 0.2)."""
        body = {"__type": self.error_type}
        if self.message is not None:
            body["message"] = self.message
        return json_response(body, self.status)


def json_response(body: JsonObject, status: int = 200) -> Response:
    """A response in the protocol's content type."""
    return Response(status, [("Content-Type", CONTENT_TYPE)], _encoded(body))


def with_protocol_headers(response: Response, request_id: str) -> Response:
    """The response in compact JSON, with a request id; of a refusal the type and the text are headers too.

    The SDKs for Java and Go look for the type there (cognito 0.2, 0.4).
    """
    headers = without_headers(
        response.headers,
        "content-length",
        "content-type",
        "x-amzn-requestid",
        "x-amz-request-id",
        "x-amz-id-2",
        "x-amzn-errortype",
        "x-amzn-errormessage",
    )
    answer = _object_in(response)
    headers.append(("Content-Type", CONTENT_TYPE))
    headers.append(("x-amzn-RequestId", request_id))
    if error_type := error_type_of(response):
        headers.append(("x-amzn-ErrorType", f"{error_type}:"))
        message = answer.get("message") if answer else None
        if message:
            headers.append(("x-amzn-ErrorMessage", _in_a_header(str(message))))
    body = response.body if answer is None else _encoded(answer)
    return Response(response.status, headers, body)


def _object_in(response: Response) -> JsonObject | None:
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _in_a_header(text: str) -> str:
    r"""A text that may quote what the caller sent: no character of it ends the header, and clients can read all.

    >>> _in_a_header("a\x00b\nc")
    'a?b c'
    """
    line = CONTROL_CHARACTER.sub("?", " ".join(text.split()))[:_MAX_HEADER_CHARACTERS]
    return line.encode("latin-1", "replace").decode("latin-1")


def _encoded(body: JsonObject) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def error_type_of(response: Response) -> str | None:
    """The ``__type`` of a refusal, without a namespace; None for an answer that isn't one."""
    if response.status < 400:
        return None
    try:
        found = response.json()["__type"]
    except (ValueError, KeyError, TypeError):
        return None
    return str(found).rsplit("#", 1)[-1]


def body_of(request: Request) -> JsonObject:
    """The request's body.

    Raises:
        ApiError: it isn't a JSON object in UTF-8.
    """
    try:
        body = read_strict_json(request.body or b"{}")
        json.dumps(body, ensure_ascii=False).encode()  # refuses the lone halves of surrogate pairs
    except (ValueError, RecursionError):
        raise ApiError("SerializationException", None) from None
    if not isinstance(body, dict):
        raise ApiError("SerializationException", "Start of structure or map expected.")
    return body


class ServiceModel:
    """What the operations of a service take.

    Args:
        service: botocore's name of the service, e.g. ``cognito-idp``.
        violation: the error type for a value that the model doesn't allow.
    """

    def __init__(self, service: str, violation: str = "InvalidParameterException") -> None:
        self._service = service
        self._violation = violation

    @property
    def description(self) -> JsonObject:
        """The model as botocore has it: ``operations`` and ``shapes``."""
        return _model(self._service)

    def takes_no_signature(self, operation: str) -> bool:
        """Whether AWS's SDKs send an operation unsigned (``authtype: none``)."""
        found = _model(self._service)["operations"].get(operation) or {}
        return bool(found.get("authtype") == "none")

    def check(self, operation: str, body: JsonObject) -> None:
        """Check a request against the model.

        Raises:
            ApiError: ``UnknownOperationException``; ``SerializationException`` for a value of the wrong JSON type;
                ``violation`` for one that is missing, unknown, too long…
        """
        model = _model(self._service)
        if operation not in model["operations"]:
            raise ApiError("UnknownOperationException", None)
        shape = model["operations"][operation]["input"]["shape"]
        violations = list(_violations(model["shapes"], shape, body, ""))
        if violations:
            count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''}"
            raise ApiError(self._violation, f"{count} detected: " + "; ".join(violations))

    def check_types(self, operation: str, body: JsonObject) -> None:
        """Check a request's JSON types only.

        Raises:
            ApiError: ``SerializationException``.
        """
        for _ in _violations(self.shapes, self.input_of(operation), body, ""):
            pass

    @property
    def shapes(self) -> JsonObject:
        """Every shape of the model by its name."""
        shapes: JsonObject = _model(self._service)["shapes"]
        return shapes

    def has(self, operation: str) -> bool:
        """Whether the service has the operation."""
        return operation in _model(self._service)["operations"]

    def input_of(self, operation: str) -> str:
        """The name of the shape of what an operation is sent; empty for one without parameters."""
        found = _model(self._service)["operations"][operation].get("input", {})
        return str(found.get("shape", ""))


@cache
def _model(service: str) -> JsonObject:
    from botocore.loaders import Loader  # reads 1 MB: only when the first request comes

    loader = Loader(extra_search_paths=extra_search_paths())
    model: JsonObject = loader.load_service_model(service, "service-2")
    return model


def _violations(shapes: JsonObject, name: str, value: Any, path: str) -> Iterator[str]:
    shape = shapes[name]
    kind = shape["type"]
    if not _is_of(kind, value):
        raise ApiError("SerializationException", _conversion_error(kind, value))
    if kind == "structure":
        for member in shape.get("required", ()):
            if value.get(member) is None:
                yield (
                    f"Value null at '{_joined(path, member)}' failed to satisfy constraint: "
                    "Member must not be null"
                )
        for member, target in shape["members"].items():
            if value.get(member) is not None:
                yield from _violations(
                    shapes, target["shape"], value[member], _joined(path, member)
                )
    elif kind == "list":
        yield from _range_violations(shape, len(value), "have length", "''", path)
        for index, item in enumerate(value, 1):
            here = f"{path}.{index}.member"
            yield from _violations(shapes, shape["member"]["shape"], item, here)
    elif kind == "map":
        for key, item in value.items():
            here = f"{path}.{key}.member"
            yield from _violations(shapes, shape["value"]["shape"], item, here)
    elif kind == "string":
        yield from _string_violations(shape, value, path)
    elif kind in ("integer", "long"):
        yield from _range_violations(shape, value, "have value", f"'{value}'", path)


def _string_violations(shape: JsonObject, value: str, path: str) -> Iterator[str]:
    shown = "" if shape.get("sensitive") else f" '{value}'"
    start = f"Value{shown} at '{path}' failed to satisfy constraint: Member must "
    if "enum" in shape and value not in shape["enum"]:
        yield f"{start}satisfy enum value set: [{', '.join(shape['enum'])}]"
    if len(value) < shape.get("min", 0):
        yield f"{start}have length greater than or equal to {shape['min']}"
    if len(value) > shape.get("max", len(value)):
        yield f"{start}have length less than or equal to {shape['max']}"
    elif "pattern" in shape and not _pattern(shape["pattern"]).fullmatch(value):
        yield f"{start}satisfy regular expression pattern: {shape['pattern']}"


def _range_violations(
    shape: JsonObject, size: int, what: str, shown: str, path: str
) -> Iterator[str]:
    start = f"Value {shown} at '{path}' failed to satisfy constraint: Member must {what} "
    if size < shape.get("min", size):
        yield f"{start}greater than or equal to {shape['min']}"
    if size > shape.get("max", size):
        yield f"{start}less than or equal to {shape['max']}"


@cache
def _pattern(java: str) -> re.Pattern[str]:
    pattern = java
    for java_class, characters in _JAVA_CLASSES:
        pattern = java_class.sub(characters, pattern)
    return re.compile(pattern, re.ASCII)


def _is_of(kind: str, value: Any) -> bool:
    match kind:
        case "structure" | "map":
            return isinstance(value, dict)
        case "list":
            return isinstance(value, list)
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "timestamp" | "double" | "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return isinstance(value, str)


def _conversion_error(kind: str, value: Any) -> str:
    match value:
        case None:
            seen = "NULL_VALUE"
        case bool():
            seen = "TRUE_VALUE" if value else "FALSE_VALUE"
        case int() | float():
            seen = "NUMBER_VALUE"
        case str():
            seen = "STRING_VALUE"
        case list():
            seen = "START_ARRAY"
        case _:
            seen = "START_OBJECT"
    return f"{seen} can not be converted to a {kind.capitalize()}"


def _joined(path: str, member: str) -> str:
    lower_first = member[:1].lower() + member[1:]
    return f"{path}.{lower_first}" if path else lower_first
