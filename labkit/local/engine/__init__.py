"""The one seam to MiniStack, which serves the AWS control planes; nothing outside of this package imports it.

MiniStack (MIT) runs inside this process. What it can't do or does otherwise than AWS is done in front of it, by the
other files of labkit.local; what they need from it is a part of :class:`Engine`. ``AUTH=true`` makes it verify the
Signature v4 of IAM users and roles and ask what their policies say, which ``labkit.local.iam`` answers; it takes a few
access keys for root without looking at the signature (``test``, any account id, its own), so the cloud's own key is
verified in ``signatures.py``, and ``access.py`` refuses the others.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from labkit.local.engine.certificates import Certificates
from labkit.local.engine.cognito_records import (
    Group,
    IdentityPool,
    IdentityPoolRoles,
    User,
    UserPool,
    UserPoolClient,
)
from labkit.local.engine.functions import Functions
from labkit.local.engine.iam import Iam
from labkit.local.engine.iam_quotas import IamQuotas
from labkit.local.engine.iam_records import IdentityPoolSession, Role
from labkit.local.engine.identity_pools import IdentityPools
from labkit.local.engine.lambda_requests import LambdaRequests
from labkit.local.engine.ministack import JsonObject, MiniStack
from labkit.local.engine.objects import Objects
from labkit.local.engine.operations import Operation
from labkit.local.engine.patches import API_GATEWAY_AUTHORIZED, PATCHES, replace_functions
from labkit.local.engine.policy_evaluation import PolicyEvaluation
from labkit.local.engine.policy_questions import PolicyQuestions
from labkit.local.engine.signatures import Signatures
from labkit.local.engine.sts import Sts
from labkit.local.engine.sts_operations import StsOperations
from labkit.local.engine.token_generation import TokenGeneration
from labkit.local.engine.user_pools import UserPools
from labkit.local.engine.web_acl_associations import WebAclAssociations
from labkit.local.messages import Request, Response
from labkit.local.settings import CloudSettings

__all__ = [
    "Engine",
    "Functions",
    "Group",
    "IdentityPool",
    "IdentityPoolRoles",
    "IdentityPoolSession",
    "IdentityPools",
    "JsonObject",
    "Operation",
    "Role",
    "User",
    "UserPool",
    "UserPoolClient",
    "UserPools",
]


class Engine:
    """MiniStack in this process: the whole seam.

    One engine a process: MiniStack's state is in its modules.

    Args:
        settings: the cloud's port, credentials and account.
        clock: seconds since the epoch.
        numbers: for the ids of requests.
    """

    def __init__(
        self, settings: CloudSettings, clock: Callable[[], float], numbers: random.Random
    ) -> None:
        self.settings = settings
        self.ministack = ministack = MiniStack(settings)
        self.signatures = Signatures(ministack, numbers)
        self.sts = Sts(ministack, clock)
        self.iam = Iam(ministack, self.sts, clock)
        self.sts_operations = StsOperations(ministack)
        self.iam_quotas = IamQuotas(ministack, self.sts_operations.iam_refusal)
        self.policy_questions = PolicyQuestions(ministack)
        self.policy_evaluation = PolicyEvaluation(ministack, clock)
        self.lambda_requests = LambdaRequests(ministack, self.iam)
        self.functions = Functions(ministack, clock)
        self.web_acl_associations = WebAclAssociations(ministack, self.iam)
        self.user_pools = UserPools(ministack)
        self.token_generation = TokenGeneration(self.user_pools)
        self.identity_pools = IdentityPools(ministack)
        self.objects = Objects(ministack)
        self.certificates = Certificates(ministack)

    async def start(self) -> None:
        """Configure, import, check and correct MiniStack (about 0.3 s), which serves on the running loop from then on.

        No port is opened here, and nothing is written outside the cloud's work directory.

        Raises:
            SetupError: this version of MiniStack isn't the one that labkit knows.
        """
        self.ministack.configure()
        await asyncio.to_thread(self.ministack.import_services, PATCHES)
        replace_functions(self.ministack, self)
        self.ministack.bind_to_running_loop()

    def permission_error(
        self, request: Request, action: str, resource: str, region: str
    ) -> str | None:
        """AWS's words when who makes an authorized request to API Gateway may not do more that it asks for (iam 5.1).

        Args:
            request: which IAM has allowed.
            action: ``iam:PassRole``, or one of API Gateway's.
            resource: the ARN.
            region: of the request.
        """
        if self._is_root(request):
            return None
        if action == "iam:PassRole":
            return self.iam.pass_role_error(resource, region, "apigateway.amazonaws.com")
        return self.iam.permission_error(action, resource, region)

    def _is_root(self, request: Request) -> bool:
        """Whether the account's root signed a request; ``access.py`` has verified its signature."""
        return f"Credential={self.settings.access_key_id}/" in (
            request.header("authorization") or ""
        )

    async def authorize(self, request: Request) -> Response | None:
        """The refusal of a call of API Gateway's control planes that IAM doesn't allow, or None.

        MiniStack asks the policies of the caller; labkit answers the operations in its place (``patches.py``).
        """
        if self._is_root(request):
            return None
        response = await self.forward(request)
        return None if response.header(API_GATEWAY_AUTHORIZED) else response

    async def forward(self, request: Request) -> Response:
        """Let MiniStack answer a control-plane call that ``access.py`` has let in."""
        return await self.ministack.forward(request)
