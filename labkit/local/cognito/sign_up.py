"""Signing up: a stranger makes an account, and confirms the address with a code.

Facts: cognito 2.14, 4.8, 4.15, 11.9, 11.10, 15.8, 16, 17; recorded 21.3, 21.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labkit.local.cognito.aliases import refuse_taken_aliases, take_aliases
from labkit.local.cognito.attribute_changes import attributes_of, find_user
from labkit.local.cognito.attribute_permissions import check_writable
from labkit.local.cognito.attribute_schema import VERIFIED_FLAGS, check_new, check_required
from labkit.local.cognito.challenge_sessions import (
    Challenge,
    ChallengeSessions,
    session_seconds,
)
from labkit.local.cognito.confirmation_codes import ConfirmationCodes, wrong_code
from labkit.local.cognito.hourly_limits import HourlyLimits
from labkit.local.cognito.mail_templates import code_mail, delivery_details
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.new_users import NewUsers
from labkit.local.cognito.sign_in_names import hides_existence
from labkit.local.cognito.triggers import Triggers, attributes_in_event
from labkit.local.engine import Operation, User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]


class SignUp:
    """``SignUp`` and what confirms it.

    Args:
        user_pools: where users are.
        new_users: make them.
        sessions: the pending challenges.
        codes: the codes that were mailed.
        limits: how often a user may ask for them, and guess.
        triggers: run what the pool wants run.
        mailbox: where codes go.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        user_pools: UserPools,
        new_users: NewUsers,
        sessions: ChallengeSessions,
        codes: ConfirmationCodes,
        limits: HourlyLimits,
        triggers: Triggers,
        mailbox: Mailbox,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._user_pools = user_pools
        self._new_users = new_users
        self._sessions = sessions
        self._codes = codes
        self._limits = limits
        self._triggers = triggers
        self._mailbox = mailbox
        self._clock = clock

    async def sign_up(self, pool: UserPool, client: UserPoolClient, body: JsonObject) -> Response:
        """``SignUp``: perhaps without a password; a ``Session`` for clients with ``USER_AUTH`` (cognito 2.14)."""
        if (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"):
            raise ApiError("NotAuthorizedException", "SignUp is not permitted for this user pool")
        attributes = attributes_of(body)
        check_writable(client, attributes)
        draft = self._new_users.draft(pool, body["Username"], attributes, is_sign_up=True)
        check_new(pool, draft.attributes)
        check_required(pool, draft.attributes)
        password = self._new_users.password_of_sign_up(pool, body)
        decision = await self._pre_sign_up(pool, client, draft, body)
        refuse_taken_aliases(self._user_pools, pool, None, decision.attributes)
        self._new_users.make(pool, decision, password)
        answer: JsonObject = {
            "UserConfirmed": decision.status == "CONFIRMED",
            "UserSub": decision.attributes["sub"],
        }
        address = decision.attributes.get("email")
        if decision.status == "UNCONFIRMED" and address and _verifies_email(pool):
            answer["CodeDeliveryDetails"] = self._send_code(pool, decision, address)
        if "ALLOW_USER_AUTH" in client["ExplicitAuthFlows"]:
            name = "CONFIRMED_SIGN_UP" if answer["UserConfirmed"] else "SIGN_UP"
            answer["Session"] = self._session(name, pool, client, decision, body["Username"])
        if decision.status == "CONFIRMED":
            await self._post_confirmation(pool, client["ClientId"], decision, body)
        return json_response(answer)

    async def confirm(self, pool: UserPool, client: UserPoolClient, body: JsonObject) -> Response:
        """``ConfirmSignUp``: verifies the address, and continues the session of ``SignUp`` (cognito 2.14)."""
        challenge = None
        if "Session" in body:
            challenge = self._sessions.find(body["Session"], client["ClientId"], "SIGN_UP")
        user = self._user_pools.find_user(pool["Id"], body["Username"])
        self._count("ConfirmSignUp", pool, user, body)
        if user is None:
            raise wrong_code() if hides_existence(client) else unknown_to_client()
        _refuse_confirmed(user)
        issued = self._codes.check(pool, user, "sign-up", body["ConfirmationCode"])
        verified = dict(user.attributes)
        if user.attributes.get("email") == issued.address:
            verified["email_verified"] = "true"
        if body.get("ForceAliasCreation"):
            take_aliases(self._user_pools, pool, user, verified, self._clock())
        else:
            refuse_taken_aliases(self._user_pools, pool, user, verified)
        self._codes.forget(pool, user, "sign-up")
        user = self._confirm(pool, user, verified)
        answer: JsonObject = {}
        if challenge is not None and challenge.username == user.username:
            self._sessions.use(challenge)
            answer["Session"] = self._session(
                "CONFIRMED_SIGN_UP", pool, client, user, challenge.typed_name
            )
        await self._post_confirmation(pool, client["ClientId"], user, body)
        return json_response(answer)

    async def admin_confirm(self, body: JsonObject, proceed: Operation) -> Response:
        """``AdminConfirmSignUp``: confirms the user, and verifies no address."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is None:
            return await proceed("AdminConfirmSignUp", body)
        user = find_user(self._user_pools, pool, body)
        _refuse_confirmed(user)
        self._codes.forget(pool, user, "sign-up")
        user = self._confirm(pool, user, user.attributes)
        await self._post_confirmation(pool, "CLIENT_ID_NOT_APPLICABLE", user, body)
        return json_response({})

    async def resend(self, pool: UserPool, client: UserPoolClient, body: JsonObject) -> Response:
        """``ResendConfirmationCode`` (cognito 11.9, 17.5)."""
        user = self._user_pools.find_user(pool["Id"], body["Username"])
        self._count("ResendConfirmationCode", pool, user, body)
        if user is None:
            if hides_existence(client):
                return json_response({"CodeDeliveryDetails": delivery_details(body["Username"])})
            raise unknown_to_client()
        if user.status != "UNCONFIRMED":
            raise ApiError("InvalidParameterException", "User is already confirmed.")
        address = user.attributes.get("email")
        if not address or not _verifies_email(pool):
            raise ApiError(
                "InvalidParameterException",
                "Cannot resend codes. Auto verification not turned on.",
            )
        return json_response({"CodeDeliveryDetails": self._send_code(pool, user, address)})

    # -- parts -------------------------------------------------------------------------------------

    async def _pre_sign_up(
        self, pool: UserPool, client: UserPoolClient, draft: User, body: JsonObject
    ) -> User:
        """The user as the pre sign-up trigger decides (cognito 15.8)."""
        wanted = await self._new_users.ask_trigger(pool, "SignUp", client["ClientId"], draft, body)
        attributes = dict(draft.attributes)
        for name, flag in (("email", "autoVerifyEmail"), ("phone_number", "autoVerifyPhone")):
            if wanted.get(flag) is True:
                if not attributes.get(name):
                    raise ApiError(
                        "InvalidParameterException",
                        f"The pre sign-up trigger verifies {name}, which the user doesn't have.",
                    )
                attributes[VERIFIED_FLAGS[name]] = "true"
        status = "CONFIRMED" if wanted.get("autoConfirmUser") is True else "UNCONFIRMED"
        return replace(draft, attributes=attributes, status=status)

    async def _post_confirmation(
        self, pool: UserPool, client_id: str, user: User, body: JsonObject
    ) -> None:
        request: JsonObject = {"userAttributes": attributes_in_event(user)}
        if body.get("ClientMetadata"):
            request["clientMetadata"] = body["ClientMetadata"]
        await self._triggers.run(
            pool,
            "PostConfirmation",
            "ConfirmSignUp",
            username=user.username,
            client_id=client_id,
            request=request,
        )

    def _confirm(self, pool: UserPool, user: User, attributes: Any) -> User:
        now = self._clock()
        self._user_pools.set_status(pool["Id"], user.username, "CONFIRMED", now)
        self._user_pools.set_attributes(pool["Id"], user.username, attributes, now)
        return replace(user, status="CONFIRMED", attributes=attributes)

    def _send_code(self, pool: UserPool, user: User, address: str) -> JsonObject:
        code = self._codes.issue(pool, user, "sign-up", address)
        self._mailbox.deliver(address, *code_mail(pool, user, code))
        return delivery_details(address)

    def _session(
        self, name: str, pool: UserPool, client: UserPoolClient, user: User, typed_name: str
    ) -> str:
        return self._sessions.open(
            Challenge(
                name=name,
                pool_id=pool["Id"],
                client_id=client["ClientId"],
                username=user.username,
                typed_name=typed_name,
                expires_at=self._clock() + session_seconds(client),
            )
        )

    def _count(self, operation: str, pool: UserPool, user: User | None, body: JsonObject) -> None:
        self._limits.count(
            operation, pool["Id"], body["Username"] if user is None else user.username
        )


def unknown_to_client() -> ApiError:
    """The refusal of a name that nobody has, where the app client may tell (cognito 4.6)."""
    return ApiError("UserNotFoundException", "Username/client id combination not found.")


def _refuse_confirmed(user: User) -> None:
    if user.status != "UNCONFIRMED":
        raise ApiError(
            "NotAuthorizedException",
            f"User cannot be confirmed. Current status is {user.status}",
        )


def _verifies_email(pool: UserPool) -> bool:
    return "email" in (pool.get("AutoVerifiedAttributes") or ())
