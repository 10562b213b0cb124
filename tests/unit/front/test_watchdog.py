"""A request that keeps the event loop busy is interrupted, and nothing else."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable

import pytest

from labkit.local.front.watchdog import IN_REQUEST, StalledError, Watchdog

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="Windows has no timer of computing time"
)
SECONDS = 0.2


def spend(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


async def loop_for_ever() -> None:
    parts: list[int] = []
    while True:
        parts = [*parts[:9], len(parts)]


async def backtrack_for_ever() -> None:
    re.match(r"(a+)+$", "a" * 64 + "!")


async def take_short_steps() -> None:
    for _ in range(30):
        spend(SECONDS / 10)
        await asyncio.sleep(0)


async def wait_long() -> None:
    await asyncio.sleep(3 * SECONDS)


def watched(step: Callable[[], Awaitable[None]], *, request: bool) -> bool:
    """Whether another request is answered after it."""

    async def asked() -> None:
        IN_REQUEST.set(request)
        await step()

    async def other() -> bool:
        IN_REQUEST.set(True)
        return True

    async def both() -> bool:
        with Watchdog(asyncio.get_running_loop(), SECONDS):
            first = asyncio.create_task(asked())
            second = asyncio.create_task(other())
            try:
                await first
            finally:
                assert await second
        return True

    return asyncio.run(both())


@pytest.mark.parametrize("step", [loop_for_ever, backtrack_for_ever])
def test_what_never_lets_go_is_interrupted(step: Callable[[], Awaitable[None]]) -> None:
    with pytest.raises(StalledError):
        watched(step, request=True)


@pytest.mark.parametrize("step", [take_short_steps, wait_long])
def test_what_lets_the_others_go_on_is_not(step: Callable[[], Awaitable[None]]) -> None:
    assert watched(step, request=True)


def test_what_is_no_request_is_not() -> None:
    async def start_up() -> None:
        spend(3 * SECONDS)

    assert watched(start_up, request=False)


def test_it_interrupts_again() -> None:
    async def swallow() -> None:
        for _ in range(2):
            with pytest.raises(StalledError):
                await loop_for_ever()

    assert watched(swallow, request=True)
