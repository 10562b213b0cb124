"""Questions to policies, and the caller's side of what they say (gateway 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from labkit.local.iam.evaluation import Decision
from labkit.local.iam.question import ANONYMOUS, PolicyQuestion, Principal
from labkit.local.messages import Request


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller's side of the tables: who calls, and what their own policies say.

    Attributes:
        decision: of the identity's policies, or of what a Lambda authorizer returned.
        arn: the caller's ARN; None for a caller whom a Lambda authorizer let in.
        account_id: the caller's account.
        principal: who signed the request, for the condition keys that name the caller (gateway 5.11).
    """

    decision: Decision
    arn: str | None
    account_id: str
    principal: Principal = field(default_factory=Principal)


def question_about(
    request: Request,
    resource: str,
    region: str,
    time: float,
    principal: Principal = ANONYMOUS,
    *,
    spellings: Sequence[str] = (),
    vpc_endpoint: str | None = None,
) -> PolicyQuestion:
    """A request for an ``execute-api`` ARN as a question to a policy (gateway 5.11, 5.12)."""
    keys = {"aws:viaawsservice": "false"}
    for key, header in (("aws:referer", "referer"), ("aws:useragent", "user-agent")):
        value = request.header(header)
        if value is not None:
            keys[key] = value
    if vpc_endpoint:
        keys["aws:sourcevpce"] = vpc_endpoint
        keys["aws:vpcsourceip"] = request.source_ip
    return PolicyQuestion(
        action="execute-api:Invoke",
        resource=resource,
        region=region,
        time=time,
        principal=principal,
        spellings=spellings,
        source_ip=None if vpc_endpoint else request.source_ip,
        keys=keys,
    )
