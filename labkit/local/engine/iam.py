"""Who has an access key, what their policies are, and whom a role trusts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from labkit.local.engine import names
from labkit.local.engine.iam_records import Role
from labkit.local.engine.ministack import MiniStack
from labkit.local.engine.policy_evaluation import principal_of, readable
from labkit.local.engine.sts import Sts
from labkit.local.iam.caller import Caller
from labkit.local.iam.evaluation import EVERYTHING, IdentityPolicies, decide_identity, evaluate
from labkit.local.iam.grammar import trust_policy_error
from labkit.local.iam.pattern import Value
from labkit.local.iam.policy import MalformedPolicyError, parse_trust_policy
from labkit.local.iam.question import (
    ANONYMOUS,
    PolicyQuestion,
    Principal,
    federated_principal,
    service_principal,
)

_OWN_PRINCIPAL = re.compile(
    r"arn:aws:iam::(?P<account>\d{12}):(?P<kind>user|role)/(.*/)?(?P<name>[^/]+)"
)

_KEPT_SESSIONS = 256
TrustCheck = Callable[[object], str | None]
"""What IAM has against saving a role's trust policy; None when it may be saved."""


class Iam:
    """The records of users and roles.

    Args:
        ministack: holds them.
        sts: holds the sessions.
        clock: seconds since the epoch.
    """

    def __init__(self, ministack: MiniStack, sts: Sts, clock: Callable[[], float]) -> None:
        self._ministack = ministack
        self._clock = clock
        self._sts = sts
        self._trust_check: TrustCheck = lambda document: None
        self._service_sessions: dict[tuple[str, str], str] = {}

    def caller(self, access_key_id: str) -> Caller | None:
        """Whose access key it is, with the secret to verify a signature; None for an unknown or inactive key."""
        settings = self._ministack.settings
        account_id = settings.account_id
        if access_key_id == settings.access_key_id:
            root = f"arn:aws:iam::{account_id}:root"
            secret = settings.secret_access_key
            return Caller(access_key_id, secret, None, root, account_id, "Root", account_id)
        if self._ministack[names.IS_ROOT_ACCESS_KEY](access_key_id):
            return None
        if self._sts.has_session(access_key_id):
            return self._sts.caller(access_key_id)
        with self._ministack.scope():
            found = self._ministack[names.RESOLVE_CREDENTIAL](access_key_id, account_id)
        if isinstance(found, self._ministack[names.CREDENTIAL_RESOLUTION_ERROR]):
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

    def identity(self, access_key_id: str, region: str) -> tuple[Principal, IdentityPolicies]:
        """Who has an access key, and the policies of that user or role; nobody's key may do nothing.

        Args:
            access_key_id: the key.
            region: of the request.
        """
        ministack = self._ministack
        with ministack.scope(region):
            found = ministack[names.RESOLVE_PRINCIPAL](access_key_id, ministack.settings.account_id)
        if isinstance(found, ministack[names.AUTH_ERROR]):
            return ANONYMOUS, IdentityPolicies(())
        principal = principal_of(ministack, found.arn, found.type, found.account, found.keys)
        if found.policies is not None:
            return principal, IdentityPolicies(found.policies, readable(found.limits))
        if access_key_id == ministack.settings.access_key_id:
            return principal, EVERYTHING
        return ANONYMOUS, IdentityPolicies(())  # a key that MiniStack alone takes for root

    def role(self, role_arn: str) -> Role | None:
        """The role of this account with exactly this ARN, or None."""
        name, account_id = role_arn.rsplit("/", 1)[-1], self._ministack.settings.account_id
        found = self._ministack[names.ROLES].get_scoped(account_id, None, name)
        if found is None or found.get("Arn") != role_arn:
            return None
        return Role(role_arn, str(found["RoleId"]), found.get("AssumeRolePolicyDocument"))

    def may_pass(
        self, role_arn: str, region: str, service: str = "cognito-identity.amazonaws.com"
    ) -> bool:
        """Whether the signer of the request that is being answered may pass a role (``iam:PassRole``) to a service."""
        return self.pass_role_error(role_arn, region, service) is None

    def pass_role_error(self, role_arn: str, region: str, service: str) -> str | None:
        """AWS's words when the signer of the request that is being answered may not pass a role (iam 5.1).

        Args:
            role_arn: the role.
            region: of the request.
            service: which gets the role, such as ``lambda.amazonaws.com`` or ``apigateway.amazonaws.com``.
        """
        return self.permission_error(
            "iam:PassRole", role_arn, region, {"iam:passedtoservice": service}
        )

    def permission_error(
        self, action: str, resource: str, region: str, keys: Mapping[str, Value] | None = None
    ) -> str | None:
        """AWS's words when the signer of the request that is being answered may not do something beside it.

        Args:
            action: such as ``apigateway:UpdateRestApiPolicy``.
            resource: the ARN.
            region: of the request.
            keys: condition keys, lower case.
        """
        signer = self._ministack[names.VERIFIED_KEY].get()
        principal, policies = self.identity(
            signer or self._ministack.settings.access_key_id, region
        )
        question = PolicyQuestion(
            action, resource, region, self._clock(), principal, "127.0.0.1", keys=keys or {}
        )
        decision = decide_identity(policies, question)
        if decision == "Allow":
            return None
        reason = (
            "with an explicit deny in an identity-based policy"
            if decision == "Deny"
            else f"because no identity-based policy allows the {action} action"
        )
        return f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} {reason}"

    def trusts_service(self, role_arn: str, service: str, region: str) -> bool:
        """Whether a service of AWS may assume a role; it may not when there is none.

        Args:
            role_arn: the role.
            service: such as ``lambda.amazonaws.com``.
            region: of the request.
        """
        role = self.role(role_arn)
        try:
            policy = parse_trust_policy(role.trust_policy if role else None)
        except MalformedPolicyError:
            return False
        principal = service_principal(service)
        question = PolicyQuestion(
            "sts:AssumeRole", role_arn, region, self._clock(), principal, source_ip=None
        )
        return evaluate(policy, question) == "Allow"

    def service_identity(
        self, role_arn: str, service: str, region: str
    ) -> tuple[Principal, IdentityPolicies] | None:
        """Who a service of AWS is that has assumed a role, and its policies; None when the role doesn't trust it.

        Args:
            role_arn: the role.
            service: such as ``apigateway.amazonaws.com``.
            region: of the request.
        """
        role = self.role(role_arn)
        if role is None or not self.trusts_service(role_arn, service, region):
            return None
        key = self._service_sessions.get((role.id, service))
        if key is None or self._sts.caller(key) is None:
            made = self._sts.role_credentials(role_arn, service.partition(".")[0])
            if len(self._service_sessions) >= _KEPT_SESSIONS:
                self._service_sessions.clear()
            key = self._service_sessions[role.id, service] = made["AWS_ACCESS_KEY_ID"]
        return self.identity(key, region)

    def trusts_web_identity(
        self, role: Role, provider: str, keys: Mapping[str, Value], region: str
    ) -> bool:
        """Whether a role's trust policy lets a federated identity assume the role.

        Args:
            role: the role.
            provider: the ``Federated`` principal.
            keys: the condition keys of the provider, lower case, and their values.
            region: of the request.
        """
        try:
            policy = parse_trust_policy(role.trust_policy)
        except MalformedPolicyError:
            return False
        question = PolicyQuestion(
            "sts:AssumeRoleWithWebIdentity",
            role.arn,
            region,
            self._clock(),
            federated_principal(provider),
            source_ip=None,  # the identity pool calls STS, not the client
            keys=keys,
        )
        return evaluate(policy, question) == "Allow"

    def check_trust_policies_with(self, check: TrustCheck) -> None:
        """Let ``check`` refuse a trust policy that IAM saves, for a new role and for one that is there."""
        self._trust_check = check

    def trust_policy_error(self, own: TrustCheck) -> TrustCheck:
        """What comes in the place of MiniStack's look at a trust policy that is saved."""

        def error(doc: object) -> str | None:
            found = trust_policy_error(doc, self.is_there) or self._trust_check(doc)
            return found and escape(found)  # it goes into XML

        return error

    def is_there(self, principal: str) -> bool:
        """Whether a user or a role of this account has the ARN; nobody can say it of other accounts."""
        match = _OWN_PRINCIPAL.fullmatch(principal)
        if match is None or match["account"] != self._ministack.settings.account_id:
            return True
        store = names.USERS if match["kind"] == "user" else names.ROLES
        found = self._ministack[store].get_scoped(match["account"], None, match["name"])
        return found is not None and found["Arn"] == principal
