"""An ID token and an access token of one sign-in, side by side."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from labkit.tokens.decoding import DecodedToken, decode, printable, shorten, shown_value
from labkit.tokens.meaning import meaning

Where = Literal["only in the first", "only in the second", "different", "equal"]

_MAX_SHOWN, _MAX_CLAIMS = 60, 100
_WRAP = textwrap.TextWrapper(
    100,
    initial_indent=" " * 6,
    subsequent_indent=" " * 6,
    break_long_words=False,
    break_on_hyphens=False,
)
_STYLE = "text-align:left;vertical-align:top;white-space:normal;overflow-wrap:anywhere;"


@dataclass(frozen=True, slots=True)
class ComparedClaim:
    """One claim of two tokens.

    Attributes:
        name: the claim.
        where: in which token it is, and whether the values are equal.
        first: the first token's value as text; None when it isn't there.
        second: the second token's.
        meaning: what the claim means; empty for one that is nobody's standard.
    """

    name: str
    where: Where
    first: str | None
    second: str | None
    meaning: str


@dataclass(frozen=True)
class Comparison:
    """Two tokens side by side. Nothing here is verified.

    Attributes:
        first: the first token.
        second: the second token.
        claims: every claim of either, by where it is and then by name.
    """

    first: DecodedToken
    second: DecodedToken
    claims: tuple[ComparedClaim, ...]

    def names(self, where: Where) -> list[str]:
        """The claims that are there."""
        return [claim.name for claim in self.claims if claim.where == where]

    @property
    def only_in_first(self) -> list[str]:
        """The claims of the first token that the second doesn't have."""
        return self.names("only in the first")

    @property
    def only_in_second(self) -> list[str]:
        """The claims of the second token that the first doesn't have."""
        return self.names("only in the second")

    @property
    def different(self) -> list[str]:
        """The claims of both with different values."""
        return self.names("different")

    @property
    def equal(self) -> list[str]:
        """The claims of both with the same value."""
        return self.names("equal")

    @property
    def titles(self) -> tuple[str, str]:
        """What to call the two tokens."""
        first, second = self.first.kind, self.second.kind
        if first == second:
            return f"first {first}", f"second {second}"
        return first, second

    def groups(self) -> Iterator[tuple[str, list[ComparedClaim]]]:
        """What to show: the claims under a heading each, without empty groups."""
        first, second = self.titles
        headings: dict[Where, str] = {
            "only in the first": f"only in the {first}",
            "only in the second": f"only in the {second}",
            "different": "in both, different",
            "equal": "in both, equal",
        }
        for where, heading in headings.items():
            found = [claim for claim in self.claims if claim.where == where]
            if len(found) > _MAX_CLAIMS:
                heading += f" ({_MAX_CLAIMS} of {len(found):,})"
            if found:
                yield heading, found[:_MAX_CLAIMS]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        return str(self)

    def _lines(self) -> Iterator[str]:
        yield f"{self.titles[0]} and {self.titles[1]}, decoded but not verified"
        for heading, claims in self.groups():
            yield heading
            for claim in claims:
                values = _distinct(claim)
                yield f"  {_name(claim):<22} {values[0]}"
                yield from (f"  {'':<22} {value}" for value in values[1:])
                yield from _WRAP.wrap(claim.meaning)

    def _repr_html_(self) -> str:
        """The same as a table; what comes from the tokens is escaped."""
        head = _row("th", "claim", *self.titles, "meaning")
        body = "".join(
            f'<tr><th colspan="4" style="{_STYLE}">{html.escape(heading)}</th></tr>'
            + "".join(
                _row("td", _name(claim), claim.first, claim.second, claim.meaning)
                for claim in claims
            )
            for heading, claims in self.groups()
        )
        return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def compare(id_token: str | DecodedToken, access_token: str | DecodedToken) -> Comparison:
    """Show two tokens side by side: what only one has, what both have, and what each claim means.

    Args:
        id_token: a token, or what :func:`labkit.tokens.decode` or :func:`labkit.tokens.verify` returned.
        access_token: another one; usually of the same sign-in.

    Raises:
        TokenError: one of them isn't a signed token.

    >>> one = DecodedToken({}, {"token_use": "id", "aud": "app"})
    >>> two = DecodedToken({}, {"token_use": "access", "client_id": "app"})
    >>> compare(one, two).only_in_second
    ['client_id']
    """
    first, second = (
        token if isinstance(token, DecodedToken) else decode(token)
        for token in (id_token, access_token)
    )
    order: list[Where] = ["only in the first", "only in the second", "different", "equal"]
    claims = [_compared(name, first, second) for name in first.claims.keys() | second.claims.keys()]
    claims.sort(key=lambda claim: (order.index(claim.where), claim.name))
    return Comparison(first, second, tuple(claims))


def _compared(name: str, first: DecodedToken, second: DecodedToken) -> ComparedClaim:
    one, two = (
        shorten(shown_value(name, token.claims[name]), _MAX_SHOWN) if name in token.claims else None
        for token in (first, second)
    )
    where: Where
    if two is None:
        where = "only in the first"
    elif one is None:
        where = "only in the second"
    else:
        where = "equal" if _same(first.claims[name], second.claims[name]) else "different"
    return ComparedClaim(name, where, one, two, meaning(name))


def _same(one: object, two: object) -> bool:
    """Equal as JSON: ``true`` isn't ``1``."""
    try:
        return type(one) is type(two) and one == two
    except RecursionError:
        return False


def _name(claim: ComparedClaim) -> str:
    return shorten(printable(claim.name), _MAX_SHOWN)


def _distinct(claim: ComparedClaim) -> list[str]:
    """The values to show as text: one, if there is only one."""
    values = [value for value in (claim.first, claim.second) if value is not None]
    return values[:1] if claim.where == "equal" else values


def _row(tag: str, *cells: str | None) -> str:
    shown = "".join(f'<{tag} style="{_STYLE}">{html.escape(cell or "–")}</{tag}>' for cell in cells)
    return f"<tr>{shown}</tr>"
