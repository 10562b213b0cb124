"""The function behind an ``AWS`` or ``AWS_PROXY`` integration: which it is, who may invoke it, how it is called."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from typing import Any, Protocol

from labkit.journey import Code
from labkit.local.apigateway.invocation import (
    FUNCTION_URI,
    OTHER_SERVICE_URI,
    Invocation,
    Invoker,
    LambdaFunctions,
    function_name,
    with_stage_variables,
)
from labkit.local.apigateway.outcomes import Stop
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.endpoint_log import log_answer, log_request
from labkit.local.apigateway.rest.records import RestIntegration
from labkit.local.apigateway.rest.request_parameters import refuse_headers
from labkit.local.apigateway.rest.responses import (
    API_CONFIGURATION_ERROR,
    DEFAULT_5XX,
    INTEGRATION_TIMEOUT,
    GatewayError,
)
from labkit.local.iam.evaluation import IdentityPolicies, decide_identity
from labkit.local.iam.question import PolicyQuestion, Principal
from labkit.local.random_ids import new_uuid

CALLER_CREDENTIALS = "arn:aws:iam::*:user/*"
"""Of an integration that calls with the credentials of whoever signed the request (gateway 17.10)."""
_SERVICE = "apigateway.amazonaws.com"
_BROKEN = GatewayError(DEFAULT_5XX)
_FAULTS = {
    "timeout": (GatewayError(INTEGRATION_TIMEOUT), Code.INTEGRATION_TIMEOUT),
    "throttled": (_BROKEN, Code.INTEGRATION_THROTTLED),
}


class RoleDirectory(Protocol):
    """What the integrations ask of IAM."""

    def identity(self, access_key_id: str, region: str) -> tuple[Principal, IdentityPolicies]:
        """Who has an access key, and the policies of that user or role."""

    def service_identity(
        self, role_arn: str, service: str, region: str
    ) -> tuple[Principal, IdentityPolicies] | None:
        """Who a service is that has assumed a role, and its policies; None when the role doesn't trust it."""


@dataclass(frozen=True, slots=True)
class FunctionTarget:
    """A function that may be invoked.

    Attributes:
        arn: its ARN.
        region: of the URI.
    """

    arn: str
    region: str

    @property
    def name(self) -> str:
        """Its name."""
        return function_name(self.arn)


class FunctionBackend:
    """Finds and invokes the functions of integrations.

    Args:
        functions: where the functions are.
        roles: what a role or a caller may.
        numbers: for the ids of invocations.
    """

    def __init__(
        self, functions: LambdaFunctions, roles: RoleDirectory, numbers: random.Random
    ) -> None:
        self._invoker = Invoker(functions)
        self._roles = roles
        self._numbers = numbers

    def find(
        self, call: RestCall, integration: RestIntegration
    ) -> FunctionTarget | Stop[GatewayError]:
        """The function, if API Gateway may invoke it."""
        refused = refuse_headers(integration)
        if refused is not None:
            return refused
        uri = with_stage_variables(integration.uri, call.stage_variables)
        match = FUNCTION_URI.fullmatch(uri)
        if other := OTHER_SERVICE_URI.fullmatch(uri):
            reason = f"the local cloud has no integration with {other['service']}: it stops here"
            return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.UNSUPPORTED, reason)
        if match is None:
            call.write("Execution failed due to configuration error: Invalid endpoint address")
            reason = "the integration's URI names no Lambda function"
            return Stop(GatewayError(API_CONFIGURATION_ERROR), Code.INTEGRATION_SETTINGS, reason)
        target = FunctionTarget(match["function"], match["region"])
        evidence = {"function": target.name}
        if integration.http_method != "POST":
            reason = "a Lambda function is invoked with POST: integrationHttpMethod is another"
            return Stop(_BROKEN, Code.INTEGRATION_SETTINGS, reason, evidence)
        if integration.credentials:
            return self._with_credentials(call, integration.credentials, target) or target
        source_arn = call.arn_of(call.found.resource.path)
        if self._invoker.may_invoke(target.arn, source_arn):
            return target
        call.write(
            "Execution failed due to configuration error: Invalid permissions on Lambda function"
        )
        reason = f"API Gateway has no permission (lambda:InvokeFunction) to invoke {target.name}"
        evidence["source ARN"] = source_arn
        return Stop(_BROKEN, Code.INTEGRATION_PERMISSION, reason, evidence)

    def _with_credentials(
        self, call: RestCall, credentials: str, target: FunctionTarget
    ) -> Stop[GatewayError] | None:
        """Why the integration's credentials don't allow the invocation, or None (gateway 17.10)."""
        region = call.deployment.region
        evidence = {"function": target.name, "credentials": credentials}
        if credentials == CALLER_CREDENTIALS:
            if call.caller is None:
                reason = "the integration uses the caller's credentials, and nobody signed the call"
                return Stop(_BROKEN, Code.INTEGRATION_CREDENTIALS, reason, evidence)
            found = self._roles.identity(call.caller.access_key_id, region)
            who = "the caller"
        else:
            assumed = self._roles.service_identity(credentials, _SERVICE, region)
            if assumed is None:
                call.write(
                    "Execution failed due to configuration error: API Gateway does not have"
                    f" permission to assume the provided role {credentials}"
                )
                reason = f"the role isn't there, or doesn't trust {_SERVICE}"
                return Stop(_BROKEN, Code.INTEGRATION_CREDENTIALS, reason, evidence)
            found, who = assumed, "the role"
        principal, policies = found
        question = PolicyQuestion(
            "lambda:InvokeFunction", target.arn, region, call.time, principal, source_ip=None
        )
        if decide_identity(policies, question) == "Allow":
            return None
        reason = f"no policy of {who} allows lambda:InvokeFunction of {target.name}"
        return Stop(_BROKEN, Code.INTEGRATION_CREDENTIALS, reason, evidence)

    async def invoke(
        self, call: RestCall, target: FunctionTarget, event: Any, timeout: float
    ) -> Invocation | Stop[GatewayError]:
        """What came of it; 500 when Lambda doesn't run it, 504 when it is late."""
        if call.log is not None:
            self._log_request(call, target, event)
        started = time.perf_counter()
        try:
            found = await self._invoker.invoke(target.arn, event, timeout)
        except KeyError:  # a role may be allowed to invoke what isn't there
            reason = f"there is no function {target.name}"
            return Stop(_BROKEN, Code.INTEGRATION_PERMISSION, reason, {"function": target.name})
        if found.fault in _FAULTS:
            if found.fault == "timeout":
                call.write("Execution failed due to a timeout error")
            else:
                call.write(
                    "Lambda invocation failed with status: 429. "
                    f"Lambda request id: {new_uuid(self._numbers)}"
                )
                call.write("Execution failed due to configuration error: Rate Exceeded.")
            error, code = _FAULTS[found.fault]
            return Stop(error, code, found.integration_reason, {"function": target.name})
        if call.log is not None:
            text = write_payload(found.payload)
            headers = (
                f"{{Content-Type=application/json, Content-Length={len(text)}, "
                f"X-Amz-Executed-Version=$LATEST, X-Amzn-Trace-Id={call.trace_id}}}"
            )
            log_answer(call, 200, headers, text, started)
        return found

    def _log_request(self, call: RestCall, target: FunctionTarget, event: Any) -> None:
        api_id, host = call.deployment.api_id, f"lambda.{target.region}.amazonaws.com"
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(call.time))
        headers = (
            f"{{X-Amz-Date={stamp}, x-amzn-apigateway-api-id={api_id}, Accept=application/json, "
            f"User-Agent=AmazonAPIGateway_{api_id}, Host={host}, "
            f"X-Amz-Content-Sha256={'*' * 64}, X-Amzn-Trace-Id={call.trace_id}, "
            f"x-amzn-lambda-integration-tag={call.request_id}, Authorization={'*' * 50}, "
            f"X-Amz-Source-Arn={call.invoked_arn()}, X-Amz-Security-Token={'*' * 40} [TRUNCATED]"
        )
        uri = f"https://{host}/2015-03-31/functions/{target.arn}/invocations"
        log_request(call, uri, headers, json.dumps(event, ensure_ascii=False))


def write_payload(payload: object) -> str:
    """What a function returned, as the JSON text that Python's runtime of Lambda writes."""
    return json.dumps(payload, ensure_ascii=False)
