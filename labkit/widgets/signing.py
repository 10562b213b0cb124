"""The signature steps: edit a request and see which lines of Signature v4's four steps change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

import ipywidgets

from labkit.errors import LabkitError
from labkit.markup import BOLD, MONOSPACE, PLAIN, Block, Markup, sentence, tag
from labkit.names import REGION
from labkit.widgets.signing_steps import (
    CHANGED,
    EXAMPLE_KEY,
    GONE,
    SAME,
    Mark,
    Steps,
    marked,
    steps_of,
)
from labkit.widgets.view import View, button, field, row

EXAMPLE_URL = f"https://api123.execute-api.{REGION}.amazonaws.com/dev/demo?b=2&a=1"
EXAMPLE_TIME = "2013-05-24T00:00:00Z"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_TAG = {SAME: "span", CHANGED: "ins", GONE: "del"}
_STYLE = {SAME: "", CHANGED: f"{BOLD}text-decoration:none;", GONE: "text-decoration:line-through;"}


def signature_steps(
    method: str = "GET", url: str = EXAMPLE_URL, *, region: str = REGION
) -> SignatureSteps:
    """Sign a request and change it: the four steps follow, and the lines that a change touched are marked.

    The time is a fixed one, so that the signature is always the same; it can be changed too.

    Args:
        method: the verb.
        url: the whole URL.
        region: the API's Region.
    """
    parts = urlsplit(url)
    first = (method.upper(), parts.path or "/", parts.query, "", EXAMPLE_KEY[1], EXAMPLE_TIME)
    return SignatureSteps(first, partial(steps_of, host=parts.netloc, region=region))


class SignatureSteps(View):
    """What :func:`signature_steps` shows.

    Attributes:
        method: the verb; likewise ``path``, ``query``, ``header`` and ``clock``.
        secret: the secret access key.
        keep: the button that compares with the present request from now on.
        back: the button that brings the first request back.
        shown: the steps.
    """

    def __init__(self, first: Sequence[str], sign: Callable[[Sequence[str]], Steps]) -> None:
        method, path, query, header, secret, clock = self._first = first
        self._sign = sign
        methods = list(dict.fromkeys([method, *METHODS]))
        self.method = field(ipywidgets.Dropdown, "Method", "16em", options=methods)
        self.path = field(ipywidgets.Text, "Path", value=path)
        self.query = field(ipywidgets.Text, "Query", value=query)
        self.header = field(ipywidgets.Text, "Header", value=header, placeholder="name: value")
        self.secret = field(ipywidgets.Password, "Secret key", value=secret)
        self.clock = field(ipywidgets.Text, "Clock", value=clock)
        self.keep = button("Compare with this from now on", self._keep)
        self.back = button("Back to the first request", self._back)
        self.shown = ipywidgets.HTML()
        request = (self.method, self.path, self.query, self.header)
        self._inputs = (*request, self.secret, self.clock)
        self._before = self._steps()
        for one in self._inputs:
            one.observe(self._update, "value")
        super().__init__(*self._inputs, row(self.keep, self.back), self.shown)
        self._update()

    def _steps(self) -> Steps:
        """The steps of the request as it stands in the inputs."""
        return self._sign([one.value for one in self._inputs])

    def _keep(self) -> None:
        with suppress(LabkitError):  # _update says it
            self._before = self._steps()
        self._update()

    def _back(self) -> None:
        for one, value in zip(self._inputs, self._first, strict=True):
            one.value = value
        self._keep()

    def _update(self, _change: object = None) -> None:
        self.shown.value = self.html()

    def blocks(self) -> Iterator[Block]:
        """The steps, with a mark at each line that a change touched."""
        for (title, now), (_title, before) in zip(self._steps(), self._before, strict=True):
            yield _step(title, list(marked(before, now)))


def _step(title: str, lines: Sequence[tuple[Mark, str]]) -> Block:
    touched = any(mark != SAME for mark, _line in lines)
    heading = sentence(tag("b", f"{title}, {CHANGED} changed" if touched else title))
    rows = tag("ol", *map(_line, lines), style="margin:0;padding:0;list-style:none;")
    text = (f"  {mark} {line}".rstrip() for mark, line in lines)
    return Block([title, *text], tag("section", heading, rows))


def _line(one: tuple[Mark, str]) -> Markup:
    mark, line = one
    style = f"{PLAIN}{MONOSPACE}display:flex;white-space:pre-wrap;min-height:1.4em;"
    return tag(
        "li",
        tag("span", mark, style="flex:none;width:1.5em;"),
        tag(_TAG[mark], line, style=f"min-width:0;{_STYLE[mark]}"),
        style=style,
    )
