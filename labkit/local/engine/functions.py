"""Lambda functions: their records, their permissions, their invocation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from labkit.local.engine import names
from labkit.local.engine.ministack import JsonObject, MiniStack
from labkit.local.engine.policy_evaluation import resource_policy
from labkit.local.iam.evaluation import evaluate
from labkit.local.iam.policy import Policy
from labkit.local.iam.question import PolicyQuestion, service_principal

_KEPT_POLICIES = 256
_KEPT_LOG_STREAMS = 1_000

FunctionRunner = Callable[[JsonObject, bytes, Any, str, str], JsonObject]
"""Runs one Lambda invocation: (configuration, deployment package, event, request id, version) → result."""


class Functions:
    """The control plane's records of functions, and how one is invoked.

    Args:
        ministack: holds the records.
        clock: seconds since the epoch.
    """

    def __init__(self, ministack: MiniStack, clock: Callable[[], float]) -> None:
        self._ministack = ministack
        self._clock = clock
        self._runner: FunctionRunner | None = None
        self._policies: dict[str, tuple[JsonObject, Policy]] = {}

    def run_with(self, runner: FunctionRunner) -> None:
        """Give the execution of functions to ``runner``, for every way in which one is invoked."""
        self._runner = runner

    def execute(self, own: Callable[..., JsonObject]) -> Callable[..., JsonObject]:
        """What comes in the place of MiniStack's execution of a function."""

        def execute(func: JsonObject, event: Any, request_id: str) -> JsonObject:
            if self._runner is None:
                return own(func, event, request_id)
            config = func.get("config") or func
            code = func.get("code_zip") or b""
            return self._runner(config, code, event, request_id, config.get("Version", "$LATEST"))

        return execute

    def emit_logs(self, own: Callable[..., None]) -> Callable[..., None]:
        """What comes in the place of MiniStack's writing of an invocation's logs."""

        def emit_and_forget(func: JsonObject, *outcome: Any, **more: Any) -> None:
            own(func, *outcome, **more)
            self._forget_old_logs(func.get("config") or func)

        return emit_and_forget

    def _forget_old_logs(self, config: JsonObject) -> None:
        """Keep the newest log streams of a function: MiniStack makes one for each invocation, and keeps all."""
        name = (config.get("LoggingConfig") or {}).get("LogGroup")
        group = self._ministack[names.LOG_GROUPS].get(
            name or f"/aws/lambda/{config.get('FunctionName')}"
        )
        streams = group["streams"] if group else {}
        if len(streams) > 1.1 * _KEPT_LOG_STREAMS:
            for stream in list(streams)[:-_KEPT_LOG_STREAMS]:
                streams.pop(stream, None)

    def function_allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        """Whether the function's resource policy lets an AWS service invoke it for ``source_arn``."""
        record = self._record(function_arn)
        if record is None:
            return False
        account_id = self._ministack.settings.account_id
        question = PolicyQuestion(
            "lambda:InvokeFunction",
            function_arn,
            _name_and_region(function_arn)[1],
            self._clock(),
            service_principal(service),
            keys={"aws:sourcearn": source_arn, "aws:sourceaccount": account_id},
        )
        return evaluate(self._policy(function_arn, record["policy"]), question) == "Allow"

    def _policy(self, function_arn: str, document: JsonObject) -> Policy:
        """A function's policy, read again when it has changed."""
        snapshot, policy = self._policies.get(function_arn, (None, None))
        if policy is None or snapshot != document:
            policy = resource_policy(document)
            if len(self._policies) >= _KEPT_POLICIES:
                self._policies.clear()
            self._policies[function_arn] = copy.deepcopy(document), policy
        return policy

    async def invoke_function(self, function_arn: str, event: Any) -> JsonObject:
        """Invoke a function synchronously.

        Returns:
            ``{"payload": <the handler's JSON value>, "error": bool, "throttled": bool, "log": str}``; throttled: Lambda
            didn't run it, because its concurrency is used up, and that is an error too.

        Raises:
            KeyError: there is no such function.
        """
        record = self._record(function_arn)
        if record is None:
            raise KeyError(function_arn)
        run = self._ministack[names.EXECUTE_FUNCTION_WITH_CONFIG_SCOPE]
        result = await self._ministack.run_blocking(run, record, event)
        throttled = bool(result.get("throttle"))
        return {
            "payload": result.get("body"),
            "error": bool(result.get("error")) or throttled,
            "throttled": throttled,
            "log": result.get("log", ""),
        }

    def _record(self, function_arn: str) -> JsonObject | None:
        """MiniStack's record of the function that an (unqualified or qualified) ARN names, or None."""
        name, region = _name_and_region(function_arn)
        settings = self._ministack.settings
        found: JsonObject | None = self._ministack[names.FUNCTIONS].get_scoped(
            settings.account_id, region or settings.region, name
        )
        return found


def _name_and_region(function_arn: str) -> tuple[str, str]:
    parts = function_arn.split(":")
    return (parts[6] if len(parts) > 6 else function_arn), (parts[3] if len(parts) > 3 else "")
