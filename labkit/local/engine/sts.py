"""Sessions of roles."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from labkit.local.engine import names
from labkit.local.engine.iam_records import IdentityPoolSession, Role, TemporaryCredentials
from labkit.local.engine.ministack import JsonObject, MiniStack
from labkit.local.iam.caller import Caller

FUNCTION_SESSION_SECONDS = 12 * 3600


class Sts:
    """The sessions that roles are used in.

    Args:
        ministack: holds the records.
        clock: seconds since the epoch.
    """

    def __init__(self, ministack: MiniStack, clock: Callable[[], float]) -> None:
        self._ministack = ministack
        self._clock = clock
        self._refusal: tuple[str, str] | None = None

    def has_session(self, access_key_id: str) -> bool:
        """Whether the access key is of a session, ended or not."""
        return access_key_id in self._ministack[names.SESSIONS]

    def caller(self, access_key_id: str) -> Caller | None:
        """Whose session it is; None when there is none, or its role is gone."""
        session = self._session(access_key_id)
        if session is None or self._lost_its_role(session):
            return None
        arn = str(session.get("Arn", ""))
        return Caller(
            access_key_id,
            str(session.get("SecretAccessKey") or ""),
            str(session.get("SessionToken") or ""),
            arn,
            str(session.get("UserId") or ""),
            str(session.get("PrincipalType") or "AssumedRole"),
            str(session.get("AccountId") or arn.split(":")[4]),
            expires_at=session.get("Expiration"),
            cognito={
                "cognitoAuthenticationProvider": session.get("_cognito_auth_provider"),
                "cognitoAuthenticationType": session.get("_cognito_auth_type"),
                "cognitoIdentityId": session.get("_identity_id"),
                "cognitoIdentityPoolId": session.get("_identity_pool_id"),
            },
        )

    def role_credentials(self, role_arn: str, session_name: str) -> dict[str, str]:
        """A role's credentials, as environment variables for its function.

        Lambda assumes a role by its name again and again: when another role has the name by then, it is that one's.
        """
        made = self._begin(role_arn, session_name, FUNCTION_SESSION_SECONDS, {})
        return {
            "AWS_ACCESS_KEY_ID": made.access_key_id,
            "AWS_SECRET_ACCESS_KEY": made.secret_access_key,
            "AWS_SESSION_TOKEN": made.session_token,
        }

    def identity_pool_credentials(
        self, role: Role, session_name: str, lifetime: float, session: IdentityPoolSession
    ) -> TemporaryCredentials:
        """A role's credentials for an identity; they end with the role, too.

        Args:
            role: the role.
            session_name: of the assumed role.
            lifetime: in seconds.
            session: who it is for.
        """
        is_guest = session.provider is None
        facts = {
            "UserId": f"{role.id}:{session_name}",
            "SessionPolicies": {"Policy": json.dumps(session.policy), "PolicyArns": []},
            "_cognito_auth_provider": session.provider,
            "_cognito_auth_type": "unauthenticated" if is_guest else "authenticated",
            "_federated_keys": dict(session.condition_keys),
            "_identity_id": session.identity_id,
            "_identity_pool_id": session.identity_pool_id,
            "_role_id": role.id,
        }
        return self._begin(role.arn, session_name, lifetime, facts)

    def _begin(
        self, role_arn: str, session_name: str, lifetime: float, facts: JsonObject
    ) -> TemporaryCredentials:
        role_name = role_arn.rsplit("/", 1)[-1]
        own_account = self._ministack.settings.account_id
        account_id = role_arn.split(":")[4] if role_arn.count(":") >= 5 else own_account
        made = TemporaryCredentials(
            "ASIA" + secrets.token_hex(8).upper(),
            secrets.token_urlsafe(30),
            secrets.token_urlsafe(96),
            self._clock() + lifetime,
        )
        session = {
            "Arn": f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session_name}",
            "UserId": f"AROA{role_name[:16].upper()}:{session_name}",
            "SecretAccessKey": made.secret_access_key,
            "SessionToken": made.session_token,
            "Expiration": made.expires_at,
            "AccountId": account_id,
            "PrincipalType": "AssumedRole",
            **facts,
        }
        self._ministack[names.REGISTER_SESSION](made.access_key_id, session)
        return made

    def refuse_web_identities(self, error_type: str, message: str) -> None:
        """Refuse ``AssumeRoleWithWebIdentity``: MiniStack believes any token without a look at its signature."""
        self._refusal = error_type, message

    # -- in MiniStack's place --------------------------------------------------------------------------

    def deny_web_identity(self, own: Callable[[str, JsonObject, bool], Any]) -> Callable[..., Any]:
        """What comes in the place of MiniStack's look at a role's trust in a web identity."""

        def deny(role_arn: str, params: JsonObject, use_json: bool) -> Any:
            if self._refusal is None:
                return own(role_arn, params, use_json)
            return self._ministack[names.STS_ERROR](400, *self._refusal, ns="sts")

        return deny

    def resolve_credential(self, own: Callable[..., Any]) -> Callable[..., Any]:
        """What comes in the place of MiniStack's search for an access key: a deleted role's is nobody's."""

        def resolve(access_key_id: str, *more: Any, **named: Any) -> Any:
            session = self._session(access_key_id)
            if session is not None and self._lost_its_role(session):
                return self._ministack[names.UNKNOWN_ACCESS_KEY]()
            return own(access_key_id, *more, **named)

        return resolve

    def principal_keys(self, own: Callable[[Any], JsonObject]) -> Callable[[Any], JsonObject]:
        """What comes in the place of MiniStack's condition keys of a caller: an identity pool's are added."""

        def keys(credential: Any) -> JsonObject:
            session = self._session(credential.access_key_id) or {}
            return {**own(credential), **session.get("_federated_keys", {})}

        return keys

    # -- MiniStack's records ---------------------------------------------------------------------------

    def _session(self, access_key_id: str) -> JsonObject | None:
        found: JsonObject | None = self._ministack[names.SESSIONS].get(access_key_id)
        return found

    def _lost_its_role(self, session: JsonObject) -> bool:
        role_id = session.get("_role_id")
        if role_id is None and "SourcePrincipalArn" in session:  # AssumeRole
            role_id = str(session.get("UserId")).partition(":")[0]
        if role_id is None or session.get("PrincipalType") != "AssumedRole":
            return False
        arn = str(session.get("Arn"))
        roles = self._ministack[names.ROLES]
        role = roles.get_scoped(session.get("AccountId"), None, arn.split("/")[1])
        return role is None or role["RoleId"] != role_id
