"""What comes in front of MiniStack's Lambda: it takes any name, any bound, any role and any principal (iam 5, 7)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from labkit.local.engine import names
from labkit.local.engine.iam import Iam
from labkit.local.engine.ministack import JsonObject, MiniStack
from labkit.local.iam.grammar import is_principal
from labkit.local.json_protocol import ApiError, ServiceModel

LAMBDA = "lambda.amazonaws.com"
MAX_NAME, MAX_SECONDS, MAX_MEGABYTES = 64, 900, 10_240
"""Of a function on Lambda's own machines; the service model's bounds are those of managed instances."""
RUNTIMES = (
    "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, "
    "python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, "
    "java11, dotnet6, nodejs18.x, provided.al2, java8.al2"
)
"""As AWS lists them (iam 7.2)."""

Answer = tuple[int, dict[str, str], bytes]
"""MiniStack's (status, headers, body)."""
Call = Callable[..., Answer]

_ACCOUNT = re.compile(r"\d{12}")
_INVALID = "InvalidParameterValueException"


class LambdaRequests:
    """Checks of what is sent.

    Args:
        ministack: holds the functions.
        iam: knows roles, and who may pass them.
    """

    def __init__(self, ministack: MiniStack, iam: Iam) -> None:
        self._ministack = ministack
        self._iam = iam
        self._model = ServiceModel("lambda", "ValidationException")

    def create_function(self, own: Call) -> Call:
        """What comes in the place of MiniStack's making of a function."""

        def create(data: JsonObject) -> Answer:
            sent = _without_nulls(data)
            return self._refusal("CreateFunction", sent) or own(sent)

        return create

    def update_configuration(self, own: Call) -> Call:
        """What comes in the place of MiniStack's changing of a function."""

        def update(name: str, data: JsonObject) -> Answer:
            sent = _without_nulls(data)
            refused = self._refusal("UpdateFunctionConfiguration", _named(name, sent))
            return refused or own(name, sent)

        return update

    def add_permission(self, own: Call) -> Call:
        """What comes in the place of MiniStack's adding of a statement to a function's policy."""

        def add(
            func_name: str,
            data: JsonObject,
            query_params: JsonObject | None = None,
            path_qualifier: str | None = None,
        ) -> Answer:
            sent = _without_nulls(data)
            refused = self._model_refusal("AddPermission", _named(func_name, sent))
            if refused is not None:
                return refused
            if not self._is_principal(str(sent["Principal"])):
                words = (
                    "The provided principal was invalid. Please check the principal and try again."
                )
                return _error(400, _INVALID, words)
            return own(func_name, sent, query_params, path_qualifier)

        return add

    def get_policy(self, own: Call) -> Call:
        """What comes in the place of MiniStack's reading of a policy: an alias has one of its own."""

        def get(
            func_name: str,
            query_params: JsonObject | None = None,
            path_qualifier: str | None = None,
        ) -> Answer:
            status, headers, body = own(func_name, query_params, path_qualifier)
            if status != 200:
                return status, headers, body
            answer = json.loads(body)
            policy = json.loads(answer["Policy"])
            if not _is_qualified(query_params, path_qualifier):
                policy["Statement"] = [one for one in policy["Statement"] if _is_unqualified(one)]
                answer["Policy"] = json.dumps(policy)
            return status, headers, json.dumps(answer).encode()

        return get

    def remove_permission(self, own: Call) -> Call:
        """What comes in the place of MiniStack's removing of a statement: not an alias's from the function's policy."""

        def remove(
            func_name: str, sid: str, query_params: JsonObject, path_qualifier: str | None = None
        ) -> Answer:
            function = self._ministack[names.FUNCTIONS].get(func_name)
            if function is None or _is_qualified(query_params, path_qualifier):
                return own(func_name, sid, query_params, path_qualifier)
            statements = function["policy"]["Statement"]
            if not any(one.get("Sid") == sid and _is_unqualified(one) for one in statements):
                words = "No policy is associated with the given resource."
                return _error(404, "ResourceNotFoundException", words)
            return own(func_name, sid, query_params, path_qualifier)

        return remove

    def _refusal(self, operation: str, data: Any) -> Answer | None:
        """What Lambda has against a function as it is sent: its form, its bounds, then its role."""
        refused = self._model_refusal(operation, data)
        if refused is not None:
            return refused
        runtime = data.get("Runtime")
        if runtime is not None and runtime not in RUNTIMES.split(", "):
            return self._runtime_refusal(str(runtime))
        role = data.get("Role")
        if role is None:
            return None
        region = self._ministack.settings.region
        error = self._iam.pass_role_error(str(role), region, LAMBDA)
        if error is not None:
            return _error(403, "AccessDeniedException", error)
        if self._iam.trusts_service(str(role), LAMBDA, region):
            return None
        words = "The role defined for the function cannot be assumed by Lambda."
        return _error(400, _INVALID, words)

    def _model_refusal(self, operation: str, data: Any) -> Answer | None:
        """What the service's model has against it; the runtime has words of its own."""
        if not isinstance(data, dict):
            return _error(400, "SerializationException", "Start of structure or map expected.")
        try:
            self._model.check(operation, {k: v for k, v in data.items() if k != "Runtime"})
        except ApiError as error:
            return _error(400, error.error_type, str(error))
        name = str(data["FunctionName"])
        if operation == "CreateFunction" and ":" in name:
            words = "The local cloud doesn't offer an ARN as the FunctionName of a new function: give its name."
            return _error(400, _INVALID, words)
        size = len(name.split(":")[6] if name.count(":") >= 6 else name)
        for member, value, most, unit in (
            ("functionName", size, MAX_NAME, "length"),
            ("timeout", data.get("Timeout", 0), MAX_SECONDS, "value"),
            ("memorySize", data.get("MemorySize", 0), MAX_MEGABYTES, "value"),
        ):
            if value > most:
                shown = name if unit == "length" else value
                words = (
                    f"1 validation error detected: Value '{shown}' at '{member}' failed to satisfy constraint: "
                    f"Member must have {unit} less than or equal to {most}"
                )
                return _error(400, "ValidationException", words)
        return None

    def _runtime_refusal(self, runtime: str) -> Answer:
        if runtime in self._model.shapes["Runtime"]["enum"]:
            words = (
                f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda "
                "functions. We recommend you use a supported runtime while creating or updating functions."
            )
        else:
            words = (
                f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
                f"[{RUNTIMES}] or be a valid ARN"
            )
        return _error(400, _INVALID, words)

    def _is_principal(self, name: str) -> bool:
        """Whether it is a service, everybody, an account, or a user or a role that is there."""
        if name.startswith("arn:") or _ACCOUNT.fullmatch(name):
            return is_principal("AWS", name) and self._iam.is_there(name)
        return name == "*" or is_principal("Service", name)


def _without_nulls(data: Any) -> Any:
    """What is sent without members that are null, which is as if they weren't there."""
    if not isinstance(data, dict):
        return data
    return {name: value for name, value in data.items() if value is not None}


def _named(name: str, data: Any) -> Any:
    """What is sent with the name that stands in the path; what is no object stays what it is."""
    return {**data, "FunctionName": name} if isinstance(data, dict) else data


def _is_qualified(query: JsonObject | None, path_qualifier: str | None) -> bool:
    return bool(path_qualifier or (query or {}).get("Qualifier"))


def _is_unqualified(statement: JsonObject) -> bool:
    return str(statement.get("Resource", "")).count(":") == 6


def _error(status: int, kind: str, words: str) -> Answer:
    body = json.dumps({"__type": kind, "Type": "User", "message": words}).encode()
    return status, {"Content-Type": "application/json", "x-amzn-ErrorType": kind}, body
