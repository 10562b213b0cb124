"""HTML in which nothing that came from outside is ever markup, and blocks that are HTML and text.

The colours are the theme's own, so it reads in light and dark; marks and weight tell what colours would.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

PLAIN = "line-height:1.4;overflow-wrap:anywhere;"
MONOSPACE = "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size);"
BOLD = "font-weight:bold;"
CELL = f"{PLAIN}text-align:left;vertical-align:top;padding:2px 16px 2px 0;border:none;"
_HEAD = f"{CELL}border-bottom:1px solid currentColor;"
_NO_WRAP = "white-space:nowrap;"
_SHORT = 30


class Markup(str):
    """HTML that :func:`tag` made. Every other text is escaped."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: str) -> Markup:
    """An element; texts in it are escaped, elements are not.

    >>> tag("b", "<i>", tag("u", "&"), title='"')
    '<b title="&quot;">&lt;i&gt;<u>&amp;</u></b>'
    """
    given = "".join(
        f' {key}="{html.escape(plain(value))}"' for key, value in attributes.items() if value
    )
    return Markup(f"<{name}{given}>{join(content)}</{name}>")


def join(content: Iterable[str]) -> Markup:
    """Texts and elements after one another."""
    return Markup(
        "".join(part if isinstance(part, Markup) else html.escape(plain(part)) for part in content)
    )


def lines(text: str, between: str = "\n") -> Markup:
    """A text of several lines, as it stands in a ``pre`` element; elsewhere ``<br>`` is between them."""
    return Markup(between.join(join([line]) for line in text.split("\n")))


def plain(text: str) -> str:
    r"""A text in which nothing acts: control characters, direction marks and halves of characters are written out.

    >>> plain("a\x1b[2J\u202eb\ud800\nc")
    'a\\x1b[2J\\u202eb\\ud800\\nc'
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def sentence(text: str, *, role: str = "") -> Markup:
    """A paragraph."""
    return tag("p", text, role=role, style=f"{PLAIN}margin:4px 0;")


def link(text: str, href: str) -> Markup:
    """A link; the line under it tells it from the text around it without colour."""
    return tag("a", text, href=href, style="text-decoration:underline;")


def table(caption: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> Markup:
    """A table; the first cell of a row names it."""
    top = tag("tr", *(tag("th", cell, scope="col", style=_HEAD + _NO_WRAP) for cell in head))
    return tag(
        "table",
        tag("caption", caption, style=f"{PLAIN}{BOLD}text-align:left;padding-top:8px;"),
        tag("thead", top),
        tag("tbody", *map(_row, rows)),
        style="border-collapse:collapse;",
    )


def _row(cells: Iterable[str]) -> Markup:
    name, *rest = cells
    return tag(
        "tr",
        tag("th", name, scope="row", style=f"{_style(name)}font-weight:inherit;"),
        *(tag("td", cell, style=_style(cell)) for cell in rest),
    )


def _style(cell: str) -> str:
    """A short text stays on one line; a long one breaks anywhere, as a token's may have no blanks."""
    return CELL + (_NO_WRAP if len(_text(cell)) <= _SHORT else "")


def _text(cell: str) -> str:
    return html.unescape(re.sub("<[^>]*>", "", cell)) if isinstance(cell, Markup) else cell


class Block(NamedTuple):
    """A part of what a widget shows: the same as lines of text and as HTML."""

    lines: Sequence[str]
    html: Markup


def paragraph(text: str, *, role: str = "") -> Block:
    """A sentence or some."""
    return Block([text], sentence(text, role=role))


def grid(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, align: str = "<"
) -> Block:
    r"""A table; ``align`` is for all columns of the text but the first.

    >>> print(*grid("Numbers", ["", "n"], [["one", "1"], ["more", "10"]], align=">").lines, sep="\n")
           n
    one    1
    more  10
    """
    cells = [[plain(_text(cell)) for cell in line] for line in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    sides = ["<", *[align] * len(head)]
    lines = ["  ".join(map("{:{}{}}".format, line, sides, widths)).rstrip() for line in cells]
    return Block(lines, table(caption, head, rows))
