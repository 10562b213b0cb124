"""What the token inspector shows: what a token says, how long it is good, and what checks say of it."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import requests

from labkit.clock import in_words
from labkit.errors import LabkitError, TokenError
from labkit.markup import (
    BOLD,
    MONOSPACE,
    PLAIN,
    Block,
    Markup,
    join,
    paragraph,
    sentence,
    table,
    tag,
)
from labkit.names import SCOPE
from labkit.tokens import DecodedToken, decode
from labkit.tokens.authorizer_rules import issuer_of_pool
from labkit.tokens.decoding import bare, printable, read_json, shorten, shown_value
from labkit.tokens.meaning import meaning
from labkit.tokens.verdicts import Verdict, verdict, verify

MAX_SHOWN = 200
"""So many fields of a header or of the claims are shown."""
PASSES, FAILS, UNKNOWN = "✓", "✗", "?"
_EDGE = {PASSES: "success", FAILS: "error", UNKNOWN: "warn"}
PARTS = {"① header": "216,27,96", "② claims": "142,96,214", "③ signature": "0,137,123"}
"""A token's three parts, and a colour for each that reads on light and dark: red, green and blue."""
_SHOWN_OF_A_PART = 160
_LONGEST_VALUE = 1_000
_EXACT_SECONDS = 120
_FAR, _ENDLESS = 10 * 365 * 86_400, 1e11

Check = Callable[..., DecodedToken | Verdict]
"""What verification or an authorizer answers to a token at a time, ``now``."""


def look_inside(
    token: str, checks: Mapping[str, Check], *, now: float, original: str = ""
) -> Iterator[Block]:
    """What is known of a token without sending it anywhere: how long it is good, what checks say, its three parts.

    Args:
        token: the token.
        checks: by what to call them: see :func:`usual_checks`.
        now: seconds since the epoch.
        original: the token before it was changed.

    Raises:
        TokenError: it can't be read.
    """
    decoded = decode(token)
    before = decode(original or token)
    left = f": {time_left(decoded.claims, now)}"
    yield Block(
        [decoded.kind + left], sentence(join([tag("b", decoded.kind), left]), role="status")
    )
    yield _answers(
        [(who, *_ask(check, token, now)) for who, check in checks.items()]
        or [("verification", UNKNOWN, ["not verified: anybody can write a token"])]
    )
    yield _parts(bare(token).split("."), bare(original or token).split("."))
    header, claims, _signature = PARTS
    yield _facts(header, decoded.header, before.header)
    yield _facts(claims, decoded.claims, before.claims)
    if more := sum(max(0, len(part) - MAX_SHOWN) for part in (decoded.header, decoded.claims)):
        yield paragraph(f"  … and {more:,} more")


def _answers(said: Sequence[tuple[str, str, Sequence[str]]]) -> Block:
    """What each check says: its name, a mark, and its answer, line by line."""
    lines: list[str] = []
    rows = []
    for who, mark, (first, *rest) in said:
        lines += [f"  {mark} {who}: {first}", *(f"      {words}" for words in rest)]
        words = [tag("div", f"{mark} {first}", style=BOLD), *(tag("div", line) for line in rest)]
        edge = f"border-left:4px solid var(--jp-{_EDGE[mark]}-color1);padding-left:8px;"
        rows.append((who, tag("div", *words, style=edge)))
    return Block(lines, table("Who takes it", ("who", "answer"), rows))


def _parts(parts: Sequence[str], before: Sequence[str]) -> Block:
    """The token in three colours, its long parts cut; as text the names alone: a token is never written out."""
    names, shown = [], []
    for name, part, old in zip(PARTS, parts, before, strict=True):
        names.append(f"{name}{'' if part == old else ' (changed)'}")
        shown.append(tag("span", shorten(part, _SHOWN_OF_A_PART), style=_colour_of(name)))
    dots = tag("div", Markup(".".join(shown)), style=PLAIN + MONOSPACE)
    legend = [
        tag("span", name, style=_colour_of(name[: len(key)]))
        for key, name in zip(PARTS, names, strict=True)
    ]
    return Block([" . ".join(names)], tag("div", sentence(Markup(" . ".join(legend))), dots))


def _colour_of(part: str) -> str:
    colour = PARTS[part]
    return f"background:rgba({colour},.16);border-bottom:3px solid rgb({colour});padding:1px 3px;"


def _facts(title: str, fields: Mapping[str, Any], before: Mapping[str, Any]) -> Block:
    """The fields of a header or the claims: name, value and meaning, with a mark where they were changed."""
    lines, rows = [title], []
    for field in sorted(fields)[:MAX_SHOWN]:
        whole = shown_value(field, fields[field])
        changed = field not in before or shown_value(field, before[field]) != whole
        name, value = shorten(printable(field), 100), shorten(whole, _LONGEST_VALUE)
        says = meaning(field)
        lines.append(f"  {name:<16} {value}{' (changed)' if changed else ''}")
        lines += [f"      {says}"] if says else []
        weight, mark = (BOLD, "✎ changed: ") if changed else ("", "")
        shown = tag("span", mark, tag("span", value, style=MONOSPACE), style=weight)
        rows.append((tag("span", name, style=MONOSPACE + weight), shown, says))
    caption = tag("span", title, style=_colour_of(title))
    return Block(lines, table(caption, ("name", "value", "meaning"), rows))


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


def _ask(check: Check, token: str, now: float) -> tuple[str, Sequence[str]]:
    try:
        answer = check(token, now=now)
    except LabkitError as error:  # or nothing can be said, as when the keys can't be fetched
        return FAILS if isinstance(error, TokenError) else UNKNOWN, [str(error)]
    if isinstance(answer, Verdict):
        return PASSES if answer.allowed else FAILS, answer.lines()
    return PASSES, ["the signature is the issuer's, and its claims hold"]


def usual_checks(
    issuer: str | None, client_id: str | None, http: requests.Session | None
) -> dict[str, Check]:
    """Verification, and the authorizers that a learner compares: a REST API's with and without scopes, an HTTP API's.

    Args:
        issuer: whose tokens they take; only a user pool can be a REST API's. None is nobody.
        client_id: the app client; an HTTP API's authorizer needs one.
        http: ``lab.http``, to fetch the keys.
    """
    if issuer is None:
        return {}
    found: dict[str, Check] = {"verification": partial(verify, issuer=issuer, http=http)}
    clients = None if client_id is None else [client_id]
    answer = partial(verdict, clients=clients, http=http)
    pool_id = issuer.rstrip("/").rsplit("/", 1)[-1]
    if issuer == issuer_of_pool(pool_id):
        pool = {"type": "COGNITO_USER_POOLS", "providerARNs": [f"userpool/{pool_id}"]}
        found["REST API, method without scopes"] = partial(answer, authorizer=pool)
        found[f"REST API, method with {SCOPE}"] = partial(answer, authorizer=pool, scopes=[SCOPE])
    if clients is not None:
        settings = {"Issuer": issuer, "Audience": clients}
        jwt_authorizer = {"AuthorizerType": "JWT", "JwtConfiguration": settings}
        found["HTTP API, JWT authorizer"] = partial(answer, authorizer=jwt_authorizer)
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
        unwritable = "This token's claims can't be written again: try another token."
        raise TokenError(unwritable) from error
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
