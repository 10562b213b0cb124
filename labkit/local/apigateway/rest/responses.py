"""Gateway responses: what the client sees when a gate turns its request away (gateway 0, 1)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from labkit.local.apigateway.rest.records import GatewayResponse
from labkit.local.messages import Headers, Response, utf8


@dataclass(frozen=True, slots=True)
class ResponseType:
    """A gateway response type and its default on the wire (gateway 1b).

    Attributes:
        name: AWS's name.
        status: the default status.
        error_type: the ``x-amzn-ErrorType`` header.
        message: the default ``$context.error.message``; None prints ``null``.
        spaced: rejections of the validation and integration stages have a space after the colon (gateway 0.2).
        key: the denial of a policy evaluation spells ``Message`` (gateway 0.3).
    """

    name: str
    status: int
    error_type: str
    message: str | None
    spaced: bool = False
    key: str = "message"

    @property
    def family(self) -> str:
        """``DEFAULT_4XX`` or ``DEFAULT_5XX``: whose customisation it inherits (gateway 1.3)."""
        return "DEFAULT_4XX" if self.status < 500 else "DEFAULT_5XX"


_SERVER_ERROR = "InternalServerErrorException"

ACCESS_DENIED = ResponseType(
    "ACCESS_DENIED",
    403,
    "AccessDeniedException",
    "User is not authorized to access this resource",
    key="Message",
)
API_CONFIGURATION_ERROR = ResponseType(
    "API_CONFIGURATION_ERROR", 500, _SERVER_ERROR, "Internal server error", spaced=True
)
AUTHORIZER_CONFIGURATION_ERROR = ResponseType(
    "AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException", None
)
BAD_REQUEST_BODY = ResponseType(
    "BAD_REQUEST_BODY", 400, "BadRequestException", "Invalid request body", spaced=True
)
BAD_REQUEST_PARAMETERS = ResponseType(
    "BAD_REQUEST_PARAMETERS",
    400,
    "BadRequestException",
    "Missing required request parameters",
    spaced=True,
)
DEFAULT_5XX = ResponseType("DEFAULT_5XX", 500, _SERVER_ERROR, "Internal server error", spaced=True)
EXPIRED_TOKEN = ResponseType(
    "EXPIRED_TOKEN",
    403,
    "ExpiredTokenException",
    "The security token included in the request is expired",
)
FORBIDDEN = ResponseType("DEFAULT_4XX", 403, "ForbiddenException", "Forbidden")
INVALID_API_KEY = ResponseType("INVALID_API_KEY", 403, "ForbiddenException", "Forbidden")
INVALID_SIGNATURE = ResponseType("INVALID_SIGNATURE", 403, "InvalidSignatureException", None)
INTEGRATION_FAILURE = ResponseType(
    "INTEGRATION_FAILURE",
    504,
    _SERVER_ERROR,
    "Network error communicating with endpoint",
    spaced=True,
)
INTEGRATION_TIMEOUT = ResponseType(
    "INTEGRATION_TIMEOUT", 504, _SERVER_ERROR, "Endpoint request timed out", spaced=True
)
MISSING_AUTHENTICATION_TOKEN = ResponseType(
    "MISSING_AUTHENTICATION_TOKEN",
    403,
    "MissingAuthenticationTokenException",
    "Missing Authentication Token",
)
INCOMPLETE_SIGNATURE = ResponseType("INVALID_SIGNATURE", 403, "IncompleteSignatureException", None)
QUOTA_EXCEEDED = ResponseType("QUOTA_EXCEEDED", 429, "LimitExceededException", "Limit Exceeded")
SCOPE_MISSING = ResponseType("ACCESS_DENIED", 403, "ForbiddenException", "Forbidden")
"""Of a JWT authorizer: AWS documents the status, the rest is a guess (rest_jwt 16.36)."""
THROTTLED = ResponseType("THROTTLED", 429, "TooManyRequestsException", "Too Many Requests")
UNRECOGNIZED_CLIENT = ResponseType(
    "ACCESS_DENIED",
    403,
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
)
UNAUTHORIZED = ResponseType("UNAUTHORIZED", 401, "UnauthorizedException", "Unauthorized")
UNSUPPORTED_MEDIA_TYPE = ResponseType(
    "UNSUPPORTED_MEDIA_TYPE", 415, "BadRequestException", "Unsupported Media Type", spaced=True
)


@dataclass(frozen=True, slots=True)
class GatewayError:
    """A rejection.

    Attributes:
        type: what kind.
        message: where it differs from the type's.
        status: where it differs from the type's.
        validation: ``$context.error.validationErrorString`` (gateway 1.11).
    """

    type: ResponseType
    message: str | None = None
    status: int | None = None
    validation: str = ""

    @property
    def shown_status(self) -> int:
        """The status that the client sees, unless it is customised."""
        return self.status or self.type.status

    @property
    def shown_message(self) -> str | None:
        """The message that the client sees."""
        return self.type.message if self.message is None else self.message


_NAME = r"(?:context|stageVariables|method\.request)(?:\.[\w-]+|\['[^']*'\])*"
_TEMPLATE_VARIABLE = re.compile(rf"\$(?:\{{(?P<braced>{_NAME})\}}|(?P<plain>{_NAME}))")
_NOT_CUSTOMISED = GatewayResponse(None, {}, {})
Lookup = Callable[[str], "str | None"]
"""Resolves ``context.requestId``, ``stageVariables.x``, ``method.request.header.x``… to text, or None."""


def render(
    error: GatewayError, customised: Mapping[str, GatewayResponse], lookup: Lookup
) -> Response:
    """The gateway response of a rejection.

    Args:
        error: the rejection.
        customised: the deployment's gateway responses by type; a type that isn't customised itself inherits the
            status, parameters and templates of its ``DEFAULT_*`` type (gateway 1.3).
        lookup: the request's values for templates and parameters.
    """
    kind = error.type
    if not customised:
        plain: Headers = [
            ("Content-Type", "application/json"),
            ("x-amzn-ErrorType", kind.error_type),
        ]
        return Response(error.shown_status, plain, _default_body(error))
    own = customised.get(kind.name)
    custom = own or customised.get(kind.family) or _NOT_CUSTOMISED
    status = status_of(custom.status_code, error.shown_status)
    headers: Headers = []
    body = _default_body(error)
    content_type = "application/json"
    templates = custom.templates
    if templates:
        content_type = (
            "application/json" if "application/json" in templates else next(iter(templates))
        )
        body = utf8(_substitute(templates[content_type], _with_error(error, lookup)))
    for target, source in custom.parameters.items():
        name = target.removeprefix("gatewayresponse.header.")
        value = _parameter(source, lookup)
        if value is not None and name != target:
            headers.append((name, value))
    if not any(name.lower() == "content-type" for name, _value in headers):
        headers.insert(0, ("Content-Type", content_type))
    headers.append(("x-amzn-ErrorType", kind.error_type))
    return Response(status, headers, body)


def status_of(configured: object, otherwise: int) -> int:
    """A status as it was configured; AWS takes no other text than three digits.

    >>> status_of("418", 403), status_of("teapot", 403), status_of(None, 403)
    (418, 403, 403)
    """
    text = str(configured)
    return int(text) if len(text) == 3 and text.isascii() and text.isdigit() else otherwise


def _default_body(error: GatewayError) -> bytes:
    return (
        _body(error.type, error.shown_message)
        if error.message is not None
        else _standard_body(error.type)
    )


@cache
def _standard_body(kind: ResponseType) -> bytes:
    return _body(kind, kind.message)


def _body(kind: ResponseType, message: str | None) -> bytes:
    text = json.dumps(message, ensure_ascii=False)
    return utf8(f'{{"{kind.key}":{" " if kind.spaced else ""}{text}}}')


def _with_error(error: GatewayError, lookup: Lookup) -> Lookup:
    """The request's values plus ``$context.error.*`` (gateway 1.6)."""
    message = error.shown_message
    values = {
        "context.error.message": message or "",
        "context.error.messageString": json.dumps(message, ensure_ascii=False),
        "context.error.responseType": error.type.name,
        "context.error.validationErrorString": error.validation,
    }
    return lambda name: values[name] if name in values else lookup(name)


def _substitute(template: str, lookup: Lookup) -> str:
    """Plain substitution: a gateway response template is not VTL (gateway 1.6)."""
    return _TEMPLATE_VARIABLE.sub(
        lambda match: lookup(match["braced"] or match["plain"]) or "", template
    )


def _parameter(source: str, lookup: Lookup) -> str | None:
    """A parameter is a value in single quotes or a reference to the request."""
    if len(source) >= 2 and source[0] == source[-1] == "'":
        return source[1:-1]
    return lookup(source)
