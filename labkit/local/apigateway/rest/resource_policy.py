"""The API's resource policy, and how it is combined with an identity's policies (gateway.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from labkit.local.apigateway.rest.call import Call, Outcome, Pass, Skip, Stop
from labkit.local.apigateway.rest.denial import (
    EXPLICIT_IDENTITY,
    EXPLICIT_RESOURCE,
    IMPLICIT_IDENTITY,
    IMPLICIT_RESOURCE,
    denied_by_authorizer,
    denied_user,
)
from labkit.local.apigateway.rest.responses import API_CONFIGURATION_ERROR, GatewayError
from labkit.local.iam.caller import Caller
from labkit.local.iam.policy import Decision, MalformedPolicyError, PolicyQuestion, parse_policy
from labkit.local.messages import Request

NO_POLICY = Skip("the API has no resource policy")
_SAYS = {"Allow": "allows", "Deny": "denies", "ImplicitDeny": "doesn't mention"}


class PolicyEvaluator(Protocol):
    """Evaluates one policy document."""

    def decide(
        self, document: dict[str, Any], question: PolicyQuestion, *, names_principals: bool
    ) -> Decision:
        """What the document says."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The other side of the tables: who calls, and what their own policies say.

    Attributes:
        decision: of the identity's policies, or of the authorizer's policy.
        arn: the caller's ARN; None for a caller whom a Lambda authorizer let in.
        account_id: the caller's account.
        caller: who signed the request, for the condition keys that name the caller (5.11).
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


class ResourcePolicy:
    """The resource policy of a call's deployment.

    Args:
        evaluator: the policy language.
    """

    def __init__(self, evaluator: PolicyEvaluator) -> None:
        self._evaluator = evaluator

    def before_authorizer(self, call: Call) -> Outcome:
        """What is looked at before the authorizer: all of it for an open method, explicit denies for a Lambda one."""
        kind = call.found.method.get("authorizationType") or "NONE"
        if not self._document(call):
            return self._none(call)
        if kind in ("AWS_IAM", "COGNITO_USER_POOLS"):
            return Skip("the resource policy is looked at after the authorizer")
        decision = self.decide(call)
        if isinstance(decision, Stop):
            return decision
        if kind == "CUSTOM" and decision != "Deny":
            return Skip("the resource policy has no explicit deny for this request")
        return self._outcome_for_anonymous(call, decision)

    def after_cognito(self, call: Call) -> Outcome | None:
        """A valid token isn't enough: the policy must allow the request explicitly (5.4). None without a policy."""
        if not self._document(call):
            return None
        decision = self.decide(call)
        return (
            decision if isinstance(decision, Stop) else self._outcome_for_anonymous(call, decision)
        )

    def after_identity(self, call: Call, identity: Identity) -> Outcome | None:
        """Combine with the policies of an identity or a Lambda authorizer. None when there is no policy to combine."""
        if not self._document(call):
            return None
        decision = self.decide(call, identity)
        if isinstance(decision, Stop):
            return decision
        same_account = identity.account_id == call.account_id
        verdict = combine(identity.decision, decision, same_account=same_account)
        sides = {
            "identity": identity.decision,
            "resource policy": decision,
            "same account": same_account,
        }
        reason = f"the resource policy {_SAYS[decision]} it, and the caller's side {_SAYS[identity.decision]} it"
        if verdict == "Allow":
            return Pass(reason, sides)
        return Stop(denial(call, identity, decision, same_account=same_account), reason, sides)

    def decide(self, call: Call, identity: Identity | None = None) -> Decision | Stop:
        """What the policy says of the call; a Stop when the policy can't be evaluated."""
        api = call.deployment.api
        try:
            document = parse_policy(_with_full_arns(api["policy"], call), with_principal=True)
        except MalformedPolicyError as error:
            return Stop(
                GatewayError(API_CONFIGURATION_ERROR),
                f"the resource policy can't be evaluated: {error}",
            )
        return self._evaluator.decide(document, question_of(call, identity), names_principals=True)

    def _document(self, call: Call) -> object:
        return call.deployment.api.get("policy")

    def _none(self, call: Call) -> Outcome:
        if call.is_private:
            reason = "a private API without a resource policy refuses every call"
            return Stop(denied_user(call, "anonymous", IMPLICIT_RESOURCE), reason)
        return NO_POLICY

    def _outcome_for_anonymous(self, call: Call, decision: Decision) -> Outcome:
        evidence = {"resource policy": decision}
        reason = f"the resource policy {_SAYS[decision]} this request"
        if decision == "Allow":
            return Pass(reason, evidence)
        why = EXPLICIT_RESOURCE if decision == "Deny" else IMPLICIT_RESOURCE
        return Stop(denied_user(call, "anonymous", why), reason, evidence)


def denial(
    call: Call, identity: Identity, resource: Decision, *, same_account: bool
) -> GatewayError:
    """The gateway error of a combined denial; an explicit deny is named first."""
    if identity.decision == "Deny":
        why = EXPLICIT_IDENTITY
    elif resource == "Deny":
        why = EXPLICIT_RESOURCE
    elif identity.decision == "Allow" and not same_account:
        why = IMPLICIT_RESOURCE
    else:
        why = IMPLICIT_IDENTITY
    if identity.arn is None:
        return denied_by_authorizer(why)
    return denied_user(call, identity.arn, why)


def question_of(call: Call, identity: Identity | None = None) -> PolicyQuestion:
    """The call as a question to a policy, with the condition keys of 5.11."""
    return question_about(
        call.request,
        call.method_arn(),
        call.deployment.region,
        identity,
        vpc_endpoint=call.vpc_endpoint,
    )


def question_about(
    request: Request,
    resource: str,
    region: str,
    identity: Identity | None = None,
    *,
    vpc_endpoint: str | None = None,
) -> PolicyQuestion:
    """A request for an ``execute-api`` ARN as a question to a policy."""
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


def _with_full_arns(policy: object, call: Call) -> object:
    """The short form ``execute-api:/stage/GET/path`` stands for the whole ARN (5.15)."""
    if not isinstance(policy, str):
        return policy
    text = policy.replace('\\"', '"') if policy.startswith('{\\"') else policy
    prefix = (
        f"arn:aws:execute-api:{call.deployment.region}:{call.account_id}:{call.deployment.api_id}/"
    )
    return text.replace('"execute-api:/', f'"{prefix}')
