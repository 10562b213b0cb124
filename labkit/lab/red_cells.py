"""What a notebook shows of a cell that failed: one card for an error of labkit's, and a line that points to the doctor.

The cell fails as ever: whoever runs the notebook sees the error. ``%tb`` shows the whole traceback, ``%debug`` works.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

import requests
from botocore.exceptions import BotoCoreError, ClientError

from labkit.course.exercises import BLANK
from labkit.doctor import explain
from labkit.errors import LabkitError
from labkit.lab.error_card import (
    BLANK_LEFT,
    Helper,
    card_of,
    card_of_blank,
    card_of_client,
    html_of,
    lines_of,
    short_text,
    text_of,
)

_EXPLAINED = "lab.explain() says what this means, and what to try."
_UNKNOWN_NAME = "Is it misspelt? Or hasn't the cell that makes it run since the kernel started?"
_WHOLE = "%tb shows Python's whole traceback."
_MAY_BE_A_BLANK = (NameError, AttributeError)
_OF_CLIENTS = (BotoCoreError, ClientError, requests.RequestException)


def install(helper: Helper | None = None) -> None:
    """Show errors as cards from here on, in an IPython or a notebook; elsewhere nothing changes.

    Args:
        helper: the lab, which knows what an answer means; None before there is one.
    """
    ipython: Any = sys.modules.get("IPython")  # nothing is imported for it
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return

    def show(shell: Any, kind: type, error: Exception, trace: Any, tb_offset: Any = None) -> None:
        of_client = isinstance(error, _OF_CLIENTS)
        shown = _cells_part(trace, shell.user_ns) if of_client else trace
        # One that can't even be printed is shown by the kernel; IPython would drop this hook for it.
        with suppress(Exception), _prepared(shell, error, trace, helper):
            shell.showtraceback((kind, error, shown), tb_offset=tb_offset)
        sys.last_traceback = trace  # for %tb and %debug

    shell.set_custom_exc((LabkitError, *_MAY_BE_A_BLANK, *_OF_CLIENTS), show)


@contextmanager
def _prepared(
    shell: Any, error: Exception, trace: TracebackType, helper: Helper | None
) -> Iterator[None]:
    """The error as IPython shall show it; afterwards it is as it was.

    A fault in here never hides the learner's error: then Python's traceback is shown.
    """
    before = error.args, error.__context__
    try:
        _prepare(shell, error, trace, helper)
    except Exception:
        vars(error).pop("_render_traceback_", None)
    try:
        yield
    finally:
        error.args, error.__context__ = before
        vars(error).pop("_render_traceback_", None)


def _prepare(shell: Any, error: Exception, trace: TracebackType, helper: Helper | None) -> None:
    names: Mapping[str, object] = shell.user_ns
    said = lines_of(error)
    if isinstance(error, LabkitError):
        text, blocks = said, card_of(error, names, helper)
    elif getattr(error, "name", None) == BLANK:
        said = text = BLANK_LEFT
        blocks = card_of_blank(shell.history_manager.input_hist_raw[-1])
    elif isinstance(error, _MAY_BE_A_BLANK):
        if isinstance(error, NameError):
            error.add_note(_UNKNOWN_NAME)
        return
    else:
        found = (helper.explain if helper else explain)(error)
        in_labkit = isinstance(error, ClientError) and _is_labkits(trace)
        if not found.known and not in_labkit:
            return
        if isinstance(error, ClientError) and not in_labkit:
            error.add_note(_EXPLAINED)
            return
        text, blocks = said, card_of(error, names, helper)  # AWS's own words
        if found.known:
            text, blocks = card_of_client(error, found)
    from IPython.display import display

    short = [short_text(error, text), _place(trace, names)]
    display({"text/html": html_of(blocks), "text/plain": text_of(blocks)}, raw=True)  # type: ignore[no-untyped-call]
    # IPython's own protocol: what an error says of itself stands in place of the traceback.
    vars(error)["_render_traceback_"] = lambda: short
    error.args = (said,)
    # A group in it would be shown in another way, and without an error message.
    error.__context__ = None


def _cells_part(trace: TracebackType, names: Mapping[str, object]) -> TracebackType:
    """A traceback up to the last line of the notebook: below it a client's library has 40 lines of its own."""
    steps = []
    step: TracebackType | None = trace
    while step is not None:
        steps.append(step)
        step = step.tb_next
    while steps and steps[-1].tb_frame.f_globals is not names:
        steps.pop()
    cut = None
    for one in reversed(steps):
        cut = TracebackType(cut, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return cut or trace


def _is_labkits(trace: TracebackType) -> bool:
    """Whether labkit made the call, not the learner's own code."""
    modules = (frame.f_globals.get("__name__", "") for frame, _line in traceback.walk_tb(trace))
    return any(module.startswith("labkit.") for module in modules)


def _place(trace: TracebackType, names: Mapping[str, object]) -> str:
    """In which line of the cell it happened."""
    for frame, line in traceback.walk_tb(trace):
        if frame.f_globals is names and frame.f_code.co_name == "<module>":
            return f"In line {line} of this cell. {_WHOLE}"
    return _WHOLE
