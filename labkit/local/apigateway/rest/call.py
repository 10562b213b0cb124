"""One request on its way through the gates, and what a gate may say of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from labkit.local.apigateway.rest.deployment import Deployment
from labkit.local.apigateway.rest.request_ids import new_extended_request_id
from labkit.local.apigateway.rest.responses import GatewayError
from labkit.local.apigateway.rest.routing import Route
from labkit.local.messages import Request, Response

if TYPE_CHECKING:
    from labkit.local.apigateway.rest.resource_policy import Identity
    from labkit.local.apigateway.rest.usage_plans import KeyUse
    from labkit.local.iam.caller import Caller


@dataclass
class Call:
    """A request, and what the gates found out about it so far.

    Attributes:
        request: as received.
        deployment: the snapshot that the stage serves.
        account_id: the API owner's account.
        stage: the stage's name.
        stage_variables: name → value.
        stage_record: the live stage settings (method settings, web ACL…).
        raw_path: the path below the stage, still encoded, starting with ``/``.
        domain_name: the host name that the client used.
        request_id: ``$context.requestId``.
        extended_request_id: ``$context.extendedRequestId``.
        time: when the request came, seconds since the epoch.
        route: set by the route gate.
        authorizer: ``requestContext.authorizer``, set by the authorizer gate.
        log: execution-log lines, for ``TestInvokeMethod``; None when nobody reads them.
        vpc_endpoint: the interface VPC endpoint that the request came through, or None.
        base_path: of the custom domain name that the client used; None for the default endpoint.
        caller: who signed the request, set by the IAM authorizer.
        identity: the caller's side of the policy tables, set by the IAM and Lambda authorizers.
        usage_identifier_key: an API key's value from a Lambda authorizer.
        key_use: the API key and its usage plan, set by their gate.
    """

    request: Request
    deployment: Deployment
    account_id: str
    stage: str
    stage_variables: Mapping[str, str]
    stage_record: Mapping[str, Any]
    raw_path: str
    domain_name: str
    request_id: str
    extended_request_id: str = field(default_factory=new_extended_request_id)
    time: float = field(default_factory=time.time)
    route: Route | None = None
    authorizer: dict[str, Any] | None = None
    log: list[str] | None = None
    vpc_endpoint: str | None = None
    base_path: str | None = None
    caller: Caller | None = None
    identity: Identity | None = None
    usage_identifier_key: str | None = None
    key_use: KeyUse | None = None

    @property
    def client_path(self) -> str:
        """The event's ``path``: without the stage, with a custom domain's base path (0.7)."""
        return f"{self.base_path or ''}{self.raw_path}"

    @property
    def full_path(self) -> str:
        """``requestContext.path``: the path as the client sent it, with the stage (0.7)."""
        return f"/{self.stage}{self.raw_path}" if self.base_path is None else self.client_path

    @property
    def is_private(self) -> bool:
        """Whether the API can only be reached through a VPC endpoint (10.5)."""
        configuration = self.deployment.api.get("endpointConfiguration") or {}
        return "PRIVATE" in configuration.get("types", [])

    @cached_property
    def verb(self) -> str:
        """The verb; ``X-HTTP-Method-Override`` overrides it (8.12)."""
        return (self.request.header("x-http-method-override") or self.request.method).upper()

    @property
    def found(self) -> Route:
        """The route; only gates behind the route gate may ask."""
        assert self.route is not None
        return self.route

    @property
    def trace_id(self) -> str:
        """An ``X-Amzn-Trace-Id`` root for this request."""
        return f"Root=1-{int(self.time):08x}-{self.request_id.replace('-', '')[:24].lower()}"

    def method_arn(self) -> str:
        """The ARN that is authorized, with the concrete path."""
        return self._method_arn

    @cached_property
    def _method_arn(self) -> str:
        return self.arn_of(self.raw_path)

    def arn_of(self, path: str) -> str:
        """The ``execute-api`` ARN of a path below this call's stage, for its verb."""
        return (
            f"arn:aws:execute-api:{self.deployment.region}:{self.account_id}:{self.deployment.api_id}"
            f"/{self.stage}/{self.verb}{path}"
        )

    def write(self, line: str) -> None:
        """Add a line to the execution log, if there is one."""
        if self.log is not None:
            self.log.append(line)


# The outcomes aren't frozen, which takes three times as long: every gate of every request makes one.


@dataclass(slots=True)
class Pass:
    """The gate lets the request on."""

    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Skip:
    """The gate has nothing configured to check."""

    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Stop:
    """The gate turns the request away with a gateway response."""

    error: GatewayError
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Answer:
    """The integration answered."""

    response: Response
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


Outcome = Pass | Skip | Stop
