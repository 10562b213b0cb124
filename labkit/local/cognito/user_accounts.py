"""Users with and without a password: creating, signing up, giving them one later.

Facts: facts/cognito.md 2.12, 2.14, section 5, 12.9.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from labkit.local.cognito.attribute_permissions import check_writable
from labkit.local.cognito.challenge_sessions import Challenge, ChallengeSessions
from labkit.local.cognito.issued_tokens import claims_of
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.signin import (
    allowed_factors,
    attribute,
    is_passwordless,
    masked,
    session_seconds,
    set_attribute,
)
from labkit.local.engine import Engine, UserPoolOperation
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

# With one of these allowed, a user needs no password (5.1); a passkey alone isn't enough (5.9).
_CODE_FACTORS = frozenset({"EMAIL_OTP", "SMS_OTP"})

ATTRIBUTE_PARAMETERS = ("UserAttributes", "ValidationData")
"""The parameters that list attributes by name and value."""


class UserAccounts:
    """What MiniStack's users lack: being without a password.

    MiniStack takes any password of a user who has none, so a passwordless user has one there that nobody knows and is
    marked ``_passwordless`` in the record.

    Args:
        engine: where users are.
        mailbox: where invitations go.
        sessions: the pending challenges.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        engine: Engine,
        mailbox: Mailbox,
        sessions: ChallengeSessions,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._mailbox = mailbox
        self._sessions = sessions
        self._clock = clock

    async def admin_create_user(self, body: JsonObject, proceed: UserPoolOperation) -> Response:
        """``AdminCreateUser`` (section 5)."""
        operation = "AdminCreateUser"
        pool = self._engine.user_pool(body["UserPoolId"])
        if pool is None:
            return await proceed(operation, body)
        if body.get("MessageAction") == "RESEND":
            self._refuse_resend(pool, body["Username"])
            return await proceed(operation, body)
        if "TemporaryPassword" in body or not _CODE_FACTORS & set(allowed_factors(pool)):
            return await proceed(operation, body)
        self._refuse_incomplete(pool, body)
        without_mail = {
            **body,
            "MessageAction": "SUPPRESS",
            "TemporaryPassword": _unknown_password(),
        }
        response = await proceed(operation, without_mail)
        if response.status != 200:
            return response
        answer = response.json()
        user = pool["_users"][answer["User"]["Username"]]
        user["_passwordless"] = True
        user["UserStatus"] = answer["User"]["UserStatus"] = "CONFIRMED"
        if body.get("MessageAction") != "SUPPRESS":
            self._invite(pool, user, body)
        return json_response(answer)

    def _refuse_resend(self, pool: JsonObject, username: str) -> None:
        user = self._engine.find_user(pool, username)
        if user is not None and user["UserStatus"] != "FORCE_CHANGE_PASSWORD":
            raise ApiError(
                "UnsupportedUserStateException",
                f"Resend not possible. {username} status is not FORCE_CHANGE_PASSWORD",
            )

    def _refuse_incomplete(self, pool: JsonObject, body: JsonObject) -> None:
        given = {one["Name"] for one in body.get("UserAttributes", ()) if one.get("Value")}
        given |= set(pool.get("UsernameAttributes") or ())
        for schema in pool["SchemaAttributes"]:
            if schema.get("Required") and schema["Name"] not in {*given, "sub"}:
                raise ApiError(
                    "InvalidParameterException",
                    "Attributes did not conform to the schema: "
                    f"{schema['Name']}: The attribute is required",
                )
        if not given & {"email", "phone_number"}:
            raise ApiError(
                "InvalidParameterException",
                "A user without a password needs an email address or a phone number.",
            )

    def _invite(self, pool: JsonObject, user: JsonObject, body: JsonObject) -> None:
        address = attribute(user, "email")
        mediums = body.get("DesiredDeliveryMediums") or ["EMAIL"]
        if address is not None and "EMAIL" in mediums:
            name = address if pool.get("UsernameAttributes") else user["Username"]
            self._mailbox.deliver(address, "Your username", f"Your username is {name}.")

    # -- passwords --------------------------------------------------------------------

    async def set_password(
        self, operation: str, body: JsonObject, proceed: UserPoolOperation
    ) -> Response:
        """``AdminSetUserPassword`` and ``ConfirmForgotPassword``: the user has a password now."""
        response = await proceed(operation, body)
        if response.status == 200:
            pool = self._pool_of(body)
            user = self._engine.find_user(pool, body["Username"]) if pool else None
            if user is not None:
                user.pop("_passwordless", None)
        return response

    async def change_password(self, body: JsonObject, proceed: UserPoolOperation) -> Response:
        """``ChangePassword``: the first password needs no previous one (5.8)."""
        user = self._owner(body["AccessToken"])
        if user is None or not is_passwordless(user) or "PreviousPassword" in body:
            return await proceed("ChangePassword", body)
        previous = {"PreviousPassword": user["_password"]}
        response = await proceed("ChangePassword", {**body, **previous})
        if response.status == 200:
            user.pop("_passwordless", None)
        return response

    async def user_auth_factors(self, body: JsonObject, proceed: UserPoolOperation) -> Response:
        """``GetUserAuthFactors`` (12.9)."""
        response = await proceed("GetUser", {"AccessToken": body["AccessToken"]})
        user = self._owner(body["AccessToken"])
        pool = self._engine.user_pool(_pool_id_of(body["AccessToken"]))
        if response.status != 200 or user is None or pool is None:
            return response
        factors = [] if is_passwordless(user) else ["PASSWORD"]
        if "EMAIL_OTP" in allowed_factors(pool) and attribute(user, "email") is not None:
            factors.append("EMAIL_OTP")
        return json_response({"Username": user["Username"], "ConfiguredUserAuthFactors": factors})

    async def create_group(self, body: JsonObject, proceed: UserPoolOperation) -> Response:
        """``CreateGroup``: without ``Precedence`` a group is the weakest (9.2); MiniStack makes it the strongest.

        Whoever gives a group a role must be allowed to pass it: an identity pool may give it to the group's members.
        """
        self._check_pass_role(body)
        response = await proceed("CreateGroup", body)
        pool = self._engine.user_pool(body["UserPoolId"])
        if response.status != 200 or "Precedence" in body or pool is None:
            return response
        pool["_groups"][body["GroupName"]]["Precedence"] = None
        answer = response.json()
        del answer["Group"]["Precedence"]
        return json_response(answer)

    def _check_pass_role(self, body: JsonObject) -> None:
        role_arn = body.get("RoleArn")
        region = body["UserPoolId"].partition("_")[0]
        if role_arn and not self._engine.may_pass(role_arn, region, "cognito-idp.amazonaws.com"):
            raise ApiError("NotAuthorizedException", f"Access to Role '{role_arn}' is forbidden.")

    # -- signing up ----------------------------------------------------------------------

    async def sign_up(self, body: JsonObject, proceed: UserPoolOperation) -> Response:
        """``SignUp``: perhaps without a password; a ``Session`` for clients with ``USER_AUTH`` (2.14)."""
        pool = self._pool_of(body)
        if pool is None:
            return await proceed("SignUp", body)
        if (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"):
            raise ApiError("NotAuthorizedException", "SignUp is not permitted for this user pool")
        check_writable(pool["_clients"][body["ClientId"]], body.get("UserAttributes") or [])
        passwordless = "Password" not in body and bool(_CODE_FACTORS & set(allowed_factors(pool)))
        sent = {**body, "Password": _unknown_password()} if passwordless else body
        response = await proceed("SignUp", sent)
        if response.status != 200:
            return response
        answer = _with_mask(response.json())
        user = self._engine.find_user(pool, answer["UserSub"])
        if user is not None and passwordless:
            user["_passwordless"] = True
        client = pool["_clients"][body["ClientId"]]
        if user is not None and "ALLOW_USER_AUTH" in client["ExplicitAuthFlows"]:
            name = "CONFIRMED_SIGN_UP" if answer["UserConfirmed"] else "SIGN_UP"
            answer["Session"] = self._session(name, pool, client, user, body["Username"])
        return json_response(answer)

    async def update_attributes(self, body: JsonObject, proceed: UserPoolOperation) -> Response:
        """``UpdateUserAttributes``: a user writes what the app client of the sign-in may write."""
        client_id = str(claims_of(body["AccessToken"]).get("client_id"))
        pool = self._engine.user_pool_of_client(client_id)
        if pool is not None:  # whose token it really is, MiniStack checks
            check_writable(pool["_clients"][client_id], body["UserAttributes"])
        response = await proceed("UpdateUserAttributes", body)
        user = self._owner(body["AccessToken"])
        if response.status == 200 and user is not None:
            delete_blank_attributes(user)
        return response

    async def admin_update_attributes(
        self, body: JsonObject, proceed: UserPoolOperation
    ) -> Response:
        """``AdminUpdateUserAttributes``: a blank value deletes an attribute (cognito 5.10)."""
        response = await proceed("AdminUpdateUserAttributes", body)
        pool = self._engine.user_pool(body["UserPoolId"])
        user = self._engine.find_user(pool, body["Username"]) if pool else None
        if response.status == 200 and user is not None:
            delete_blank_attributes(user)
        return response

    async def confirm_sign_up(self, body: JsonObject, proceed: UserPoolOperation) -> Response:
        """``ConfirmSignUp``: verifies the address, and continues the session of ``SignUp`` (2.14)."""
        pool = self._pool_of(body)
        challenge = None
        if pool is not None and "Session" in body:
            challenge = self._sessions.find(body["Session"], body["ClientId"], "SIGN_UP")
        response = await proceed("ConfirmSignUp", body)
        user = self._engine.find_user(pool, body["Username"]) if pool else None
        if response.status != 200 or pool is None or user is None:
            return response
        if "email" in (pool.get("AutoVerifiedAttributes") or ()) and attribute(user, "email"):
            set_attribute(user, "email_verified", "true")
        if challenge is None or challenge.username != user["Username"]:
            return response
        self._sessions.use(challenge)
        client = pool["_clients"][body["ClientId"]]
        session = self._session("CONFIRMED_SIGN_UP", pool, client, user, challenge.typed_name)
        return json_response({"Session": session})

    async def mask_destination(
        self, operation: str, body: JsonObject, proceed: UserPoolOperation
    ) -> Response:
        """``ForgotPassword`` and ``ResendConfirmationCode``: the destination as AWS masks it (2.12)."""
        response = await proceed(operation, body)
        if response.status != 200:
            return response
        return json_response(_with_mask(response.json()))

    def _session(
        self, name: str, pool: JsonObject, client: JsonObject, user: JsonObject, typed_name: str
    ) -> str:
        return self._sessions.open(
            Challenge(
                name=name,
                pool_id=pool["Id"],
                client_id=client["ClientId"],
                username=user["Username"],
                typed_name=typed_name,
                expires_at=self._clock() + session_seconds(client),
            )
        )

    def _pool_of(self, body: JsonObject) -> JsonObject | None:
        if "UserPoolId" in body:
            return self._engine.user_pool(body["UserPoolId"])
        return self._engine.user_pool_of_client(body["ClientId"])

    def _owner(self, access_token: str) -> JsonObject | None:
        # Unverified: MiniStack verifies the token before anything is done with it.
        pool = self._engine.user_pool(_pool_id_of(access_token))
        user: JsonObject | None = None
        if pool is not None:
            user = pool["_users"].get(str(claims_of(access_token).get("username")))
        return user


def with_values(attributes: list[JsonObject]) -> list[JsonObject]:
    """The attributes, each with a value: the service model lets it be left out, which means blank.

    >>> with_values([{"Name": "email"}])
    [{'Name': 'email', 'Value': ''}]
    """
    return [{**one, "Value": one.get("Value") or ""} for one in attributes]


def delete_blank_attributes(user: JsonObject) -> None:
    """Delete what an update made blank; an address that is gone is verified no more."""
    kept = [one for one in user["Attributes"] if one["Value"]]
    names = {one["Name"] for one in kept}
    user["Attributes"] = [
        one
        for one in kept
        if not one["Name"].endswith("_verified") or one["Name"].removesuffix("_verified") in names
    ]


def _pool_id_of(access_token: str) -> str:
    return str(claims_of(access_token).get("iss", "")).rpartition("/")[2]


def _unknown_password() -> str:
    # The ending satisfies every rule about characters; 99 is the longest minimum.
    return secrets.token_urlsafe(96) + "aA1!"


def _with_mask(answer: JsonObject) -> JsonObject:
    details = answer.get("CodeDeliveryDetails")
    if details and "@" in details["Destination"]:
        # MiniStack gives the whole address or a longer mask; the first letters are the same in both.
        details["Destination"] = masked(details["Destination"].replace("****", "***"))
    return answer
