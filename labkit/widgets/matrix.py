"""The who-may-call matrix: which caller gets which answer, as data that was run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets

from labkit.markup import BOLD, Block, Markup, grid, paragraph, plain, tag
from labkit.widgets.view import View, field, row

_HEAD = ("caller", "mode", "token", "expected", "actual", "reason")


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        caller: who calls.
        mode: the auth mode that guards what is called, or its verb and path.
        token: what kind of token or signature the caller sends.
        expected: the status that the rules say.
        actual: the status that came.
        reason: why, in plain words.
    """

    caller: str
    mode: str
    token: str
    expected: int
    actual: int
    reason: str

    @property
    def as_expected(self) -> bool:
        """Whether the answer was the expected one."""
        return self.actual == self.expected

    @property
    def cells(self) -> list[Markup]:
        """What a table shows; the mark stands with the answer."""
        actual = f"{'✓' if self.as_expected else '✗'} {self.actual}"
        cells = (self.caller, self.mode, self.token, str(self.expected), actual, self.reason)
        style = "" if self.as_expected else BOLD
        return [tag("span", cell, style=style) for cell in cells]


def who_may_call(rows: Sequence[Call]) -> Matrix:
    """Show who may call what: a table to filter, with a mark at every answer that wasn't expected."""
    return Matrix(rows)


def summary(rows: Sequence[Call]) -> str:
    """How many calls were answered as expected.

    >>> row = "me", "GET /demo", "ID token"
    >>> summary([Call(*row, 200, 200, "without scopes"), Call(*row, 200, 401, "without scopes")])
    '2 calls: 1 answered as expected, 1 not as expected'
    """
    good = sum(one.as_expected for one in rows)
    counted = {"answered as expected": good, "not as expected": len(rows) - good}
    calls = f"{len(rows)} call{'' if len(rows) == 1 else 's'}"
    said = ", ".join(f"{number} {what}" for what, number in counted.items() if number)
    return f"{calls}: {said}" if said else calls


class Matrix(View):
    """What :func:`who_may_call` shows.

    Attributes:
        rows: all calls.
        caller: chooses the calls of one caller.
        mode: chooses the calls of one mode.
        only_surprises: leaves out what was answered as expected.
        shown: the table.
    """

    def __init__(self, rows: Sequence[Call]) -> None:
        self.rows = rows
        self.caller = _chooser("Caller", [one.caller for one in rows])
        self.mode = _chooser("Mode", [one.mode for one in rows])
        self.only_surprises = ipywidgets.Checkbox(
            description="Only what wasn't expected", indent=False, layout={"width": "auto"}
        )
        self.shown = ipywidgets.HTML()
        for control in (self.caller, self.mode, self.only_surprises):
            control.observe(self._update, "value")
        super().__init__(row(self.caller, self.mode, self.only_surprises), self.shown)
        self._update()

    def chosen(self) -> list[Call]:
        """The calls that the filters let through."""
        return [
            one
            for one in self.rows
            if self.caller.value in (None, one.caller)
            and self.mode.value in (None, one.mode)
            and not (self.only_surprises.value and one.as_expected)
        ]

    def _update(self, _change: object = None) -> None:
        self.shown.value = self.html()

    def blocks(self) -> Iterator[Block]:
        """How many were answered as expected, and the table."""
        rows = self.chosen()
        yield paragraph(summary(rows), role="status")
        if rows:
            yield grid("Who may call", _HEAD, [one.cells for one in rows])


def _chooser(label: str, values: Iterable[str]) -> Any:
    options = [("all", None), *((plain(value), value) for value in dict.fromkeys(values))]
    return field(ipywidgets.Dropdown, label, "24em", options=options, index=0)
