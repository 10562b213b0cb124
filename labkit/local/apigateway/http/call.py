"""One request for an HTTP API on its way through the gates."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from labkit.local.apigateway.call import GatewayCall
from labkit.local.apigateway.http.records import DEFAULT, HttpDeployment, HttpRoute
from labkit.local.apigateway.http.responses import HttpError
from labkit.local.apigateway.outcomes import Outcome

HttpOutcome = Outcome[HttpError]


def new_request_id(numbers: random.Random) -> str:
    """A request id: an HTTP API's looks like a REST API's extended one, and a client can't choose it."""
    return base64.urlsafe_b64encode(numbers.randbytes(11)).decode()


@dataclass(kw_only=True)
class HttpCall(GatewayCall):
    """A request, and what the gates found out about it so far.

    Attributes:
        deployment: the snapshot that the stage serves.
        stage_record: the live stage settings, as the engine keeps them.
        whole_path: the path as the client sent it, with a named stage.
        has_custom_domain: whether the client used a custom domain name.
        endpoint_disabled: whether the API's default endpoint is closed; live.
        route: set by the route gate; None for a preflight that the API answers by itself.
        path_parameters: set by the route gate; name → decoded value.
        jwt: ``requestContext.authorizer.jwt``, set by the JWT authorizer.
    """

    deployment: HttpDeployment
    stage_record: Mapping[str, Any]
    whole_path: str
    has_custom_domain: bool = False
    endpoint_disabled: bool = False
    route: HttpRoute | None = None
    path_parameters: dict[str, str] = field(default_factory=dict)
    jwt: dict[str, Any] | None = None

    @property
    def verb(self) -> str:
        """The verb."""
        return self.request.method.upper()

    @property
    def found(self) -> HttpRoute:
        """The route; only gates behind the route gate may ask."""
        assert self.route is not None
        return self.route

    @property
    def authorization_type(self) -> str:
        """The route's; a preflight that the API answers by itself has none."""
        return "NONE" if self.route is None else self.route.authorization_type

    @property
    def has_resource_policy(self) -> bool:
        """An HTTP API can't have one (gateway 13.12)."""
        return False

    @property
    def stage_variables(self) -> Mapping[str, str]:
        """Name → value; live, as on a REST API (gateway 8.1)."""
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

    def invoked_arn(self) -> str:
        """The ARN that is authorized, with the concrete, decoded path."""
        return self.arn_of(unquote(self.raw_path))

    def arn_of(self, path: str) -> str:
        """The ``execute-api`` ARN of a path below this call's stage, for its verb."""
        return f"{self.api_arn}/{self.stage}/{self.verb}{path}"

    def source_arn(self) -> str:
        """The ARN on whose behalf the integration's function is invoked."""
        route = self.found
        below = DEFAULT if route.key == DEFAULT else f"{self.verb}{route.path}"
        return f"{self.api_arn}/{self.stage}/{below}"
