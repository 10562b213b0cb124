"""What may follow a right password: a new password, a TOTP code, the set-up of TOTP.

Each question has a ``Session`` of its own, and only its answer goes on. Facts: cognito 5.2, 12.1-12.5.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labkit.local.cognito.aliases import refuse_taken_aliases
from labkit.local.cognito.attribute_permissions import check_writable
from labkit.local.cognito.attribute_schema import check_changes, is_verified_flag, missing_of
from labkit.local.cognito.challenge_sessions import (
    Challenge,
    ChallengeSessions,
    session_seconds,
)
from labkit.local.cognito.completion import SignInEnds
from labkit.local.cognito.sign_in_names import (
    SignInNames,
    refuse_inactive,
    required_parameter,
)
from labkit.local.engine import Operation, User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

NAMES = frozenset({"NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "MFA_SETUP"})
"""The challenges that are kept here."""

_ATTRIBUTE = "userAttributes."
_TOTP_LIFETIME = 90  # a code is accepted one 30-second step before and after its own (cognito 12.4)


class PasswordChallenges:
    """The questions after the password.

    Args:
        user_pools: whose users are asked.
        sessions: the pending challenges.
        names: tells whose name an answer is in.
        ends: give out the tokens.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        user_pools: UserPools,
        sessions: ChallengeSessions,
        names: SignInNames,
        ends: SignInEnds,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._user_pools = user_pools
        self._sessions = sessions
        self._names = names
        self._ends = ends
        self._clock = clock

    async def after_password(
        self,
        pool: UserPool,
        client: UserPoolClient,
        user: User,
        typed_name: str,
        client_metadata: JsonObject | None,
        token_source: str = "TokenGeneration_Authentication",  # noqa: S107 - no password
    ) -> Response:
        """What follows a right password: a question, or the tokens.

        Args:
            pool: the user pool.
            client: the app client.
            user: whose password it was.
            typed_name: what the sign-in was started with.
            client_metadata: of the answer, for the triggers.
            token_source: ``triggerSource`` of the pre token generation trigger (cognito 9.6).

        Raises:
            ApiError: the password must be reset first, or a trigger refuses.
        """
        if user.status == "FORCE_CHANGE_PASSWORD":
            if self._clock() >= (user.password_expires_at or float("inf")):
                raise ApiError(
                    "NotAuthorizedException",
                    "Temporary password has expired and must be reset by an administrator.",
                )
            attributes = {name: value for name, value in user.attributes.items() if name != "sub"}
            missing = [f"userAttributes.{name}" for name in missing_of(pool, user.attributes)]
            return self._question(
                pool,
                client,
                user,
                typed_name,
                "NEW_PASSWORD_REQUIRED",
                requiredAttributes=json.dumps(missing),
                userAttributes=json.dumps(attributes),
            )
        if user.status == "RESET_REQUIRED":
            raise ApiError("PasswordResetRequiredException", "Password reset required for the user")
        second_factor = _second_factor(pool, user)
        if second_factor == "MFA_SETUP":
            can_set_up = json.dumps(["SOFTWARE_TOKEN_MFA"])
            return self._question(
                pool, client, user, typed_name, second_factor, MFAS_CAN_SETUP=can_set_up
            )
        if second_factor is not None:
            return self._question(
                pool, client, user, typed_name, second_factor, FRIENDLY_DEVICE_NAME="TOTP device"
            )
        return await self._ends.complete(pool, client, user, client_metadata, token_source)

    def _question(
        self,
        pool: UserPool,
        client: UserPoolClient,
        user: User,
        typed_name: str,
        name: str,
        **parameters: str,
    ) -> Response:
        challenge = self._challenge(name, pool, client, user, typed_name)
        return json_response(
            {
                "ChallengeName": name,
                "Session": self._sessions.open(challenge),
                "ChallengeParameters": {"USER_ID_FOR_SRP": user.username, **parameters},
            }
        )

    def _challenge(
        self, name: str, pool: UserPool, client: UserPoolClient, user: User, typed_name: str
    ) -> Challenge:
        return Challenge(
            name=name,
            pool_id=pool["Id"],
            client_id=client["ClientId"],
            username=user.username,
            typed_name=typed_name,
            expires_at=self._clock() + session_seconds(client),
        )

    async def respond(self, pool: UserPool, client: UserPoolClient, body: JsonObject) -> Response:
        """Take an answer that belongs to a question of this client and user."""
        name = body["ChallengeName"]
        challenge = self._sessions.find(body.get("Session"), client["ClientId"], name)
        responses = body.get("ChallengeResponses") or {}
        self._names.refuse_other_user(pool, challenge, required_parameter(responses, "USERNAME"))
        user = self._user_pools.user(pool["Id"], challenge.username)
        if user is None:  # deleted meanwhile
            raise ApiError("NotAuthorizedException", "Invalid session for the user.")
        refuse_inactive(user)
        metadata = body.get("ClientMetadata")
        if name == "NEW_PASSWORD_REQUIRED":
            return await self._take_new_password(pool, client, challenge, user, body)
        if name == "SOFTWARE_TOKEN_MFA":
            code = required_parameter(responses, "SOFTWARE_TOKEN_MFA_CODE")
            self._refuse_bad_totp(pool, user, code)
            self._sessions.use(challenge)
            self._remember_totp(pool["Id"], user, code)
        elif not challenge.enrolled:
            raise ApiError("NotAuthorizedException", "Invalid session for the user.")
        else:
            self._sessions.use(challenge)
        return await self._ends.complete(pool, client, user, metadata)

    async def _take_new_password(
        self,
        pool: UserPool,
        client: UserPoolClient,
        challenge: Challenge,
        user: User,
        body: JsonObject,
    ) -> Response:
        """``NEW_PASSWORD`` and the attributes that the user lacked (cognito 17.10)."""
        responses = body["ChallengeResponses"]
        password = required_parameter(responses, "NEW_PASSWORD")
        refuse_bad_password(self._user_pools, pool, password)
        given = {
            name.removeprefix(_ATTRIBUTE): str(value)
            for name, value in responses.items()
            if name.startswith(_ATTRIBUTE)
        }
        for flag in filter(is_verified_flag, given):
            raise ApiError(
                "InvalidParameterException", f"Cannot modify the non-mutable attribute {flag}"
            )
        check_writable(client, given)
        check_changes(pool, given)
        attributes = {**user.attributes, **given}
        refuse_taken_aliases(self._user_pools, pool, user, attributes)
        if missing := missing_of(pool, attributes):
            raise ApiError(
                "InvalidParameterException",
                f"Invalid attributes given, {missing[0]} is missing",
            )
        self._sessions.use(challenge)
        now = self._clock()
        if given.get("email", "") not in ("", user.attributes.get("email")):
            given["email_verified"] = "false"
        self._user_pools.set_attributes(pool["Id"], user.username, given, now)
        self._user_pools.set_password(
            pool["Id"], user.username, password, status="CONFIRMED", now=now
        )
        return await self.after_password(
            pool,
            client,
            replace(user, status="CONFIRMED", attributes=attributes),
            challenge.typed_name,
            body.get("ClientMetadata"),
            "TokenGeneration_NewPasswordChallenge",
        )

    def _refuse_bad_totp(self, pool: UserPool, user: User, code: str) -> None:
        last_code, last_used_at = user.last_totp or ("", 0.0)
        if code == last_code and self._clock() < last_used_at + _TOTP_LIFETIME:
            raise ApiError(
                "ExpiredCodeException", "Your software token has already been used once."
            )
        if not self._user_pools.is_totp_right(pool["Id"], user.username, code):
            raise ApiError("CodeMismatchException", "Invalid code received for user")

    def _remember_totp(self, pool_id: str, user: User, code: str) -> None:
        self._user_pools.remember_totp(pool_id, user.username, code, self._clock())

    async def associate_software_token(self, body: JsonObject, proceed: Operation) -> Response:
        """``AssociateSoftwareToken`` in the middle of a sign-in (cognito 12.1)."""
        if "AccessToken" in body:
            return await proceed("AssociateSoftwareToken", body)
        challenge = self._sessions.find(body.get("Session"), None, "MFA_SETUP")
        answer = (await proceed("AssociateSoftwareToken", {})).json()
        following = replace(
            challenge, secret=answer["SecretCode"], engine_session=answer["Session"]
        )
        self._sessions.use(challenge)
        return json_response(
            {"SecretCode": answer["SecretCode"], "Session": self._sessions.open(following)}
        )

    async def verify_software_token(self, body: JsonObject, proceed: Operation) -> Response:
        """``VerifySoftwareToken`` in the middle of a sign-in (cognito 12.1)."""
        if "AccessToken" in body:
            return await proceed("VerifySoftwareToken", body)
        challenge = self._sessions.find(body.get("Session"), None, "MFA_SETUP")
        pool_id = challenge.pool_id
        user = self._user_pools.user(pool_id, challenge.username)
        secret = challenge.secret
        if user is None or challenge.engine_session is None or secret is None:
            raise ApiError("NotAuthorizedException", "Invalid session for the user.")
        response = await proceed(
            "VerifySoftwareToken", {**body, "Session": challenge.engine_session}
        )
        if response.status != 200:
            return response
        following = replace(challenge, secret=None, engine_session=None, enrolled=True)
        self._sessions.use(challenge)
        self._user_pools.set_up_totp(pool_id, user.username, secret)
        self._remember_totp(pool_id, user, body["UserCode"])
        return json_response({"Status": "SUCCESS", "Session": self._sessions.open(following)})


def _second_factor(pool: UserPool, user: User) -> str | None:
    required = pool.get("MfaConfiguration", "OFF")
    if required != "OFF" and "SOFTWARE_TOKEN_MFA" in user.mfa_settings:
        return "SOFTWARE_TOKEN_MFA"
    return "MFA_SETUP" if required == "ON" else None


def refuse_bad_password(user_pools: UserPools, pool: UserPool, password: str) -> None:
    """Refuse a new password that the pool's policy doesn't allow.

    Raises:
        ApiError: ``InvalidPasswordException``.
    """
    if errors := user_pools.password_policy_errors(pool["Id"], password):
        raise ApiError(
            "InvalidPasswordException",
            "Password did not conform with policy: " + "; ".join(errors),
        )
