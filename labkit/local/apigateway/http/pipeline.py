"""The gates of an HTTP API, in their order, once its stage is found.

An HTTP API has no web ACL, resource policy, API keys and validation (gateway 13.12): these gates say so, and everybody
passes. The order of the others is the REST API's; nobody is known to have recorded it for HTTP APIs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labkit.journey import Code
from labkit.local.apigateway.authorization import Authorization
from labkit.local.apigateway.http.call import HttpCall, HttpOutcome
from labkit.local.apigateway.http.endpoint import closed_endpoint
from labkit.local.apigateway.http.integrations import HttpIntegrations
from labkit.local.apigateway.http.jwt_authorizer import JwtAuthorizer
from labkit.local.apigateway.http.records import HttpAuthorizer
from labkit.local.apigateway.http.responses import SERVER_ERROR, HttpError
from labkit.local.apigateway.http.routing import route
from labkit.local.apigateway.iam_authorizer import IamAuthorizer
from labkit.local.apigateway.lambda_authorizer import LambdaAuthorizer
from labkit.local.apigateway.limits import Throttle
from labkit.local.apigateway.outcomes import Skip, Stop
from labkit.local.apigateway.pipeline import Pipeline
from labkit.local.messages import Response

_OPEN = Skip("the route is open to everybody (authorization NONE)", Code.AUTHORIZATION_NONE)
_PREFLIGHT = Skip("no route is asked for: the API answers the preflight by itself")


@dataclass(frozen=True)
class HttpGates:
    """The gates that keep state or ask another part of the cloud.

    Attributes:
        jwt: for ``JWT``.
        iam: for ``AWS_IAM``.
        lambda_authorizer: for ``CUSTOM``.
        throttle: the token buckets.
        integrations: the backends.
    """

    jwt: JwtAuthorizer
    iam: IamAuthorizer[HttpCall, HttpError]
    lambda_authorizer: LambdaAuthorizer[HttpCall, HttpAuthorizer, HttpError]
    throttle: Throttle[HttpCall, HttpError]
    integrations: HttpIntegrations


def http_pipeline(gates: HttpGates) -> Pipeline[HttpCall, HttpError]:
    """What a request to an HTTP API goes through."""
    authorizer = Authorization[HttpCall, HttpError](
        {
            "NONE": lambda call: _PREFLIGHT if call.route is None else _OPEN,
            "JWT": gates.jwt,
            "AWS_IAM": gates.iam,
            "CUSTOM": gates.lambda_authorizer,
        },
        SERVER_ERROR,
    )
    return Pipeline(
        (
            ("waf", _absent("an HTTP API can't have a web ACL")),
            ("route", closed_endpoint),
            ("route", route),
            ("resource policy", _absent("an HTTP API can't have a resource policy")),
            ("authorizer", authorizer),
            ("api key and usage plan", _absent("an HTTP API has no API keys")),
            ("throttle", gates.throttle),
            ("validation", _absent("an HTTP API doesn't validate requests")),
            ("integration", gates.integrations),
        ),
        reject,
    )


def reject(_call: HttpCall, stop: Stop[HttpError]) -> Response:
    """The response for a rejection."""
    return stop.refusal.response()


def _absent(reason: str) -> Callable[[HttpCall], HttpOutcome]:
    """A gate that HTTP APIs don't have."""
    skip = Skip(reason)
    return lambda call: skip
