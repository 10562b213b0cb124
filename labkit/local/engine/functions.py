"""Lambda functions: their records, their permissions, their invocation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from labkit.local.engine.ministack import JsonObject, MiniStack
from labkit.local.settings import CloudSettings

_KEPT_PERMISSIONS = 256
_KEPT_LOG_STREAMS = 1_000

FunctionRunner = Callable[[JsonObject, bytes, Any, str, str], JsonObject]
"""Runs one Lambda invocation: (configuration, deployment package, event, request id, version) → result."""


class Functions(MiniStack):
    """The control plane's records of functions, and how one is invoked."""

    def __init__(self, settings: CloudSettings) -> None:
        super().__init__(settings)
        self._permissions: dict[tuple[str, str, str], tuple[JsonObject, bool]] = {}

    def run_functions_with(self, runner: FunctionRunner) -> None:
        """Give the execution of Python functions to ``runner``, for every way in which one is invoked."""
        lambda_service = self._module("lambda_svc")

        def execute(function: JsonObject, event: Any, request_id: str) -> JsonObject:
            config = function.get("config") or function
            return runner(
                config,
                function.get("code_zip") or b"",
                event,
                request_id,
                config.get("Version", "$LATEST"),
            )

        lambda_service._execute_function_warm = execute
        emit = lambda_service._emit_lambda_logs

        def emit_and_forget(function: JsonObject, *outcome: Any, **source: Any) -> None:
            emit(function, *outcome, **source)
            self._forget_old_logs(function.get("config") or function)

        lambda_service._emit_lambda_logs = emit_and_forget

    def _forget_old_logs(self, config: JsonObject) -> None:
        """Keep the newest log streams of a function: MiniStack makes one for each invocation, and keeps all."""
        name = (config.get("LoggingConfig") or {}).get("LogGroup")
        group = self._module("cloudwatch_logs")._log_groups.get(
            name or f"/aws/lambda/{config.get('FunctionName')}"
        )
        streams = group["streams"] if group else {}
        if len(streams) > 1.1 * _KEPT_LOG_STREAMS:
            for stream in list(streams)[:-_KEPT_LOG_STREAMS]:
                streams.pop(stream, None)

    def function(self, function_arn: str) -> JsonObject | None:
        """The function record that an (unqualified or qualified) function ARN names, or None."""
        name, region = _name_and_region(function_arn)
        with self._scope(region):
            found: JsonObject | None = self._module("lambda_svc")._functions.get(name)
        return found

    def function_allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        """Whether the function's resource policy lets an AWS service invoke it for ``source_arn``."""
        record = self.function(function_arn)
        if record is None:
            return False
        question = (function_arn, service, source_arn)
        policy, allows = self._permissions.get(question, (None, False))
        if policy != record["policy"]:
            allows = self._policy_allows(record["policy"], *question)
            if len(self._permissions) >= _KEPT_PERMISSIONS:
                self._permissions.clear()
            self._permissions[question] = copy.deepcopy(record["policy"]), allows
        return allows

    def _policy_allows(
        self, policy: JsonObject, function_arn: str, service: str, source_arn: str
    ) -> bool:
        evaluator = self._core("iam_evaluator")
        context = evaluator.EvalContext(
            principal_arn=service,
            principal_type="Service",
            principal_account=self.settings.account_id,
            action="lambda:InvokeFunction",
            resource_arn=function_arn,
            region=_name_and_region(function_arn)[1],
            service_context={
                "aws:sourcearn": source_arn,
                "aws:sourceaccount": self.settings.account_id,
            },
        )
        decision = evaluator.evaluate_resource_policy(policy, context, service=service)
        return bool(decision.decision == "Allow")

    async def invoke_function(self, function_arn: str, event: Any) -> JsonObject:
        """Invoke a function synchronously.

        Returns:
            ``{"payload": <the handler's JSON value>, "error": bool, "throttled": bool, "log": str}``; throttled: Lambda
            didn't run it, because its concurrency is used up, and that is an error too.

        Raises:
            KeyError: there is no such function.
        """
        record = self.function(function_arn)
        if record is None:
            raise KeyError(function_arn)
        service = self._module("lambda_svc")
        result = await self.run_blocking(service._execute_function_with_config_scope, record, event)
        throttled = bool(result.get("throttle"))
        return {
            "payload": result.get("body"),
            "error": bool(result.get("error")) or throttled,
            "throttled": throttled,
            "log": result.get("log", ""),
        }


def _name_and_region(function_arn: str) -> tuple[str, str]:
    parts = function_arn.split(":")
    return (parts[6] if len(parts) > 6 else function_arn), (parts[3] if len(parts) > 3 else "")
