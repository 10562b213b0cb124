"""Request validation: required parameters and the body's model (gateway.md 1.9-1.12)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from labkit.local.apigateway.rest.call import Call, Outcome, Pass, Skip, Stop
from labkit.local.apigateway.rest.responses import (
    API_CONFIGURATION_ERROR,
    BAD_REQUEST_BODY,
    BAD_REQUEST_PARAMETERS,
    GatewayError,
)
from labkit.local.apigateway.rest.values import look_up

if TYPE_CHECKING:
    from jsonschema import Draft4Validator

_NOTHING_TO_VALIDATE = Skip("the method validates nothing")
_PLACES = ("header", "path", "querystring")
"""The order in which missing parameters are named (1.9)."""


def validation(call: Call) -> Outcome:
    """Check the request against the method's request validator."""
    method = call.found.method
    validator_id = method.get("requestValidatorId")
    if not validator_id:
        return _NOTHING_TO_VALIDATE
    validator = call.deployment.validators.get(str(validator_id))
    if validator is None:
        reason = "the method names a request validator that the deployment doesn't have"
        return Stop(GatewayError(API_CONFIGURATION_ERROR), reason)
    if validator.get("validateRequestParameters"):
        missing = list(_missing(call))
        if missing:  # parameters come before the body (1.10)
            message = f"Missing required request parameters: [{', '.join(missing)}]"
            return Stop(
                GatewayError(BAD_REQUEST_PARAMETERS, message),
                f"{', '.join(missing)} missing or blank",
            )
    if validator.get("validateRequestBody"):
        return _body(call)
    return Pass("the required parameters are there")


def _missing(call: Call) -> Iterator[str]:
    """The required parameters that are missing or blank."""
    parameters: Mapping[str, Any] = call.found.method.get("requestParameters") or {}
    for place in _PLACES:
        prefix = f"method.request.{place}."
        for name, required in parameters.items():
            is_required = required is True or str(required).lower() == "true"
            if name.startswith(prefix) and is_required and not (look_up(call, name) or "").strip():
                yield name.removeprefix(prefix)


def _body(call: Call) -> Outcome:
    """Validate the body with the model of its content type; without a model it isn't looked at (1.12)."""
    models: Mapping[str, str] = call.found.method.get("requestModels") or {}
    content_type = (
        (call.request.header("content-type") or "application/json").split(";")[0].strip().lower()
    )
    name = models.get(content_type) or models.get("$default")
    if name is None:
        return Pass(f"no model for the content type {content_type}: the body isn't validated")
    try:
        document = json.loads(call.request.body or b"null")
    except (ValueError, RecursionError):
        return _invalid("the body isn't JSON", "")
    # Imported here: jsonschema takes a second, which every start of the cloud would pay, and few APIs validate a body.
    from jsonschema.exceptions import SchemaError
    from referencing.exceptions import Unresolvable

    try:
        errors = list(_validator(call, name).iter_errors(document))
    except (SchemaError, Unresolvable, ValueError, TypeError, RecursionError) as error:
        reason = f"the model {name} can't be used: {type(error).__name__}"
        return Stop(GatewayError(API_CONFIGURATION_ERROR), reason)
    if errors:
        return _invalid(
            f"the body doesn't fit the model {name}", f"[{', '.join(map(_words, errors))}]"
        )
    return Pass(f"the body fits the model {name}")


def _validator(call: Call, name: str) -> Draft4Validator:
    from jsonschema import Draft4Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT4

    schemas = {
        model["name"]: json.loads(model.get("schema") or "{}")
        for model in call.deployment.models.values()
    }
    if name not in schemas:
        raise ValueError(f"no model {name}")
    base = f"https://apigateway.amazonaws.com/restapis/{call.deployment.api_id}/models/"
    registry: Registry[Any] = Registry().with_resources(
        [(base + key, DRAFT4.create_resource(schema)) for key, schema in schemas.items()]
    )
    Draft4Validator.check_schema(schemas[name])
    return Draft4Validator(schemas[name], registry=registry)


def _invalid(reason: str, detail: str) -> Stop:
    return Stop(GatewayError(BAD_REQUEST_BODY, validation=detail), reason, {"errors": detail})


def _words(error: Any) -> str:
    """A validation error in the words of API Gateway's validator, where they are known (1.11)."""
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"object has missing required properties ({json.dumps(missing)})"
    return str(error.message)
