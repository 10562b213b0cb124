"""One request for a REST API on its way through the gates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from labkit.local.apigateway.call import GatewayCall
from labkit.local.apigateway.outcomes import Outcome
from labkit.local.apigateway.paths import with_one_leading_slash
from labkit.local.apigateway.rest.key_use import KeyUse
from labkit.local.apigateway.rest.records import RestDeployment
from labkit.local.apigateway.rest.responses import GatewayError
from labkit.local.apigateway.rest.routing import Route

RestOutcome = Outcome[GatewayError]
_TRACE_ID = re.compile(
    r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?P<rest>;Parent=[0-9a-f]{16};Sampled=[01])?"
)


@dataclass(kw_only=True)
class RestCall(GatewayCall):
    """A request, and what the gates found out about it so far.

    Attributes:
        deployment: the snapshot that the stage serves.
        extended_request_id: ``$context.extendedRequestId``.
        stage_variables: name → value.
        stage_record: the live stage settings (method settings, web ACL…), as the engine keeps them.
        base_path: of the custom domain name that the client used; None for the default endpoint.
        is_canary: whether the canary's deployment serves it; None at a stage without one.
        route: set by the route gate.
        claims: of the token, as templates see them, set by the Cognito and JWT authorizers.
        typed_claims: of the token, with their JSON types, set by the JWT authorizer.
        key_use: the API key and its usage plan, set by their gate.
    """

    deployment: RestDeployment
    extended_request_id: str
    stage_variables: Mapping[str, str]
    stage_record: Mapping[str, Any]
    base_path: str | None = None
    is_canary: bool | None = None
    route: Route | None = None
    claims: Mapping[str, str] | None = None
    typed_claims: Mapping[str, Any] | None = None
    key_use: KeyUse | None = None

    @cached_property
    def overrides(self) -> dict[str, dict[str, Any]]:
        """``$context.requestOverride`` and ``responseOverride``, which mapping templates write (recorded 17.9)."""
        return {
            "requestOverride": {"header": {}, "path": {}, "querystring": {}},
            "responseOverride": {"header": {}},
        }

    def override(self, kind: str, place: str) -> Mapping[str, Any]:
        """What templates override, of ``requestOverride`` or ``responseOverride``: name → value."""
        found = self.overrides[kind].get(place)
        return found if isinstance(found, Mapping) else {}

    @property
    def client_path(self) -> str:
        """The event's ``path``: without the stage, with a custom domain's base path (gateway 0.7, 8.17)."""
        return f"{self.base_path or ''}{with_one_leading_slash(self.raw_path)}"

    @property
    def full_path(self) -> str:
        """``requestContext.path``: the path as the client sent it, with the stage (gateway 0.7)."""
        below = f"/{self.stage}" if self.base_path is None else self.base_path
        return f"{below}{self.raw_path}"

    @property
    def is_private(self) -> bool:
        """Whether the API can only be reached through a VPC endpoint (gateway 10.5)."""
        return "PRIVATE" in self.deployment.endpoint_types

    @cached_property
    def verb(self) -> str:
        """The verb; ``X-HTTP-Method-Override`` overrides it (gateway 8.12)."""
        return (self.request.header("x-http-method-override") or self.request.method).upper()

    @property
    def found(self) -> Route:
        """The route; only gates behind the route gate may ask."""
        assert self.route is not None
        return self.route

    @property
    def authorization_type(self) -> str:
        """The method's."""
        return self.found.method.authorization_type

    @property
    def has_resource_policy(self) -> bool:
        """Whether the deployment froze one (gateway 5.6, 5.16)."""
        return self.deployment.policy is not None

    @property
    def authorizer_context(self) -> dict[str, Any] | None:
        """``requestContext.authorizer``: the claims, or a Lambda authorizer's values (gateway 3.14)."""
        if self.typed_claims is not None:  # rest_jwt 16.45
            return {"claims": self.typed_claims}
        if self.claims is not None:
            return {"claims": self.claims}
        result = self.authorizer_result
        if result is None:
            return None
        return {**(result.context or {}), "principalId": result.principal_id}

    @cached_property
    def trace_id(self) -> str:
        """``X-Amzn-Trace-Id``: the caller's, completed if it is a root alone (recorded 15.15, 15.16), or a new root."""
        sent = _TRACE_ID.fullmatch(self.request.header("x-amzn-trace-id") or "")
        own = self.request_id.replace("-", "").lower()
        if sent is None:
            return f"Root=1-{int(self.time):08x}-{own[:24]}"
        return sent[0] if sent["rest"] else f"{sent[0]};Parent={own[-16:]};Sampled=0"

    def invoked_arn(self) -> str:
        """The ARN that is authorized, with the concrete, encoded path."""
        return self._invoked_arn

    @cached_property
    def _invoked_arn(self) -> str:
        return self.arn_of(self.raw_path)

    def arn_of(self, path: str) -> str:
        """The ``execute-api`` ARN of a path below this call's stage, for its verb."""
        return f"{self.api_arn}/{self.stage}/{self.verb}{path}"
