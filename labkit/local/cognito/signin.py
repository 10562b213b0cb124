"""Choice-based sign-in (``USER_AUTH``) as a state machine: which factor, which code, whose tokens.

``initiate`` asks the first question (``SELECT_CHALLENGE`` or a factor), ``respond`` takes an answer: the next question
or the tokens. Facts: cognito 1-4. The local cloud sends no SMS and has no passkeys, so
``SMS_OTP`` and ``WEB_AUTHN`` are never offered to a user, which is AWS's way with a user who has none (cognito 2.5).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from labkit.local.cognito.challenge_sessions import (
    Challenge,
    ChallengeSessions,
    session_seconds,
)
from labkit.local.cognito.completion import SignInEnds
from labkit.local.cognito.mail_templates import mask_address
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.password_signin import PasswordSignIn
from labkit.local.cognito.sign_in_names import (
    SignInNames,
    refuse_inactive,
    required_parameter,
)
from labkit.local.engine import User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

CODE_DIGITS = 8
"""The length of a sign-in code (cognito 3.5)."""

FACTORS = ("PASSWORD_SRP", "PASSWORD", "EMAIL_OTP")
"""The factors that the local cloud offers, in the recorded order (cognito 2.3)."""

_PASSWORD_FACTORS = FACTORS[:2]


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
        names: whose name is typed.
        ends: run the triggers and give out the tokens.
        passwords: the factors that are passwords.
        clock: seconds since the epoch.
        draw_digits: that many random digits.
    """

    def __init__(
        self,
        user_pools: UserPools,
        mailbox: Mailbox,
        sessions: ChallengeSessions,
        names: SignInNames,
        ends: SignInEnds,
        passwords: PasswordSignIn,
        *,
        clock: Callable[[], float],
        draw_digits: Callable[[int], str],
    ) -> None:
        self._user_pools = user_pools
        self._mailbox = mailbox
        self._sessions = sessions
        self._names = names
        self._ends = ends
        self._passwords = passwords
        self._clock = clock
        self._draw_digits = draw_digits
        # Nobody's mails end here, after the same work: the time of an answer mustn't tell.
        self._nowhere = Mailbox(per_address=1, addresses=1, clock=clock)

    # -- questions ----------------------------------------------------------------

    async def initiate(self, pool: UserPool, client: UserPoolClient, body: JsonObject) -> Response:
        """Start: ``InitiateAuth`` or ``AdminInitiateAuth`` with ``USER_AUTH`` (cognito 2)."""
        if "ALLOW_USER_AUTH" not in client["ExplicitAuthFlows"]:
            raise ApiError(
                "InvalidParameterException", "USER_AUTH flow not enabled for this client"
            )
        parameters = body.get("AuthParameters") or {}
        typed_name = required_parameter(parameters, "USERNAME")
        if "Session" in body:
            return await self._continue_sign_up(pool, client, typed_name, body)
        user = self._names.known_or_disguised(pool, client, typed_name)
        offered = self._offered(pool, user, typed_name)
        username = self._names.username_of_nobody(pool, typed_name)
        await self._ends.begin(
            pool, client, user, username if user is None else user.username, body
        )
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
            return await self._passwords.check_password(pool, client, user, typed_name, parameters)
        if factor == "PASSWORD_SRP":
            return await self._passwords.ask_for_proof(pool, client, user, typed_name, parameters)
        return self._ask_for_code(pool, client, user, typed_name, offered)

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
            address, mailbox = self._disguised_address(typed_name), self._nowhere
        else:
            # EMAIL_OTP is offered only to who has an address.
            address, mailbox = user.attributes.get("email") or "", self._mailbox
        mailbox.deliver(address, *_code_mail(pool, code))
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

    def _offered(self, pool: UserPool, user: User | None, typed_name: str) -> tuple[str, ...]:
        allowed = allowed_factors(pool)
        mail = "EMAIL_OTP" in allowed and pool.get("MfaConfiguration") != "ON"
        password = "PASSWORD" in allowed
        if user is None:
            # One of the lists that users here have, the same for a name (cognito 4.2): else the list, or a second
            # call, would tell that there is no such user.
            password = password and not (mail and self._names.digest(pool["Id"], typed_name)[0] & 1)
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
        letter = "abcdefghijklmnopqrstuvwxyz"[self._names.digest("domain", typed_name)[0] % 26]
        return f"{typed_name}@{letter}"

    # -- answers ------------------------------------------------------------------------

    async def respond(self, pool: UserPool, client: UserPoolClient, body: JsonObject) -> Response:
        """Take the answer to ``SELECT_CHALLENGE`` or ``EMAIL_OTP`` (cognito 3)."""
        name = body["ChallengeName"]
        challenge = self._sessions.find(body.get("Session"), client["ClientId"], name)
        responses = body.get("ChallengeResponses") or {}
        self._names.refuse_other_user(pool, challenge, required_parameter(responses, "USERNAME"))
        if name == "SELECT_CHALLENGE":
            return await self._respond_to_choice(pool, client, challenge, responses)
        return await self._respond_to_code(pool, client, challenge, responses, body)

    async def _respond_to_choice(
        self,
        pool: UserPool,
        client: UserPoolClient,
        challenge: Challenge,
        responses: JsonObject,
    ) -> Response:
        answer = required_parameter(responses, "ANSWER")
        if answer not in challenge.offered:
            raise ApiError("InvalidParameterException", f"Challenge {answer} is not available.")
        if answer == "PASSWORD":
            required_parameter(responses, "PASSWORD")
        if answer == "PASSWORD_SRP":
            required_parameter(responses, "SRP_A")
        user = None if challenge.username is None else self._user_of(pool, challenge)
        self._sessions.use(challenge)
        return await self._ask(
            answer, pool, client, user, challenge.typed_name, responses, offered=None
        )

    async def _respond_to_code(
        self,
        pool: UserPool,
        client: UserPoolClient,
        challenge: Challenge,
        responses: JsonObject,
        body: JsonObject,
    ) -> Response:
        given = required_parameter(responses, "EMAIL_OTP_CODE")
        right = challenge.code is not None and hmac.compare_digest(
            challenge.code.encode(), given.encode()
        )
        if not right or challenge.username is None:
            raise ApiError("CodeMismatchException", "Invalid code or auth state for the user.")
        user = self._user_of(pool, challenge)
        self._sessions.use(challenge)
        # A right code verifies the address too (cognito 3.19).
        verified = {"email_verified": "true"}
        self._user_pools.set_attributes(pool["Id"], user.username, verified, self._clock())
        user = self._user_of(pool, challenge)
        return await self._ends.complete(pool, client, user, body.get("ClientMetadata"))

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
        self._names.refuse_other_user(pool, challenge, typed_name)
        user = self._user_of(pool, challenge)
        self._sessions.use(challenge)
        await self._ends.begin(pool, client, user, user.username, body)
        return await self._ends.complete(pool, client, user, None)


def _code_mail(pool: UserPool, code: str) -> tuple[str, str]:
    # The template counts only where MFA is on or optional (cognito 3.20). AWS's own default text is not known.
    template: JsonObject = {}
    if pool.get("MfaConfiguration", "OFF") != "OFF":
        template = pool.get("EmailMfaConfiguration") or {}
    subject = template.get("Subject") or "Your sign-in code"
    text = template.get("Message") or "Your sign-in code is {####}."
    return subject, text.replace("{####}", code)
