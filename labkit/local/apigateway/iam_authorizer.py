"""``AWS_IAM``: Signature v4 against the request as received, then the caller's policies (gateway 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from labkit.journey import Code
from labkit.local.apigateway.call import GatewayCall
from labkit.local.apigateway.outcomes import Pass, Stop
from labkit.local.apigateway.policies import Identity
from labkit.local.apigateway.signature import RefusedSignatureError, SignatureVerifier
from labkit.local.iam.evaluation import IdentityPolicies, decide_identity
from labkit.local.iam.question import Principal

C = TypeVar("C", bound=GatewayCall)
R = TypeVar("R")


class Identities(Protocol):
    """What the authorizer asks of IAM."""

    def identity(self, access_key_id: str, region: str) -> tuple[Principal, IdentityPolicies]:
        """Who has an access key, and the policies of that user or role."""


class IamAuthorizer(Generic[C, R]):
    """Lets a well-signed request of an allowed caller on.

    Where the API has a resource policy, which can lift an implicit deny and is needed by callers
    of another account, the gate behind it combines the two.

    Args:
        signatures: who signed.
        identities: what the signer may.
        refuse_signature: the door's words for a signature that isn't good.
        refuse_caller: the door's words for a caller who isn't allowed.
        other_account: what is wrong where no resource policy lets a caller of another account in.
    """

    def __init__(
        self,
        signatures: SignatureVerifier,
        identities: Identities,
        refuse_signature: Callable[[RefusedSignatureError], R],
        refuse_caller: Callable[[C, Identity], R],
        other_account: Code,
    ) -> None:
        self._signatures = signatures
        self._identities = identities
        self._refuse_signature = refuse_signature
        self._refuse_caller = refuse_caller
        self._other_account = other_account

    def __call__(self, call: C) -> Pass | Stop[R]:
        """Set ``call.caller`` and ``call.identity``, or stop."""
        try:
            caller = self._signatures.verify(call.request, call.deployment.region)
        except RefusedSignatureError as refused:
            return Stop(self._refuse_signature(refused), refused.code, refused.reason)
        call.caller = caller
        region = call.deployment.region
        principal, policies = self._identities.identity(caller.access_key_id, region)
        decision = decide_identity(policies, call.question(principal))
        call.identity = identity = Identity(decision, caller.arn, caller.account_id, principal)
        evidence = {"caller": caller.arn, "identity policies": decision}
        if decision == "Deny":
            reason, code = "a policy of the caller denies it explicitly", Code.IAM_EXPLICIT_DENY
        elif decision == "Allow":
            if call.has_resource_policy or caller.account_id == call.account_id:
                return Pass("the signature is good, and a policy of the caller allows it", evidence)
            reason = (
                "the caller is of another account, and no resource policy of the API lets it in"
            )
            code = self._other_account
        else:
            reason, code = "no policy of the caller allows it", Code.IAM_IMPLICIT_DENY
            if call.has_resource_policy:
                return Pass(
                    f"the signature is good, but {reason}; the resource policy decides", evidence
                )
        refusal = self._refuse_caller(call, identity)
        return Stop(refusal, code, f"the signature is good, but {reason}", evidence)
