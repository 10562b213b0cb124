"""What policies say of a question: IAM's evaluation logic, without anything but its two arguments.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from labkit.local.iam.policy import Policy, Principals, Statement, parse_policy
from labkit.local.iam.question import PolicyQuestion, Principal
from labkit.local.iam.truth import Truth, all_of, any_of, opposite

Decision = Literal["Allow", "Deny", "ImplicitDeny"]


def evaluate(policy: Policy, question: PolicyQuestion) -> Decision:
    """What one policy says: an explicit deny wins over an allow, whatever their order."""
    decision: Decision = "ImplicitDeny"
    for statement in policy.statements:
        about = applies(statement, question)
        if statement.effect == "Allow":
            decision = "Allow" if about else decision
        elif about is not False:
            return "Deny"
    return decision


def evaluate_all(policies: Iterable[Policy], question: PolicyQuestion) -> Decision:
    """What policies of one kind say together."""
    decision: Decision = "ImplicitDeny"
    for policy in policies:
        said = evaluate(policy, question)
        if said == "Deny":
            return "Deny"
        if said == "Allow":
            decision = "Allow"
    return decision


# -- one statement ---------------------------------------------------------------------------


def applies(statement: Statement, question: PolicyQuestion) -> Truth:
    """Whether a statement is about a question."""
    return all_of(_applicability(statement, question))


def _applicability(statement: Statement, question: PolicyQuestion) -> Iterator[Truth]:
    yield _is_about_action(statement, question.action)
    yield _is_about_resource(statement, question)
    yield _is_about_principal(statement, question.principal)
    for condition in statement.conditions:
        yield condition.holds(question.value_of)


def _is_about_action(statement: Statement, action: str) -> bool:
    for pattern in statement.actions or statement.not_actions:
        if pattern.match(action):
            return bool(statement.actions)
    return not statement.actions


def _is_about_resource(statement: Statement, question: PolicyQuestion) -> Truth:
    """Whether a ``Resource`` is the question's, or no ``NotResource`` is.

    A ``Deny`` is about the question if it is about any spelling of the resource. An ``Allow`` takes the resource as
    it was sent; its ``NotResource`` leaves out what has any of these spellings.
    """
    if statement.effect == "Deny" and question.spellings:
        every = (question.resource, *question.spellings)
        return any_of(_is_about_spelling(statement, question, one) for one in every)
    if statement.not_resources and question.spellings:
        every = (question.resource, *question.spellings)
        return all_of(_is_about_spelling(statement, question, one) for one in every)
    return _is_about_spelling(statement, question, question.resource)


def _is_about_spelling(statement: Statement, question: PolicyQuestion, resource: str) -> Truth:
    """The same for one spelling of the resource.

    Without a value for its variable no ARN fits a ``Resource``, and nobody can say what a ``NotResource`` leaves out.
    The ``*`` of a call about no resource fits a policy's own ``*``, never a ``Resource`` with a variable. (On AWS it
    is ``*`` or begins as an ARN does.)
    """
    value_of = question.value_of
    for pattern in statement.resources:
        if resource == "*" and "${" in pattern.text:
            continue
        if pattern.fits(resource, value_of):
            return True
    if statement.resources:
        return False
    return opposite(any_of(one.fits(resource, value_of) for one in statement.not_resources))


def _is_about_principal(statement: Statement, principal: Principal) -> Truth:
    if statement.principals is not None:
        naming = how_named(statement.principals, principal)
        return None if naming is None else naming > Naming.NOT
    if statement.not_principals is not None:
        return not _is_left_out(statement.not_principals, principal)
    return True


# -- principals ------------------------------------------------------------------------------


class Naming(IntEnum):
    """How closely an element ``Principal`` names somebody."""

    NOT = 0
    ACCOUNT = 1
    """Only the account, which leaves the decision to the policies of its users and roles."""
    CLOSELY = 2
    """Everybody, its role or its id."""
    ITSELF = 3
    """This user, session or service."""


def how_named(principals: Principals, principal: Principal) -> Naming | None:
    """How closely somebody is named; None when nobody can say.

    Whether ``*`` includes whom an identity provider vouches for isn't documented.
    """
    own_name = principal.own_name
    if own_name in principals.names:
        return Naming.ITSELF
    if principals.everybody:
        return None if own_name and own_name[0] == "Federated" else Naming.CLOSELY
    if any(name in principals.names for name in principal.role_names):
        return Naming.CLOSELY
    return Naming.ACCOUNT if ("AWS", principal.account_id) in principals.names else Naming.NOT


def _is_left_out(principals: Principals, principal: Principal) -> bool:
    """Whether a ``NotPrincipal`` leaves somebody out: their account must be named beside the user or the role.

    Nobody with a permissions boundary is left out:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if principal.has_boundary:
        return False
    itself = ("AWS", principal.role_arn) if principal.role_arn else principal.own_name
    account = ("AWS", principal.account_id)
    return itself in principals.names and (not principal.account_id or account in principals.names)


# -- policies of several kinds -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IdentityPolicies:
    """The policies of a user or a role.

    Attributes:
        granted: its own, inline and attached, and its groups'.
        limits: the permissions boundary and the session policies: each must allow, too.
    """

    granted: Sequence[Policy]
    limits: Sequence[Sequence[Policy]] = ()


EVERYTHING = IdentityPolicies(
    [
        parse_policy(
            {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
            with_principal=False,
        )
    ]
)
"""What an account's root user may do."""


def decide_identity(policies: IdentityPolicies, question: PolicyQuestion) -> Decision:
    """What the policies of a user or a role say."""
    decision = evaluate_all(policies.granted, question)
    for layer in policies.limits:
        said = evaluate_all(layer, question)
        if "Deny" in (said, decision):
            return "Deny"
        if said == "ImplicitDeny":
            decision = said
    return decision


def combine(identity: Decision, resource: Decision, *, same_account: bool) -> Decision:
    """What the policies of an identity and of a resource say together.

    In the resource's account either may allow, from another account both must.

    >>> combine("Allow", "ImplicitDeny", same_account=True)
    'Allow'
    >>> combine("Allow", "ImplicitDeny", same_account=False)
    'ImplicitDeny'
    >>> combine("ImplicitDeny", "Allow", same_account=True)
    'Allow'
    """
    if "Deny" in (identity, resource):
        return "Deny"
    allowing = [identity == "Allow", resource == "Allow"]
    return "Allow" if (any(allowing) if same_account else all(allowing)) else "ImplicitDeny"


def decide(
    identity: Decision,
    limits: Sequence[Sequence[Policy]],
    resource: Policy,
    question: PolicyQuestion,
    *,
    same_account: bool,
) -> Decision:
    """What IAM says of a call to a resource that has a policy.

    A statement that names only the caller's account allows nothing by itself, and the caller's limits hold for what
    a resource's policy allows unless it names the user or the session itself.

    Args:
        identity: what the caller's policies say.
        limits: of the caller's policies.
        resource: the resource's policy.
        question: what is asked of both.
        same_account: the resource is in the caller's account.
    """
    said = evaluate(resource, question)
    if said == "Allow" and same_account:
        within = all(evaluate_all(layer, question) == "Allow" for layer in limits)
        enough = Naming.CLOSELY if within else Naming.ITSELF
        said = "Allow" if _closest_naming(resource, question) >= enough else "ImplicitDeny"
    return combine(identity, said, same_account=same_account)


def _closest_naming(policy: Policy, question: PolicyQuestion) -> Naming:
    """How closely a policy that allows something names the caller, in its statements about it."""
    found = (
        how_named(one.principals, question.principal)
        for one in policy.statements
        if one.principals and applies(one, question)
    )
    return max(filter(None, found))
