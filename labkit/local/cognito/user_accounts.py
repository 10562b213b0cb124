"""Users with and without a password: creating, signing up, giving them one later.

Facts: cognito 2.12, 2.14, 5, 12.9.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Protocol

from labkit.local.cognito.attribute_permissions import check_writable
from labkit.local.cognito.challenge_sessions import (
    Challenge,
    ChallengeSessions,
    session_seconds,
)
from labkit.local.cognito.issued_tokens import claims_of
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.signin import allowed_factors, mask_address
from labkit.local.engine import Operation, User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

# With one of these allowed, a user needs no password (cognito 5.1); a passkey alone isn't enough (cognito 5.9).
_CODE_FACTORS = frozenset({"EMAIL_OTP", "SMS_OTP"})

ATTRIBUTE_PARAMETERS = ("UserAttributes", "ValidationData")
"""The parameters that list attributes by name and value."""


class Roles(Protocol):
    """What is asked of IAM."""

    def may_pass(self, role_arn: str, region: str, service: str) -> bool:
        """Whether the signer of the request may pass a role to a service."""


class UserAccounts:
    """What MiniStack's users lack: being without a password.

    MiniStack takes any password of a user who has none, so a passwordless user has one there that nobody knows and is
    marked.

    Args:
        user_pools: where users are.
        roles: who may pass which.
        mailbox: where invitations go.
        sessions: the pending challenges.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        user_pools: UserPools,
        roles: Roles,
        mailbox: Mailbox,
        sessions: ChallengeSessions,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._user_pools = user_pools
        self._roles = roles
        self._mailbox = mailbox
        self._sessions = sessions
        self._clock = clock

    async def admin_create_user(self, body: JsonObject, proceed: Operation) -> Response:
        """``AdminCreateUser`` (cognito 5)."""
        operation = "AdminCreateUser"
        pool = self._user_pools.user_pool(body["UserPoolId"])
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
        pool_id, username = pool["Id"], answer["User"]["Username"]
        self._user_pools.mark_passwordless(pool_id, username)
        self._user_pools.set_status(pool_id, username, "CONFIRMED")
        answer["User"]["UserStatus"] = "CONFIRMED"
        user = self._user_pools.user(pool_id, username)
        if user is not None and body.get("MessageAction") != "SUPPRESS":
            self._invite(pool, user, body)
        return json_response(answer)

    def _refuse_resend(self, pool: UserPool, username: str) -> None:
        user = self._user_pools.find_user(pool["Id"], username)
        if user is not None and user.status != "FORCE_CHANGE_PASSWORD":
            raise ApiError(
                "UnsupportedUserStateException",
                f"Resend not possible. {username} status is not FORCE_CHANGE_PASSWORD",
            )

    def _refuse_incomplete(self, pool: UserPool, body: JsonObject) -> None:
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

    def _invite(self, pool: UserPool, user: User, body: JsonObject) -> None:
        address = user.attributes.get("email")
        mediums = body.get("DesiredDeliveryMediums") or ["EMAIL"]
        if address is not None and "EMAIL" in mediums:
            name = address if pool.get("UsernameAttributes") else user.username
            self._mailbox.deliver(address, "Your username", f"Your username is {name}.")

    # -- passwords --------------------------------------------------------------------

    async def set_password(self, operation: str, body: JsonObject, proceed: Operation) -> Response:
        """``AdminSetUserPassword`` and ``ConfirmForgotPassword``: the user has a password now."""
        response = await proceed(operation, body)
        if response.status == 200:
            pool = self._pool_of(body)
            user = self._user_pools.find_user(pool["Id"], body["Username"]) if pool else None
            if pool is not None and user is not None:
                self._user_pools.mark_with_password(pool["Id"], user.username)
        return response

    async def change_password(self, body: JsonObject, proceed: Operation) -> Response:
        """``ChangePassword``: the first password needs no previous one (cognito 5.8)."""
        user, pool_id = self._owner(body["AccessToken"]), _pool_id_of(body["AccessToken"])
        if user is None or not user.is_passwordless or "PreviousPassword" in body:
            return await proceed("ChangePassword", body)
        previous = self._user_pools.password(pool_id, user.username)
        response = await proceed("ChangePassword", {**body, "PreviousPassword": previous})
        if response.status == 200:
            self._user_pools.mark_with_password(pool_id, user.username)
        return response

    async def user_auth_factors(self, body: JsonObject, proceed: Operation) -> Response:
        """``GetUserAuthFactors`` (cognito 12.9)."""
        response = await proceed("GetUser", {"AccessToken": body["AccessToken"]})
        user = self._owner(body["AccessToken"])
        pool = self._user_pools.user_pool(_pool_id_of(body["AccessToken"]))
        if response.status != 200 or user is None or pool is None:
            return response
        factors = [] if user.is_passwordless else ["PASSWORD"]
        if "EMAIL_OTP" in allowed_factors(pool) and "email" in user.attributes:
            factors.append("EMAIL_OTP")
        return json_response({"Username": user.username, "ConfiguredUserAuthFactors": factors})

    async def create_group(self, body: JsonObject, proceed: Operation) -> Response:
        """``CreateGroup``: without ``Precedence`` a group is the weakest (cognito 9.2), in MiniStack the strongest.

        Whoever gives a group a role must be allowed to pass it: an identity pool may give it to the group's members.
        """
        self._check_pass_role(body)
        response = await proceed("CreateGroup", body)
        if response.status != 200 or "Precedence" in body:
            return response
        self._user_pools.unset_precedence(body["UserPoolId"], body["GroupName"])
        answer = response.json()
        del answer["Group"]["Precedence"]
        return json_response(answer)

    def _check_pass_role(self, body: JsonObject) -> None:
        role_arn = body.get("RoleArn")
        region = body["UserPoolId"].partition("_")[0]
        if role_arn and not self._roles.may_pass(role_arn, region, "cognito-idp.amazonaws.com"):
            raise ApiError("NotAuthorizedException", f"Access to Role '{role_arn}' is forbidden.")

    # -- signing up ----------------------------------------------------------------------

    async def sign_up(self, body: JsonObject, proceed: Operation) -> Response:
        """``SignUp``: perhaps without a password; a ``Session`` for clients with ``USER_AUTH`` (cognito 2.14)."""
        found = self._user_pools.find_client(body["ClientId"])
        if found is None:
            return await proceed("SignUp", body)
        pool, client = found
        if (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"):
            raise ApiError("NotAuthorizedException", "SignUp is not permitted for this user pool")
        check_writable(client, body.get("UserAttributes") or [])
        passwordless = "Password" not in body and bool(_CODE_FACTORS & set(allowed_factors(pool)))
        sent = {**body, "Password": _unknown_password()} if passwordless else body
        response = await proceed("SignUp", sent)
        if response.status != 200:
            return response
        answer = _with_mask(response.json())
        user = self._user_pools.find_user(pool["Id"], answer["UserSub"])
        if user is not None and passwordless:
            self._user_pools.mark_passwordless(pool["Id"], user.username)
        if user is not None and "ALLOW_USER_AUTH" in client["ExplicitAuthFlows"]:
            name = "CONFIRMED_SIGN_UP" if answer["UserConfirmed"] else "SIGN_UP"
            answer["Session"] = self._session(name, pool, client, user, body["Username"])
        return json_response(answer)

    async def update_attributes(self, body: JsonObject, proceed: Operation) -> Response:
        """``UpdateUserAttributes``: a user writes what the app client of the sign-in may write."""
        client_id = str(claims_of(body["AccessToken"]).get("client_id"))
        found = self._user_pools.find_client(client_id)
        if found is not None:  # whose token it really is, MiniStack checks
            check_writable(found[1], body["UserAttributes"])
        response = await proceed("UpdateUserAttributes", body)
        user = self._owner(body["AccessToken"])
        if response.status == 200 and user is not None:
            self._user_pools.delete_blank_attributes(
                _pool_id_of(body["AccessToken"]), user.username
            )
        return response

    async def admin_update_attributes(self, body: JsonObject, proceed: Operation) -> Response:
        """``AdminUpdateUserAttributes``: a blank value deletes an attribute (cognito 5.10)."""
        response = await proceed("AdminUpdateUserAttributes", body)
        pool_id = body["UserPoolId"]
        user = self._user_pools.find_user(pool_id, body["Username"])
        if response.status == 200 and user is not None:
            self._user_pools.delete_blank_attributes(pool_id, user.username)
        return response

    async def confirm_sign_up(self, body: JsonObject, proceed: Operation) -> Response:
        """``ConfirmSignUp``: verifies the address, and continues the session of ``SignUp`` (cognito 2.14)."""
        found = self._user_pools.find_client(body["ClientId"])
        challenge = None
        if found is not None and "Session" in body:
            challenge = self._sessions.find(body["Session"], body["ClientId"], "SIGN_UP")
        response = await proceed("ConfirmSignUp", body)
        if response.status != 200 or found is None:
            return response
        pool, client = found
        user = self._user_pools.find_user(pool["Id"], body["Username"])
        if user is None:
            return response
        if "email" in (pool.get("AutoVerifiedAttributes") or ()) and user.attributes.get("email"):
            self._user_pools.set_attribute(pool["Id"], user.username, "email_verified", "true")
        if challenge is None or challenge.username != user.username:
            return response
        self._sessions.use(challenge)
        session = self._session("CONFIRMED_SIGN_UP", pool, client, user, challenge.typed_name)
        return json_response({"Session": session})

    async def mask_destination(
        self, operation: str, body: JsonObject, proceed: Operation
    ) -> Response:
        """``ForgotPassword`` and ``ResendConfirmationCode``: the destination as AWS masks it (cognito 2.12)."""
        response = await proceed(operation, body)
        if response.status != 200:
            return response
        return json_response(_with_mask(response.json()))

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

    def _pool_of(self, body: JsonObject) -> UserPool | None:
        if "UserPoolId" in body:
            return self._user_pools.user_pool(body["UserPoolId"])
        found = self._user_pools.find_client(body["ClientId"])
        return None if found is None else found[0]

    def _owner(self, access_token: str) -> User | None:
        # Unverified: MiniStack verifies the token before anything is done with it.
        username = str(claims_of(access_token).get("username"))
        return self._user_pools.user(_pool_id_of(access_token), username)


def with_values(attributes: list[JsonObject]) -> list[JsonObject]:
    """The attributes, each with a value: the service model lets it be left out, which means blank.

    >>> with_values([{"Name": "email"}])
    [{'Name': 'email', 'Value': ''}]
    """
    return [{**one, "Value": one.get("Value") or ""} for one in attributes]


def _pool_id_of(access_token: str) -> str:
    return str(claims_of(access_token).get("iss", "")).rpartition("/")[2]


def _unknown_password() -> str:
    # The ending satisfies every rule about characters; 99 is the longest minimum.
    return secrets.token_urlsafe(96) + "aA1!"


def _with_mask(answer: JsonObject) -> JsonObject:
    details = answer.get("CodeDeliveryDetails")
    if details and "@" in details["Destination"]:
        # MiniStack gives the whole address or a longer mask; the first letters are the same in both.
        details["Destination"] = mask_address(details["Destination"].replace("****", "***"))
    return answer
