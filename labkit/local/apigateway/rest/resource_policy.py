"""The API's resource policy: what of it is looked at before and after the authorizer (gateway 5, 9)."""

from __future__ import annotations

import json

from labkit.journey import Code
from labkit.local.apigateway.outcomes import Pass, Skip, Stop
from labkit.local.apigateway.policies import Identity
from labkit.local.apigateway.rest.call import RestCall, RestOutcome
from labkit.local.apigateway.rest.responses import API_CONFIGURATION_ERROR, GatewayError
from labkit.local.apigateway.rest.words import (
    EXPLICIT_RESOURCE,
    IMPLICIT_RESOURCE,
    deny_caller,
    deny_user,
)
from labkit.local.iam.evaluation import Decision, combine, evaluate
from labkit.local.iam.policy import MalformedPolicyError, parse_policy_text
from labkit.local.iam.question import ANONYMOUS

_NO_POLICY = Skip("the API has no resource policy")
_SAYS = {"Allow": "allows", "Deny": "denies", "ImplicitDeny": "doesn't mention"}
_CODES = {
    "Deny": Code.RESOURCE_POLICY_EXPLICIT_DENY,
    "ImplicitDeny": Code.RESOURCE_POLICY_IMPLICIT_DENY,
}
_TOKENS = ("COGNITO_USER_POOLS", "JWT")
"""Those that authenticate only. Nobody is known to have tried it with JWT: it is taken as Cognito (rest_jwt 16.51)."""


class ResourcePolicy:
    """The resource policy of a call's deployment.

    An open method has the policy alone; a Lambda authorizer comes after the policy's explicit
    denies and is then combined with it; ``AWS_IAM``, Cognito and JWT authenticate first.
    """

    def before_authorizer(self, call: RestCall) -> RestOutcome:
        """All of it for an open method, explicit denies for a Lambda authorizer."""
        kind = call.authorization_type
        if not call.has_resource_policy:
            return self._none(call)
        if kind == "AWS_IAM" or kind in _TOKENS:
            later = "the resource policy is looked at after the authorizer"
            return Skip(later, evidence={"authorization type": kind})
        decision = self.decide(call)
        if isinstance(decision, Stop):
            return decision
        if kind == "CUSTOM" and decision != "Deny":
            return Pass("the resource policy has no explicit deny for this request")
        return self._outcome_for_anonymous(call, decision)

    def after_authorizer(self, call: RestCall) -> RestOutcome | None:
        """What is left of it, once the authorizer has passed the call; None when nothing is."""
        if not call.has_resource_policy:
            return None
        if call.identity is not None:
            return self._combined(call, call.identity)
        if call.authorization_type not in _TOKENS:
            return None
        # A valid token isn't enough: the policy must allow the request explicitly (gateway 5.4).
        decision = self.decide(call)
        if isinstance(decision, Stop):
            return decision
        return self._outcome_for_anonymous(call, decision)

    def decide(
        self, call: RestCall, identity: Identity | None = None
    ) -> Decision | Stop[GatewayError]:
        """What the policy says of the call; a Stop when the policy can't be evaluated."""
        try:
            policy = parse_policy_text(_with_full_arns(call), with_principal=True)
        except MalformedPolicyError as error:
            return Stop(
                GatewayError(API_CONFIGURATION_ERROR),
                Code.RESOURCE_POLICY_MALFORMED,
                f"the resource policy can't be evaluated: {error}",
            )
        return evaluate(policy, call.question(identity.principal if identity else ANONYMOUS))

    def _combined(self, call: RestCall, identity: Identity) -> RestOutcome:
        """The policy together with those of an identity or a Lambda authorizer."""
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
        reason = (
            f"the resource policy {_SAYS[decision]} it, "
            f"and the caller's side {_SAYS[identity.decision]} it"
        )
        if verdict == "Allow":
            return Pass(reason, sides)
        code = _code_of(identity, decision)
        return Stop(deny_caller(call, identity, decision), code, reason, sides)

    def _none(self, call: RestCall) -> RestOutcome:
        if call.is_private:
            reason = "a private API without a resource policy refuses every call"
            refusal = deny_user(call, "anonymous", IMPLICIT_RESOURCE)
            return Stop(refusal, Code.RESOURCE_POLICY_MISSING, reason)
        return _NO_POLICY

    def _outcome_for_anonymous(self, call: RestCall, decision: Decision) -> RestOutcome:
        evidence = {"resource policy": decision}
        reason = f"the resource policy {_SAYS[decision]} this request"
        if decision == "Allow":
            return Pass(reason, evidence)
        why = EXPLICIT_RESOURCE if decision == "Deny" else IMPLICIT_RESOURCE
        return Stop(deny_user(call, "anonymous", why), _CODES[decision], reason, evidence)


def _code_of(identity: Identity, resource: Decision) -> Code:
    """Whose statement is missing or in the way, in the order of the refusal's words."""
    if resource == "Deny":
        return Code.RESOURCE_POLICY_EXPLICIT_DENY
    if identity.decision == "Allow":
        return Code.RESOURCE_POLICY_IMPLICIT_DENY
    return Code.IAM_IMPLICIT_DENY if identity.arn else Code.AUTHORIZER_IMPLICIT_DENY


def _with_full_arns(call: RestCall) -> str:
    """The short form ``execute-api:/stage/GET/path`` stands for the whole ARN (gateway 5.15)."""
    policy = call.deployment.policy
    text = policy if isinstance(policy, str) else json.dumps(policy)
    if text.startswith('{\\"'):
        text = text.replace('\\"', '"')
    return text.replace('"execute-api:/', f'"{call.api_arn}/')
