"""What the error doctor says: as an object, as text, and as HTML with the same words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from labkit.folders import notebooks_in_use
from labkit.markup import Markup, join, lines, link, plain, tag

_LEFT = "text-align:left"


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook that teaches a subject.

    Attributes:
        title: the subject.
        file: where it is, relative to the folder.
        folder: that of all notebooks.
    """

    title: str
    file: str
    folder: Path = field(default_factory=notebooks_in_use)

    @property
    def path(self) -> Path:
        """The file, which an installed package doesn't have."""
        return self.folder / self.file

    def __str__(self) -> str:
        return f"{self.title}: {self.folder.name}/{self.file}" if self.path.exists() else self.title

    def link(self) -> Markup:
        """A link that works from the notebook that runs, whose directory is the working directory."""
        try:
            where = Path(os.path.relpath(self.path)).as_posix()
        except (ValueError, OSError):  # another drive of Windows; a deleted working directory
            return join([self.title])
        return link(self.title, quote(where)) if self.path.exists() else join([self.title])


@dataclass(frozen=True, slots=True)
class Cause:
    """A possible cause: an entry of ``causes.toml``, whose texts may hold ``{placeholders}`` there.

    Attributes:
        title: the cause in one line.
        why: how it leads to this answer.
        probe: what to try next; its result tells this cause from the others.
        fix: what to change.
        notebook: the notebook that teaches it, if one does.
        id: its name in ``causes.toml``.
        symptom: the number of the symptom in the course's collection; None when it isn't one of them.
        label: how it is known: recorded, documented, measured or inferred.
        sources: the facts that it stands on.
        codes: the codes of a journey's stop that it explains.
        likely_if: facts that speak for it.
        excluded_if: facts that rule it out.
        needs: one of these facts must hold, where the request is known.
        because: what in this request speaks for it, in words.
    """

    title: str
    why: str
    probe: str
    fix: str
    notebook: Notebook | None = None
    id: str = ""
    symptom: int | None = None
    label: str = "documented"
    sources: Sequence[str] = ()
    codes: Sequence[str] = ()
    likely_if: Sequence[str] = ()
    excluded_if: Sequence[str] = ()
    needs: Sequence[str] = ()
    because: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The title, with a mark when AWS isn't known to behave so."""
        return f"{self.title} (not confirmed on AWS)" if self.label == "inferred" else self.title

    def rows(self) -> Iterator[tuple[str, str]]:
        """What to show, line by line: a label and a text."""
        if self.because:
            yield "here", "; ".join(self.because)
        yield "why", self.why
        yield "try", self.probe
        yield "fix", self.fix

    def __str__(self) -> str:
        rows = [*self.rows(), *([("learn", str(self.notebook))] if self.notebook else [])]
        return _plain_lines([self.heading, *(_labelled(label, text) for label, text in rows)])


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an answer means.

    Attributes:
        answer: the answer in one line.
        meaning: what it says, in plain words.
        causes: the possible causes, the likeliest first; for a success, what may go wrong unseen.
        certain: whether the cause is known; ``decided`` says how many of the first causes are.
        known: whether the error doctor knows this answer.
        refused: whether anything was refused at all.
        reason: which gate decided, and why, where the journey is known.
        details: what was computed from the text.
    """

    answer: str
    meaning: str
    causes: tuple[Cause, ...] = ()
    certain: bool = False
    known: bool = True
    refused: bool = True
    reason: str = ""
    details: tuple[str, ...] = ()
    decided: int = 1

    @property
    def _shown(self) -> tuple[Cause, ...]:
        return self.causes[: self.decided] if self.certain else self.causes

    @property
    def _others(self) -> str:
        """The causes that it wasn't this time."""
        titles = "; ".join(cause.heading for cause in self.causes[len(self._shown) :])
        return f"The same answer can also have other causes: {titles}." if titles else ""

    @property
    def _verdict(self) -> str:
        if not self.refused:
            return "But look:"
        if self.certain:
            return "The cause:"
        return "The likeliest cause first:" if len(self.causes) > 1 else "A possible cause:"

    def __str__(self) -> str:
        parts = [self.answer, self.meaning]
        parts += [self.reason] if self.reason else []
        parts += self.details
        parts += ["", self._verdict] if self.causes else []
        for number, cause in enumerate(self._shown, 1):
            parts += ["", f"{number}. {cause}"]
        parts += ["", self._others] if self._others else []
        return _plain_lines(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same words as the text, readable in light and dark themes and without colour."""
        shown = [_html_cause(c, opened=n < self.decided) for n, c in enumerate(self._shown)]
        parts = [
            tag("p", tag("strong", self.answer), Markup("<br>"), self.meaning),
            *([tag("p", self.reason)] if self.reason else []),
            *(tag("pre", lines(one), style="white-space:pre-wrap") for one in self.details),
            *([tag("p", self._verdict), tag("ol", *shown)] if shown else []),
            *([tag("p", self._others)] if self._others else []),
        ]
        return join(parts)


def _plain_lines(parts: Iterable[str]) -> str:
    """Texts below one another, in which nothing acts."""
    return "\n".join(plain(line) for part in parts for line in part.split("\n"))


def _labelled(label: str, text: str) -> str:
    return f"   {label:<5} {text}".replace("\n", "\n" + " " * 9)


def _html_cause(cause: Cause, *, opened: bool) -> Markup:
    """A cause that unfolds."""
    rows = [(label, lines(text, "<br>")) for label, text in cause.rows()]
    if cause.notebook is not None:
        rows.append(("learn", cause.notebook.link()))
    cells = [
        tag(
            "tr",
            tag("th", label, style=f"{_LEFT};vertical-align:top"),
            tag("td", text, style=_LEFT),
        )
        for label, text in rows
    ]
    summary = tag("summary", tag("strong", cause.heading))
    details = Markup(f"<details{' open' if opened else ''}>{summary}")
    return tag("li", details, tag("table", *cells), Markup("</details>"))
