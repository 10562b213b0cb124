"""Puts the gates of HTTP APIs together."""

from __future__ import annotations

from labkit.local.engine import Engine
from labkit.local.gateway.throttling import Buckets
from labkit.local.http_api.authorization import Authorization
from labkit.local.http_api.iam_authorizer import IamAuthorizer
from labkit.local.http_api.integrations import Integrations
from labkit.local.http_api.issuers import Issuers
from labkit.local.http_api.jwt_authorizer import JwtAuthorizer
from labkit.local.http_api.lambda_authorizer import LambdaAuthorizer
from labkit.local.http_api.pipeline import HttpPipeline
from labkit.local.http_api.throttling import Throttle


def http_api_pipeline(engine: Engine, buckets: Buckets) -> HttpPipeline:
    """The gates of HTTP APIs over the engine's functions, user pools and identities.

    Args:
        engine: the seam to the control planes.
        buckets: the account's token buckets.
    """
    return HttpPipeline(
        Authorization(
            JwtAuthorizer(Issuers(engine)),
            IamAuthorizer(engine),
            LambdaAuthorizer(engine, engine),
        ),
        Throttle(buckets),
        Integrations(engine),
    )
