"""The control planes of API Gateway: who may call, which operation, is it well formed, what is the answer.

A part answers the operations for which it has a method, under botocore's name in small letters
(``CreateRestApi`` → ``create_rest_api``). What no part has isn't offered.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from botocore import xform_name

from labkit.local.apigateway.answers import refuse
from labkit.local.apigateway.control.constraints import check_constraints
from labkit.local.apigateway.control.offers import check_offered
from labkit.local.apigateway.control.operations import Call, Operation, find_operation, read_call
from labkit.local.apigateway.control.permissions import ASK
from labkit.local.apigateway.control.refusals import not_offered
from labkit.local.json_protocol import ApiError
from labkit.local.messages import Request, Response

Authorize = Callable[[Request], Awaitable[Response | None]]
"""The refusal of a call that IAM doesn't allow, or None."""
AskPermission = Callable[[Request, str, str, str], str | None]
"""AWS's words when who makes a request may not do more that it asks for: (request, action, ARN, Region)."""


def perform(parts: Sequence[object], call: Call) -> Any:
    """The answer of a call, perhaps to be awaited.

    Args:
        parts: who answers which operations.
        call: checked here against the service's model, and against the list of what is offered.

    Raises:
        ApiError: it is refused.
    """
    name = xform_name(call.operation.name)
    part = next((p for p in parts if hasattr(p, name)), None)
    if part is None:
        raise not_offered(call.operation.name)
    check_constraints(call)
    check_offered(call)
    return getattr(part, name)(call)


class ApiGatewayControlPlane:
    """Answers ``apigateway`` and ``apigatewayv2``.

    Args:
        authorize: asks IAM.
        permission_error: asks IAM too.
        parts: who answers which operations, by service.
    """

    def __init__(
        self,
        authorize: Authorize,
        permission_error: AskPermission,
        parts: dict[str, Sequence[object]],
    ) -> None:
        self._authorize = authorize
        self._permission_error = permission_error
        self._parts = parts

    async def handle(self, request: Request, region: str) -> Response:
        """Answer one call. IAM decides first whether the caller may make it.

        Args:
            request: whose signature is verified.
            region: the Region that the signature names.
        """
        refusal = await self._authorize(request)
        if refusal is not None:
            return refusal
        ASK.set(lambda action, arn: self._permission_error(request, action, arn, region))
        operation = find_operation(request)
        if operation is None:
            return refuse(404, "UnknownOperationException", "The requested operation is unknown.")
        try:
            return await self._answer(operation, read_call(operation, request, region))
        except ApiError as refused:
            return refuse(refused.status, refused.error_type, refused.message or "")

    async def _answer(self, operation: Operation, call: Call) -> Response:
        answer: Any = perform(self._parts[operation.service], call)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, Response):
            return answer
        if answer is None:
            return Response(operation.status)
        return Response.of_json(answer, operation.status)
