"""A local cloud whose gateway checks tokens with a clock that is a day ahead."""

from __future__ import annotations

import sys
import time

from labkit.local import __main__
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer, UserPools
from labkit.local.front import application


def a_day_ahead(user_pools: UserPools) -> CognitoAuthorizer:
    return CognitoAuthorizer(user_pools, clock=lambda: time.time() + 86_400)


if __name__ == "__main__":
    application.CognitoAuthorizer = a_day_ahead  # type: ignore[misc, assignment]
    sys.exit(__main__.main())
