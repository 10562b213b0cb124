"""A local cloud that a test steers: its gateway's clock stands still, invocations count, a gate can be made wrong.

``POST /_labkit/steer`` takes ``{"advance": seconds}``, ``{"run": true}``, ``{"reset": true}``,
``{"mutation": name or null}``, ``{"overlook": [service, operation, member] or null}``,
``{"foreign_role": …}``, ``{"authorizer_limit": seconds}`` or ``{"end_session": access key id}`` and answers
``{"now", "invocations"}``.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from labkit.clock import PROCESS_CLOCK
from labkit.local.apigateway.rest import lambda_authorizer
from labkit.local.engine import names
from labkit.local.front.application import Receive, Scope
from labkit.local.front.compose import compose
from labkit.local.front.response_writer import Send
from labkit.local.settings import CloudSettings
from tests.fidelity.mutations import MUTATIONS
from tests.fidelity.overlooked import overlook
from tests.support.ministack_names import CREATE_ROLE, PUT_ROLE_POLICY
from tests.support.start import serve


class Clock:
    """Stands still until it is told to move, or to run."""

    def __init__(self) -> None:
        self.now = self.start = float(int(time.time()))
        self.runs = False

    def __call__(self) -> float:
        return time.time() if self.runs else self.now


class SteeredCloud:
    """A local cloud with ``POST /_labkit/steer`` in front, as an ASGI application."""

    def __init__(self, settings: CloudSettings, **callbacks: Any) -> None:
        self.clock = Clock()
        self.cloud = compose(settings, clock=self.clock, process_clock=PROCESS_CLOCK, **callbacks)
        self.settings, self.engine = settings, self.cloud.parts.engine
        self.invocations: Counter[str] = Counter()
        self._invoke = self.engine.functions.invoke_function
        self.engine.functions.invoke_function = self._counted  # type: ignore[method-assign]
        self._mutation = ExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/_labkit/steer":
            await self.cloud(scope, receive, send)
            return
        token = next(v for k, v in scope["headers"] if k == b"x-labkit-token")
        assert token.decode() == self.settings.admin_token
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body")
        answer = json.dumps(self._steer(json.loads(body))).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _counted(self, function_arn: str, event: Any) -> dict[str, Any]:
        self.invocations[function_arn.split(":")[6]] += 1
        return await self._invoke(function_arn, event)

    def _steer(self, asked: dict[str, Any]) -> dict[str, Any]:
        gateway = self.cloud.parts.gateway
        authorizer = gateway.rest_gates.lambda_authorizer
        if asked.get("reset"):
            authorizer._door = replace(authorizer._door, limit=lambda_authorizer.LIMIT_SECONDS)
            for kept in (authorizer, gateway.http_gates.lambda_authorizer):
                kept.forget()
            self.clock.now, self.clock.runs = self.clock.start, False
            gateway.buckets._buckets.clear()
        self.clock.now += asked.get("advance", 0)
        self.clock.runs = asked.get("run", self.clock.runs)
        if "mutation" in asked:
            self._mutation.close()
            if asked["mutation"] is not None:
                self._mutation.enter_context(MUTATIONS[asked["mutation"]].applied_to(self))
        if "overlook" in asked:
            self._mutation.close()
            if asked["overlook"] is not None:
                overlook(self._mutation, *asked["overlook"])
        if "foreign_role" in asked:
            self._make_foreign_role(**asked["foreign_role"])
        if "authorizer_limit" in asked:
            authorizer._door = replace(authorizer._door, limit=asked["authorizer_limit"])
        if "end_session" in asked:
            sessions = self.engine.ministack[names.SESSIONS]
            sessions[asked["end_session"]]["Expiration"] = self.clock.now
        return {"now": self.clock.now, "invocations": dict(self.invocations)}

    def _make_foreign_role(self, account_id: str, name: str, trust: str, policy: str) -> None:
        """A role in another account; this cloud's own callers can't reach that account's control plane."""
        ministack = self.engine.ministack
        role = {"RoleName": [name], "AssumeRolePolicyDocument": [trust]}
        may = {"RoleName": [name], "PolicyName": ["calls"], "PolicyDocument": [policy]}
        with ministack[names.REQUEST_SCOPE](account_id, self.settings.region):
            ministack[CREATE_ROLE](role)
            ministack[PUT_ROLE_POLICY](may)


if __name__ == "__main__":
    sys.exit(serve(SteeredCloud))
