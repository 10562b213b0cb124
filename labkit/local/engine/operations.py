"""Operations of Cognito that are answered in MiniStack's place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from labkit.local.engine.ministack import JsonObject, response_of
from labkit.local.messages import Response

Operation = Callable[[str, JsonObject], Awaitable[Response]]
"""Answers one operation of user pools, or of identity pools: (operation, request body)."""
OperationAnswer = Callable[[str, JsonObject, Operation], Awaitable[Response]]
"""Answers in MiniStack's place: (operation, request body, MiniStack's own answer)."""
Dispatch = Callable[[str, JsonObject], Awaitable[tuple[int, dict[str, str], bytes]]]
"""How MiniStack does it: (operation, request body) → (status, headers, body)."""


class Operations:
    """The operations of user pools, or of identity pools."""

    def __init__(self) -> None:
        self._answer: OperationAnswer | None = None
        self._own: Dispatch | None = None

    def answer_with(self, answer: OperationAnswer) -> None:
        """Put ``answer`` in front of MiniStack's operations.

        It is called after MiniStack has verified the signature and the IAM policies, so it can't bypass them.
        """
        self._answer = answer

    def dispatch(self, own: Dispatch) -> Dispatch:
        """What comes in the place of MiniStack's own way to answer."""
        self._own = own

        async def dispatch(action: str, data: JsonObject) -> Any:
            if self._answer is None:
                return await own(action, data)
            response = await self._answer(action, data, self._proceed)
            return response.status, dict(response.headers), response.body

        return dispatch

    async def _proceed(self, operation: str, body: JsonObject) -> Response:
        assert self._own is not None
        return response_of(await self._own(operation, body))
