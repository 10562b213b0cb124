"""The token inspector: paste a token, see what it says and who would take it, and try to forge it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import ipywidgets
import requests

from labkit.errors import TokenError
from labkit.markup import BOLD, MONOSPACE, Markup, join, plain, sentence, table, tag
from labkit.names import SCOPE
from labkit.tokens.decoding import shorten
from labkit.widgets.inspection import (
    Check,
    Fact,
    Inspection,
    Said,
    editable,
    look_inside,
    tampered,
    usual_checks,
)
from labkit.widgets.view import LABEL, WIDE, View, button, row

_NOTHING = "Paste a token to look inside. It isn't sent anywhere."


def token_inspector(
    token: str = "",
    *,
    issuer: str | None = None,
    client_id: str | None = None,
    scopes: Sequence[str] = (SCOPE,),
    http: requests.Session | None = None,
    clock: Callable[[], float] = time.time,
) -> TokenInspector:
    """Look inside a token: what it says, how long it is good, and what authorizers would answer. Then change a claim.

    Args:
        token: the token; it can also be pasted.
        issuer: whose tokens are trusted, such as a user pool's URL. Without it nothing is verified.
        client_id: the app client, for the authorizers that look at it.
        scopes: the scopes of the REST API's method that has some.
        http: ``lab.http``, to fetch the issuer's public keys.
        clock: seconds since the epoch.
    """
    return TokenInspector(token, usual_checks(issuer, client_id, scopes, http), clock)


class TokenInspector(View):
    """What :func:`token_inspector` shows.

    Attributes:
        token: where the token stands.
        again: the button that looks at the clock again.
        claim: chooses the claim to change.
        value: its new value.
        change: the button that changes it.
        undo: the button that brings the token back as it was.
        said: how long the token is good, and what the checks say.
        contents: header and claims.
    """

    def __init__(self, token: str, checks: Mapping[str, Check], clock: Callable[[], float]) -> None:
        self._checks, self._clock = checks, clock
        self._original = self._forged = ""
        self.token = ipywidgets.Textarea(
            token, description="Token", placeholder="eyJ…", rows=5, layout=WIDE, style=LABEL
        )
        self.again = button("Look at the clock again", self._look)
        self.claim = ipywidgets.Dropdown(description="Claim", layout={"width": "20em"}, style=LABEL)
        self.value = ipywidgets.Text(description="New value", layout={"width": "30em"}, style=LABEL)
        self.change = button("Change this claim", self._tamper)
        self.undo = button("Undo the change", self._restore, disabled=True)
        self.said, self.contents = ipywidgets.HTML(), ipywidgets.HTML()
        self.token.observe(self._edited, "value")
        self.claim.observe(self._chosen, "value")
        super().__init__(
            self.token,
            self.said,
            row(self.again),
            row(self.claim, self.value, self.change, self.undo),
            self.contents,
        )
        self._edited()

    # -- what the learner does ------------------------------------------------------------

    def _edited(self, _change: object = None) -> None:
        if self.token.value != self._forged:
            self._original = ""
        self.undo.disabled = not self._original
        claims: dict[str, str] = {}
        with suppress(TokenError):  # _look says it
            claims = editable(self.token.value)
        before = self.claim.value
        self.claim.options = [(shorten(plain(name), 100), name) for name in claims]
        if claims:  # the chosen one stays chosen
            self.claim.value = before if before in claims else next(iter(claims))
        self.claim.disabled = self.value.disabled = self.change.disabled = not claims
        self._chosen()
        self._look()

    def _chosen(self, _change: object = None) -> None:
        if self.claim.value is not None:
            self.value.value = plain(editable(self.token.value)[self.claim.value])

    def _tamper(self) -> None:
        try:
            forged = tampered(self.token.value, self.claim.value, self.value.value)
        except TokenError as error:
            self._look(error)
            return
        self._original, self._forged = self._original or self.token.value, forged
        self.token.value = forged

    def _restore(self) -> None:
        self.token.value = self._original

    # -- what is shown ----------------------------------------------------------------------

    def _inspection(self) -> Inspection:
        token, original = self.token.value, self._original
        return look_inside(token, self._checks, now=self._clock(), original=original)

    def _look(self, refused: TokenError | None = None) -> None:
        self.said.value, self.contents.value = self._html(refused)

    def _html(self, refused: TokenError | None) -> tuple[str, str]:
        if not self.token.value.strip():
            return sentence(_NOTHING), ""
        try:
            found = self._inspection()
        except TokenError as error:
            return sentence(str(error), role="alert"), ""
        problem = sentence(str(refused), role="alert") if refused else ""
        return join([problem, _said(found)]), _contents(found)

    def __str__(self) -> str:
        if not self.token.value.strip():
            return _NOTHING
        try:
            return "\n".join(map(plain, self._inspection().lines()))
        except TokenError as error:
            return plain(str(error))


def _said(found: Inspection) -> Markup:
    head = sentence(join([tag("b", found.kind), f": {found.time_left}"]), role="status")
    return tag("div", head, table("Who takes it", ("who", "answer"), map(_answer, found.said)))


def _answer(one: Said) -> tuple[str, str]:
    first, *rest = one.words
    lines = [tag("div", f"{one.mark} {first}", style=BOLD), *(tag("div", line) for line in rest)]
    return one.who, join(lines)


def _contents(found: Inspection) -> Markup:
    head = ("name", "value", "meaning")
    return tag(
        "div",
        table("Header", head, map(_fact, found.header)),
        table("Claims", head, map(_fact, found.claims)),
        sentence(f"… and {found.more:,} more") if found.more else "",
    )


def _fact(fact: Fact) -> tuple[str, ...]:
    weight, mark = (BOLD, "✎ changed: ") if fact.changed else ("", "")
    value = tag("span", fact.value, style=MONOSPACE)
    return (
        tag("span", fact.name, style=f"{MONOSPACE}{weight}"),
        tag("span", mark, value, style=weight),
        fact.meaning,
    )
