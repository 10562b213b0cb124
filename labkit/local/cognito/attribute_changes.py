"""Changing a user's attributes, and verifying an address that was changed.

Facts: cognito 5.10, 16.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labkit.local.cognito.access_tokens import SignedInUser, signed_in_user
from labkit.local.cognito.aliases import refuse_taken_aliases
from labkit.local.cognito.attribute_permissions import check_writable
from labkit.local.cognito.attribute_schema import VERIFIED_FLAGS, check_changes
from labkit.local.cognito.confirmation_codes import ConfirmationCodes
from labkit.local.cognito.hourly_limits import HourlyLimits
from labkit.local.cognito.mail_templates import code_mail, delivery_details
from labkit.local.cognito.mailbox import Mailbox
from labkit.local.engine import Operation, User, UserPool, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]


class AttributeChanges:
    """The operations on the attributes of one user.

    Args:
        user_pools: where users are.
        codes: the codes that were mailed.
        limits: how often a user may ask for them.
        mailbox: where they go.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        user_pools: UserPools,
        codes: ConfirmationCodes,
        limits: HourlyLimits,
        mailbox: Mailbox,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._user_pools = user_pools
        self._codes = codes
        self._limits = limits
        self._mailbox = mailbox
        self._clock = clock

    async def update(self, body: JsonObject, _proceed: Operation) -> Response:
        """``UpdateUserAttributes``: a user writes what the app client of the sign-in may write (cognito 16.3-16.8)."""
        owner = self._owner(body)
        changes = attributes_of(body)
        check_writable(owner.client, changes)
        sent = self._change(owner.pool, owner.user, changes)
        return json_response({"CodeDeliveryDetailsList": sent})

    async def admin_update(self, body: JsonObject, proceed: Operation) -> Response:
        """``AdminUpdateUserAttributes``: a blank value deletes an attribute (cognito 5.10)."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is None:
            return await proceed("AdminUpdateUserAttributes", body)
        self._change(pool, find_user(self._user_pools, pool, body), attributes_of(body))
        return json_response({})

    async def delete(self, body: JsonObject, _proceed: Operation) -> Response:
        """``DeleteUserAttributes`` (cognito 16.9)."""
        owner = self._owner(body)
        check_writable(owner.client, body["UserAttributeNames"])
        self._change(owner.pool, owner.user, dict.fromkeys(body["UserAttributeNames"], ""))
        return json_response({})

    async def admin_delete(self, body: JsonObject, proceed: Operation) -> Response:
        """``AdminDeleteUserAttributes`` (cognito 16.9)."""
        pool = self._user_pools.user_pool(body["UserPoolId"])
        if pool is None:
            return await proceed("AdminUpdateUserAttributes", body)
        user = find_user(self._user_pools, pool, body)
        self._change(pool, user, dict.fromkeys(body["UserAttributeNames"], ""))
        return json_response({})

    async def verification_code(self, body: JsonObject, _proceed: Operation) -> Response:
        """``GetUserAttributeVerificationCode`` (cognito 16.8)."""
        owner = self._owner(body)
        _refuse_unverifiable(body["AttributeName"])
        self._limits.count(
            "GetUserAttributeVerificationCode", owner.pool["Id"], owner.user.username
        )
        address = owner.user.attributes.get("email")
        if body["AttributeName"] == "email" and self._is_verified_first(owner.pool, "email"):
            address = self._codes.pending_address(owner.pool, owner.user) or address
        if body["AttributeName"] != "email" or not address:
            what = "email address" if body["AttributeName"] == "email" else "phone number"
            raise ApiError(
                "InvalidParameterException", f"User does not have a valid registered {what}"
            )
        return json_response(
            {"CodeDeliveryDetails": self._send_code(owner.pool, owner.user, address)}
        )

    async def verify(self, body: JsonObject, _proceed: Operation) -> Response:
        """``VerifyUserAttribute``: an attribute that waited takes its new value (cognito 16.8)."""
        owner = self._owner(body)
        pool, user = owner.pool, owner.user
        _refuse_unverifiable(body["AttributeName"])
        self._limits.count("VerifyUserAttribute", pool["Id"], user.username)
        issued = self._codes.check(pool, user, "attribute", body["Code"])
        if body["AttributeName"] != "email":
            raise ApiError(
                "ExpiredCodeException", "Invalid code provided, please request a code again."
            )
        verified = {"email": issued.address, "email_verified": "true"}
        refuse_taken_aliases(self._user_pools, pool, user, {**user.attributes, **verified})
        self._codes.forget(pool, user, "attribute")
        self._user_pools.set_attributes(pool["Id"], user.username, verified, self._clock())
        return json_response({})

    def _owner(self, body: JsonObject) -> SignedInUser:
        return signed_in_user(self._user_pools, body["AccessToken"])

    def _change(self, pool: UserPool, user: User, changes: Mapping[str, str]) -> list[JsonObject]:
        """Write attributes; the details of the code that was sent for a new address."""
        check_changes(pool, changes)
        written = dict(changes)
        for name, flag in VERIFIED_FLAGS.items():
            if name in changes and not changes[name]:
                written[flag] = ""
            elif name in changes and changes[name] != user.attributes.get(name):
                written.setdefault(flag, "false")
        new_address = written.get("email")
        is_unverified = bool(new_address) and written.get("email_verified") == "false"
        refuse_taken_aliases(self._user_pools, pool, user, {**user.attributes, **written})
        if is_unverified and self._is_verified_first(pool, "email"):
            del written["email"], written["email_verified"]
        self._user_pools.set_attributes(pool["Id"], user.username, written, self._clock())
        wants_code = "email" in (pool.get("AutoVerifiedAttributes") or ())
        if not new_address or not is_unverified or not wants_code:
            return []
        return [self._send_code(pool, user, new_address)]

    def _send_code(self, pool: UserPool, user: User, address: str) -> JsonObject:
        code = self._codes.issue(pool, user, "attribute", address)
        self._mailbox.deliver(address, *code_mail(pool, user, code))
        return delivery_details(address)

    @staticmethod
    def _is_verified_first(pool: UserPool, name: str) -> bool:
        settings = pool.get("UserAttributeUpdateSettings") or {}
        return name in (settings.get("AttributesRequireVerificationBeforeUpdate") or ())


def attributes_of(body: JsonObject) -> dict[str, str]:
    """``UserAttributes`` of a request; a value that was left out is blank (cognito 5.10).

    >>> attributes_of({"UserAttributes": [{"Name": "email"}]})
    {'email': ''}
    """
    return {one["Name"]: one.get("Value") or "" for one in body.get("UserAttributes") or ()}


def find_user(user_pools: UserPools, pool: UserPool, body: JsonObject) -> User:
    """The user that an administrator's request names.

    Raises:
        ApiError: there is none.
    """
    user = user_pools.find_user(pool["Id"], body["Username"])
    if user is None:
        raise ApiError("UserNotFoundException", "User does not exist.")
    return user


def _refuse_unverifiable(name: str) -> None:
    if name not in ("email", "phone_number"):
        raise ApiError(
            "InvalidParameterException",
            "Invalid attribute name. Only phone_number and email can be verified.",
        )
