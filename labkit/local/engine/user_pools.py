"""The state of user pools, their users and their tokens."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, cast

from labkit.local.engine import names, user_directory
from labkit.local.engine.cognito_records import Group, User, UserPool, UserPoolClient
from labkit.local.engine.ministack import (
    JsonObject,
    MiniStack,
    dict_of,
    response_of,
    without_own_keys,
)
from labkit.local.engine.operations import Operations
from labkit.local.messages import Response


class UserPools:
    """User pools, their users and their tokens.

    What it gives is a copy: changes are operations of this class. A change of what is gone meanwhile does nothing.

    Args:
        ministack: holds the records.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack
        self.operations: Operations = Operations()

    # -- user pools and app clients -----------------------------------------------------------------

    def user_pool(self, pool_id: str) -> UserPool | None:
        """A user pool in any Region, or None."""
        record = self._pool(pool_id)
        return None if record is None else cast(UserPool, without_own_keys(record))

    def find_client(self, client_id: str) -> tuple[UserPool, UserPoolClient] | None:
        """The user pool that has an app client, and the client; None when there is none of that id."""
        for pool in self._ministack[names.USER_POOLS].all_values():
            client = pool["_clients"].get(client_id)
            if client is not None:
                return cast(UserPool, without_own_keys(pool)), cast(
                    UserPoolClient, without_own_keys(client)
                )
        return None

    def client(self, pool_id: str, client_id: str) -> UserPoolClient | None:
        """An app client of a user pool, or None."""
        record = self._of_pool(pool_id, "_clients").get(client_id)
        return None if record is None else cast(UserPoolClient, without_own_keys(record))

    def client_ids(self, pool_id: str) -> Collection[str] | None:
        """The ids of a user pool's app clients; None when there is no such pool."""
        record = self._pool(pool_id)
        return None if record is None else list(record["_clients"])

    def change_user_pool(
        self, pool_id: str, changes: Mapping[str, Any], unset: Collection[str] = ()
    ) -> None:
        """Set settings of a user pool, and forget others."""
        _change(self._pool(pool_id), changes, unset)

    def change_client(
        self,
        pool_id: str,
        client_id: str,
        changes: Mapping[str, Any],
        unset: Collection[str] = (),
    ) -> None:
        """Set settings of an app client, and forget others."""
        _change(self._of_pool(pool_id, "_clients").get(client_id), changes, unset)

    def custom_scopes(self, pool_id: str) -> set[str]:
        """The scopes of a user pool's resource servers: ``<identifier>/<name>``."""
        return {
            f"{identifier}/{scope['ScopeName']}"
            for identifier, server in self._of_pool(pool_id, "_resource_servers").items()
            for scope in server.get("Scopes") or ()
        }

    # -- groups ----------------------------------------------------------------------------------------

    def groups(self, pool_id: str) -> dict[str, Group]:
        """The groups of a user pool by name."""
        return {
            name: Group(group.get("RoleArn"), group.get("Precedence"))
            for name, group in self._of_pool(pool_id, "_groups").items()
        }

    def change_group(
        self, pool_id: str, group_name: str, changes: Mapping[str, Any]
    ) -> JsonObject | None:
        """Set settings of a group, and return it as the API shows it; None when there is none."""
        group = self._of_pool(pool_id, "_groups").get(group_name)
        _change(group, changes)
        return None if group is None else without_own_keys(group)

    def unset_precedence(self, pool_id: str, group_name: str) -> None:
        """Let a group have no precedence."""
        _change(self._of_pool(pool_id, "_groups").get(group_name), {"Precedence": None})

    # -- users -----------------------------------------------------------------------------------------

    def user(self, pool_id: str, username: str | None) -> User | None:
        """The user with exactly this username, or None."""
        record = self._user(pool_id, username)
        return None if record is None else _user_of(record)

    def find_user(self, pool_id: str, name: str) -> User | None:
        """A user by username, ``sub`` or alias; None when unknown."""
        record = self._resolved(pool_id, name)
        return None if record is None else _user_of(record)

    def alias_holder(self, pool_id: str, name: str) -> User | None:
        """The user who has a name as an alias or as the pool's username attribute; None when nobody has."""
        pool = self._pool(pool_id)
        record = None if pool is None else user_directory.alias_holder(pool, name)
        return None if record is None else _user_of(record)

    def create_user(
        self,
        pool_id: str,
        username: str,
        attributes: Mapping[str, str],
        *,
        status: str,
        password: str,
        now: float,
    ) -> None:
        """Make a user; the username must be free."""
        pool = self._pool(pool_id)
        if pool is None:
            return
        user_directory.directory_of(pool)[username] = {
            "Username": username,
            "Attributes": _as_list(attributes),
            "UserCreateDate": now,
            "UserLastModifiedDate": now,
            "Enabled": True,
            "UserStatus": status,
            "MFAOptions": [],
            "_password": password,
            "_groups": [],
            "_tokens": [],
        }
        pool["EstimatedNumberOfUsers"] = len(pool["_users"])

    def new_user_error(
        self, pool_id: str, username: str, attributes: Mapping[str, str]
    ) -> Response | None:
        """The refusal of a name that no user of the pool may have; None when one may."""
        refusal = self._ministack[names.NEW_USER_ERROR](
            self._pool(pool_id) or {}, username, dict(attributes)
        )
        return None if refusal is None else response_of(refusal)

    def set_attributes(
        self, pool_id: str, username: str, changes: Mapping[str, str], now: float
    ) -> None:
        """Set attributes of a user; a blank value deletes one."""
        record = self._user(pool_id, username)
        if record is not None:
            attributes = {**_user_of(record).attributes, **changes}
            record["Attributes"] = _as_list({k: v for k, v in attributes.items() if v})
            record["UserLastModifiedDate"] = now

    def describe_user(self, pool_id: str, username: str) -> JsonObject:
        """A user as ``AdminGetUser`` shows one, but for the multi-factor settings; empty when there is none."""
        record = self._user(pool_id, username)
        if record is None:
            return {}
        shown = ("Username", "UserCreateDate", "UserLastModifiedDate", "Enabled", "UserStatus")
        return {name: record[name] for name in shown} | {"UserAttributes": record["Attributes"]}

    def set_status(self, pool_id: str, username: str, status: str, now: float) -> None:
        """Set a user's ``UserStatus``."""
        _change(self._user(pool_id, username), {"UserStatus": status, "UserLastModifiedDate": now})

    def mark_passwordless(self, pool_id: str, username: str) -> None:
        """Note that a user has no password: MiniStack takes any password of one that has none there."""
        _change(self._user(pool_id, username), {"_passwordless": True})

    def set_password(
        self,
        pool_id: str,
        username: str,
        password: str,
        *,
        status: str,
        now: float,
        expires_at: float | None = None,
    ) -> None:
        """Give a user a password.

        Args:
            pool_id: the user pool.
            username: the user's ``Username``.
            password: the new one.
            status: the ``UserStatus`` that comes with it.
            now: seconds since the epoch.
            expires_at: when a temporary password can't be used any more.
        """
        changes = {
            "_password": password,
            "_password_expires_at": expires_at,
            "UserStatus": status,
            "UserLastModifiedDate": now,
        }
        _change(self._user(pool_id, username), changes, ["_passwordless"])

    def password(self, pool_id: str, username: str) -> str:
        """The password of a user."""
        record = self._user(pool_id, username)
        return "" if record is None else str(record["_password"])

    def set_up_totp(self, pool_id: str, username: str, secret: str) -> None:
        """Make an authenticator app a user's second factor."""
        record = self._user(pool_id, username)
        if record is not None:
            methods = [*record.get("_mfa_enabled", []), "SOFTWARE_TOKEN_MFA"]
            record["_mfa_enabled"] = methods
            record["_totp_secret"] = secret
            record["_preferred_mfa"] = "SOFTWARE_TOKEN_MFA"

    def is_totp_right(self, pool_id: str, username: str, code: str) -> bool:
        """Whether the user's authenticator app would show this code now."""
        secret = (self._user(pool_id, username) or {}).get("_totp_secret")
        return bool(secret) and bool(self._ministack[names.TOTP_MATCHES](secret, code))

    def remember_totp(self, pool_id: str, username: str, code: str, now: float) -> None:
        """Note which code of the authenticator app was taken, and when (seconds since the epoch)."""
        _change(self._user(pool_id, username), {"_last_totp": (code, now)})

    def password_policy_errors(self, pool_id: str, password: str) -> list[str]:
        """What the pool's password policy has against a password."""
        errors: list[str] = self._ministack[names.PASSWORD_POLICY_ERRORS](
            self._pool(pool_id) or {}, password
        )
        return errors

    # -- signing in ------------------------------------------------------------------------------------

    async def start_srp(
        self, pool_id: str, client_id: str, user: User | None, username: str, srp_a: str
    ) -> dict[str, str]:
        """The ``PASSWORD_VERIFIER`` challenge parameters; without a user, a challenge that nobody can answer."""
        challenge = self._ministack[names.SRP_CHALLENGE]
        record = self._srp_record(pool_id, user, username)
        with self._scope(pool_id):
            token, session = self._ministack[names.CREATE_CHALLENGE_SESSION](
                pool_id, client_id, username
            )
            session["auth_flow"] = "USER_SRP_AUTH"
            parameters, session["srp"] = await self._ministack.run_blocking(
                challenge, pool_id, record, username, srp_a, token
            )
        return dict_of(parameters)

    def srp_format_error(self, responses: JsonObject) -> Response | None:
        """The refusal of an answer to ``PASSWORD_VERIFIER`` that is no answer; None when it is one."""
        refusal = self._ministack[names.SRP_RESPONSE_FORMAT_ERROR](responses)
        return None if refusal is None else response_of(refusal)

    def srp_username(self, pool_id: str, client_id: str, responses: JsonObject) -> str | None:
        """Whose ``PASSWORD_VERIFIER`` challenge is answered; None when it is none of this app client."""
        session = self._srp_session(responses)
        owner = None if session is None else (session["pool_id"], session["client_id"])
        if session is None or owner != (pool_id, client_id):
            return None
        return str(session["username"])

    async def is_srp_proof_right(
        self, pool_id: str, user: User | None, username: str, responses: JsonObject
    ) -> bool:
        """Whether an answer to ``PASSWORD_VERIFIER`` proves the password; without a user, work all the same."""
        session = self._srp_session(responses)
        if session is None:
            return False
        check = self._ministack[names.SRP_PROOF_VALID]
        record = self._srp_record(pool_id, user, username)
        is_right = await self._ministack.run_blocking(
            check, pool_id, record, session["srp"], responses
        )
        return bool(is_right) and user is not None

    def _srp_session(self, responses: JsonObject) -> JsonObject | None:
        session, _error = self._ministack[names.GET_CHALLENGE_SESSION](
            responses["PASSWORD_CLAIM_SECRET_BLOCK"]
        )
        return session if session is not None and "srp" in session else None

    def _srp_record(self, pool_id: str, user: User | None, username: str) -> JsonObject:
        record = None if user is None else self._user(pool_id, user.username)
        if record is not None:
            return record
        # The salt is drawn from the sub: the same each time for a name.
        sub = f"{pool_id}:{username}"
        return {
            "Username": username,
            "Attributes": [{"Name": "sub", "Value": sub}],
            "_password": secrets.token_hex(16),
        }

    def access_token_error(self, access_token: str) -> Response | None:
        """The refusal of an access token that AWS would not take; None when it would."""
        check = self._ministack[names.ACCESS_TOKEN_ERROR]
        pool_id = str(self._ministack[names.TOKEN_CLAIMS](access_token).get("iss", "")).rpartition(
            "/"
        )[2]
        with self._scope(pool_id if self._pool(pool_id) else self._ministack.settings.region):
            refusal = check({"AccessToken": access_token})
        return None if refusal is None else response_of(refusal)

    async def issue_tokens(
        self,
        pool_id: str,
        client_id: str,
        username: str,
        client_metadata: JsonObject | None = None,
        trigger_source: str = "TokenGeneration_Authentication",
    ) -> JsonObject:
        """An ``AuthenticationResult`` for a signed-in user, signed with the pool's own keys.

        Raises:
            KeyError: there is no such user.
        """
        user = self._user(pool_id, username)
        if user is None:
            raise KeyError(username)
        build = partial(
            self._ministack[names.BUILD_AUTH_RESULT],
            client_metadata=client_metadata,
            trigger_source=trigger_source,
        )
        with self._scope(pool_id):  # in a thread: it may run a pre token generation function
            result = await self._ministack.run_blocking(build, pool_id, client_id, user)
        return dict_of(result)

    def sign_token(self, pool_id: str, use: str, claims: JsonObject) -> str:
        """A JWT over the claims, signed with the pool's own key for ``use`` (``access`` or ``id``)."""
        token: str = self._ministack[names.SIGNED_JWT](claims, pool_id, use)
        return token

    def signing_keys(self, pool_id: str) -> list[JsonObject]:
        """The pool's public keys, as in its ``jwks.json``."""
        _status, _headers, body = self._ministack[names.WELL_KNOWN_JWKS](pool_id)
        keys: list[JsonObject] = json.loads(body)["keys"]
        return keys

    def sign_in_ended(self, pool_id: str, claims: Mapping[str, Any]) -> bool:
        """Whether the user of a token was deleted, disabled or signed out everywhere since."""
        user = self.find_user(pool_id, str(claims.get("sub")))
        if user is None or not user.enabled:
            return True
        return claims.get("origin_jti") in self._ministack[names.REVOKED_TOKENS]

    # -- MiniStack's records ---------------------------------------------------------------------------

    def _scope(self, pool_id: str) -> AbstractContextManager[None]:
        return self._ministack.scope(pool_id.split("_", 1)[0])

    def _pool(self, pool_id: str) -> JsonObject | None:
        return self._ministack.record(names.USER_POOLS, pool_id)

    def _of_pool(self, pool_id: str, part: str) -> JsonObject:
        pool = self._pool(pool_id)
        return {} if pool is None else pool.get(part) or {}

    def _user(self, pool_id: str, username: str | None) -> JsonObject | None:
        users = self._of_pool(pool_id, "_users")
        return None if username is None else users.get(username)

    def _resolved(self, pool_id: str, name: str) -> JsonObject | None:
        pool = self._pool(pool_id)
        return None if pool is None else user_directory.find_by_name(pool, name)

    # -- what comes in the place of MiniStack's --------------------------------------------------------

    def resolve_user(self, own: Callable[..., Any]) -> Callable[..., Any]:
        """What comes in the place of MiniStack's search for a user, which looks at all of them."""

        def resolve(pool: JsonObject, username: str | None) -> tuple[JsonObject | None, Any]:
            found = None if username is None else user_directory.find_by_name(pool, username)
            return (found, None) if found is not None else own({**pool, "_users": {}}, username)

        return resolve

    def user_from_token(self, _own: Callable[..., Any]) -> Callable[..., Any]:
        """What comes in the place of MiniStack's search for a token's user."""

        def find(token: str, pool: JsonObject) -> JsonObject | None:
            claims = self._ministack[names.TOKEN_CLAIMS](token)
            return user_directory.find_by_sub(pool, str(claims.get("sub", "")))

        return find


def _user_of(record: JsonObject) -> User:
    return User(
        username=record["Username"],
        attributes={
            one["Name"]: str(one["Value"]) for one in record["Attributes"] if "Value" in one
        },
        status=record["UserStatus"],
        enabled=record.get("Enabled", True),
        # The second: AdminDisableProviderForUser of Cognito itself, after which no password signs in.
        is_passwordless=bool(record.get("_passwordless") or record.get("_provider_disabled")),
        mfa_settings=tuple(record.get("_mfa_enabled") or ()),
        preferred_mfa=record.get("_preferred_mfa") or "",
        has_totp=bool(record.get("_totp_secret")),
        last_totp=record.get("_last_totp"),
        password_expires_at=record.get("_password_expires_at"),
    )


def _as_list(attributes: Mapping[str, str]) -> list[JsonObject]:
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def _change(
    record: JsonObject | None, changes: Mapping[str, Any], unset: Collection[str] = ()
) -> None:
    if record is not None:
        record.update(changes)
        for name in unset:
            record.pop(name, None)
