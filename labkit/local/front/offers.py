"""What the local cloud doesn't offer is turned away here, before anything is stored: services, operations, settings."""

from __future__ import annotations

from functools import lru_cache

from labkit.local.engine import Engine
from labkit.local.front.called_operation import (
    Called,
    is_of_lambda,
    read_action,
    read_path,
    read_target,
)
from labkit.local.front.services import API_GATEWAY
from labkit.local.json_protocol import ApiError
from labkit.local.messages import Request, Response
from labkit.local.offered import not_offered, refusal_of, services

ERROR_TYPE = "UnsupportedOperationException"
"""Of every refusal here; AWS has no word for what another cloud lacks."""

_QUERY_SERVICES = frozenset({"iam", "ses", "sts"})


def refuse_unoffered(request: Request, service: str, engine: Engine) -> Response | None:
    """The refusal of a call that ``access.admit`` has let in, or None.

    Args:
        request: the call.
        service: which service it is for, as a signature names it.
        engine: knows the form of each service's errors.
    """
    if _is_for_another(request, service):
        return refusal_in_form(request, service, not_offered(request.path), engine)
    if service == API_GATEWAY or service not in services():  # API Gateway looks at its own calls
        return None
    called = _called(request, service)
    for params in called.params or ({},):
        if refusal := refusal_of(service, called.operation, params):
            return refusal_in_form(request, service, refusal, engine)
    return None


def refuse_service(request: Request, service: str, engine: Engine) -> Response:
    """The refusal of a call to a service that isn't served."""
    return refusal_in_form(request, service, not_offered(_name_of(service)), engine)


def refusal_in_form(request: Request, service: str, message: str, engine: Engine) -> Response:
    """A refusal in the form of the service's errors, with status 400."""
    if request.header("x-amz-target"):
        response = ApiError(ERROR_TYPE, message).response
        response.headers.append(("x-amzn-ErrorType", f"{ERROR_TYPE}:"))
        return response
    response = engine.signatures.refusal(request, service, ERROR_TYPE, message)
    response.status = 400
    return response


def _is_for_another(request: Request, service: str) -> bool:
    """Whether the engine would take it for a call of another service: it goes by the path and the action, too."""
    if is_of_lambda(request):
        return service not in ("lambda", "cloudfront")
    has_action = any(name == "Action" for name, _value in request.query)
    return has_action and service not in _QUERY_SERVICES


def _called(request: Request, service: str) -> Called:
    if request.header("x-amz-target"):
        return read_target(request)
    return read_action(request) if service in _QUERY_SERVICES else read_path(request, service)


@lru_cache(32)
def _name_of(service: str) -> str:
    """How AWS calls a service: ``CloudFormation``; the name in the signature, if AWS has another model for it."""
    from botocore.exceptions import DataNotFoundError
    from botocore.loaders import Loader

    try:
        model = Loader().load_service_model(service, "service-2")
    except DataNotFoundError:
        return service
    return str(model["metadata"].get("serviceId", service))
