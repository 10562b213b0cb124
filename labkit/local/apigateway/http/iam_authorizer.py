"""``AWS_IAM`` on an HTTP API: the signature and the caller's own policies decide; there is no resource policy (13.12).

Nobody is known to have recorded what an HTTP API says of a bad signature. Here it says what it says of every caller
whom it doesn't let in, ``{"message":"Forbidden"}``; the journey has the reason.
"""

from __future__ import annotations

from collections.abc import Callable

from labkit.local.apigateway.http.call import FORBIDDEN, HttpCall, Outcome, Stop
from labkit.local.apigateway.rest.call import Pass
from labkit.local.apigateway.rest.iam_authorizer import Callers
from labkit.local.apigateway.rest.resource_policy import Identity, question_about
from labkit.local.apigateway.signature import RefusedSignatureError, SignatureVerifier
from labkit.local.iam.caller import Caller


class IamAuthorizer:
    """Verifies Signature v4.

    Args:
        callers: IAM and STS.
        clock: seconds since the epoch.
    """

    def __init__(self, callers: Callers, clock: Callable[[], float]) -> None:
        self._callers = callers
        self._signatures = SignatureVerifier(callers, clock)

    def __call__(self, call: HttpCall) -> Outcome:
        """Let a well-signed request of an allowed caller on, or answer 403."""
        region = call.deployment.region
        try:
            caller = self._signatures.verify(call.request, region)
        except RefusedSignatureError as refused:
            return Stop(FORBIDDEN, refused.reason)
        identity = Identity("ImplicitDeny", caller.arn, caller.account_id, caller)
        question = question_about(call.request, call.route_arn(), region, identity)
        decision = self._callers.decide_identity(caller.access_key_id, question)
        evidence = {"caller": caller.arn, "identity policies": decision}
        if caller.account_id != call.account_id:
            reason = "the caller is of another account, and an HTTP API has no policy to let it in"
            return Stop(FORBIDDEN, reason, evidence)
        if decision != "Allow":
            says = "a policy of the caller denies" if decision == "Deny" else "no policy allows"
            return Stop(FORBIDDEN, f"the signature is good, but {says} it", evidence)
        call.caller = caller
        call.authorizer = {"iam": _shown(caller)}
        return Pass("the signature is good, and a policy of the caller allows it", evidence)


def _shown(caller: Caller) -> dict[str, object]:
    """``requestContext.authorizer.iam``, as the Developer Guide shows it."""
    cognito = None
    if caller.cognito.get("cognitoIdentityId"):
        cognito = {
            "amr": [caller.cognito.get("cognitoAuthenticationType")],
            "identityId": caller.cognito.get("cognitoIdentityId"),
            "identityPoolId": caller.cognito.get("cognitoIdentityPoolId"),
        }
    return {
        "accessKey": caller.access_key_id,
        "accountId": caller.account_id,
        "callerId": caller.id,
        "cognitoIdentity": cognito,
        "principalOrgId": None,
        "userArn": caller.arn,
        "userId": caller.id,
    }
