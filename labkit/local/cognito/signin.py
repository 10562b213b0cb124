"""Choice-based sign-in (``USER_AUTH``) as a state machine: which factor, which code, whose tokens.

``initiate`` asks the first question (``SELECT_CHALLENGE`` or a factor), ``respond`` takes an answer: the next question
or the tokens. Facts: cognito 1-4. The local cloud sends no SMS and has no passkeys, so
``SMS_OTP`` and ``WEB_AUTHN`` are never offered to a user, which is AWS's way with a user who has none (cognito 2.5).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Any

from labkit.local.cognito.challenge_sessions import Challenge, ChallengeSessions
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.engine import User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

CODE_DIGITS = 8
"""The length of a sign-in code (cognito 3.5)."""

FACTORS = ("PASSWORD_SRP", "PASSWORD", "EMAIL_OTP")
"""The factors that the local cloud offers, in the recorded order (cognito 2.3)."""

_PASSWORD_FACTORS = FACTORS[:2]
_SRP_A = re.compile(r"[0-9a-fA-F]+")


def mask_address(address: str) -> str:
    """An address as Cognito shows it (cognito 2.12).

    >>> mask_address("jane@example.com")
    'j***@e***'
    """
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain[:1]}***"


def allowed_factors(pool: UserPool) -> list[str]:
    """The first factors that a user pool allows; ``PASSWORD`` alone when it was never told (cognito 1.1)."""
    policy = (pool.get("Policies") or {}).get("SignInPolicy") or {}
    factors: list[str] = policy.get("AllowedFirstAuthFactors") or ["PASSWORD"]
    return factors


class ChoiceBasedSignIn:
    """The state machine.

    Args:
        user_pools: users and keys.
        mailbox: where codes go.
        sessions: the pending challenges.
        clock: seconds since the epoch.
        draw_digits: that many random digits.
    """

    def __init__(
        self,
        user_pools: UserPools,
        mailbox: Mailbox,
        sessions: ChallengeSessions,
        *,
        clock: Callable[[], float],
        draw_digits: Callable[[int], str],
    ) -> None:
        self._user_pools = user_pools
        self._mailbox = mailbox
        self._sessions = sessions
        self._clock = clock
        self._draw_digits = draw_digits
        self._disguise = secrets.token_bytes(32)

    # -- questions ----------------------------------------------------------------

    async def initiate(self, pool: UserPool, client: UserPoolClient, body: JsonObject) -> Response:
        """Start: ``InitiateAuth`` or ``AdminInitiateAuth`` with ``USER_AUTH`` (cognito 2)."""
        if "ALLOW_USER_AUTH" not in client["ExplicitAuthFlows"]:
            raise ApiError(
                "InvalidParameterException", "USER_AUTH flow not enabled for this client"
            )
        parameters = body.get("AuthParameters") or {}
        typed_name = _required(parameters, "USERNAME")
        if "Session" in body:
            return await self._continue_sign_up(pool, client, typed_name, body)
        user = self.user_who_signs_in(pool, typed_name)
        if user is None and client.get("PreventUserExistenceErrors") != "ENABLED":
            raise ApiError("UserNotFoundException", "User does not exist.")
        if user is not None:
            refuse_inactive(user)
        offered = self._offered(pool, user, typed_name)
        preferred = parameters.get("PREFERRED_CHALLENGE")
        if preferred in offered:
            return await self._ask(preferred, pool, client, user, typed_name, parameters, offered)
        session = self._sessions.open(
            self._challenge("SELECT_CHALLENGE", pool, client, user, typed_name, offered=offered)
        )
        return json_response(
            {
                "AvailableChallenges": list(offered),
                "ChallengeName": "SELECT_CHALLENGE",
                "ChallengeParameters": {},
                "Session": session,
            }
        )

    async def _ask(
        self,
        factor: str,
        pool: UserPool,
        client: UserPoolClient,
        user: User | None,
        typed_name: str,
        parameters: JsonObject,
        offered: tuple[str, ...] | None,
    ) -> Response:
        if factor == "PASSWORD":
            password = _required(parameters, "PASSWORD")
            if user is None:
                raise ApiError("NotAuthorizedException", "Incorrect username or password.")
            return await self._user_pools.sign_in_with_password(
                pool["Id"], client["ClientId"], user.username, password
            )
        if factor == "PASSWORD_SRP":
            return self._ask_for_password_proof(pool, client, user, typed_name, parameters)
        return self._ask_for_code(pool, client, user, typed_name, offered)

    def _ask_for_password_proof(
        self,
        pool: UserPool,
        client: UserPoolClient,
        user: User | None,
        typed_name: str,
        parameters: JsonObject,
    ) -> Response:
        srp_a = _required(parameters, "SRP_A")
        if not _SRP_A.fullmatch(srp_a):
            raise ApiError("InvalidParameterException", "SRP_A is not a hexadecimal number.")
        return json_response(
            {
                "ChallengeName": "PASSWORD_VERIFIER",
                "ChallengeParameters": self._user_pools.start_srp(
                    pool["Id"], client["ClientId"], user, typed_name, srp_a
                ),
            }
        )

    def _ask_for_code(
        self,
        pool: UserPool,
        client: UserPoolClient,
        user: User | None,
        typed_name: str,
        offered: tuple[str, ...] | None,
    ) -> Response:
        # A user who doesn't exist gets a code too: drawn, never sent, never right (cognito 4.1, 4.3).
        code = self._draw_digits(CODE_DIGITS)
        session = self._sessions.open(
            self._challenge("EMAIL_OTP", pool, client, user, typed_name, code=code)
        )
        if user is None:
            address = self._disguised_address(typed_name)
        else:
            address = user.attributes.get("email") or ""  # EMAIL_OTP is offered only to who has one
            self._mailbox.deliver(address, *_code_mail(pool, code))
        question: JsonObject = {
            "ChallengeName": "EMAIL_OTP",
            "Session": session,
            "ChallengeParameters": {
                "CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL",
                "CODE_DELIVERY_DESTINATION": mask_address(address),
            },
        }
        if offered is not None:
            question["AvailableChallenges"] = list(offered)
        return json_response(question)

    def _challenge(
        self,
        name: str,
        pool: UserPool,
        client: UserPoolClient,
        user: User | None,
        typed_name: str,
        **more: Any,
    ) -> Challenge:
        return Challenge(
            name=name,
            pool_id=pool["Id"],
            client_id=client["ClientId"],
            username=None if user is None else user.username,
            typed_name=typed_name,
            expires_at=self._clock() + session_seconds(client),
            **more,
        )

    # -- who, and what they may choose ----------------------------------------------

    def user_who_signs_in(self, pool: UserPool, typed_name: str) -> User | None:
        """The user that a typed name stands for: a username or an alias (cognito 1.14)."""
        user = self._user_pools.find_user(pool["Id"], typed_name)
        if user is not None and typed_name == user.attributes.get("sub") != user.username:
            return None  # MiniStack finds users by sub, but nobody signs in with it
        if user is None and (pool.get("UsernameConfiguration") or {}).get("CaseSensitive") is False:
            return self._user_pools.find_user_ignoring_case(
                pool["Id"], typed_name, pool.get("UsernameAttributes") or ()
            )
        return user

    def _offered(self, pool: UserPool, user: User | None, typed_name: str) -> tuple[str, ...]:
        allowed = allowed_factors(pool)
        mail = "EMAIL_OTP" in allowed and pool.get("MfaConfiguration") != "ON"
        password = "PASSWORD" in allowed
        if user is None:
            # One of the lists that users here have, the same for a name (cognito 4.2): else the list, or a second
            # call, would tell that there is no such user.
            password = password and not (mail and self._secret_byte(pool["Id"], typed_name) & 1)
        else:
            password = password and not user.is_passwordless
            mail = (
                mail
                and user.status == "CONFIRMED"
                and "email" in user.attributes
                and not (pool.get("MfaConfiguration") == "OPTIONAL" and user.mfa_settings)
            )
        offered = (_PASSWORD_FACTORS if password else ()) + (("EMAIL_OTP",) if mail else ())
        if not offered:
            raise ApiError("NotAuthorizedException", "Incorrect username or password.")
        return offered

    def _disguised_address(self, typed_name: str) -> str:
        if "@" in typed_name:
            return typed_name
        letter = "abcdefghijklmnopqrstuvwxyz"[self._secret_byte("domain", typed_name) % 26]
        return f"{typed_name}@{letter}"

    def _secret_byte(self, purpose: str, typed_name: str) -> int:
        text = f"{purpose}\0{typed_name.casefold()}".encode()
        return hmac.new(self._disguise, text, hashlib.sha256).digest()[0]

    # -- answers ------------------------------------------------------------------------

    async def respond(self, pool: UserPool, client: UserPoolClient, body: JsonObject) -> Response:
        """Take the answer to ``SELECT_CHALLENGE`` or ``EMAIL_OTP`` (cognito 3)."""
        name = body["ChallengeName"]
        challenge = self._sessions.find(body.get("Session"), client["ClientId"], name)
        responses = body.get("ChallengeResponses") or {}
        self.refuse_other_user(pool, challenge, _required(responses, "USERNAME"))
        if name == "SELECT_CHALLENGE":
            return await self._respond_to_choice(pool, client, challenge, responses)
        return await self._respond_to_code(pool, challenge, responses, body)

    def refuse_other_user(self, pool: UserPool, challenge: Challenge, given: str) -> None:
        """Refuse an answer in another name than the question's (cognito 3.13).

        Raises:
            ApiError: it is another user's.
        """
        user = self.user_who_signs_in(pool, given)
        same = (
            given.casefold() == challenge.typed_name.casefold()
            if challenge.username is None
            else user is not None and user.username == challenge.username
        )
        if not same:
            raise ApiError("NotAuthorizedException", "Invalid session for the user.")

    async def _respond_to_choice(
        self,
        pool: UserPool,
        client: UserPoolClient,
        challenge: Challenge,
        responses: JsonObject,
    ) -> Response:
        answer = _required(responses, "ANSWER")
        if answer not in challenge.offered:
            raise ApiError("InvalidParameterException", f"Challenge {answer} is not available.")
        if answer == "PASSWORD":
            _required(responses, "PASSWORD")
        if answer == "PASSWORD_SRP":
            _required(responses, "SRP_A")
        user = None if challenge.username is None else self._user_of(pool, challenge)
        self._sessions.use(challenge)
        return await self._ask(
            answer, pool, client, user, challenge.typed_name, responses, offered=None
        )

    async def _respond_to_code(
        self,
        pool: UserPool,
        challenge: Challenge,
        responses: JsonObject,
        body: JsonObject,
    ) -> Response:
        given = _required(responses, "EMAIL_OTP_CODE")
        right = challenge.code is not None and hmac.compare_digest(
            challenge.code.encode(), given.encode()
        )
        if not right or challenge.username is None:
            raise ApiError("CodeMismatchException", "Invalid code or auth state for the user.")
        user = self._user_of(pool, challenge)
        self._sessions.use(challenge)
        # A right code verifies the address too (cognito 3.19).
        self._user_pools.set_attribute(pool["Id"], user.username, "email_verified", "true")
        return await self.sign_in(pool, challenge.client_id, user, body.get("ClientMetadata"))

    def _user_of(self, pool: UserPool, challenge: Challenge) -> User:
        user = self._user_pools.user(pool["Id"], challenge.username)
        if user is None:  # deleted in the meantime
            raise ApiError("NotAuthorizedException", "Invalid session for the user.")
        refuse_inactive(user)
        return user

    async def _continue_sign_up(
        self, pool: UserPool, client: UserPoolClient, typed_name: str, body: JsonObject
    ) -> Response:
        challenge = self._sessions.find(body["Session"], client["ClientId"], "CONFIRMED_SIGN_UP")
        self.refuse_other_user(pool, challenge, typed_name)
        user = self._user_of(pool, challenge)
        self._sessions.use(challenge)
        return await self.sign_in(pool, client["ClientId"], user, body.get("ClientMetadata"))

    async def sign_in(
        self,
        pool: UserPool,
        client_id: str,
        user: User,
        client_metadata: JsonObject | None,
    ) -> Response:
        """The answer to the last right answer (cognito 3.4)."""
        result = await self._user_pools.issue_tokens(
            pool["Id"], client_id, user.username, client_metadata
        )
        return json_response({"ChallengeParameters": {}, "AuthenticationResult": result})


def refuse_inactive(user: User) -> None:
    """Refuse a disabled or unconfirmed user, in this order (cognito 4.11).

    Raises:
        ApiError: the user is one of both.
    """
    if not user.enabled:
        raise ApiError("NotAuthorizedException", "User is disabled.")
    if user.status == "UNCONFIRMED":
        raise ApiError("UserNotConfirmedException", "User is not confirmed.")


def session_seconds(client: UserPoolClient) -> int:
    """How long a challenge of this app client waits (cognito 3.15)."""
    return int(client.get("AuthSessionValidity") or 3) * 60


def _required(parameters: JsonObject, name: str) -> str:
    value = parameters.get(name)
    if not value:
        raise ApiError("InvalidParameterException", f"Missing required parameter {name}")
    return str(value)


def _code_mail(pool: UserPool, code: str) -> tuple[str, str]:
    # The template counts only where MFA is on or optional (cognito 3.20). AWS's own default text is not known.
    template: JsonObject = {}
    if pool.get("MfaConfiguration", "OFF") != "OFF":
        template = pool.get("EmailMfaConfiguration") or {}
    subject = template.get("Subject") or "Your sign-in code"
    text = template.get("Message") or "Your sign-in code is {####}."
    return subject, text.replace("{####}", code)
