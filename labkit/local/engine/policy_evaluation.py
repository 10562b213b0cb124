"""MiniStack asks labkit.local.iam what policies say; what it still does itself is to find them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from labkit.local.engine import names
from labkit.local.engine.ministack import MiniStack
from labkit.local.iam.condition import as_text
from labkit.local.iam.evaluation import IdentityPolicies, decide, decide_identity, evaluate
from labkit.local.iam.grammar import identity_policy_error
from labkit.local.iam.pattern import Value
from labkit.local.iam.policy import (
    MalformedPolicyError,
    Policy,
    parse_policy,
    parse_policy_text,
    parse_trust_policy,
)
from labkit.local.iam.question import ANONYMOUS, PolicyQuestion, Principal, service_principal

UNREADABLE = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
"""Stands for a stored document that isn't a policy: who can't say what it denies must not let anybody in."""


class PolicyEvaluation:
    """What comes in the place of MiniStack's evaluation of policies.

    Args:
        ministack: finds the policies.
        clock: seconds since the epoch.
    """

    def __init__(self, ministack: MiniStack, clock: Callable[[], float]) -> None:
        self._ministack = ministack
        self._clock = clock

    def evaluate(self, ctx: Any, policies: Sequence[Policy], *limits: Any) -> Any:
        """What an identity's policies say within its limits."""
        found = IdentityPolicies(policies, readable(limits))
        return self._result(decide_identity(found, self._question(ctx)), ctx)

    def evaluate_resource_policy(self, doc: object, ctx: Any, service: str | None = None) -> Any:
        """What a resource's policy says of the caller, or of the AWS service that calls."""
        return self._result(evaluate(resource_policy(doc), self._question(ctx, service)), ctx)

    def combine_resource_policy(
        self,
        identity: Any,
        ctx: Any,
        policy: object,
        owner_account: str | None,
        required: bool = False,
        limits: Sequence[Any] = (),
    ) -> Any:
        """What the two say together; a policy that is required must allow in its own account, too."""
        same_account = owner_account in (None, ctx.principal_account) and not required
        decision = decide(
            identity.decision,
            readable(limits),
            resource_policy(policy),
            self._question(ctx),
            same_account=same_account,
        )
        if decision == "Deny" and identity.decision != "Deny":
            return self._result(decision, ctx, resource_policy_arn=ctx.resource_arn)
        return self._result(decision, ctx)

    def evaluate_trust_policy(self, trust_doc: object, caller_arn: str, ctx: Any = None) -> bool:
        """Whether a role trusts the caller; without a question nobody knows for what."""
        try:
            policy = parse_trust_policy(trust_doc)
        except MalformedPolicyError:
            return False
        return ctx is not None and evaluate(policy, self._question(ctx)) == "Allow"

    def _question(self, ctx: Any, service: str | None = None) -> PolicyQuestion:
        """MiniStack's ``EvalContext`` as a question."""
        if service:
            principal = service_principal(service.lower())
        elif ctx.principal_arn in ("", "*"):
            principal = ANONYMOUS
        else:
            principal = principal_of(
                self._ministack,
                ctx.principal_arn,
                ctx.principal_type,
                ctx.principal_account,
                ctx.principal_keys,
            )
        tags = {f"aws:RequestTag/{name}": value for name, value in ctx.request_tags.items()}
        return PolicyQuestion(
            action=ctx.action,
            resource=ctx.resource_arn,
            region=ctx.region,
            time=self._clock(),
            principal=principal,
            source_ip=ctx.source_ip,
            is_encrypted=ctx.secure_transport,
            keys=condition_keys({"aws:TagKeys": ctx.tag_keys, **tags, **ctx.service_context}),
        )

    def _result(self, decision: str, ctx: Any, **more: str) -> Any:
        return self._ministack[names.EVAL_RESULT](decision, ctx.principal_arn, **more)


def principal_of(
    ministack: MiniStack, arn: str, kind: str, account_id: str, keys: Mapping[str, Value]
) -> Principal:
    """A user, a role's session or the root user.

    Args:
        ministack: holds the users and roles.
        arn: the caller's; a session's is ``…:assumed-role/role/session``.
        kind: ``User``, ``AssumedRole``, ``FederatedUser`` or ``Root``.
        account_id: the caller's.
        keys: the condition keys that describe the caller, lower case.
    """
    record: Mapping[str, Any] | None = None
    role_arn = None
    if kind == "AssumedRole":
        name = arn.split("/")[1]
        record = ministack[names.ROLES].get_scoped(account_id, None, name)
        role_arn = str(record["Arn"] if record else f"arn:aws:iam::{account_id}:role/{name}")
    elif kind == "User":
        record = ministack[names.USERS].get_scoped(account_id, None, arn.rpartition("/")[2])
    return Principal(
        "Account" if kind == "Root" else kind,
        arn,
        account_id,
        role_arn,
        keys,
        bool(record and record.get("PermissionsBoundary")),
    )


def identity_policy(doc: object) -> Policy:
    """A stored policy of a user, a group or a role."""
    try:
        return parse_policy_text(_text(doc), with_principal=False)
    except MalformedPolicyError:
        return parse_policy(UNREADABLE, with_principal=False)


def resource_policy(document: object) -> Policy:
    """A stored policy of a bucket or a function; without a document or a statement it says nothing."""
    if not document or (isinstance(document, dict) and document.get("Statement") == []):
        return Policy(())
    try:
        return parse_policy_text(_text(document), with_principal=True)
    except MalformedPolicyError:
        everybody = {**UNREADABLE["Statement"], "Principal": "*"}
        return parse_policy({"Statement": everybody}, with_principal=True)


def _text(document: object) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def policy_problem(doc: object) -> str | None:
    """Why a policy of a user, a group or a role isn't saved; None when it is."""
    error = identity_policy_error(doc)
    return error and escape(error)  # it goes into XML


def readable(limits: Sequence[Any]) -> list[list[Policy]]:
    """MiniStack's layers of policies; a permissions boundary whose document is gone is an empty list in them."""
    return [[one for one in layer if isinstance(one, Policy)] for layer in limits]


def names_condition_key(policies: Sequence[Policy], prefix: str) -> bool:
    """Whether a condition of a policy is about a key that starts so (lower case)."""
    return any(
        condition.key.startswith(prefix)
        for policy in policies
        for statement in policy.statements
        for condition in statement.conditions
    )


def condition_keys(found: Mapping[str, Any]) -> dict[str, Value]:
    """MiniStack's condition keys, with their names in lower case; one without a value isn't there."""
    return {
        name.lower(): [one if one is None else as_text(one) for one in value]
        if isinstance(value, list)
        else as_text(value)
        for name, value in found.items()
        if value is not None
    }
