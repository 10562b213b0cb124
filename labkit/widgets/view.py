"""What all widgets share: a text twin, and HTML in which nothing that came from outside is ever markup.

The colours are the theme's own, so it reads in light and dark; marks and weight tell what colours would.
"""

from __future__ import annotations

import html
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets

PLAIN = "line-height:1.4;overflow-wrap:anywhere;"
MONOSPACE = "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size);"
BOLD = "font-weight:bold;"
_CELL = f"{PLAIN}text-align:left;vertical-align:top;padding:2px 16px 2px 0;border:none;"
_HEAD = f"{_CELL}border-bottom:1px solid currentColor;"
_NO_WRAP = "white-space:nowrap;"
_SHORT = 30
WIDE = {"width": "auto", "max_width": "72em"}
LABEL = {"description_width": "7em"}


class View(ABC):
    """A widget. Where it can't be shown, as in a notebook without a kernel, its text is.

    Args:
        parts: the widgets from top to bottom.
    """

    def __init__(self, *parts: Any) -> None:
        self.box = ipywidgets.VBox(parts)

    @abstractmethod
    def __str__(self) -> str:
        """The text twin: what the widget shows, in words, without what differs from run to run."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_options: object) -> dict[str, Any]:
        bundle: dict[str, Any] = dict(self.box._repr_mimebundle_())
        return bundle | {"text/plain": str(self)}


# -- HTML ----------------------------------------------------------------------------------


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
        "".join(
            part if isinstance(part, Markup) else html.escape(plain(part), quote=False)
            for part in content
        )
    )


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
    text = html.unescape(re.sub("<[^>]*>", "", cell)) if isinstance(cell, Markup) else cell
    return _CELL + (_NO_WRAP if len(text) <= _SHORT else "")


# -- inputs ---------------------------------------------------------------------------------


def button(text: str, action: Callable[[], None], **options: Any) -> Any:
    """A button that is as wide as its text."""
    layout = {"width": "auto"} | options.pop("layout", {})
    made = ipywidgets.Button(description=text, layout=layout, **options)
    made.on_click(lambda _button: action())
    return made


def row(*parts: Any) -> Any:
    """Widgets beside one another, and below where there is no room."""
    return ipywidgets.HBox(parts, layout={"flex_flow": "row wrap", "align_items": "center"})
