"""What the service models of API Gateway forbid, in the words of AWS's ``ValidationException``.

Values are named from the body's name on, parameters of the path by their own (recorded 1.7, 7.13, 8.21); all violations
come together (recorded 1.9). A wrong JSON type ends the reading (recorded 8.14).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request
from labkit.local.json_protocol import ApiError, ServiceModel

JsonObject = dict[str, Any]

_RECORDED_ORDER = {
    "EndpointType": "PRIVATE, EDGE, REGIONAL",
    "IntegrationType": "HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS",
    "Op": "add, remove, move, test, replace, copy",
    "GatewayResponseType": "REQUEST_TOO_LARGE, RESOURCE_NOT_FOUND, AUTHORIZER_CONFIGURATION_ERROR, "
    "MISSING_AUTHENTICATION_TOKEN, BAD_REQUEST_BODY, INVALID_SIGNATURE, INVALID_API_KEY, BAD_REQUEST_PARAMETERS, "
    "AUTHORIZER_FAILURE, UNAUTHORIZED, INTEGRATION_TIMEOUT, ACCESS_DENIED, DEFAULT_4XX, DEFAULT_5XX, WAF_FILTERED, "
    "QUOTA_EXCEEDED, THROTTLED, API_CONFIGURATION_ERROR, UNSUPPORTED_MEDIA_TYPE, INTEGRATION_FAILURE, EXPIRED_TOKEN",
}
"""How AWS lists an enumeration, where that is known (recorded 1.7, 1.19, 7.7, 8.35); elsewhere as the model does."""
_NUMBER = "com.amazon.coral.value.json.numbers.TruncatingBigNumber"
_JAVA_TYPES: dict[type, str] = {
    bool: "java.lang.Boolean",
    int: _NUMBER,
    float: _NUMBER,
    str: "java.lang.String",
}
"""How AWS names the JSON type of a value (recorded 8.14, 8.50)."""


_RECORDED_WORDS = {
    "CreateApi.protocolType": "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]"
}
"""Of members that AWS looks at before the model does (recorded 26.1)."""


def check_constraints(call: Call) -> None:
    """Refuse what the model doesn't allow.

    Raises:
        ApiError: ``ValidationException`` (of HTTP APIs ``BadRequestException``), or ``SerializationException`` for a
            value of the wrong JSON type.
    """
    operation = call.operation
    if not operation.shape:
        return
    shapes = ServiceModel(operation.service).description["shapes"]
    shape = shapes[operation.shape]
    violations: list[str] = []
    members = shape.get("members", {})
    # the body's come first (recorded 8.33)
    for member in sorted(members, key=lambda one: members[one].get("location") is not None):
        target, name = members[member], f"{member[:1].lower()}{member[1:]}"
        path = name if name in call.in_path else f"{operation.input_name}.{name}"
        value = call.parameters.get(name)
        if value is None:
            if member in shape.get("required", ()):
                violations.append(_violation("null", path, "Member must not be null"))
        elif member != shape.get("payload"):
            found = list(_violations(shapes, target["shape"], value, path))
            if found and (words := _RECORDED_WORDS.get(f"{operation.name}.{name}")):
                raise bad_request(words)
            violations += found
    _refuse(operation.service, violations)


def check_value(service: str, shape: str, value: object, path: str) -> None:
    """Refuse a value that a shape of a service's model doesn't allow.

    Args:
        service: ``apigateway`` or ``apigatewayv2``.
        shape: its name in the model.
        value: the value.
        path: what the refusal names it.

    Raises:
        ApiError: as :func:`check_constraints`.
    """
    shapes = ServiceModel(service).description["shapes"]
    _refuse(service, list(_violations(shapes, shape, value, path)))


def _refuse(service: str, violations: list[str]) -> None:
    if violations:
        several = "s" if len(violations) > 1 else ""
        message = f"{len(violations)} validation error{several} detected: {'; '.join(violations)}"
        is_rest = service == "apigateway"
        raise ApiError("ValidationException" if is_rest else "BadRequestException", message)


def _violation(value: object, path: str, constraint: str) -> str:
    return f"Value {value} at '{path}' failed to satisfy constraint: {constraint}"


def _violations(shapes: JsonObject, name: str, value: Any, path: str) -> Iterator[str]:
    shape = shapes[name]
    kind = shape["type"]
    _check_type(kind, value)
    if kind == "structure":
        for member, target in shape["members"].items():
            wire = target.get("locationName", member)
            if value.get(wire) is not None:
                yield from _violations(shapes, target["shape"], value[wire], f"{path}.{wire}")
            elif member in shape.get("required", ()):
                yield _violation("null", f"{path}.{wire}", "Member must not be null")
    elif kind == "list":
        yield from _of_list(shapes, shape, value, path)
    elif kind == "map":
        for key, item in value.items():
            yield from _violations(shapes, shape["value"]["shape"], item, f"{path}.{key}.member")
    else:
        shown = f"'{value}'"
        for constraint in _broken(name, shape, value):
            yield _violation(shown, path, constraint)


def _of_list(shapes: JsonObject, shape: JsonObject, value: list[Any], path: str) -> Iterator[str]:
    name = shape["member"]["shape"]
    if shapes[name]["type"] == "structure":
        for index, item in enumerate(value, 1):
            yield from _violations(shapes, name, item, f"{path}.{index}.member")
        return
    for item in value:
        _check_type(shapes[name]["type"], item)
        for constraint in _broken(name, shapes[name], item):
            shown = f"'[{', '.join(map(str, value))}]'"
            yield _violation(shown, path, f"Member must satisfy constraint: [{constraint}]")
            return


def _broken(name: str, shape: JsonObject, value: Any) -> Iterator[str]:
    if "enum" in shape and value not in shape["enum"]:
        listed = _RECORDED_ORDER.get(name) or ", ".join(shape["enum"])
        yield f"Member must satisfy enum value set: [{listed}]"
    what, size = (
        ("have length", len(value)) if isinstance(value, str) else ("have value", value or 0)
    )
    if size < shape.get("min", size):
        yield f"Member must {what} greater than or equal to {shape['min']}"
    if size > shape.get("max", size):
        yield f"Member must {what} less than or equal to {shape['max']}"
    if "pattern" in shape and not _pattern(shape["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {shape['pattern']}"


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII)


def _check_type(kind: str, value: Any) -> None:
    """Refuse a value of another JSON type (recorded 8.14)."""
    fits: dict[str, tuple[type, ...]] = {
        "structure": (dict,),
        "map": (dict,),
        "list": (list,),
        "boolean": (bool,),
        "integer": (int,),
        "long": (int,),
        "double": (int, float),
        "float": (int, float),
        "timestamp": (int, float, str),
    }
    wanted = fits.get(kind, (str,))
    if isinstance(value, wanted) and (bool in wanted or not isinstance(value, bool)):
        return
    if isinstance(value, dict | list):  # not recorded
        raise ApiError(
            "SerializationException", "Start of structure or map found where not expected."
        )
    seen = _JAVA_TYPES.get(type(value), "java.lang.Object")
    wanted_name = {"structure": "Map", "map": "Map", "list": "List"}.get(kind, kind.capitalize())
    raise ApiError(
        "SerializationException",
        f"class {seen} can not be converted to an {wanted_name}",
    )
