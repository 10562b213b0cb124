"""Signing in with a password: told, or proven with SRP.

A name that nobody has costs the same work as a user's, and is answered in the same way where the app client mustn't
tell. Facts: cognito 1.9, 2.9, 4, 11.1, 15.
"""

from __future__ import annotations

import hmac
import re
from typing import Any

from labkit.local.cognito.completion import SignInEnds
from labkit.local.cognito.password_attempts import PasswordAttempts
from labkit.local.cognito.password_challenges import PasswordChallenges
from labkit.local.cognito.sign_in_names import (
    SignInNames,
    refuse_inactive,
    required_parameter,
)
from labkit.local.engine import User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

# AuthFlow: which of the client's ExplicitAuthFlows enable it, and the refusal without one (cognito 1.9)
_ENABLED_BY = {
    "USER_PASSWORD_AUTH": (
        {"ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"},
        "USER_PASSWORD_AUTH flow not enabled for this client",
    ),
    "ADMIN_USER_PASSWORD_AUTH": (
        {"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"},
        "Auth flow not enabled for this client",
    ),
    "USER_SRP_AUTH": ({"ALLOW_USER_SRP_AUTH"}, "USER_SRP_AUTH is not enabled for the client."),
}
_ENABLED_BY["ADMIN_NO_SRP_AUTH"] = _ENABLED_BY["ADMIN_USER_PASSWORD_AUTH"]

FLOWS = frozenset(_ENABLED_BY)
"""The values of ``AuthFlow`` that are answered here."""

_SRP_A = re.compile(r"[0-9a-fA-F]+")


class PasswordSignIn:
    """Checks passwords.

    Args:
        user_pools: know them.
        names: whose name is typed.
        ends: run the triggers.
        challenges: what follows a right password.
        attempts: how often one may guess.
    """

    def __init__(
        self,
        user_pools: UserPools,
        names: SignInNames,
        ends: SignInEnds,
        challenges: PasswordChallenges,
        attempts: PasswordAttempts,
    ) -> None:
        self._user_pools = user_pools
        self._names = names
        self._ends = ends
        self._challenges = challenges
        self._attempts = attempts

    async def initiate(
        self, pool: UserPool, client: UserPoolClient, operation: str, body: JsonObject
    ) -> Response:
        """Start: ``InitiateAuth`` or ``AdminInitiateAuth`` with one of :data:`FLOWS`."""
        flow = body["AuthFlow"]
        _refuse_flow(client, operation, flow)
        parameters = body.get("AuthParameters") or {}
        typed_name = required_parameter(parameters, "USERNAME")
        secret = "SRP_A" if flow == "USER_SRP_AUTH" else "PASSWORD"
        required_parameter(parameters, secret)
        user = self._names.known_or_disguised(pool, client, typed_name)
        username = self._username(pool, user, typed_name)
        self._attempts.check(pool["Id"], username)
        await self._ends.begin(pool, client, user, username, body)
        if flow == "USER_SRP_AUTH":
            return await self.ask_for_proof(pool, client, user, typed_name, parameters)
        return await self.check_password(pool, client, user, typed_name, parameters)

    async def check_password(
        self,
        pool: UserPool,
        client: UserPoolClient,
        user: User | None,
        typed_name: str,
        parameters: JsonObject,
    ) -> Response:
        """The answer to ``PASSWORD``: what follows it, or the refusal."""
        given = required_parameter(parameters, "PASSWORD")
        username = self._username(pool, user, typed_name)
        self._attempts.check(pool["Id"], username)
        # Nobody's password is one that can't be typed.
        right = "\0" if user is None else self._user_pools.password(pool["Id"], user.username)
        is_right = hmac.compare_digest(right.encode(), given.encode())
        if user is None or user.is_passwordless or not is_right:
            raise self._wrong(pool, username)
        self._attempts.forget(pool["Id"], username)
        return await self._challenges.after_password(pool, client, user, typed_name, None)

    async def ask_for_proof(
        self,
        pool: UserPool,
        client: UserPoolClient,
        user: User | None,
        typed_name: str,
        parameters: JsonObject,
    ) -> Response:
        """The answer to ``SRP_A``: the ``PASSWORD_VERIFIER`` challenge (cognito 2.9)."""
        srp_a = required_parameter(parameters, "SRP_A")
        if not _SRP_A.fullmatch(srp_a):
            raise ApiError("InvalidParameterException", "SRP_A is not a hexadecimal number.")
        username = self._username(pool, user, typed_name)
        challenge = await self._user_pools.start_srp(
            pool["Id"], client["ClientId"], user, username, srp_a
        )
        return json_response(
            {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": challenge}
        )

    async def check_proof(
        self, pool: UserPool, client: UserPoolClient, body: JsonObject
    ) -> Response:
        """The answer to ``PASSWORD_VERIFIER``: what follows it, or the refusal (cognito 2.9)."""
        responses = body.get("ChallengeResponses") or {}
        if refusal := self._user_pools.srp_format_error(responses):
            return refusal
        username = self._user_pools.srp_username(pool["Id"], client["ClientId"], responses)
        if username is None:
            raise ApiError("NotAuthorizedException", "Incorrect username or password.")
        user = self._user_pools.user(pool["Id"], username)
        self._attempts.check(pool["Id"], username)
        is_right = await self._user_pools.is_srp_proof_right(pool["Id"], user, username, responses)
        if user is not None:
            refuse_inactive(user)
        if user is None or user.is_passwordless or not is_right:
            raise self._wrong(pool, username)
        self._attempts.forget(pool["Id"], username)
        metadata = body.get("ClientMetadata")
        return await self._challenges.after_password(pool, client, user, username, metadata)

    def _wrong(self, pool: UserPool, username: str) -> ApiError:
        self._attempts.count_wrong(pool["Id"], username)
        return ApiError("NotAuthorizedException", "Incorrect username or password.")

    def _username(self, pool: UserPool, user: User | None, typed_name: str) -> str:
        return self._names.username_of_nobody(pool, typed_name) if user is None else user.username


def _refuse_flow(client: UserPoolClient, operation: str, flow: str) -> None:
    is_admin = operation.startswith("Admin")
    if flow != "USER_SRP_AUTH" and flow.startswith("ADMIN_") != is_admin:
        raise ApiError("InvalidParameterException", "Initiate Auth method not supported.")
    flows = client["ExplicitAuthFlows"]
    enabling, refusal = _ENABLED_BY[flow]
    has_no_word_of_srp = flow == "USER_SRP_AUTH" and not any(
        one.startswith("ALLOW_") for one in flows
    )
    if not enabling & set(flows) and not has_no_word_of_srp:
        raise ApiError("InvalidParameterException", refusal)
