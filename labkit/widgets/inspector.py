"""The token inspector: paste a token, see what it says and who would take it, and try to forge it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import ipywidgets
import requests

from labkit.errors import TokenError
from labkit.markup import Block, join, paragraph, plain, sentence
from labkit.tokens.decoding import shorten
from labkit.widgets.inspection import Check, editable, look_inside, tampered, usual_checks
from labkit.widgets.view import View, button, field, row

_NOTHING = "Paste a token to look inside. It isn't sent anywhere."


def token_inspector(
    token: str = "",
    *,
    issuer: str | None = None,
    client_id: str | None = None,
    http: requests.Session | None = None,
    clock: Callable[[], float] = time.time,
) -> TokenInspector:
    """Look inside a token: what it says, how long it is good, and what authorizers would answer. Then change a claim.

    Args:
        token: the token; it can also be pasted.
        issuer: whose tokens are trusted, such as a user pool's URL. Without it nothing is verified.
        client_id: the app client, for the authorizers that look at it.
        http: ``lab.http``, to fetch the issuer's public keys.
        clock: seconds since the epoch.
    """
    return TokenInspector(token, usual_checks(issuer, client_id, http), clock)


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
        contents: the token's three parts.
    """

    def __init__(self, token: str, checks: Mapping[str, Check], clock: Callable[[], float]) -> None:
        self._checks, self._clock = checks, clock
        self._original = self._forged = ""
        self._is_undoing = False
        self.token = field(ipywidgets.Textarea, "Token", value=token, placeholder="eyJ…", rows=3)
        self.again = button("Look at the clock again", self._look)
        self.claim = field(ipywidgets.Dropdown, "Claim", "20em")
        self.value = field(ipywidgets.Text, "New value", "30em")
        self.change = button("Change this claim", self._tamper)
        self.undo = button("Undo the change", self._restore, disabled=True)
        self.said, self.contents = ipywidgets.HTML(), ipywidgets.HTML()
        self.token.observe(self._edited, "value")
        self.claim.observe(self._chosen, "value")
        super().__init__(
            self.said,
            self.token,
            row(self.claim, self.value, self.change, self.undo, self.again),
            self.contents,
        )
        self._edited()

    # -- what the learner does ------------------------------------------------------------

    def _edited(self, _change: object = None) -> None:
        if self.token.value != self._forged:
            self._original = ""
        # A button that was pressed stays enabled: disabled, it would lose the keyboard's focus.
        self.undo.disabled = not (self._original or self._is_undoing)
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
        self._is_undoing = True
        self.token.value = self._original or self.token.value
        self._is_undoing = False

    # -- what is shown ----------------------------------------------------------------------

    def blocks(self) -> Iterator[Block]:
        """How long the token is good, what the checks say, and its three parts."""
        token = self.token.value
        if not token.strip():
            return iter([paragraph(_NOTHING)])
        return look_inside(token, self._checks, now=self._clock(), original=self._original)

    def _look(self, refused: TokenError | None = None) -> None:
        problem = [sentence(str(refused), role="alert")] if refused else []
        shown = [block.html for block in self.content()]
        self.said.value = join([*problem, *shown[:2]])
        self.contents.value = join(shown[2:])
