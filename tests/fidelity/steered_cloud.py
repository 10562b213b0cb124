"""A local cloud that a test steers: its gateway's clock stands still, invocations count, a gate can be made wrong.

``POST /_labkit/steer`` takes ``{"advance": seconds}``, ``{"reset": true}``, ``{"mutation": name or null}``,
``{"foreign_role": …}`` or ``{"end_session": access key id}`` and answers ``{"now", "invocations"}``.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections import Counter
from contextlib import ExitStack
from functools import partial
from typing import Any

from labkit.local import __main__
from labkit.local.apigateway.rest.iam_authorizer import IamAuthorizer
from labkit.local.apigateway.rest.lambda_authorizer import LambdaAuthorizer
from labkit.local.apigateway.rest.throttling import Throttle
from labkit.local.apigateway.rest.usage_plans import UsagePlans
from labkit.local.front import application
from labkit.local.front.access import holds_token
from labkit.local.messages import Request, Response
from tests.fidelity.mutations import MUTATIONS


class Clock:
    """Stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = self.start = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


class SteeredCloud(application.LocalCloud):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        self.clock = Clock()
        for kind in (IamAuthorizer, LambdaAuthorizer, UsagePlans):
            setattr(application, kind.__name__, partial(kind, clock=self.clock))
        application.Throttle = self._make_throttle  # type: ignore[assignment, misc]
        super().__init__(*arguments, **settings)
        self.invocations: Counter[str] = Counter()
        self._invoke = self.engine.invoke_function
        self.engine.invoke_function = self._counted  # type: ignore[method-assign]
        self._mutation = ExitStack()

    def _make_throttle(self, usage_plans: UsagePlans) -> Throttle:
        self._throttle = Throttle(usage_plans, self.clock)
        return self._throttle

    async def _counted(self, function_arn: str, event: Any) -> dict[str, Any]:
        self.invocations[function_arn.split(":")[6]] += 1
        return await self._invoke(function_arn, event)

    async def _labkit(self, request: Request) -> Response:
        if request.raw_path != "/_labkit/steer":
            return await super()._labkit(request)
        assert holds_token(request, self.settings.admin_token)
        asked = json.loads(request.body)
        if asked.get("reset"):
            self.clock.now = self.clock.start
            self._throttle.buckets.__init__(self.clock)  # type: ignore[misc]
        self.clock.now += asked.get("advance", 0)
        if "mutation" in asked:
            self._mutation.close()
            if asked["mutation"] is not None:
                self._mutation.enter_context(MUTATIONS[asked["mutation"]].applied_to(self))
        if "foreign_role" in asked:
            self._make_foreign_role(**asked["foreign_role"])
        if "end_session" in asked:
            sessions = importlib.import_module("ministack.services.sts")._sessions
            sessions[asked["end_session"]]["Expiration"] = self.clock.now
        return Response.of_json({"now": self.clock.now, "invocations": dict(self.invocations)})

    def _make_foreign_role(self, account_id: str, name: str, trust: str, policy: str) -> None:
        """A role in another account; this cloud's own callers can't reach that account's control plane."""
        iam = importlib.import_module("ministack.services.iam")
        responses = importlib.import_module("ministack.core.responses")
        with responses.request_scope(account_id, self.settings.region):
            iam._create_role({"RoleName": [name], "AssumeRolePolicyDocument": [trust]})
            iam._put_role_policy(
                {"RoleName": [name], "PolicyName": ["calls"], "PolicyDocument": [policy]}
            )


if __name__ == "__main__":
    application.LocalCloud = SteeredCloud  # type: ignore[misc]
    sys.exit(__main__.main())
