"""Puts the gates of HTTP APIs together."""

from __future__ import annotations

from collections.abc import Callable

from labkit.local.apigateway.http.authorization import Authorization
from labkit.local.apigateway.http.iam_authorizer import IamAuthorizer
from labkit.local.apigateway.http.integrations import Integrations
from labkit.local.apigateway.http.issuers import Issuers
from labkit.local.apigateway.http.jwt_authorizer import JwtAuthorizer
from labkit.local.apigateway.http.lambda_authorizer import LambdaAuthorizer
from labkit.local.apigateway.http.pipeline import HttpPipeline
from labkit.local.apigateway.http.throttling import Throttle
from labkit.local.apigateway.rest.throttling import Buckets
from labkit.local.engine import Engine


def http_api_pipeline(engine: Engine, buckets: Buckets, clock: Callable[[], float]) -> HttpPipeline:
    """The gates of HTTP APIs over the engine's functions, user pools and identities.

    Args:
        engine: the seam to the control planes.
        buckets: the account's token buckets.
        clock: seconds since the epoch.
    """
    return HttpPipeline(
        Authorization(
            JwtAuthorizer(Issuers(engine), clock),
            IamAuthorizer(engine, clock),
            LambdaAuthorizer(engine, engine, clock=clock),
        ),
        Throttle(buckets),
        Integrations(engine),
    )
