"""The lab's architecture as it is now: which of its parts exist, and which aren't there yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from labkit import names
from labkit.course.checks import found
from labkit.course.checks.missing import Missing
from labkit.course.resources import client
from labkit.markup import BOLD, Markup, sentence, tag

_BOXES = {
    "Cognito user pool": ("user pool", "app client", "user"),
    "API Gateway": ("REST API", "GET /demo", "authorizer", "stage dev"),
    "Lambda": ("function",),
}
"""What stands in which box of the picture."""

_CELL = "text-align:left;vertical-align:middle;padding:4px 6px;background:none;border:none;"
_BOX = "border:2px solid currentColor;border-radius:6px;padding:4px 10px;"
_LATER = "border:2px dashed currentColor;border-radius:6px;padding:4px 10px;"


@dataclass(frozen=True, slots=True)
class Architecture:
    """The picture, and the same in words.

    Attributes:
        parts: each part's name → whether it exists.
    """

    parts: Mapping[str, bool]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The client on the left, what it signs in at above, what it calls below."""
        client_box = tag("div", tag("b", "Client"), style=_BOX)
        upper = _cells("1 sign in →", self._box("Cognito user pool"), "2 e-mail →", _inbox())
        lower = _cells(
            "3 GET /demo →", self._box("API Gateway"), "4 good token →", self._box("Lambda")
        )
        first = tag("td", client_box, rowspan="2", style=_CELL)
        rows = [tag("tr", *cells, style="background:none") for cells in ((first, upper), (lower,))]
        label = {"role": "img", "aria-label": " ".join(self._lines())}
        picture = tag("table", tag("tbody", *rows), **label, style="margin:0;border:none;")
        return tag("div", picture, sentence("✓ exists now   ○ not yet"))

    def _lines(self) -> Iterator[str]:
        for words, wanted in (("Here now", True), ("Not yet", False)):
            some = [name for name, here in self.parts.items() if here is wanted]
            if some:
                yield f"{words}: {', '.join(some)}."

    def _box(self, title: str) -> Markup:
        parts = _BOXES[title]
        marks = [f"{'✓' if self.parts[part] else '○'} {part}" for part in parts]
        content = (tag("div", mark) for mark in marks)
        style = _BOX if self.parts[parts[0]] else _LATER
        return tag("div", tag("span", title, style=BOLD), *content, style=style)


def _inbox() -> Markup:
    return tag("div", tag("b", "Inbox"), style=_BOX)


def _cells(*content: str) -> Markup:
    return Markup("".join(tag("td", each, style=_CELL) for each in content))


def architecture() -> Architecture:
    """Ask the cloud which parts of the lab exist: by name, whoever made them."""
    return Architecture({"function": bool(found.function())} | _of_the_pool() | _of_the_api())


def _of_the_pool() -> dict[str, bool]:
    here = dict.fromkeys(_BOXES["Cognito user pool"], False)
    with suppress(Missing):
        pool = found.user_pool(names.NEW_USER_POOL)
        here["user pool"] = True
        here["user"] = bool(found.users(pool))
        found.app_client(pool)
        here["app client"] = True
    return here


def _of_the_api() -> dict[str, bool]:
    here = dict.fromkeys(_BOXES["API Gateway"], False)
    with suppress(Missing):
        api = found.rest_api()
        where: dict[str, Any] = {"restApiId": api["id"]}
        methods = found.resource(api, f"/{names.RESOURCE}").get("resourceMethods") or {}
        gateway = client("apigateway")
        stages = gateway.get_stages(**where).get("item", [])
        here = {
            "REST API": True,
            "GET /demo": "GET" in methods,
            "authorizer": bool(gateway.get_authorizers(**where).get("items")),
            "stage dev": names.STAGE in [stage["stageName"] for stage in stages],
        }
    return here
