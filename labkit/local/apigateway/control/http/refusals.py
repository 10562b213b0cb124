"""What AWS doesn't let anybody configure: refusals of routes, authorizers and integrations (gateway 13.1, 14).

The texts with a thread's name beside them are the ones that users of AWS reported there; the others aren't known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labkit.local.apigateway.answers import bad_request, refuse
from labkit.local.apigateway.http.issuers import COGNITO_ISSUER
from labkit.local.apigateway.http.records import MAX_TTL_SECONDS
from labkit.local.apigateway.loopback import is_loopback
from labkit.local.cognito.pool_keys import PoolDirectory
from labkit.local.messages import Response

Records = Mapping[str, Any]

MAX_AUTHORIZERS, MAX_AUDIENCES, MAX_SCOPES = 10, 50, 10
"""Of an API, of an authorizer and of a route (gateway 14)."""
TIMEOUT_MS = range(50, 30_001)
"""An integration's timeout in milliseconds (gateway 14)."""
ID_OF = {"routes": "routeId", "authorizers": "authorizerId", "integrations": "integrationId"}
"""What is looked at, and the name of its id."""
_DISCOVERY = "/.well-known/openid-configuration"


def refusal(
    kind: str, record: Mapping[str, Any], records: Records, pools: PoolDirectory
) -> Response | None:
    """Why AWS wouldn't take a route, an authorizer or an integration; None when it would.

    Args:
        kind: one of :data:`ID_OF`.
        record: the settings, which ``records`` has already.
        records: all of the API.
        pools: the user pools of this cloud.
    """
    checks = {"routes": _of_route, "authorizers": _of_authorizer, "integrations": _of_integration}
    return next(checks[kind](record, records, pools), None)


def _of_route(
    record: Mapping[str, Any], records: Records, _pools: PoolDirectory
) -> Iterator[Response]:
    key, kind = record.get("routeKey"), record.get("authorizationType") or "NONE"
    if [route.get("routeKey") for route in records["routes"].values()].count(key) > 1:
        yield refuse(409, "ConflictException", f"Route with key {key} already exists for this API")
    authorizer = records["authorizers"].get(str(record.get("authorizerId"))) or {}
    wanted = {"JWT": "JWT", "CUSTOM": "REQUEST"}.get(str(kind))
    if wanted is not None and authorizer.get("authorizerType") != wanted:
        # anomalyco/ion#1104 and #470, 2024, for JWT.
        yield bad_request(
            f"Invalid authorizer ID specified. Setting the authorization type to {kind} requires a valid "
            f"{kind} authorizer."
        )
    scopes = _list(record.get("authorizationScopes"))
    if scopes and kind != "JWT":  # aws/aws-cdk#27576, 2023
        yield bad_request(
            "Invalid Route authorization type specified. Authorization Scopes are only valid for COGNITO_USER_POOLS "
            "and JWT authorization types"
        )
    if len(scopes) > MAX_SCOPES:
        yield bad_request(f"A route can't have more than {MAX_SCOPES} authorization scopes")


def _of_authorizer(
    record: Mapping[str, Any], records: Records, pools: PoolDirectory
) -> Iterator[Response]:
    if (
        len(records["authorizers"]) > MAX_AUTHORIZERS
    ):  # anomalyco/sst#4522, 2024: a conflict with 429
        message = (
            "Maximum number of Authorizers for this API has been reached. Please contact AWS if you need additional "
            "Authorizers."
        )
        yield refuse(429, "ConflictException", message)
    ttl = record.get("authorizerResultTtlInSeconds")
    if ttl is not None and not (isinstance(ttl, int) and 0 <= ttl <= MAX_TTL_SECONDS):
        yield bad_request(f"AuthorizerResultTtlInSeconds must be from 0 to {MAX_TTL_SECONDS}")
    if record.get("authorizerType") != "JWT":
        return
    settings = record.get("jwtConfiguration")
    settings = settings if isinstance(settings, dict) else {}
    issuer, audience = str(settings.get("issuer") or ""), _list(settings.get("audience"))
    if len(_list(record.get("identitySource"))) != 1:
        yield bad_request("A JWT authorizer has exactly one identity source")
    if not issuer or not audience:
        yield bad_request("A JWT authorizer has an issuer and at least one audience")
    if len(audience) > MAX_AUDIENCES:
        yield bad_request(f"A JWT authorizer can't have more than {MAX_AUDIENCES} audiences")
    pool = COGNITO_ISSUER.fullmatch(issuer)
    has_no_keys = pool is not None and pools.client_ids(pool["pool"]) is None
    # A server of this machine may do without https, which on AWS nobody can reach.
    if has_no_keys or not (issuer.startswith("https://") or is_loopback(issuer)):
        # haandol/cognito-kakao-example#1, 2021, for a user pool.
        yield bad_request(
            f"Caught exception when connecting to {issuer}{_DISCOVERY} for issuer {issuer}. Please try again later. "
            f"Error: Invalid issuer: {issuer}. Issuer must have a valid discovery endpoint ended with '{_DISCOVERY}'"
        )


def _of_integration(
    record: Mapping[str, Any], _records: Records, _pools: PoolDirectory
) -> Iterator[Response]:
    timeout = record.get("timeoutInMillis")
    if timeout is not None and timeout not in TIMEOUT_MS:
        yield bad_request(
            f"The timeout must be from {TIMEOUT_MS[0]} to {TIMEOUT_MS[-1]} milliseconds"
        )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
