"""The sessions of roles."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from labkit.local.engine import names
from labkit.local.engine.ministack import JsonObject, MiniStack


class Sts:
    """Sessions: how one begins, whose it is, and when it ends.

    Args:
        ministack: holds the sessions.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack
        self._web_identity_refusal: tuple[str, str] | None = None

    def session(self, access_key_id: str) -> JsonObject | None:
        """MiniStack's record of a session whose role is still there, or None."""
        found: JsonObject | None = self._ministack[names.SESSIONS].get(access_key_id)
        return None if found is None or self._lost_its_role(found) else found

    def role_credentials(
        self, role_arn: str, session_name: str, lifetime: float = 12 * 3600, **more: Any
    ) -> dict[str, str]:
        """Fresh random temporary credentials of a role, as environment variables for its function.

        Args:
            role_arn: the role.
            session_name: of the assumed role.
            lifetime: in seconds.
            more: of MiniStack's record of the session; ``_role_id`` ends it with its role, also when another one has
                the role's name by then. Lambda assumes a role by its name again and again.
        """
        access_key_id = "ASIA" + secrets.token_hex(8).upper()
        secret, token = secrets.token_urlsafe(30), secrets.token_urlsafe(96)
        role_name = role_arn.rsplit("/", 1)[-1]
        own_account = self._ministack.settings.account_id
        account_id = role_arn.split(":")[4] if role_arn.count(":") >= 5 else own_account
        self._ministack[names.REGISTER_SESSION](
            access_key_id,
            {
                "Arn": f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session_name}",
                "UserId": f"AROA{role_name[:16].upper()}:{session_name}",
                "SecretAccessKey": secret,
                "SessionToken": token,
                "Expiration": time.time() + lifetime,
                "AccountId": account_id,
                "PrincipalType": "AssumedRole",
                **more,
            },
        )
        return {
            "AWS_ACCESS_KEY_ID": access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
        }

    def resolve_credential(self, own: Callable[..., Any]) -> Callable[..., Any]:
        """What comes in the place of MiniStack's, for which a deleted role's keys are a new one's of its name."""

        def resolve(access_key_id: str, *more: Any, **named: Any) -> Any:
            session = self._ministack[names.SESSIONS].get(access_key_id)
            if session is not None and self._lost_its_role(session):
                return self._ministack[names.UNKNOWN_ACCESS_KEY]()
            return own(access_key_id, *more, **named)

        return resolve

    def _lost_its_role(self, session: JsonObject) -> bool:
        role_id = session.get("_role_id")
        if role_id is None and "SourcePrincipalArn" in session:  # AssumeRole
            role_id = str(session.get("UserId")).partition(":")[0]
        if role_id is None or session.get("PrincipalType") != "AssumedRole":
            return False
        name = str(session.get("Arn")).split("/")[1]
        role = self._ministack[names.ROLES].get_scoped(session.get("AccountId"), None, name)
        return role is None or role["RoleId"] != role_id

    def principal_keys(self, own: Callable[[Any], JsonObject]) -> Callable[[Any], JsonObject]:
        """What comes in the place of MiniStack's condition keys of a caller: an identity pool's are there, too."""

        def keys(credential: Any) -> JsonObject:
            session = self._ministack[names.SESSIONS].get(credential.access_key_id) or {}
            return {**own(credential), **session.get("_federated_keys", {})}

        return keys

    def refuse_web_identities(self, error_type: str, message: str) -> None:
        """Refuse ``AssumeRoleWithWebIdentity``: MiniStack believes any token without a look at its signature."""
        self._web_identity_refusal = error_type, message

    def deny_web_identity(self, own: Callable[..., Any]) -> Callable[..., Any]:
        """What comes in the place of MiniStack's look at the role's trust policy."""

        def deny(role_arn: str, params: JsonObject, use_json: bool) -> Any:
            if self._web_identity_refusal is None:
                return own(role_arn, params, use_json)
            return self._ministack[names.STS_ERROR](400, *self._web_identity_refusal, ns="sts")

        return deny
