"""Triggers that take too long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from labkit.local.cognito.triggers import Triggers
from labkit.local.json_protocol import ApiError


class Slow:
    """Functions that everybody may invoke, and that don't end."""

    def function_allows(self, function_arn: str, service: str, source_arn: str) -> bool:
        return True

    async def invoke_function(self, function_arn: str, event: Any) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


def test_a_function_that_does_not_end_ends_the_call() -> None:
    pool: Any = {"Id": "us-east-1_a", "Arn": "arn", "LambdaConfig": {"PreAuthentication": "f"}}
    run = Triggers(Slow(), limit=0.01).run(
        pool,
        "PreAuthentication",
        "Authentication",
        username="u",
        client_id="c",
        request={},
    )
    with pytest.raises(ApiError, match="Socket timeout") as refused:
        asyncio.run(run)
    assert refused.value.error_type == "UnexpectedLambdaException"
