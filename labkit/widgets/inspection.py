"""What the token inspector shows, as data: what a token says, how long it is good, and what checks say of it."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from labkit.clock import in_words
from labkit.errors import LabkitError, TokenError
from labkit.names import SCOPE
from labkit.tokens import DecodedToken, Verdict, decode, meaning, verdict, verify
from labkit.tokens.authorizer_rules import issuer_of_pool
from labkit.tokens.decoding import bare, printable, read_json, shorten, shown_value
from labkit.tokens.keys import Http

MAX_SHOWN = 200
"""So many fields of a header or of the claims are shown."""
PASSES, FAILS, UNKNOWN = "✓", "✗", "?"
_LONGEST_VALUE = 1_000
_EXACT_SECONDS = 120
_FAR, _ENDLESS = 10 * 365 * 86_400, 1e11


class Verify(Protocol):
    """Checks a token as :func:`labkit.tokens.verify` does; its other arguments are bound."""

    def __call__(self, token: str, *, now: float) -> DecodedToken:
        """What the token says, or an error of labkit."""


class Judge(Protocol):
    """Says what an authorizer answers as :func:`labkit.tokens.verdict` does; its other arguments are bound."""

    def __call__(self, token: str, *, now: float) -> Verdict:
        """The answer."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One field of a header, or one claim.

    Attributes:
        name: its name.
        value: its value as text.
        meaning: what it means; empty for one that is nobody's standard.
        changed: whether it differs from the token that was given first.
    """

    name: str
    value: str
    meaning: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What one check says of the token.

    Attributes:
        who: the check, or the authorizer.
        mark: passes, fails, or unknown.
        words: its answer, line by line.
    """

    who: str
    mark: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that is known of a token without sending it anywhere.

    Attributes:
        kind: what it is, in words.
        time_left: how long it is good.
        said: what the checks say.
        header: the header's fields.
        claims: the claims.
        more: how many fields there are beyond those.
    """

    kind: str
    time_left: str
    said: tuple[Said, ...]
    header: tuple[Fact, ...]
    claims: tuple[Fact, ...]
    more: int = 0

    def lines(self) -> Iterator[str]:
        """The text twin."""
        yield f"{self.kind}: {self.time_left}"
        for one in self.said:
            first, *rest = one.words
            yield f"  {one.mark} {one.who}: {first}"
            yield from (f"      {words}" for words in rest)
        for title, facts in (("header", self.header), ("claims", self.claims)):
            yield title
            for fact in facts:
                yield f"  {fact.name:<16} {fact.value}{' (changed)' if fact.changed else ''}"
                yield from [f"      {fact.meaning}"] if fact.meaning else []
        if self.more:
            yield f"  … and {self.more:,} more"

    def __str__(self) -> str:
        return "\n".join(self.lines())


def look_inside(
    token: str,
    *,
    verify: Verify | None,
    verdicts: Mapping[str, Judge],
    now: float,
    original: str = "",
) -> Inspection:
    """Look at a token.

    Args:
        token: the token.
        verify: checks it; None when nothing is known of who issued it.
        verdicts: the authorizers by what to call them.
        now: seconds since the epoch.
        original: the token before it was changed.

    Raises:
        TokenError: it can't be read.
    """
    decoded = decode(token)
    before = decoded if not original else decode(original)
    return Inspection(
        decoded.kind,
        time_left(decoded.claims, now),
        tuple(_said(token, verify, verdicts, now)),
        tuple(_facts(decoded.header, before.header)),
        tuple(_facts(decoded.claims, before.claims)),
        sum(max(0, len(part) - MAX_SHOWN) for part in (decoded.header, decoded.claims)),
    )


def _facts(fields: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Fact]:
    for name in sorted(fields)[:MAX_SHOWN]:
        value = shown_value(name, fields[name])
        changed = name not in before or shown_value(name, before[name]) != value
        yield Fact(
            shorten(printable(name), 100), shorten(value, _LONGEST_VALUE), meaning(name), changed
        )


# -- time -----------------------------------------------------------------------------------


def time_left(claims: Mapping[str, Any], now: float) -> str:
    """How long a token is still good, rounded so that a moment more or less doesn't show.

    >>> time_left({"iat": 0, "exp": 3600}, 2.5)
    'about 1 h left of 1 h'
    >>> time_left({"exp": 3600}, 7202.5)
    'expired, about 1 h ago'
    >>> time_left({}, 0)
    'it never expires: it has no exp'
    """
    end, begin = _seconds(claims.get("exp")), _seconds(claims.get("iat"))
    if end is None:
        return "it never expires: it has no exp"
    if end <= now:
        return f"expired, {_about(now - end, math.floor)} ago"
    whole = "" if begin is None or begin >= end else f" of {_length(end - begin)}"
    return f"{_about(end - now, math.ceil)} left{whole}"


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(min(max(value, -_ENDLESS), _ENDLESS))


def _about(seconds: float, rounded: Callable[[float], int]) -> str:
    """A length in whole minutes, unless it is short: then every second counts."""
    if seconds < _EXACT_SECONDS:
        return in_words(max(1, round(seconds)))
    return ("about " if seconds < _FAR else "") + _length(rounded(seconds / 60) * 60)


def _length(seconds: float) -> str:
    return in_words(max(1, round(seconds))) if seconds < _FAR else "more than 10 years"


# -- checks ---------------------------------------------------------------------------------


def _said(
    token: str, verify: Verify | None, verdicts: Mapping[str, Judge], now: float
) -> Iterator[Said]:
    if verify is None:
        yield Said("verification", UNKNOWN, ("not verified: anybody can write a token",))
    else:
        yield _asked("verification", partial(_verified, verify, token, now))
    for who, judge in verdicts.items():
        yield _asked(who, partial(_judged, judge, token, now))


def _asked(who: str, ask: Callable[[], tuple[bool, list[str]]]) -> Said:
    try:
        passes, words = ask()
    except LabkitError as error:  # nothing can be said, as when the keys can't be fetched
        return Said(who, UNKNOWN, (str(error),))
    return Said(who, PASSES if passes else FAILS, tuple(words))


def _verified(verify: Verify, token: str, now: float) -> tuple[bool, list[str]]:
    try:
        verify(token, now=now)
    except TokenError as error:
        return False, [str(error)]
    return True, ["the signature is the issuer's, and its claims hold"]


def _judged(judge: Judge, token: str, now: float) -> tuple[bool, list[str]]:
    answer = judge(token, now=now)
    return answer.allowed, answer.lines()


def verifier(issuer: str, http: Http | None) -> Verify:
    """Checks tokens of an issuer."""
    return lambda token, *, now: verify(token, issuer=issuer, http=http, now=now)


def usual_verdicts(
    issuer: str, client_id: str | None, scopes: Iterable[str] = (SCOPE,), http: Http | None = None
) -> dict[str, Judge]:
    """The authorizers that a learner compares: a REST API's with and without scopes, an HTTP API's.

    Args:
        issuer: whose tokens they take; only a user pool can be a REST API's.
        client_id: the app client; an HTTP API's authorizer needs one.
        scopes: of the method with scopes.
        http: ``lab.http``, to fetch the keys.
    """
    found: dict[str, Judge] = {}
    pool_id = issuer.rstrip("/").rsplit("/", 1)[-1]
    clients = None if client_id is None else [client_id]
    if issuer == issuer_of_pool(pool_id):
        pool = {"type": "COGNITO_USER_POOLS", "providerARNs": [f"userpool/{pool_id}"]}
        asked = list(scopes)
        found["REST API, method without scopes"] = lambda token, *, now: verdict(
            token, authorizer=pool, clients=clients, http=http, now=now
        )
        found[f"REST API, method with {' '.join(asked)}"] = lambda token, *, now: verdict(
            token, authorizer=pool, scopes=asked, clients=clients, http=http, now=now
        )
    if clients is not None:
        settings = {"Issuer": issuer, "Audience": clients}
        authorizer = {"AuthorizerType": "JWT", "JwtConfiguration": settings}
        found["HTTP API, JWT authorizer"] = lambda token, *, now: verdict(
            token, authorizer=authorizer, http=http, now=now
        )
    return found


# -- tampering ------------------------------------------------------------------------------


def editable(token: str) -> dict[str, str]:
    """The claims as a learner may write them: a text as it is, everything else as JSON.

    Raises:
        TokenError: the token can't be read.
    """
    claims = decode(token).claims
    return {name: _writable(name, claims[name]) for name in sorted(claims)[:MAX_SHOWN]}


def _writable(name: str, value: object) -> str:
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except (RecursionError, ValueError):
        return shown_value(name, value)


def tampered(token: str, claim: str, text: str) -> str:
    """The token with one claim changed; header and signature stay, as a forger has no key.

    Args:
        token: the token.
        claim: the name of the claim.
        text: its new value: text stays text; for another value JSON is read as JSON.

    Raises:
        TokenError: the token can't be read or written, or the claim has this value already.

    >>> decode(tampered("eyJhbGciOiJSUzI1NiJ9.eyJhZG1pbiI6ZmFsc2V9.c2ln", "admin", "true")).claims
    {'admin': True}
    """
    claims = dict(decode(token).claims)
    value = _value(text, claims.get(claim))
    if claim in claims and claims[claim] == value and type(claims[claim]) is type(value):
        raise TokenError(f"The claim {printable(claim)} has this value already: write another one.")
    claims[claim] = value
    try:
        payload = json.dumps(claims, separators=(",", ":"), allow_nan=False).encode()
    except (RecursionError, ValueError) as error:
        raise TokenError(
            "This token's claims can't be written again: try another token."
        ) from error
    header, _payload, signature = bare(token).split(".")
    part = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    return f"{header}.{part}.{signature}"


def _value(text: str, before: object) -> Any:
    if isinstance(before, str):
        return text
    try:
        return read_json(text.encode(), [])
    except (ValueError, RecursionError):
        return text
