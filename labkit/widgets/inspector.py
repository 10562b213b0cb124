"""The token inspector: paste a token, see what it says and who would take it, and try to forge it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import ipywidgets

from labkit.errors import TokenError
from labkit.names import SCOPE
from labkit.tokens.decoding import shorten
from labkit.tokens.keys import Http
from labkit.widgets.inspection import (
    Fact,
    Inspection,
    Judge,
    Said,
    Verify,
    editable,
    look_inside,
    tampered,
    usual_verdicts,
    verifier,
)
from labkit.widgets.view import (
    BOLD,
    LABEL,
    MONOSPACE,
    WIDE,
    Markup,
    View,
    button,
    join,
    plain,
    row,
    sentence,
    table,
    tag,
)

_NOTHING = "Paste a token to look inside. It isn't sent anywhere."


def token_inspector(
    token: str | None = None,
    *,
    issuer: str | None = None,
    client_id: str | None = None,
    scopes: Iterable[str] = (SCOPE,),
    http: Http | None = None,
    verify: Verify | None = None,
    verdicts: Mapping[str, Judge] | None = None,
    clock: Callable[[], float] = time.time,
) -> TokenInspector:
    """Look inside a token: what it says, how long it is good, and what authorizers would answer. Then change a claim.

    Args:
        token: the token; it can also be pasted.
        issuer: whose tokens are trusted, such as a user pool's URL. Without it nothing is verified.
        client_id: the app client, for the authorizers that look at it.
        scopes: the scopes of the REST API's method that has some.
        http: ``lab.http``, to fetch the issuer's public keys.
        verify: what verifies instead of :func:`labkit.tokens.verify`; it takes the token and ``now``.
        verdicts: what authorizers say instead of the three usual ones, by what to call them; they take the same.
        clock: seconds since the epoch.
    """
    if issuer is not None:
        scopes = list(scopes)
        verify = verify or verifier(issuer, http)
        usual = usual_verdicts(issuer, client_id, scopes, http)
        verdicts = usual if verdicts is None else verdicts
    return TokenInspector(token or "", verify, verdicts or {}, clock)


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

    def __init__(
        self,
        token: str,
        verify: Verify | None,
        verdicts: Mapping[str, Judge],
        clock: Callable[[], float],
    ) -> None:
        self._verify, self._verdicts, self._clock = verify, verdicts, clock
        self._original = ""
        self._tampering = False
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
        if not self._tampering:
            self._original = ""
        self.undo.disabled = not self._original
        self._offer_claims()
        self._look()

    def _offer_claims(self) -> None:
        """Let a claim of this token be chosen; the chosen one stays chosen."""
        claims: dict[str, str] = {}
        with suppress(TokenError):  # _look says it
            claims = editable(self.token.value)
        before = self.claim.value
        self.claim.options = [(shorten(plain(name), 100), name) for name in claims]
        if claims:
            self.claim.value = before if before in claims else next(iter(claims))
        self.claim.disabled = self.value.disabled = self.change.disabled = not claims
        self._chosen()

    def _chosen(self, _change: object = None) -> None:
        if self.claim.value is not None:
            self.value.value = plain(editable(self.token.value)[self.claim.value])

    def _tamper(self) -> None:
        try:
            forged = tampered(self.token.value, self.claim.value, self.value.value)
        except TokenError as error:
            self._look(error)
            return
        self._replace(forged, self._original or self.token.value)

    def _restore(self) -> None:
        self._replace(self._original, "")

    def _replace(self, token: str, original: str) -> None:
        """Put a token that the widget made where the learner's stands."""
        self._original, self._tampering = original, True
        try:
            self.token.value = token
        finally:
            self._tampering = False

    # -- what is shown ----------------------------------------------------------------------

    def _inspection(self) -> Inspection:
        return look_inside(
            self.token.value,
            verify=self._verify,
            verdicts=self._verdicts,
            now=self._clock(),
            original=self._original,
        )

    def _look(self, refused: TokenError | None = None) -> None:
        if not self.token.value.strip():
            self.said.value, self.contents.value = sentence(_NOTHING), ""
            return
        try:
            found = self._inspection()
        except TokenError as error:
            self.said.value, self.contents.value = _problem(error), ""
            return
        self.said.value = join([_problem(refused) if refused else "", _said(found)])
        self.contents.value = _contents(found)

    def __str__(self) -> str:
        if not self.token.value.strip():
            return _NOTHING
        try:
            return "\n".join(map(plain, self._inspection().lines()))
        except TokenError as error:
            return plain(str(error))


def _problem(error: TokenError) -> Markup:
    return sentence(str(error), role="alert")


def _said(found: Inspection) -> Markup:
    head = sentence(join([tag("b", found.kind), f": {found.time_left}"]), role="status")
    return tag("div", head, table("Who takes it", ("who", "answer"), map(_answer, found.said)))


def _answer(one: Said) -> tuple[str, str]:
    first, *rest = one.words
    lines = [tag("div", f"{one.mark} {first}", style=BOLD), *(tag("div", line) for line in rest)]
    return one.who, join(lines)


def _contents(found: Inspection) -> Markup:
    head = ("name", "value", "meaning")
    more = sentence(f"… and {found.more:,} more") if found.more else ""
    return tag(
        "div",
        table("Header", head, map(_fact, found.header)),
        table("Claims", head, map(_fact, found.claims)),
        more,
    )


def _fact(fact: Fact) -> tuple[Any, ...]:
    mark = "✎ changed: " if fact.changed else ""
    value = tag("span", fact.value, style=MONOSPACE)
    shown = join([mark, value])
    weight = BOLD if fact.changed else ""
    return (
        tag("span", fact.name, style=f"{MONOSPACE}{weight}"),
        tag("span", shown, style=weight),
        fact.meaning,
    )
