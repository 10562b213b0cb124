"""What each claim means, in plain English; the sentences are in ``claims.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def _meanings() -> dict[str, str]:
    text = files(__package__).joinpath("claims.toml").read_text(encoding="utf-8")
    meanings: dict[str, str] = {}
    for group in tomllib.loads(text).values():
        meanings |= group
    return meanings


def meaning(claim: str) -> str:
    """What a claim (or a field of the header) means; empty for one that is nobody's standard.

    >>> meaning("token_use")
    'What the token is for: "id" tells the app who signed in, "access" opens APIs.'
    >>> meaning("custom:department")
    'An attribute that you defined for the user pool; its value is always text.'
    >>> meaning("whatever")
    ''
    """
    known = _meanings()
    if claim.startswith(("custom:", "dev:")):
        return known["custom:"]
    return known.get(claim, "")
