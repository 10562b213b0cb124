"""What all widgets share: a text twin, and inputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets

from labkit.errors import LabkitError
from labkit.markup import Block, Markup, join, paragraph, plain

_LABEL = {"description_width": "7em"}
_WIDEST = "72em"


class View(ABC):
    """A widget. Where it can't be shown, as in a notebook without a kernel, its text is.

    Args:
        parts: the widgets from top to bottom.
    """

    def __init__(self, *parts: Any) -> None:
        self.box = ipywidgets.VBox(parts)

    @abstractmethod
    def blocks(self) -> Iterable[Block]:
        """What the widget shows, from top to bottom, without what differs from run to run.

        Raises:
            LabkitError: it can't be shown; its sentence is.
        """

    def content(self) -> list[Block]:
        """The blocks, or why there are none."""
        try:
            return list(self.blocks())
        except LabkitError as error:
            return [paragraph(str(error), role="alert")]

    def html(self) -> Markup:
        """The content as HTML."""
        return join(block.html for block in self.content())

    def __str__(self) -> str:
        return "\n".join(plain(line) for block in self.content() for line in block.lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_options: object) -> dict[str, Any]:
        bundle: dict[str, Any] = dict(self.box._repr_mimebundle_())
        return bundle | {"text/plain": str(self)}


# -- inputs ---------------------------------------------------------------------------------


def field(kind: Any, label: str, width: str = "auto", **options: Any) -> Any:
    """An input of a kind of ``ipywidgets``, with its label."""
    layout = {"width": width, "max_width": _WIDEST}
    return kind(description=label, layout=layout, style=_LABEL, **options)


def button(text: str, action: Callable[[], None], **options: Any) -> Any:
    """A button that is as wide as its text."""
    layout = {"width": "auto"} | options.pop("layout", {})
    made = ipywidgets.Button(description=text, layout=layout, **options)
    made.on_click(lambda _button: action())
    return made


def row(*parts: Any) -> Any:
    """Widgets beside one another, and below where there is no room."""
    return ipywidgets.HBox(parts, layout={"flex_flow": "row wrap", "align_items": "center"})
