"""The pre token generation trigger of user pools."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from labkit.local.engine.cognito_records import UserPool, UserPoolClient
from labkit.local.engine.ministack import JsonObject, dict_of
from labkit.local.engine.user_pools import UserPools

TokenTrigger = Callable[[UserPool, JsonObject, Callable[[], JsonObject]], JsonObject]
"""Changes the claims of a token: (user pool, claims, MiniStack's own way to do it)."""
ReadableAttribute = Callable[[UserPoolClient, str], bool]
"""Whether an app client may read an attribute of a user: (app client, attribute)."""
AnswerCheck = Callable[[object], None]
"""Looks at what a trigger's function returned."""

_is_token_trigger = ContextVar("is_token_trigger", default=False)


class TokenGeneration:
    """Who runs the trigger: MiniStack gives out tokens even when it fails.

    Args:
        user_pools: whose trigger it is.
    """

    def __init__(self, user_pools: UserPools) -> None:
        self._user_pools = user_pools
        self._trigger: TokenTrigger | None = None
        self._check: AnswerCheck | None = None
        self._is_readable: ReadableAttribute | None = None

    def run_trigger_with(self, trigger: TokenTrigger, check: AnswerCheck) -> None:
        """Give the trigger to ``trigger``; ``check`` may refuse what the function returned."""
        self._trigger, self._check = trigger, check

    def read_attributes_with(self, is_readable: ReadableAttribute) -> None:
        """Leave attributes that the app client may not read out of its ID tokens: MiniStack puts all there."""
        self._is_readable = is_readable

    def _without_unreadable(
        self,
        pool_id: str,
        claims: JsonObject,
        use: str,
        client_id: str,
        attributes: JsonObject,
    ) -> JsonObject:
        client = self._user_pools.client(pool_id, client_id)
        if use != "id" or client is None or self._is_readable is None:
            return claims
        hidden = {
            name
            for name in (*attributes, "email_verified")
            if name != "sub" and not self._is_readable(client, name)
        }
        return {name: value for name, value in claims.items() if name not in hidden}

    def apply_trigger(self, own: Callable[..., JsonObject]) -> Callable[..., JsonObject]:
        """What comes in the place of MiniStack's trigger."""

        def apply(
            pool_id: str,
            claims: JsonObject,
            token_type: str,
            trigger_source: str,
            client_id: str,
            username: str,
            user_attrs: JsonObject,
            *facts: Any,
            **more: Any,
        ) -> JsonObject:
            pool = self._user_pools.user_pool(pool_id)
            if pool is None:
                return claims
            claims = self._without_unreadable(pool_id, claims, token_type, client_id, user_attrs)

            who = (token_type, trigger_source, client_id, username, user_attrs)

            def invoke() -> JsonObject:
                token = _is_token_trigger.set(True)
                try:
                    return dict_of(own(pool_id, dict(claims), *who, *facts, **more))
                except RuntimeError as error:
                    raise RuntimeError(_error_message(error)) from error
                finally:
                    _is_token_trigger.reset(token)

            return invoke() if self._trigger is None else self._trigger(pool, claims, invoke)

        return apply

    def read_answer(self, own: Callable[[object], Any]) -> Callable[[object], Any]:
        """What comes in the place of MiniStack's reading of any trigger's answer."""

        def read(payload: object) -> Any:
            if _is_token_trigger.get() and self._check is not None:
                self._check(payload)
            return own(payload)

        return read


def _error_message(error: RuntimeError) -> str:
    """What a pre token generation function said when it failed, out of MiniStack's report of it."""
    text = str(error).removeprefix("PreTokenGeneration error: ")
    try:
        body = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return str(body["errorMessage"]) if isinstance(body, dict) and "errorMessage" in body else text
