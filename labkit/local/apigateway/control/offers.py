"""What of a call the local cloud doesn't offer, by the lists of ``labkit.local.offered``."""

from __future__ import annotations

from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import bad_request
from labkit.local.json_protocol import ServiceModel
from labkit.local.offered import refusal_of

JsonObject = dict[str, Any]


def check_offered(call: Call) -> None:
    """Refuse an operation, a member, a value or the path of a patch operation that isn't offered.

    Args:
        call: which the service's model has been held against.

    Raises:
        ApiError: ``BadRequestException``.
    """
    operation = call.operation
    shapes = ServiceModel(operation.service).shapes
    parameters = {
        member: _named(shapes, target["shape"], value)
        for member, target in shapes.get(operation.shape, {}).get("members", {}).items()
        if (value := call.parameters.get(f"{member[:1].lower()}{member[1:]}")) is not None
    }
    refusal = refusal_of(operation.service, operation.name, parameters)
    if refusal is not None:
        raise bad_request(refusal)


def _named(shapes: JsonObject, name: str, value: Any) -> Any:
    """A value whose structures have the model's names in place of those on the wire."""
    shape = shapes[name]
    match shape["type"]:
        case "structure" if isinstance(value, dict):
            return {
                member: _named(
                    shapes, target["shape"], value.get(target.get("locationName", member))
                )
                for member, target in shape["members"].items()
            }
        case "list" if isinstance(value, list):
            return [_named(shapes, shape["member"]["shape"], one) for one in value]
        case "map" if isinstance(value, dict):
            return {key: _named(shapes, shape["value"]["shape"], one) for key, one in value.items()}
    return value
