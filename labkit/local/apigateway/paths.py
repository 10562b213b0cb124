"""The spellings of a path: one resource is reached by several, and a policy names one of them (gateway 8.18)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote

_PLAIN = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
"""A path that has one spelling only."""


def with_one_leading_slash(raw_path: str) -> str:
    """The path as resources are looked for: further leading slashes don't count (recorded 14.6).

    >>> with_one_leading_slash("//admin//x/"), with_one_leading_slash("")
    ('/admin//x/', '/')
    """
    return "/" + raw_path.lstrip("/")


def segments_of(raw_path: str) -> list[str]:
    """The encoded segments of a path; one trailing slash is ignored (gateway 8.11).

    >>> segments_of("//pets/1%202/"), segments_of("/")
    (['pets', '1%202'], [])
    """
    body = raw_path.lstrip("/").removesuffix("/")
    return body.split("/") if body else []


def other_spellings(raw_path: str) -> Sequence[str]:
    """Other paths that reach what this one reaches: decoded, and encoded where it has to be.

    >>> other_spellings("/%61dmin/"), other_spellings("//a%20b"), other_spellings("/admin")
    (['/admin'], ['/a b', '/a%20b'], [])
    """
    if _PLAIN.fullmatch(raw_path):
        return []
    decoded = [unquote(segment) for segment in segments_of(raw_path)]
    found = {"/" + "/".join(decoded), "/" + "/".join(quote(one, safe="~") for one in decoded)}
    return sorted(found - {raw_path})
