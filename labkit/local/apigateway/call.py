"""One request on its way through the gates, as far as both doors know it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from labkit.local.apigateway.authorizer_results import AuthorizerResult
from labkit.local.apigateway.paths import other_spellings
from labkit.local.apigateway.policies import Identity, question_about
from labkit.local.apigateway.records import Deployment
from labkit.local.iam.caller import Caller
from labkit.local.iam.question import ANONYMOUS, PolicyQuestion, Principal
from labkit.local.messages import Request


@dataclass(kw_only=True)
class GatewayCall(ABC):
    """A request, and what the gates found out about it so far.

    Attributes:
        request: as received.
        deployment: the snapshot that the stage serves.
        account_id: the API owner's account.
        stage: the stage's name.
        raw_path: the path below the stage, still encoded, starting with ``/``.
        domain_name: the host name that the client used.
        request_id: ``$context.requestId``.
        time: when the request came, seconds since the epoch.
        vpc_endpoint: the interface VPC endpoint that the request came through, or None.
        caller: who signed the request, set by the IAM authorizer.
        identity: the caller's side of the policy tables, set by the IAM and Lambda authorizers.
        authorizer_result: what a Lambda authorizer returned.
        log: execution-log lines, for who reads them; None when nobody does.
    """

    request: Request
    deployment: Deployment
    account_id: str
    stage: str
    raw_path: str
    domain_name: str
    request_id: str
    time: float
    vpc_endpoint: str | None = None
    caller: Caller | None = None
    identity: Identity | None = None
    authorizer_result: AuthorizerResult | None = None
    log: list[str] | None = None

    @property
    @abstractmethod
    def authorization_type(self) -> str:
        """The method's or route's ``authorizationType``; ``NONE`` unless set."""

    @property
    @abstractmethod
    def trace_id(self) -> str:
        """An ``X-Amzn-Trace-Id`` root for this request."""

    @property
    @abstractmethod
    def has_resource_policy(self) -> bool:
        """Whether the API's resource policy has a say."""

    @abstractmethod
    def invoked_arn(self) -> str:
        """The ``execute-api`` ARN that is authorized, with the concrete path."""

    @abstractmethod
    def arn_of(self, path: str) -> str:
        """The ``execute-api`` ARN of a path below this call's stage, for its verb."""

    @property
    def api_arn(self) -> str:
        """The API's ``execute-api`` ARN."""
        made = self.deployment
        return f"arn:aws:execute-api:{made.region}:{self.account_id}:{made.api_id}"

    def question(self, principal: Principal = ANONYMOUS) -> PolicyQuestion:
        """The call as a question to a policy."""
        return question_about(
            self.request,
            self.invoked_arn(),
            self.deployment.region,
            self.time,
            principal,
            spellings=[self.arn_of(path) for path in other_spellings(self.raw_path)],
            vpc_endpoint=self.vpc_endpoint,
        )

    def write(self, line: str) -> None:
        """Add a line to the execution log, if there is one."""
        if self.log is not None:
            self.log.append(line)
