"""Request validation: required parameters and the body's model (gateway 1.9-1.12)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Pass, Skip, Stop
from labkit.local.apigateway.rest.call import RestCall, RestOutcome
from labkit.local.apigateway.rest.model_patterns import with_exact_patterns
from labkit.local.apigateway.rest.responses import (
    API_CONFIGURATION_ERROR,
    BAD_REQUEST_BODY,
    BAD_REQUEST_PARAMETERS,
    GatewayError,
)
from labkit.local.apigateway.rest.values import look_up
from labkit.local.strict_json import read_strict_json

if TYPE_CHECKING:
    from jsonschema import Draft4Validator

_NOTHING_TO_VALIDATE = Skip("the method validates nothing")
_PLACES = ("header", "path", "querystring")
"""The order in which missing parameters are named (gateway 1.9)."""


def validation(call: RestCall) -> RestOutcome:
    """Check the request against the method's request validator."""
    validator_id = call.found.method.validator_id
    if not validator_id:
        return _NOTHING_TO_VALIDATE
    validator = call.deployment.validators.get(validator_id)
    if validator is None:
        reason = "the method names a request validator that the deployment doesn't have"
        return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.VALIDATION_SETTINGS, reason)
    if validator.validate_parameters:
        missing = list(_missing(call))
        if missing:  # parameters come before the body (gateway 1.10)
            message = f"Missing required request parameters: [{', '.join(missing)}]"
            return Stop(
                GatewayError(BAD_REQUEST_PARAMETERS, message),
                Code.VALIDATION_PARAMETERS,
                f"{', '.join(missing)} missing or blank",
            )
    if validator.validate_body:
        return _body(call)
    return Pass("the required parameters are there")


def _missing(call: RestCall) -> Iterator[str]:
    """The required parameters that are missing or blank."""
    for place in _PLACES:
        prefix = f"method.request.{place}."
        for name in call.found.method.required_parameters:
            if name.startswith(prefix) and not (look_up(call, name) or "").strip():
                yield name.removeprefix(prefix)


def _body(call: RestCall) -> RestOutcome:
    """Validate the body with the model of its content type; without a model it isn't looked at (gateway 1.12)."""
    models = call.found.method.models
    content_type = (
        (call.request.header("content-type") or "application/json").split(";")[0].strip().lower()
    )
    name = models.get(content_type) or models.get("$default")
    if name is None:
        return Pass(f"no model for the content type {content_type}: the body isn't validated")
    try:
        document = read_strict_json(call.request.body or b"null")
    except (ValueError, RecursionError):
        return _invalid("the body isn't JSON", "")
    # Imported here: jsonschema takes a second, which every start of the cloud would pay, and few APIs validate a body.
    from jsonschema.exceptions import SchemaError
    from referencing.exceptions import Unresolvable

    try:
        errors = list(_validator(call, name).iter_errors(document))
    except (SchemaError, Unresolvable, re.error, ValueError, TypeError, RecursionError) as error:
        reason = f"the model {name} can't be used: {type(error).__name__}"
        return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.VALIDATION_SETTINGS, reason)
    if errors:
        return _invalid(
            f"the body doesn't fit the model {name}", f"[{', '.join(map(_words, errors))}]"
        )
    return Pass(f"the body fits the model {name}")


def _validator(call: RestCall, name: str) -> Draft4Validator:
    from jsonschema import Draft4Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT4

    schemas = {
        model.name: with_exact_patterns(json.loads(model.schema or "{}"))
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


def _invalid(reason: str, detail: str) -> Stop[GatewayError]:
    error = GatewayError(BAD_REQUEST_BODY, validation=detail)
    return Stop(error, Code.VALIDATION_BODY, reason, {"errors": detail})


def _words(error: Any) -> str:
    """A validation error in the words of API Gateway's validator, where they are known (gateway 1.11)."""
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"object has missing required properties ({json.dumps(missing)})"
    return str(error.message)
