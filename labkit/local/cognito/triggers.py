"""The Lambda triggers of a user pool: who may invoke them, what they get, and what their failure means.

A trigger that fails, may not be invoked or answers nothing ends the call that it belongs to. Facts: cognito 15; the
pre token generation trigger is in ``token_triggers``.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal, Protocol

from labkit.local.engine import User, UserPool
from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]
Trigger = Literal["PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication"]

OFFERED = frozenset(
    """
    PreSignUp PostConfirmation PreAuthentication PostAuthentication PreTokenGeneration PreTokenGenerationConfig
    """.split()
)
"""The members of ``LambdaConfig`` that the local cloud runs."""


LIMIT_SECONDS = 5.0
"""For how long Cognito waits for a function (cognito 15.9); here it asks once, AWS up to three times."""


class Invocations(Protocol):
    """What is asked of Lambda."""

    def function_allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        """Whether the function's resource policy lets a service invoke it for ``source_arn``."""

    async def invoke_function(self, function_arn: str, event: Any) -> JsonObject:
        """``{"payload", "error"}`` of one invocation."""


class Triggers:
    """Runs a user pool's triggers.

    Args:
        functions: what may be invoked.
        limit: for how many seconds a function is waited for.
    """

    def __init__(self, functions: Invocations, limit: float = LIMIT_SECONDS) -> None:
        self._functions = functions
        self._limit = limit
        self._running: set[asyncio.Future[JsonObject]] = set()

    async def run(
        self,
        pool: UserPool,
        trigger: Trigger,
        source: str,
        *,
        username: str,
        client_id: str,
        request: JsonObject,
        response: JsonObject | None = None,
    ) -> JsonObject:
        """Invoke a trigger's function, if the pool has one.

        Args:
            pool: the user pool.
            trigger: the member of ``LambdaConfig``.
            source: ``triggerSource``, without the trigger's name: ``Authentication``.
            username: ``userName`` in the event.
            client_id: the app client; ``CLIENT_ID_NOT_APPLICABLE`` of an administrator's call.
            request: ``request`` in the event.
            response: ``response`` in the event, as the function gets it.

        Returns:
            ``response`` as the function left it; as it was when there is no function.

        Raises:
            ApiError: Cognito may not invoke the function, or it failed, or answered what it may not.
        """
        before = response or {}
        function = (pool.get("LambdaConfig") or {}).get(trigger)
        if not function:
            return before
        check_permission(self._functions, pool, trigger, function)
        event = {
            "version": "1",
            "region": pool["Id"].partition("_")[0],
            "userPoolId": pool["Id"],
            "userName": username,
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client_id},
            "triggerSource": f"{trigger}_{source}",
            "request": request,
            "response": before,
        }
        result = await self._invoke(trigger, function, event)
        if result["error"]:
            raise function_error(trigger, error_message(result["payload"]))
        return response_of(result["payload"])

    async def _invoke(self, trigger: str, function: str, event: JsonObject) -> JsonObject:
        """Invoke a function; one that is late goes on, but nobody waits (cognito 15.9)."""
        invocation = asyncio.ensure_future(self._functions.invoke_function(function, event))
        self._running.add(invocation)
        invocation.add_done_callback(self._running.discard)
        done, _late = await asyncio.wait({invocation}, timeout=self._limit)
        if not done:
            raise ApiError(
                "UnexpectedLambdaException",
                f"{trigger} invocation failed due to error Socket timeout while invoking Lambda function.",
            )
        return invocation.result()


def attributes_in_event(user: User) -> dict[str, str]:
    """``userAttributes`` of an event, the user's status among them (cognito 15.5)."""
    return {**user.attributes, "cognito:user_status": user.status}


def check_permission(
    functions: Invocations, pool: UserPool, trigger: str, function_arn: str
) -> None:
    """Refuse a call whose trigger Cognito may not invoke.

    Raises:
        ApiError: ``UnexpectedLambdaException`` (cognito 15.3).
    """
    if not functions.function_allows(function_arn, "cognito-idp.amazonaws.com", pool["Arn"]):
        raise ApiError(
            "UnexpectedLambdaException",
            f"{trigger} invocation failed due to error AccessDeniedException.",
        )


def function_error(trigger: str, message: str) -> ApiError:
    """What the caller gets of a function that raised (cognito 15.2)."""
    return ApiError("UserLambdaValidationException", f"{trigger} failed with error {message}.")


def error_message(payload: object) -> str:
    """What a function said when it failed, out of Lambda's report of it."""
    if isinstance(payload, dict) and "errorMessage" in payload:
        return str(payload["errorMessage"])
    return "Unhandled"


def response_of(answer: object) -> JsonObject:
    """``response`` of what a trigger's function returned.

    Recorded: aws/aws-sdk-js#2692, amazon-archives/amazon-cognito-identity-js#167.

    Raises:
        ApiError: ``InvalidLambdaResponseException``.

    >>> response_of({"response": {"autoConfirmUser": True}})
    {'autoConfirmUser': True}
    """
    if answer is None:
        raise invalid_response("Invalid lambda function output : Invalid JSON")
    response = answer.get("response") if isinstance(answer, dict) else None
    if not isinstance(response, dict):
        raise unrecognizable()
    return response


def unrecognizable() -> ApiError:
    """The refusal of an answer in the wrong form."""
    return invalid_response("Unrecognizable lambda output")


def invalid_response(message: str) -> ApiError:
    """The refusal of what a function returned."""
    return ApiError("InvalidLambdaResponseException", message)
