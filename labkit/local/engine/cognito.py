"""Operations of Cognito that are answered in MiniStack's place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from labkit.local.engine.ministack import JsonObject, MiniStack, response_of
from labkit.local.messages import Response
from labkit.local.settings import CloudSettings

UserPoolOperation = Callable[[str, JsonObject], Awaitable[Response]]
"""Answers one operation of user pools, or of identity pools: (operation, request body)."""
UserPoolAnswer = Callable[[str, JsonObject, UserPoolOperation], Awaitable[Response]]
"""Answers in MiniStack's place: (operation, request body, MiniStack's own answer)."""


class Cognito(MiniStack):
    """What user pools and identity pools have in common."""

    def __init__(self, settings: CloudSettings) -> None:
        super().__init__(settings)
        self._own_dispatches: dict[str, Any] = {}

    def _answer_with(self, name: str, answer: UserPoolAnswer) -> None:
        cognito = self._module("cognito")
        own_dispatch = self._own_dispatches.setdefault(name, getattr(cognito, name))

        async def proceed(operation: str, body: JsonObject) -> Response:
            return response_of(await own_dispatch(operation, body))

        async def dispatch(operation: str, body: JsonObject) -> tuple[int, dict[str, str], bytes]:
            response = await answer(operation, body, proceed)
            return response.status, dict(response.headers), response.body

        setattr(cognito, name, dispatch)
