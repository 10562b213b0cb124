"""The throttle explorer's picture: matplotlib, drawn anew only where something changed.

Outlines are the prediction and what lies in them was measured, told by shape; the colours are those of
``labkit.plots``. Few requests have a mark each. Many are counted, so that none hides another, and a line has at most
four points a column of pixels.

There are three layers, each drawn over a copy of the one below: the time axis and the legend, which hardly ever
change; the prediction, which changes while a slider is dragged; and what is measured, several times a second while a
burst is on its way. Matplotlib needs most of its time for axes and texts (tests/benchmarks/bench_explorer.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from labkit.bursts.simulation import FloatArray
from labkit.plots import BLACK, BLUE, VERMILION, level_curve
from labkit.widgets.exploring import (
    ACCEPTED,
    OTHER,
    REFUSED,
    Measured,
    Prediction,
    axis_end,
    binned,
    thinned,
)
from labkit.widgets.png import png

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST_MARKS = 120
"""More requests than these are counted."""
BINS = 50
_INCHES, _DOTS = (9.0, 5.6), 120
_COLUMNS = 960
_INK, _PAPER, _GRID = "#1a1a1a", "#ffffff", "#d0d0d0"
_PALE_BLUE, _PALE_VERMILION = "#a6cee8", "#fbe0cf"
_HEADROOM = 1.12
_LINES = ("burst + rate × t", "predicted", "measured")


@dataclass(frozen=True, slots=True)
class _Base:
    """What the lowest layer needs: where time ends, whether requests are counted, and what was measured."""

    end: float
    many: bool
    measured: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the two lower layers need; while it stays, they needn't be drawn again."""

    base: _Base
    prediction: Prediction
    requests: float
    passed: float


class ExplorerPicture:
    """Draws one prediction after the other, and what was measured of it. It isn't for two threads at once."""

    def __init__(self) -> None:
        self._figure = Figure(figsize=_INCHES, dpi=_DOTS, facecolor=_PAPER)
        self._canvas: Any = FigureCanvasAgg(self._figure)
        heights = {"height_ratios": (3.2, 2, 2), "hspace": 0.16}
        panels = self._figure.subplots(3, 1, sharex=True, gridspec_kw=heights)
        self._figure.subplots_adjust(left=0.1, right=0.985, top=0.915, bottom=0.09)
        self._requests, self._level, self._passed = panels
        for axes in panels:
            _plain_axes(axes)
        panels[-1].set_xlabel("seconds", color=_INK, fontsize=12)
        self._lowest: tuple[_Base | None, Any] = None, None
        self._lower: tuple[_Frame | None, Any] = None, None
        self._prediction_artists()
        self._measured_artists()

    def _prediction_artists(self) -> None:
        hollow = {"linestyle": "none", "markerfacecolor": "none", "markeredgewidth": 1.3}
        [self._rings] = self._requests.plot([], [], "o", color=BLUE, **hollow)
        [self._squares] = self._requests.plot([], [], "s", color=VERMILION, **hollow)
        edges, none = np.arange(BINS + 1.0), np.zeros(BINS)
        self._bars = self._requests.stairs(
            none, edges, fill=True, facecolor=_PALE_BLUE, edgecolor=BLUE, linewidth=1
        )
        self._hatched = self._requests.stairs(
            none, edges, baseline=none, fill=True, facecolor=_PALE_VERMILION,
            edgecolor=VERMILION, hatch="////", linewidth=0.8,
        )  # fmt: skip
        self._filled: Any = self._level.fill_between([], [], color=_GRID)
        [self._tokens] = self._level.plot([], [], color=_INK, linewidth=1.4)
        self._full = self._level.axhline(1, color=_INK, linewidth=1, linestyle=":")
        [self._staircase] = self._passed.plot([], [], color=_PALE_BLUE, linewidth=5)
        [self._bound] = self._passed.plot([], [], color=_INK, linewidth=1.4, linestyle="--")
        self._predicted = (
            *(panel.yaxis for panel in (self._requests, self._level, self._passed)),
            *(self._bars, self._hatched, self._rings, self._squares),
            *(self._filled, self._tokens, self._full, self._staircase, self._bound),
        )  # fmt: skip

    def _measured_artists(self) -> None:
        [self._dots] = self._requests.plot([], [], "o", color=BLUE, linestyle="none")
        [self._crosses] = self._requests.plot([], [], "x", color=VERMILION, linestyle="none")
        self._crosses.set_markeredgewidth(1.8)
        [self._others] = self._requests.plot([], [], "^", color=BLACK, linestyle="none")
        [self._climbed] = self._passed.plot([], [], color=BLUE, linewidth=1.8)
        self._found = (self._dots, self._crosses, self._others, self._climbed)
        for artist in (*self._predicted, *self._found):
            artist.set_animated(True)  # not in the lowest layer

    def png(self, prediction: Prediction, measured: Measured | None, alt: str) -> bytes:
        """The image.

        Args:
            prediction: what is outlined.
            measured: what is laid over it; a copy that doesn't grow.
            alt: the image in words, for its description.
        """
        frame = _frame(prediction, measured)
        if frame != self._lower[0]:
            self._draw_lowest(frame.base)
            self._lay_out(frame)
            self._draw_over(self._predicted)
            self._lower = frame, self._copy()
        self._canvas.restore_region(self._lower[1])
        if measured is not None and len(measured):
            self._lay_over(measured, frame)
            self._draw_over(self._found)
        return png(np.asarray(self._canvas.buffer_rgba()), alt)

    def _draw_lowest(self, base: _Base) -> None:
        if base == self._lowest[0]:
            self._canvas.restore_region(self._lowest[1])
            return
        self._requests.set_xlim(-0.012 * base.end, 1.012 * base.end)
        _requests_legend(self._requests, base)
        lines = [self._bound, self._staircase, *([self._climbed] if base.measured else [])]
        self._passed.legend(
            lines, _LINES[: len(lines)], loc="lower right", ncols=3, frameon=False, fontsize=11
        )
        self._canvas.draw()
        self._lowest = base, self._copy()

    def _copy(self) -> Any:
        return self._canvas.copy_from_bbox(self._figure.bbox)

    def _draw_over(self, artists: Sequence[Artist]) -> None:
        for artist in artists:
            self._figure.draw_artist(artist)

    # -- the prediction ------------------------------------------------------------------------

    def _lay_out(self, frame: _Frame) -> None:
        many = frame.base.many
        for artist in (self._bars, self._hatched):
            artist.set_visible(many)
        for artist in (self._rings, self._squares):
            artist.set_visible(not many)
        if many:
            self._outline_counts(frame)
        else:
            self._outline_marks(frame)
        self._outline_level(frame)
        self._outline_passed(frame)

    def _outline_marks(self, frame: _Frame) -> None:
        simulation = frame.prediction.simulation
        number = np.arange(1, len(simulation) + 1)
        accepted = simulation.accepted
        for artist, which in ((self._rings, accepted), (self._squares, ~accepted)):
            artist.set_data(simulation.arrivals[which], number[which])
            artist.set_markersize(_size(len(simulation)))
        self._requests.set_ylabel("request")
        self._requests.set_ylim(1 - 0.06 * frame.requests, frame.requests * 1.06)

    def _outline_counts(self, frame: _Frame) -> None:
        simulation = frame.prediction.simulation
        edges = np.linspace(0, frame.base.end, BINS + 1)
        accepted = binned(simulation.arrivals[simulation.accepted], frame.base.end, BINS)
        every = binned(simulation.arrivals, frame.base.end, BINS)
        self._bars.set_data(accepted, edges, np.zeros(BINS))
        some = np.where(every > accepted, every, np.nan)  # none has no outline
        self._hatched.set_data(some, edges, accepted)
        self._requests.set_ylabel(f"requests per {_span(frame.base.end / BINS)}")
        self._requests.set_ylim(0, frame.requests)

    def _outline_level(self, frame: _Frame) -> None:
        simulation = frame.prediction.simulation
        [layer] = simulation.layers
        when, tokens = level_curve(simulation, layer)
        # After the last request it fills up, until the picture ends.
        full = (layer.burst - tokens[-1]) / layer.rate
        end = max(frame.base.end, when[-1])
        rest = np.array([min(when[-1] + full, end), end])
        when = np.concatenate(([0.0], when, rest))
        after = np.minimum(layer.burst, tokens[-1] + (rest - when[-3]) * layer.rate)
        tokens = np.concatenate(([layer.burst], tokens, after))
        when, tokens = thinned(when, tokens, end, _COLUMNS)
        self._tokens.set_data(when, tokens)
        self._tokens.set_linewidth(0.8 if frame.base.many else 1.4)
        self._filled.set_data(when, tokens, np.zeros(len(when)))
        self._full.set_ydata([layer.burst, layer.burst])
        self._level.set_ylim(0, max(1.0, layer.burst * 1.15))
        self._level.set_ylabel("tokens")

    def _outline_passed(self, frame: _Frame) -> None:
        settings, simulation = frame.prediction.settings, frame.prediction.simulation
        begin = float(simulation.arrivals[0])
        line = np.array([begin, frame.base.end])
        self._bound.set_data(line, settings.burst + settings.rate * (line - begin))
        self._staircase.set_data(
            *_staircase(simulation.arrivals[simulation.accepted], frame.base.end, frame.base.end)
        )
        self._passed.set_ylim(0, frame.passed)
        self._passed.set_ylabel("passed")

    # -- what was measured ---------------------------------------------------------------------

    def _lay_over(self, measured: Measured, frame: _Frame) -> None:
        kinds = ((self._dots, ACCEPTED), (self._crosses, REFUSED), (self._others, OTHER))
        if frame.base.many:
            below = np.zeros(BINS, dtype=np.int64)
            middle = (np.arange(BINS) + 0.5) * frame.base.end / BINS
            for artist, kind in kinds:
                count = binned(measured.times(kind), frame.base.end, BINS)
                below = below + count
                there = count > 0
                artist.set_data(middle[there], below[there])
                artist.set_markersize(5)
        else:
            number = np.arange(1, len(measured.outcome) + 1)
            for artist, kind in kinds:
                which = measured.outcome == kind
                artist.set_data(measured.sent[which], number[which])
                artist.set_markersize(0.55 * _size(len(number)))
        until = float(np.max(measured.sent[measured.is_answered]))
        self._climbed.set_data(*_staircase(measured.times(ACCEPTED), until, frame.base.end))


def _frame(prediction: Prediction, measured: Measured | None) -> _Frame:
    simulation, settings = prediction.simulation, prediction.settings
    sent = np.empty(0) if measured is None else measured.sent[measured.is_answered]
    latest = max(float(simulation.arrivals[-1]), float(sent.max(initial=0.0)))
    end = axis_end(settings.seconds, latest)
    many = len(simulation) > MOST_MARKS
    most, passed = float(len(simulation)), simulation.passed
    if many:
        most = float(binned(simulation.arrivals, end, BINS).max())
    kinds: tuple[int, ...] = ()
    if measured is not None:
        if many:
            most = max(most, float(binned(sent, end, BINS).max()))
        passed = max(passed, int(np.count_nonzero(measured.outcome == ACCEPTED)))
        kinds = (ACCEPTED, REFUSED, *((OTHER,) if (measured.outcome == OTHER).any() else ()))
    base = _Base(end, many, kinds)
    top = _round_up(most * _HEADROOM) if many else most
    return _Frame(base, prediction, top, _round_up(max(passed, settings.burst) * _HEADROOM))


def _requests_legend(axes: Axes, base: _Base) -> None:
    def mark(shape: str, colour: str, **options: Any) -> Line2D:
        return Line2D([], [], linestyle="none", marker=shape, color=colour, **options)

    hollow = {"markerfacecolor": "none", "markeredgewidth": 1.4}
    predicted: tuple[Any, Any] = (
        mark("o", BLUE, markersize=9, **hollow),
        mark("s", VERMILION, markersize=8, **hollow),
    )
    if base.many:
        predicted = (
            Patch(facecolor=_PALE_BLUE, edgecolor=BLUE),
            Patch(facecolor=_PALE_VERMILION, edgecolor=VERMILION, hatch="////"),
        )
    measured = {
        ACCEPTED: ("measured: accepted", mark("o", BLUE, markersize=6)),
        REFUSED: ("refused", mark("x", VERMILION, markersize=7, markeredgewidth=1.8)),
        OTHER: ("other", mark("^", BLACK, markersize=6)),
    }
    labels, handles = zip(
        ("predicted: accepted", predicted[0]),
        ("refused", predicted[1]),
        *(measured[kind] for kind in base.measured),
        strict=True,
    )
    axes.legend(
        handles, labels, loc="lower left", bbox_to_anchor=(-0.012, 0.985), ncols=len(labels),
        frameon=False, fontsize=11, labelcolor=_INK, handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip


def _round_up(number: float) -> float:
    """To two digits, so that a little more doesn't need another axis."""
    step = 10.0 ** max(0, np.floor(np.log10(max(number, 1.0))) - 1)
    return float(np.ceil(number / step) * step)


def _staircase(passed: FloatArray, until: float, end: float) -> tuple[FloatArray, FloatArray]:
    """How many had passed at each time."""
    x = np.concatenate((np.repeat(passed, 2), [max(until, passed[-1] if len(passed) else 0.0)]))
    count = np.arange(len(passed) + 1, dtype=np.float64)
    return thinned(x, np.repeat(count, 2)[1:], end, _COLUMNS)


def _size(count: int) -> float:
    """A mark's size in points."""
    return float(np.clip(10 - count / 30, 6, 9))


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _plain_axes(axes: Axes) -> None:
    axes.set_facecolor(_PAPER)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, labelsize=11)
    axes.yaxis.label.set(color=_INK, fontsize=12)
    axes.yaxis.set_label_coords(-0.075, 0.5)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    for side in axes.spines.values():
        side.set_color(_INK)
