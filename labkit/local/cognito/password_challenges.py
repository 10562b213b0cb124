"""What may follow a right password: a new password, a TOTP code, the set-up of TOTP.

MiniStack asks these questions but takes an answer from anybody: it doesn't look at the ``Session``. So every one of
its questions is kept here, and only its own answer reaches MiniStack. Facts: cognito 5.2, 12.1-12.5.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labkit.local.cognito.challenge_sessions import Challenge, ChallengeSessions
from labkit.local.cognito.issued_tokens import claims_of
from labkit.local.cognito.signin import ChoiceBasedSignIn, refuse_inactive, session_seconds
from labkit.local.engine import Operation, User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

NAMES = frozenset({"NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "MFA_SETUP"})
"""The challenges that are kept here."""

_TOTP_LIFETIME = 90  # a code is accepted one 30-second step before and after its own (cognito 12.4)


class PasswordChallenges:
    """The questions after the password.

    Args:
        user_pools: whose users are asked.
        sessions: the pending challenges.
        sign_in: tells whose name an answer is in.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        user_pools: UserPools,
        sessions: ChallengeSessions,
        sign_in: ChoiceBasedSignIn,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._user_pools = user_pools
        self._sessions = sessions
        self._sign_in = sign_in
        self._clock = clock

    def keep(
        self, pool: UserPool, client: UserPoolClient, typed_name: str, answer: JsonObject
    ) -> JsonObject:
        """MiniStack's answer to a right password, with a question that has a session of its own.

        Args:
            pool: the user pool.
            client: the app client.
            typed_name: what the sign-in was started with.
            answer: tokens or a question.
        """
        if answer.get("ChallengeName") in NAMES:
            parameters = answer["ChallengeParameters"]
            user = self._user_pools.find_user(pool["Id"], parameters["USER_ID_FOR_SRP"])
            if user is None:  # deleted meanwhile
                raise ApiError("NotAuthorizedException", "Incorrect username or password.")
            parameters = {**parameters, "USER_ID_FOR_SRP": user.username}
            challenge = self._challenge(answer["ChallengeName"], pool, client, user, typed_name)
            challenge.engine_session = answer["Session"]
            session = self._sessions.open(challenge)
            return {**answer, "ChallengeParameters": parameters, "Session": session}
        user = self._user_pools.user(
            pool["Id"], claims_of(answer["AuthenticationResult"]["AccessToken"])["username"]
        )
        second_factor = _second_factor(pool, user) if user else None
        if user is None or second_factor is None:
            return answer
        parameters = {"USER_ID_FOR_SRP": user.username}
        if second_factor == "MFA_SETUP":
            parameters["MFAS_CAN_SETUP"] = json.dumps(["SOFTWARE_TOKEN_MFA"])
        challenge = self._challenge(second_factor, pool, client, user, typed_name)
        return {
            "ChallengeName": second_factor,
            "ChallengeParameters": parameters,
            "Session": self._sessions.open(challenge),
        }

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

    async def respond(
        self,
        pool: UserPool,
        client: UserPoolClient,
        operation: str,
        body: JsonObject,
        proceed: Operation,
    ) -> Response:
        """Let MiniStack check an answer that belongs to a question of this client and user."""
        name = body["ChallengeName"]
        challenge = self._sessions.find(body.get("Session"), client["ClientId"], name)
        responses = body.get("ChallengeResponses") or {}
        if not responses.get("USERNAME"):
            raise ApiError("InvalidParameterException", "Missing required parameter USERNAME")
        self._sign_in.refuse_other_user(pool, challenge, responses["USERNAME"])
        user = self._user_pools.user(pool["Id"], challenge.username)
        if user is None:  # deleted meanwhile
            raise ApiError("NotAuthorizedException", "Invalid session for the user.")
        refuse_inactive(user)
        if name == "NEW_PASSWORD_REQUIRED":
            self._refuse_bad_password(pool, responses.get("NEW_PASSWORD"))
        elif name == "SOFTWARE_TOKEN_MFA":
            self._refuse_bad_totp(user, responses.get("SOFTWARE_TOKEN_MFA_CODE"))
        elif not challenge.enrolled:
            raise ApiError("NotAuthorizedException", "Invalid session for the user.")
        response = await proceed(operation, {**body, "Session": challenge.engine_session or "none"})
        if response.status == 200:
            typed_name = challenge.typed_name
            self._sessions.use(challenge)
            if name == "NEW_PASSWORD_REQUIRED":
                return json_response(self.keep(pool, client, typed_name, response.json()))
            if name == "SOFTWARE_TOKEN_MFA":
                self._remember_totp(pool["Id"], user, responses["SOFTWARE_TOKEN_MFA_CODE"])
        return response

    def _refuse_bad_password(self, pool: UserPool, password: str | None) -> None:
        if not password:
            raise ApiError("InvalidParameterException", "Missing required parameter NEW_PASSWORD")
        if errors := self._user_pools.password_policy_errors(pool["Id"], password):
            raise ApiError(
                "InvalidPasswordException",
                "Password did not conform with policy: " + "; ".join(errors),
            )

    def _refuse_bad_totp(self, user: User, code: str | None) -> None:
        if not code:
            raise ApiError(
                "InvalidParameterException", "Missing required parameter SOFTWARE_TOKEN_MFA_CODE"
            )
        if not user.has_totp:
            # MiniStack would take any code of a user whose TOTP was switched on but never set up.
            raise ApiError("CodeMismatchException", "Invalid code received for user")
        last_code, last_used_at = user.last_totp or ("", 0.0)
        if code == last_code and self._clock() < last_used_at + _TOTP_LIFETIME:
            raise ApiError(
                "ExpiredCodeException", "Your software token has already been used once."
            )

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
