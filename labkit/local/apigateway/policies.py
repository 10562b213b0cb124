"""Questions to policies, and how a caller's side is combined with the API's (gateway 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from labkit.local.iam.caller import Caller
from labkit.local.iam.policy import Decision, PolicyQuestion
from labkit.local.messages import Request


class PolicyEvaluator(Protocol):
    """Evaluates one policy document."""

    def decide(
        self, document: dict[str, Any], question: PolicyQuestion, *, names_principals: bool
    ) -> Decision:
        """What the document says."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller's side of the tables: who calls, and what their own policies say.

    Attributes:
        decision: of the identity's policies, or of what a Lambda authorizer returned.
        arn: the caller's ARN; None for a caller whom a Lambda authorizer let in.
        account_id: the caller's account.
        caller: who signed the request, for the condition keys that name the caller (gateway 5.11).
    """

    decision: Decision
    arn: str | None
    account_id: str
    caller: Caller | None = None


def combine(identity: Decision, resource: Decision, *, same_account: bool) -> Decision:
    """Table A (same account) and table B (another account).

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


def question_about(
    request: Request,
    resource: str,
    region: str,
    identity: Identity | None = None,
    *,
    vpc_endpoint: str | None = None,
) -> PolicyQuestion:
    """A request for an ``execute-api`` ARN as a question to a policy (gateway 5.11, 5.12)."""
    keys: dict[str, object] = {"aws:viaawsservice": "false"}
    for key, header in (("aws:referer", "referer"), ("aws:useragent", "user-agent")):
        value = request.header(header)
        if value is not None:
            keys[key] = value
    if vpc_endpoint:
        keys["aws:sourcevpce"] = vpc_endpoint
        keys["aws:vpcsourceip"] = request.source_ip
    caller = identity.caller if identity else None
    known = identity is not None and identity.arn is not None
    return PolicyQuestion(
        action="execute-api:Invoke",
        resource=resource,
        region=region,
        principal_arn=(identity.arn or "*") if identity and known else "*",
        principal_account=identity.account_id if identity and known else "",
        principal_type=caller.type if caller else "User" if known else "Anonymous",
        access_key_id=caller.access_key_id if caller else None,
        source_ip=None if vpc_endpoint else request.source_ip,
        keys=keys,
    )
