"""One request for an HTTP API on its way through the gates, and what stops it."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from labkit.local.apigateway.http.deployment import DEFAULT, Deployment, Route
from labkit.local.apigateway.rest.call import Pass, Skip
from labkit.local.iam.caller import Caller
from labkit.local.messages import Headers, Request, Response

UNAUTHORIZED = (401, "Unauthorized")
FORBIDDEN = (403, "Forbidden")
NOT_FOUND = (404, "Not Found")
TOO_LARGE = (413, "Request Entity Too Large")
THROTTLED = (429, "Too Many Requests")
SERVER_ERROR = (500, "Internal Server Error")
UNAVAILABLE = (503, "Service Unavailable")


def new_request_id() -> str:
    """A request id: an HTTP API's looks like a REST API's extended one, and a client can't choose it."""
    return base64.urlsafe_b64encode(os.urandom(11)).decode()


@dataclass
class HttpCall:
    """A request, and what the gates found out about it so far.

    Attributes:
        request: as received.
        deployment: the snapshot that the stage serves.
        account_id: the API owner's account.
        stage: the stage's name.
        stage_record: the live stage settings.
        raw_path: the path below the stage, still encoded, starting with ``/``.
        whole_path: the path as the client sent it, with a named stage.
        domain_name: the host name that the client used.
        request_id: ``$context.requestId`` and the header ``apigw-requestid``.
        time: when the request came, seconds since the epoch.
        route: set by the route gate.
        path_parameters: set by the route gate; name → decoded value.
        authorizer: ``requestContext.authorizer`` in payload format 2.0, set by the authorizer gate.
        principal_id: from a Lambda authorizer's IAM policy.
        caller: who signed the request, set by the IAM authorizer.
    """

    request: Request
    deployment: Deployment
    account_id: str
    stage: str
    stage_record: Mapping[str, Any]
    raw_path: str
    whole_path: str
    domain_name: str
    request_id: str = field(default_factory=new_request_id)
    time: float = field(default_factory=time.time)
    route: Route | None = None
    path_parameters: dict[str, str] = field(default_factory=dict)
    authorizer: dict[str, Any] | None = None
    principal_id: str | None = None
    caller: Caller | None = None

    @property
    def verb(self) -> str:
        """The verb."""
        return self.request.method.upper()

    @property
    def found(self) -> Route:
        """The route; only gates behind the route gate may ask."""
        assert self.route is not None
        return self.route

    @property
    def stage_variables(self) -> Mapping[str, str]:
        """Name → value; live, as on a REST API (8.1)."""
        found: Mapping[str, str] = self.stage_record.get("stageVariables") or {}
        return found

    @property
    def event_path(self) -> str:
        """The event's ``rawPath``: decoded, all but ``%25``."""
        return unquote(self.whole_path.replace("%25", "%2525"))

    @property
    def trace_id(self) -> str:
        """An ``X-Amzn-Trace-Id`` root for this request."""
        letters = base64.urlsafe_b64decode(self.request_id).hex()
        return f"Root=1-{int(self.time):08x}-{letters:0<24.24}"

    def route_arn(self) -> str:
        """The ARN that is authorized, with the concrete, decoded path."""
        return f"{self._stage_arn()}/{self.verb}{unquote(self.raw_path)}"

    def source_arn(self) -> str:
        """The ARN on whose behalf the integration's function is invoked."""
        route = self.found
        below = DEFAULT if route.key == DEFAULT else f"{self.verb}{route.path}"
        return f"{self._stage_arn()}/{below}"

    def authorizer_arn(self, authorizer_id: str) -> str:
        """The ARN on whose behalf an authorizer's function is invoked."""
        return f"{self._api_arn()}/authorizers/{authorizer_id}"

    def _stage_arn(self) -> str:
        return f"{self._api_arn()}/{self.stage}"

    def _api_arn(self) -> str:
        made = self.deployment
        return f"arn:aws:execute-api:{made.region}:{self.account_id}:{made.api_id}"


@dataclass(frozen=True, slots=True)
class Stop:
    """The gate turns the request away.

    Attributes:
        answer: status and message, one of this module's pairs.
        reason: why, for the journey.
        evidence: the facts that the gate looked at, without secrets.
        headers: what the answer carries beside its content type.
    """

    answer: tuple[int, str]
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    headers: Headers = field(default_factory=list)

    def response(self) -> Response:
        """What the client sees: no ``x-amzn-ErrorType`` (0.4), no space after the colon (13.2)."""
        status, message = self.answer
        return Response.of_json({"message": message}, status, list(self.headers))


Outcome = Pass | Skip | Stop


def broken(reason: str, **evidence: Any) -> Stop:
    """A 500: the API is configured in a way that nobody gets through."""
    return Stop(SERVER_ERROR, reason, evidence)
