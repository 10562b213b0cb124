"""Every checked task of the course, and how it is checked."""

from __future__ import annotations

import time
from collections.abc import Callable

from labkit.course.checks import (
    api_call,
    authorizer,
    deletion,
    first_request,
    function,
    rest_api,
    sign_in,
    strangers,
    user,
    user_pool,
)
from labkit.course.checks.missing import Done, Look, Missing
from labkit.course.exercises import exercise
from labkit.course.hints import card_of
from labkit.errors import TaskError

Check = Callable[[Look], str]
"""Says what is there; raises :class:`Missing` with the first thing that isn't."""

TASKS: dict[str, Check] = {
    "0.1": first_request.reaches_the_authorizer,
    "1.1": function.is_trusted,
    "1.2": function.is_permitted,
    "1.3": function.answers,
    "2.1a": user_pool.is_made,
    "2.1b": user_pool.has_app_client,
    "2.1c": user_pool.is_named,
    "2.2": user_pool.is_passwordless,
    "3.1": rest_api.is_made,
    "3.2": rest_api.is_integrated,
    "3.3": rest_api.may_invoke,
    "4.1": authorizer.is_made,
    "4.2": authorizer.is_attached,
    "4.3": authorizer.is_deployed,
    "5.1": user.is_made,
    "5.2": user.is_let_in,
    "5.3": user.is_alone,
    "6.1": sign_in.code_is_sent,
    "6.2": sign_in.is_signed_in,
    "6.3": api_call.comes_in,
    "6b.1": strangers.one_is_inside,
    "6b.2": strangers.is_closed,
    "6b.3": strangers.is_put_out,
    "7.1": deletion.parts_are_gone,
    "7.2": deletion.rest_is_gone,
}

_PAUSE_SECONDS = 2


def check(
    task: str,
    look: Look,
    patience_seconds: float = 0,
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Done:
    """Ask the cloud whether a task is done.

    Args:
        task: its number, such as ``4.2``.
        look: what to look with.
        patience_seconds: how long to wait for what may only be late.
        sleep: waits between two looks.
        now: the time in seconds; a look takes some too.

    Raises:
        UnknownTaskError: the course has no such task.
        TaskError: it isn't done.
    """
    asks = TASKS[exercise(task).id]
    deadline = now() + patience_seconds
    while True:
        try:
            return Done(task, asks(look))
        except Missing as missing:
            if not missing.late or now() >= deadline:
                message = f"Task {task} isn't done yet. {missing}"
                card = card_of(task, missing.what, missing.step)
                raise TaskError(message, task=task, card=card) from None
        sleep(_PAUSE_SECONDS)
