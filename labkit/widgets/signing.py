"""The signature steps: edit a request and see which lines of Signature v4's four steps change."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import replace
from typing import Any

import ipywidgets

from labkit import sigv4
from labkit.errors import LabkitError
from labkit.names import REGION
from labkit.widgets.signing_steps import (
    CHANGED,
    GONE,
    SAME,
    ExampleCredentials,
    MarkedLine,
    SigningRequest,
    marked_steps,
    request_of,
    steps_of,
)
from labkit.widgets.view import (
    BOLD,
    LABEL,
    MONOSPACE,
    PLAIN,
    WIDE,
    Markup,
    View,
    button,
    plain,
    row,
    sentence,
    tag,
)

EXAMPLE_URL = f"https://api123.execute-api.{REGION}.amazonaws.com/dev/demo?b=2&a=1"
EXAMPLE_TIME = dt.datetime(2013, 5, 24, tzinfo=dt.UTC)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_TAG = {SAME: "span", CHANGED: "ins", GONE: "del"}
_STYLE = {SAME: "", CHANGED: f"{BOLD}text-decoration:none;", GONE: "text-decoration:line-through;"}


def signature_steps(
    method: str = "GET",
    url: str = EXAMPLE_URL,
    *,
    header: str = "",
    body: str = "",
    credentials: sigv4.Credentials | None = None,
    region: str = REGION,
    service: str = "execute-api",
    now: dt.datetime = EXAMPLE_TIME,
) -> SignatureSteps:
    """Sign a request and change it: the four steps follow, and the lines that a change touched are marked.

    Args:
        method: the verb.
        url: the whole URL.
        header: one more header to sign, ``name: value``.
        body: the body.
        credentials: botocore's; AWS's documented example unless given.
        region: the API's Region.
        service: the signing name.
        now: the time of the signature; a fixed one unless given, so that the signature is always the same.
    """
    request = request_of(
        method,
        url,
        header=header,
        body=body,
        credentials=credentials or ExampleCredentials(),
        region=region,
        service=service,
        now=now,
    )
    return SignatureSteps(request)


class SignatureSteps(View):
    """What :func:`signature_steps` shows.

    Attributes:
        method: the verb.
        path: the path.
        query: the query string.
        header: one header.
        secret: the secret access key.
        clock: the time.
        keep: the button that compares with the present request from now on.
        back: the button that brings the first request back.
        shown: the steps.
    """

    def __init__(self, request: SigningRequest) -> None:
        self._first = self._request = request
        self._before = steps_of(request)
        self.method = ipywidgets.Dropdown(
            description="Method",
            options=list(dict.fromkeys([request.method, *METHODS])),
            layout={"width": "16em"},
            style=LABEL,
        )
        self.path = _text("Path", request.path)
        self.query = _text("Query", request.query)
        self.header = _text("Header", request.header, placeholder="name: value")
        is_example = isinstance(request.credentials, ExampleCredentials)
        self._secret = request.credentials.secret_key if is_example else ""
        self.secret = ipywidgets.Password(
            value=self._secret,  # a learner's own isn't put where a browser may keep it
            description="Secret key",
            placeholder="the one of the given credentials",
            layout=WIDE,
            style=LABEL,
        )
        self.clock = _text("Clock", request.clock)
        self.keep = button("Compare with this from now on", self._keep)
        self.back = button("Back to the first request", self._back)
        self.shown = ipywidgets.HTML()
        self._inputs = (
            self.method,
            self.path,
            self.query,
            self.header,
            self.secret,
            self.clock,
        )
        for one in self._inputs:
            one.observe(self._update, "value")
        super().__init__(*self._inputs, row(self.keep, self.back), self.shown)
        self._update()

    def _asked(self) -> SigningRequest:
        """The request as it stands in the inputs."""
        edited = replace(
            self._first,
            method=self.method.value,
            path=self.path.value,
            query=self.query.value,
            header=self.header.value,
            clock=self.clock.value,
        )
        typed = self.secret.value
        return edited if typed == self._secret else edited.with_secret(typed)

    def _keep(self) -> None:
        with suppress(LabkitError):  # _update says it
            self._before = steps_of(self._asked())
        self._update()

    def _back(self) -> None:
        self._before = steps_of(self._first)
        for one, value in zip(
            self._inputs,
            (
                self._first.method,
                self._first.path,
                self._first.query,
                self._first.header,
                self._secret,
                self._first.clock,
            ),
            strict=True,
        ):
            one.value = value
        self._update()

    def _marked(self) -> list[tuple[str, list[MarkedLine]]]:
        return list(marked_steps(self._before, steps_of(self._asked())))

    def _update(self, _change: object = None) -> None:
        try:
            steps = self._marked()
        except LabkitError as error:
            self.shown.value = sentence(str(error), role="alert")
            return
        self.shown.value = tag("div", *(_step(title, lines) for title, lines in steps))

    def __str__(self) -> str:
        try:
            steps = self._marked()
        except LabkitError as error:
            return plain(str(error))
        return "\n".join(
            text
            for title, lines in steps
            for text in (title, *(f"  {one.mark} {plain(one.text)}".rstrip() for one in lines))
        )


def _text(label: str, value: str, placeholder: str = "") -> Any:
    return ipywidgets.Text(
        value, description=label, placeholder=placeholder, layout=WIDE, style=LABEL
    )


def _step(title: str, lines: list[MarkedLine]) -> Markup:
    touched = any(one.mark != SAME for one in lines)
    said = f"{title}, {CHANGED} changed" if touched else title
    return tag(
        "section",
        sentence(tag("b", said)),
        tag("ol", *map(_line, lines), style="margin:0;padding:0;list-style:none;"),
    )


def _line(one: MarkedLine) -> Markup:
    mark = tag("span", one.mark, style="flex:none;width:1.5em;")
    text = tag(_TAG[one.mark], one.text, style=f"min-width:0;{_STYLE[one.mark]}")
    style = f"{PLAIN}{MONOSPACE}display:flex;white-space:pre-wrap;min-height:1.4em;"
    return tag("li", mark, text, style=style)
