"""What all widgets share: a text twin, and inputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import ipywidgets

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
