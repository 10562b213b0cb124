"""What may follow a right password: a new password, a TOTP code, the set-up of TOTP.

MiniStack asks these questions but takes an answer from anybody: it doesn't look at the ``Session``. So every one of
its questions is kept here, and only its own answer reaches MiniStack. Facts: facts/cognito.md 5.2, 12.1 to 12.5.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labkit.local.cognito.challenge_sessions import Challenge, ChallengeSessions
from labkit.local.cognito.issued_tokens import claims_of
from labkit.local.cognito.signin import ChoiceBasedSignIn, refuse_inactive, session_seconds
from labkit.local.engine import Engine, UserPoolOperation
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

NAMES = frozenset({"NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "MFA_SETUP"})
"""The challenges that are kept here."""

_TOTP_LIFETIME = 90  # a code is accepted one 30-second step before and after its own (12.4)


class PasswordChallenges:
    """The questions after the password.

    Args:
        engine: asks and checks.
        sessions: the pending challenges.
        sign_in: tells whose name an answer is in.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        engine: Engine,
        sessions: ChallengeSessions,
        sign_in: ChoiceBasedSignIn,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._sign_in = sign_in
        self._clock = clock

    def keep(
        self, pool: JsonObject, client: JsonObject, typed_name: str, answer: JsonObject
    ) -> JsonObject:
        """MiniStack's answer to a right password, with a question that has a session of its own.

        Args:
            pool: the user pool's live record.
            client: the app client's.
            typed_name: what the sign-in was started with.
            answer: tokens or a question.
        """
        if answer.get("ChallengeName") in NAMES:
            parameters = answer["ChallengeParameters"]
            user = self._engine.find_user(pool, parameters["USER_ID_FOR_SRP"])
            if user is None:  # deleted meanwhile
                raise ApiError("NotAuthorizedException", "Incorrect username or password.")
            parameters = {**parameters, "USER_ID_FOR_SRP": user["Username"]}
            challenge = self._challenge(answer["ChallengeName"], pool, client, user, typed_name)
            challenge.engine_session = answer["Session"]
            session = self._sessions.open(challenge)
            return {**answer, "ChallengeParameters": parameters, "Session": session}
        user = pool["_users"].get(
            claims_of(answer["AuthenticationResult"]["AccessToken"])["username"]
        )
        second_factor = _second_factor(pool, user) if user else None
        if user is None or second_factor is None:
            return answer
        parameters = {"USER_ID_FOR_SRP": user["Username"]}
        if second_factor == "MFA_SETUP":
            parameters["MFAS_CAN_SETUP"] = json.dumps(["SOFTWARE_TOKEN_MFA"])
        challenge = self._challenge(second_factor, pool, client, user, typed_name)
        return {
            "ChallengeName": second_factor,
            "ChallengeParameters": parameters,
            "Session": self._sessions.open(challenge),
        }

    def _challenge(
        self, name: str, pool: JsonObject, client: JsonObject, user: JsonObject, typed_name: str
    ) -> Challenge:
        return Challenge(
            name=name,
            pool_id=pool["Id"],
            client_id=client["ClientId"],
            username=user["Username"],
            typed_name=typed_name,
            expires_at=self._clock() + session_seconds(client),
        )

    async def respond(
        self,
        pool: JsonObject,
        client: JsonObject,
        operation: str,
        body: JsonObject,
        proceed: UserPoolOperation,
    ) -> Response:
        """Let MiniStack check an answer that belongs to a question of this client and user."""
        name = body["ChallengeName"]
        challenge = self._sessions.find(body.get("Session"), client["ClientId"], name)
        responses = body.get("ChallengeResponses") or {}
        if not responses.get("USERNAME"):
            raise ApiError("InvalidParameterException", "Missing required parameter USERNAME")
        self._sign_in.refuse_other_user(pool, challenge, responses["USERNAME"])
        user: JsonObject = pool["_users"][challenge.username]
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
                self._remember_totp(user, responses["SOFTWARE_TOKEN_MFA_CODE"])
        return response

    def _refuse_bad_password(self, pool: JsonObject, password: str | None) -> None:
        if not password:
            raise ApiError("InvalidParameterException", "Missing required parameter NEW_PASSWORD")
        if errors := self._engine.password_policy_errors(pool, password):
            raise ApiError(
                "InvalidPasswordException",
                "Password did not conform with policy: " + "; ".join(errors),
            )

    def _refuse_bad_totp(self, user: JsonObject, code: str | None) -> None:
        if not code:
            raise ApiError(
                "InvalidParameterException", "Missing required parameter SOFTWARE_TOKEN_MFA_CODE"
            )
        if not user.get("_totp_secret"):
            # MiniStack would take any code of a user whose TOTP was switched on but never set up.
            raise ApiError("CodeMismatchException", "Invalid code received for user")
        last_code, last_used_at = user.get("_last_totp", ("", 0.0))
        if code == last_code and self._clock() < last_used_at + _TOTP_LIFETIME:
            raise ApiError(
                "ExpiredCodeException", "Your software token has already been used once."
            )

    def _remember_totp(self, user: JsonObject, code: str) -> None:
        user["_last_totp"] = (code, self._clock())

    async def associate_software_token(
        self, body: JsonObject, proceed: UserPoolOperation
    ) -> Response:
        """``AssociateSoftwareToken`` in the middle of a sign-in (12.1)."""
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

    async def verify_software_token(self, body: JsonObject, proceed: UserPoolOperation) -> Response:
        """``VerifySoftwareToken`` in the middle of a sign-in (12.1)."""
        if "AccessToken" in body:
            return await proceed("VerifySoftwareToken", body)
        challenge = self._sessions.find(body.get("Session"), None, "MFA_SETUP")
        pool = self._engine.user_pool(challenge.pool_id)
        user = pool["_users"].get(challenge.username) if pool else None
        if user is None or challenge.engine_session is None:
            raise ApiError("NotAuthorizedException", "Invalid session for the user.")
        response = await proceed(
            "VerifySoftwareToken", {**body, "Session": challenge.engine_session}
        )
        if response.status != 200:
            return response
        following = replace(challenge, secret=None, engine_session=None, enrolled=True)
        secret = challenge.secret
        self._sessions.use(challenge)
        user.update({"_totp_secret": secret, "_preferred_mfa": "SOFTWARE_TOKEN_MFA"})
        user["_mfa_enabled"] = [*user.get("_mfa_enabled", []), "SOFTWARE_TOKEN_MFA"]
        self._remember_totp(user, body["UserCode"])
        return json_response({"Status": "SUCCESS", "Session": self._sessions.open(following)})


def _second_factor(pool: JsonObject, user: JsonObject) -> str | None:
    required = pool.get("MfaConfiguration", "OFF")
    if required != "OFF" and "SOFTWARE_TOKEN_MFA" in user.get("_mfa_enabled", ()):
        return "SOFTWARE_TOKEN_MFA"
    return "MFA_SETUP" if required == "ON" else None
