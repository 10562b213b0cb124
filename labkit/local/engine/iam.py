"""Policies, principals and roles."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labkit.local.engine.ministack import JsonObject
from labkit.local.engine.signatures import Signatures
from labkit.local.iam.caller import Caller
from labkit.local.iam.policy import (
    Decision,
    MalformedPolicyError,
    PolicyQuestion,
    parse_trust_policy,
)
from labkit.local.settings import CloudSettings

_KEPT_POLICIES = 256

TrustCheck = Callable[[object], str | None]
"""What IAM has against saving a role's trust policy; None when it may be saved."""


class _SeveralValues(list[str]):
    """The values of a key that has several: only ``ForAnyValue`` and ``ForAllValues`` look at each of them.

    For another operator MiniStack compares the list as text, so it is a text that nothing equals.
    """

    def __str__(self) -> str:
        return "\x00"


@dataclass(slots=True)
class _KeptPolicy:
    """A policy as MiniStack evaluates it.

    Attributes:
        document: the policy, which isn't changed.
        statements: MiniStack's.
        decisions: (action, resource) → decision; None where a condition or a variable may decide otherwise.
    """

    document: JsonObject
    statements: Any
    decisions: dict[tuple[str, str], Decision] | None


class Iam(Signatures):
    """What IAM and STS know and decide."""

    def __init__(self, settings: CloudSettings) -> None:
        super().__init__(settings)
        self._kept_policies: dict[int, _KeptPolicy] = {}
        self._own_trust_check: Any = None

    def caller(self, access_key_id: str) -> Caller | None:
        """Whose access key it is, with the secret to verify a signature; None for an unknown or inactive key."""
        if access_key_id == self.settings.access_key_id:
            account_id = self.settings.account_id
            root = f"arn:aws:iam::{account_id}:root"
            return Caller(
                access_key_id,
                self.settings.secret_access_key,
                None,
                root,
                account_id,
                "Root",
                account_id,
            )
        if self.takes_for_root(access_key_id):
            return None
        session = self._module("sts")._sessions.get(access_key_id)
        evaluator = self._core("iam_evaluator")
        if session is not None and self._lost_its_role(session):
            return None
        if session is not None:
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
        with self._scope():
            found = evaluator.resolve_credential(access_key_id, self.settings.account_id)
        if isinstance(found, evaluator.CredentialResolutionError):
            return None
        return Caller(
            access_key_id,
            found.secret_access_key,
            None,
            found.principal_arn,
            found.principal_id,
            found.principal_type,
            found.account_id,
        )

    def decide(
        self, document: JsonObject, question: PolicyQuestion, *, names_principals: bool
    ) -> Decision:
        """What one policy document says.

        Args:
            document: checked by :func:`labkit.local.iam.policy.parse_policy`.
            question: action, resource, caller, condition keys.
            names_principals: it is a resource policy.
        """
        evaluator = self._core("iam_evaluator")
        kept = None if names_principals else self._kept(evaluator, document)
        asked = (question.action, question.resource)
        if kept is not None and kept.decisions is not None and asked in kept.decisions:
            return kept.decisions[asked]
        context = self._context(evaluator, question)
        if question.access_key_id is not None:
            with self._scope(question.region):
                principal = evaluator.resolve_principal(
                    question.access_key_id, self.settings.account_id
                )
            context.principal_keys = getattr(principal, "keys", {})
        if kept is None:
            result = evaluator.evaluate_resource_policy(document, context)
        else:
            result = evaluator.evaluate(context, [kept.statements])
        decision: Decision = result.decision
        if kept is not None and kept.decisions is not None and len(kept.decisions) < _KEPT_POLICIES:
            kept.decisions[asked] = decision
        return decision

    def _kept(self, evaluator: Any, document: JsonObject) -> _KeptPolicy:
        """A parsed policy: a cached one is asked again and again."""
        kept = self._kept_policies.get(id(document))
        if kept is None or kept.document is not document:
            if len(self._kept_policies) >= _KEPT_POLICIES:
                self._kept_policies.clear()
            statements = evaluator.parse_policy_document(document)
            plain = not any(one.conditions or hasattr(one, "has_variables") for one in statements)
            kept = _KeptPolicy(document, statements, {} if plain else None)
            self._kept_policies[id(document)] = kept
        return kept

    def decide_identity(self, access_key_id: str, question: PolicyQuestion) -> Decision:
        """What the policies of a caller's identity say, its permissions boundary and session policies included."""
        evaluator = self._core("iam_evaluator")
        with self._scope(question.region):
            principal = evaluator.resolve_principal(access_key_id, self.settings.account_id)
            if isinstance(principal, evaluator.AuthError):
                return "ImplicitDeny"
            if principal.policies is None:
                return "Allow"
            context = self._context(evaluator, question)
            context.principal_keys = principal.keys
            result = evaluator.evaluate(context, principal.policies, *principal.limits)
        decision: Decision = result.decision
        return decision

    def _context(self, evaluator: Any, question: PolicyQuestion) -> Any:
        return evaluator.EvalContext(
            principal_arn=question.principal_arn,
            principal_type=question.principal_type,
            principal_account=question.principal_account,
            action=question.action,
            resource_arn=question.resource,
            region=question.region,
            source_ip=question.source_ip,
            secure_transport=True,
            service_context=dict(question.keys),
        )

    def role(self, role_arn: str) -> JsonObject | None:
        """The live record of a role of this account with exactly this ARN, or None."""
        roles = self._module("iam")._roles
        found = roles.get_scoped(self.settings.account_id, None, role_arn.rsplit("/", 1)[-1])
        return found if found is not None and found.get("Arn") == role_arn else None

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
        account_id = (
            role_arn.split(":")[4] if role_arn.count(":") >= 5 else self.settings.account_id
        )
        self._module("sts").register_session(
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

    def end_sessions_with_their_roles(self) -> None:
        """A deleted role's credentials are nobody's: MiniStack takes them for those of a new role of that name."""
        evaluator = self._core("iam_evaluator")
        own = evaluator.resolve_credential

        def resolve(access_key_id: str, *more: Any, **named: Any) -> Any:
            session = self._module("sts")._sessions.get(access_key_id)
            if session is not None and self._lost_its_role(session):
                return evaluator._unknown_access_key()
            return own(access_key_id, *more, **named)

        evaluator.resolve_credential = resolve

    def _lost_its_role(self, session: JsonObject) -> bool:
        role_id = session.get("_role_id")
        if role_id is None and "SourcePrincipalArn" in session:  # AssumeRole
            role_id = str(session.get("UserId")).partition(":")[0]
        if role_id is None or session.get("PrincipalType") != "AssumedRole":
            return False
        arn = str(session.get("Arn"))
        roles = self._module("iam")._roles
        role = roles.get_scoped(session.get("AccountId"), None, arn.split("/")[1])
        return role is None or role["RoleId"] != role_id

    def may_pass(
        self, role_arn: str, region: str, service: str = "cognito-identity.amazonaws.com"
    ) -> bool:
        """Whether the signer of the request that is being answered may pass a role (``iam:PassRole``) to a service."""
        signer = self._core("iam_evaluator")._verified_key.get() or self.settings.access_key_id
        caller = self.caller(signer)
        if caller is None:
            return False
        question = PolicyQuestion(
            "iam:PassRole",
            role_arn,
            region,
            caller.arn,
            caller.account_id,
            caller.type,
            signer,
            keys={"iam:passedtoservice": service},
        )
        return self.decide_identity(signer, question) == "Allow"

    def trusts_web_identity(
        self, role: JsonObject, provider: str, keys: Mapping[str, str | list[str]], region: str
    ) -> bool:
        """Whether a role's trust policy lets a federated identity assume the role.

        Args:
            role: the role's record.
            provider: the ``Federated`` principal.
            keys: the condition keys of the provider, lower case, and their values.
            region: of the request.
        """
        evaluator = self._core("iam_evaluator")
        try:
            document = parse_trust_policy(role.get("AssumeRolePolicyDocument"))
        except MalformedPolicyError:
            return False
        context = evaluator.EvalContext(
            principal_arn=provider,
            principal_type="WebIdentityUser",
            principal_account=self.settings.account_id,
            action="sts:AssumeRoleWithWebIdentity",
            resource_arn=role["Arn"],
            region=region,
            source_ip=None,  # the identity pool calls STS, not the client
            service_context={
                name: _SeveralValues(value) if isinstance(value, list) else value
                for name, value in keys.items()
            },
        )
        about_it = [one for one in map(_for_web_identity, document["Statement"]) if one]
        document = {**document, "Statement": about_it}
        return bool(evaluator.evaluate_trust_policy(document, provider, context))

    def refuse_web_identities(self, error_type: str, message: str) -> None:
        """Refuse ``AssumeRoleWithWebIdentity``: MiniStack believes any token without a look at its signature."""
        sts = self._module("sts")

        def refuse(_role_arn: str, _parameters: JsonObject, _use_json: bool) -> Any:
            return sts._error(400, error_type, message, ns="sts")

        sts._web_identity_trust_denied = refuse

    def check_trust_policies_with(self, check: TrustCheck) -> None:
        """Let ``check`` refuse a trust policy that IAM saves, for a new role and for one that is there."""
        iam = self._module("iam")
        own = self._own_trust_check = self._own_trust_check or iam._trust_policy_not_principal_error
        iam._trust_policy_not_principal_error = lambda document: own(document) or check(document)


def _for_web_identity(statement: JsonObject) -> JsonObject | None:
    """A trust policy's statement as it is meant for web identities; None when it isn't for them.

    ``*`` and ``{"AWS": "*"}`` are everybody: a Deny is for web identities, too. Whether an Allow is isn't known: only
    one that names the provider lets them in.
    """
    principal = statement["Principal"]
    named = [] if principal == "*" else principal.get("AWS", [])
    is_everybody = principal == "*" or "*" in ([named] if isinstance(named, str) else named)
    if statement["Effect"] == "Deny":
        return {**statement, "Principal": "*"} if is_everybody else statement
    return None if principal == "*" else statement
