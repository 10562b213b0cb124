"""Cognito identity pools: a verified login becomes credentials of a role, if the role trusts the pool.

MiniStack keeps the pools and the identities. It gives credentials without a role and to unknown identities, asks no
trust policy, knows no role mapping, and believes tokens of other providers; so whoever asks for an identity or for
credentials is answered here. Facts: cognito 10.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from labkit.local.cognito.guest_session import GUEST_POLICY, SIGNED_IN_POLICY
from labkit.local.cognito.login_tokens import LoginTokens
from labkit.local.cognito.role_mapping import check_mappings, role_for, roles_in
from labkit.local.engine import Engine, IdentityPool, IdentityPoolSession, Operation, Role
from labkit.local.iam.policy import MalformedPolicyError, Statement, parse_trust_policy
from labkit.local.json_protocol import (
    ApiError,
    ServiceModel,
    body_of,
    error_type_of,
    json_response,
    with_protocol_headers,
)
from labkit.local.messages import Request, Response
from labkit.local.random_ids import new_uuid
from labkit.tokens.signed import Claims

JsonObject = dict[str, Any]

TARGET_PREFIX = "AWSCognitoIdentityService."
"""How ``X-Amz-Target`` begins."""
PROVIDER = "cognito-identity.amazonaws.com"
"""The ``Federated`` principal in a trust policy, and how its condition keys begin (cognito 10.4)."""
SESSION_NAME = "CognitoIdentityCredentials"
LIFETIME_SECONDS = 3600

BAD_CONFIGURATION = "Invalid identity pool configuration. Check assigned IAM roles for this pool."
"""Of ``InvalidIdentityPoolConfigurationException``: no role, or one that doesn't trust the pool."""

_NAMING = frozenset({"stringequals", "stringequalsignorecase", "stringlike"})
"""The condition operators that say whose ``aud`` a trust policy lets in."""
_PAGE = re.compile(r"[0-9]{1,9}")
_POOL_NOT_FOUND = re.compile(r"Identity pool (\S+) not found\.")
_UNSUPPORTED = """
    GetOpenIdToken GetOpenIdTokenForDeveloperIdentity LookupDeveloperIdentity MergeDeveloperIdentities
    SetPrincipalTagAttributeMap UnlinkDeveloperIdentity UnlinkIdentity
""".split()
"""What isn't modelled fails closed: MiniStack answers some of these without doing anything."""
_OPTIONAL: JsonObject = {
    "CognitoIdentityProviders": [],
    "DeveloperProviderName": "",
    "OpenIdConnectProviderARNs": [],
    "SamlProviderARNs": [],
    "SupportedLoginProviders": {},
}


class IdentityPoolService:
    """Answers the requests whose ``X-Amz-Target`` starts with :data:`TARGET_PREFIX`.

    Args:
        engine: MiniStack; it need not be started yet.
        clock: seconds since the epoch.
        numbers: for the ids of requests.
    """

    def __init__(
        self, engine: Engine, *, clock: Callable[[], float], numbers: random.Random
    ) -> None:
        self._numbers = numbers
        self._engine = engine
        self._pools = engine.identity_pools
        self._pools.operations.answer_with(self._answer)
        self._logins = LoginTokens(engine.user_pools, clock)
        self._model = ServiceModel("cognito-identity", "ValidationException")
        self._operations: dict[str, Callable[[JsonObject, Operation], Awaitable[Response]]] = {
            "GetCredentialsForIdentity": self._get_credentials,
            "GetId": self._get_id,
            "SetIdentityPoolRoles": self._set_roles,
            "UpdateIdentityPool": self._update,
        }
        # MiniStack answers in threads: two logins at once of a new user would get two identities.
        self._one_at_a_time = asyncio.Lock()
        # The other ways to a role that trusts identity pools are STS's and IAM's.
        engine.sts.refuse_web_identities(
            "InvalidIdentityToken",
            "The local cloud doesn't offer AssumeRoleWithWebIdentity: use GetCredentialsForIdentity.",
        )
        engine.iam.check_trust_policies_with(trust_policy_problem)

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises for what a client may send."""
        operation = (request.header("x-amz-target") or "").removeprefix(TARGET_PREFIX)
        try:
            self._model.check(operation, body_of(request))
        except ApiError as refusal:
            return with_protocol_headers(refusal.response, new_uuid(self._numbers))
        response = await self._engine.forward(request)
        return with_protocol_headers(_in_aws_words(operation, response), new_uuid(self._numbers))

    async def _answer(self, operation: str, body: JsonObject, proceed: Operation) -> Response:
        body = {name: value for name, value in body.items() if value is not None}
        own = self._operations.get(operation)
        try:
            if operation in _UNSUPPORTED:
                raise _unsupported(operation)
            if not _PAGE.fullmatch(str(body.get("NextToken", "0"))):  # cognito 18.3
                raise ApiError("InvalidParameterException", "Invalid pagination token given.")
            async with self._one_at_a_time:
                return await (own(body, proceed) if own else proceed(operation, body))
        except ApiError as refusal:
            return refusal.response

    # -- what a user asks for --------------------------------------------------------

    async def _get_id(self, body: JsonObject, proceed: Operation) -> Response:
        pool = self._pools.identity_pool(body["IdentityPoolId"])
        if pool is None:
            raise _pool_not_found(body["IdentityPoolId"])
        logins = body.get("Logins") or {}
        self._logins.verified(pool, logins)
        if not logins:
            _check_guests_allowed(pool)
        return await proceed("GetId", body)

    async def _get_credentials(self, body: JsonObject, _proceed: Operation) -> Response:
        identity_id, logins = body["IdentityId"], body.get("Logins") or {}
        pool = self._pools.identity_pool_of(identity_id)
        if pool is None:
            raise ApiError("ResourceNotFoundException", f"Identity '{identity_id}' not found.")
        claims = self._logins.verified(pool, logins)
        if not logins:
            _check_guests_allowed(pool)
        refusal = self._pools.login_refusal(pool["IdentityPoolId"], identity_id, logins)
        if refusal is not None:
            return refusal
        self._logins.check_still_signed_in(pool, claims)
        role_arn = role_for(
            self._pools.roles(pool["IdentityPoolId"]), claims, body.get("CustomRoleArn")
        )
        role = None if role_arn is None else self._engine.iam.role(role_arn)
        # First, because the role must trust the identity that gets the credentials: perhaps the login has one already.
        identity_id = self._pools.link_logins(pool["IdentityPoolId"], identity_id, logins)
        if role is None or not self._trusts(role, pool, identity_id, claims):
            raise ApiError("InvalidIdentityPoolConfigurationException", BAD_CONFIGURATION)
        return json_response(
            {
                "IdentityId": identity_id,
                "Credentials": self._credentials(role, pool, identity_id, claims),
            }
        )

    def _trusts(
        self, role: Role, pool: IdentityPool, identity_id: str, claims: Mapping[str, Claims]
    ) -> bool:
        region = pool["IdentityPoolId"].partition(":")[0]
        keys = {**_federated_keys(pool, identity_id), f"{PROVIDER}:amr": methods(claims)}
        return self._engine.iam.trusts_web_identity(role, PROVIDER, keys, region)

    def _credentials(
        self, role: Role, pool: IdentityPool, identity_id: str, claims: Mapping[str, Claims]
    ) -> JsonObject:
        session = IdentityPoolSession(
            identity_pool_id=pool["IdentityPoolId"],
            identity_id=identity_id,
            provider=_provider_text(claims),
            policy=SIGNED_IN_POLICY if claims else GUEST_POLICY,
            condition_keys=_federated_keys(pool, identity_id),
        )
        made = self._engine.sts.identity_pool_credentials(
            role, SESSION_NAME, LIFETIME_SECONDS, session
        )
        return {
            "AccessKeyId": made.access_key_id,
            "SecretKey": made.secret_access_key,
            "SessionToken": made.session_token,
            "Expiration": int(made.expires_at),
        }

    # -- what the owner configures ---------------------------------------------------

    async def _set_roles(self, body: JsonObject, proceed: Operation) -> Response:
        roles, mappings = body["Roles"], body.get("RoleMappings") or {}
        if roles.keys() - {"authenticated", "unauthenticated"}:
            raise ApiError(
                "InvalidParameterException",
                "The keys of Roles are authenticated and unauthenticated.",
            )
        check_mappings(mappings)
        region = body["IdentityPoolId"].partition(":")[0]
        account_id = self._engine.settings.account_id
        for role_arn in roles_in(roles, mappings):
            of_account = role_arn.startswith(f"arn:aws:iam::{account_id}:role/")
            if not of_account or not self._engine.iam.may_pass(role_arn, region):
                raise ApiError(
                    "NotAuthorizedException", f"Access to Role '{role_arn}' is forbidden."
                )
        return await proceed("SetIdentityPoolRoles", body)

    async def _update(self, body: JsonObject, proceed: Operation) -> Response:
        # What isn't sent goes back to its default, MiniStack would keep it; tags have operations of their own.
        return await proceed("UpdateIdentityPool", {**_OPTIONAL, "AllowClassicFlow": False, **body})


def trust_policy_problem(document: object) -> str | None:
    """What IAM has against a trust policy: one for identity pools must say which of them."""
    try:
        statements = parse_trust_policy(document).statements
    except MalformedPolicyError:
        return None  # that is another rule's matter
    for statement in statements:
        names = statement.principals.names if statement.principals else frozenset()
        trusts = ("Federated", PROVIDER) in names
        if trusts and statement.effect == "Allow" and not _names_audience(statement):
            return f"A trust policy for {PROVIDER} needs a condition on {PROVIDER}:aud, the id of your identity pool."
    return None


def _names_audience(statement: Statement) -> bool:
    return any(
        condition.key == f"{PROVIDER}:aud"
        and condition.operator in _NAMING
        and condition.quantifier != "forallvalues"
        and not condition.if_exists
        for condition in statement.conditions
    )


def methods(claims: Mapping[str, Claims]) -> list[str]:
    """The claim ``amr`` of the identity pool's own token (cognito 10.4): signed in or not, and how.

    >>> methods({})
    ['unauthenticated']
    """
    if not claims:
        return ["unauthenticated"]
    found = ["authenticated"]
    for provider, held in claims.items():
        found += [provider, f"{provider}:CognitoSignIn:{held['sub']}"]
    return found


def _provider_text(claims: Mapping[str, Claims]) -> str | None:
    """``cognitoAuthenticationProvider`` in the event of an API (gateway 4.23)."""
    parts = [f"{p},{p}:CognitoSignIn:{held['sub']}" for p, held in claims.items()]
    return ",".join(parts) or None


def _federated_keys(pool: IdentityPool, identity_id: str) -> dict[str, str | list[str]]:
    return {
        f"{PROVIDER}:aud": pool["IdentityPoolId"],
        f"{PROVIDER}:sub": identity_id,
        "aws:federatedprovider": PROVIDER,
    }


def _check_guests_allowed(pool: IdentityPool) -> None:
    if not pool["AllowUnauthenticatedIdentities"]:
        raise ApiError(
            "NotAuthorizedException",
            "Unauthenticated access is not supported for this identity pool.",
        )


def _pool_not_found(pool_id: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"IdentityPool '{pool_id}' not found.")


def _unsupported(operation: str) -> ApiError:
    return ApiError("UnsupportedOperationException", f"The local cloud doesn't offer {operation}.")


def _in_aws_words(operation: str, response: Response) -> Response:
    if response.status >= 500:
        return ApiError("InternalErrorException", "Something went wrong", response.status).response
    error_type = error_type_of(response)
    if error_type == "InvalidAction":
        return _unsupported(operation).response
    missing = error_type and _POOL_NOT_FOUND.fullmatch(str(response.json().get("message")))
    return _pool_not_found(missing[1]).response if missing else response
