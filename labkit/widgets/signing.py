"""The signature steps: edit a request and see which lines of Signature v4's four steps change."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import ipywidgets
from botocore.credentials import Credentials

from labkit import sigv4
from labkit.errors import LabkitError
from labkit.markup import BOLD, MONOSPACE, PLAIN, Markup, plain, sentence, tag
from labkit.names import REGION
from labkit.widgets.signing_steps import (
    CHANGED,
    GONE,
    SAME,
    Mark,
    SigningRequest,
    marked,
    steps_of,
)
from labkit.widgets.view import LABEL, WIDE, View, button, row

EXAMPLE_URL = f"https://api123.execute-api.{REGION}.amazonaws.com/dev/demo?b=2&a=1"
EXAMPLE_TIME = "2013-05-24T00:00:00Z"
EXAMPLE_KEY = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
"""Credentials as AWS's documentation has them: they open nothing."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_TAG = {SAME: "span", CHANGED: "ins", GONE: "del"}
_STYLE = {SAME: "", CHANGED: f"{BOLD}text-decoration:none;", GONE: "text-decoration:line-through;"}


def signature_steps(
    method: str = "GET",
    url: str = EXAMPLE_URL,
    *,
    header: str = "",
    credentials: sigv4.Credentials | None = None,
    region: str = REGION,
) -> SignatureSteps:
    """Sign a request and change it: the four steps follow, and the lines that a change touched are marked.

    The time is a fixed one, so that the signature is always the same; it can be changed too.

    Args:
        method: the verb.
        url: the whole URL.
        header: one more header to sign, ``name: value``.
        credentials: botocore's; AWS's documented example unless given.
        region: the API's Region.
    """
    parts = urlsplit(url)
    request = SigningRequest(method.upper(), parts.path or "/", parts.query, header, EXAMPLE_TIME)
    return SignatureSteps(request, parts.netloc, credentials, region)


class SignatureSteps(View):
    """What :func:`signature_steps` shows.

    Attributes:
        method: the verb; likewise ``path``, ``query``, ``header`` and ``clock``.
        secret: the secret access key.
        keep: the button that compares with the present request from now on.
        back: the button that brings the first request back.
        shown: the steps.
    """

    def __init__(
        self,
        request: SigningRequest,
        host: str,
        credentials: sigv4.Credentials | None,
        region: str,
    ) -> None:
        self._host, self._region = host, region
        self._key: sigv4.Credentials = credentials or Credentials(*EXAMPLE_KEY)
        self.method = ipywidgets.Dropdown(
            description="Method",
            options=list(dict.fromkeys([request.method, *METHODS])),
            layout={"width": "16em"},
            style=LABEL,
        )
        self.path = _text("Path", request.path)
        self.query = _text("Query", request.query)
        self.header = _text("Header", request.header, placeholder="name: value")
        self.secret = ipywidgets.Password(
            # A learner's own isn't put where a browser may keep it.
            value=self._key.secret_key if credentials is None else "",
            description="Secret key",
            placeholder="the one of the given credentials",
            layout=WIDE,
            style=LABEL,
        )
        self.clock = _text("Clock", request.clock)
        self.keep = button("Compare with this from now on", self._keep)
        self.back = button("Back to the first request", self._back)
        self.shown = ipywidgets.HTML()
        first = (self.method, self.path, self.query)
        self._inputs = (*first, self.header, self.secret, self.clock)
        self._first = [one.value for one in self._inputs]
        self._before = self._steps()
        for one in self._inputs:
            one.observe(self._update, "value")
        super().__init__(*self._inputs, row(self.keep, self.back), self.shown)
        self._update()

    def _steps(self) -> list[Any]:
        """The steps of the request as it stands in the inputs."""
        method, path, query, header, secret, clock = (one.value for one in self._inputs)
        request = SigningRequest(method, path, query, header, clock)
        own = self._key
        used = Credentials(own.access_key, secret, own.token) if secret else own
        return steps_of(request, self._host, used, self._region)

    def _keep(self) -> None:
        with suppress(LabkitError):  # _update says it
            self._before = self._steps()
        self._update()

    def _back(self) -> None:
        for one, value in zip(self._inputs, self._first, strict=True):
            one.value = value
        self._keep()

    def _marked(self) -> list[tuple[str, list[tuple[Mark, str]]]]:
        return [
            (now.title, list(marked(before.lines, now.lines)))
            for before, now in zip(self._before, self._steps(), strict=True)
        ]

    def _update(self, _change: object = None) -> None:
        try:
            self.shown.value = tag("div", *(_step(*step) for step in self._marked()))
        except LabkitError as error:
            self.shown.value = sentence(str(error), role="alert")

    def __str__(self) -> str:
        try:
            lines = [
                text
                for title, lines in self._marked()
                for text in (title, *(f"  {mark} {plain(line)}".rstrip() for mark, line in lines))
            ]
        except LabkitError as error:
            return plain(str(error))
        return "\n".join(lines)


def _text(label: str, value: str, placeholder: str = "") -> Any:
    return ipywidgets.Text(
        value, description=label, placeholder=placeholder, layout=WIDE, style=LABEL
    )


def _step(title: str, lines: list[tuple[Mark, str]]) -> Markup:
    touched = any(mark != SAME for mark, _line in lines)
    return tag(
        "section",
        sentence(tag("b", f"{title}, {CHANGED} changed" if touched else title)),
        tag("ol", *map(_line, lines), style="margin:0;padding:0;list-style:none;"),
    )


def _line(one: tuple[Mark, str]) -> Markup:
    mark, line = one
    style = f"{PLAIN}{MONOSPACE}display:flex;white-space:pre-wrap;min-height:1.4em;"
    return tag(
        "li",
        tag("span", mark, style="flex:none;width:1.5em;"),
        tag(_TAG[mark], line, style=f"min-width:0;{_STYLE[mark]}"),
        style=style,
    )
