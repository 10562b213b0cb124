"""``AWS_IAM``: Signature v4 against the request as received, then the caller's policies (gateway.md, section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from labkit.local.apigateway.rest.call import Call, Pass, Stop
from labkit.local.apigateway.rest.resource_policy import Identity, denial, question_of
from labkit.local.apigateway.signature import Keys, RefusedSignatureError, SignatureVerifier
from labkit.local.iam.policy import Decision, PolicyQuestion


class Callers(Keys, Protocol):
    """What the authorizer asks of IAM and STS."""

    def decide_identity(self, access_key_id: str, question: PolicyQuestion) -> Decision:
        """What the caller's own policies say."""


class IamAuthorizer:
    """Verifies Signature v4.

    Args:
        callers: IAM and STS.
        clock: seconds since the epoch.
    """

    def __init__(self, callers: Callers, clock: Callable[[], float]) -> None:
        self._callers = callers
        self._signatures = SignatureVerifier(callers, clock)

    def __call__(self, call: Call) -> Pass | Stop:
        """Let a well-signed request of an allowed caller on (``call.identity`` is set), or stop it."""
        try:
            caller = self._signatures.verify(call.request, call.deployment.region)
        except RefusedSignatureError as refused:
            return Stop(refused.error, refused.reason)
        call.caller = caller
        identity = Identity("ImplicitDeny", caller.arn, caller.account_id, caller)
        decision = self._callers.decide_identity(caller.access_key_id, question_of(call, identity))
        call.identity = identity = Identity(decision, caller.arn, caller.account_id, caller)
        evidence = {"caller": caller.arn, "identity policies": decision}
        same_account = caller.account_id == call.account_id
        has_policy = bool(call.deployment.api.get("policy"))
        if decision == "Allow" and not same_account and not has_policy:
            reason = "the caller is of another account, and the API has no resource policy that lets it in"
            return Stop(
                denial(call, identity, "ImplicitDeny", same_account=False), reason, evidence
            )
        if decision == "Allow":
            return Pass("the signature is good, and a policy of the caller allows it", evidence)
        says = "denies it explicitly" if decision == "Deny" else "allows it"
        reason = f"the signature is good, but {'a' if decision == 'Deny' else 'no'} policy of the caller {says}"
        if decision == "ImplicitDeny" and has_policy:
            return Pass(f"{reason}; the resource policy decides", evidence)
        return Stop(
            denial(call, identity, "ImplicitDeny", same_account=same_account), reason, evidence
        )
