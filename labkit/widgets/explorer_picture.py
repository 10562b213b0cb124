"""The throttle explorer's picture: matplotlib, drawn anew only where something changed.

Outlines are the prediction and what lies in them was measured, told by shape; the colours are those of
``labkit.plots``. Few requests have a mark each. Many are counted, so that none hides another, and a line has at most
four points a column of pixels.

A drag needs the whole picture: axes, texts, prediction. What is measured is drawn over a copy of it, several times
as fast, and the burst that is on its way hardly notices.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib.image
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from labkit.plots import BLACK, BLUE, VERMILION, level_curve
from labkit.simulation import FloatArray
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

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_MARKS = 300
"""More requests than these are counted."""
BINS = 60
_INCHES, _DOTS = (9.0, 5.6), 144
_COLUMNS = 1200
_INK, _PAPER, _GRID = "#1a1a1a", "#ffffff", "#d0d0d0"
_PALE_BLUE, _PALE_VERMILION = "#a6cee8", "#fbe0cf"
_HEADROOM = 1.12


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the axes need; while it stays, they needn't be drawn again."""

    prediction: Prediction
    end: float
    requests: float
    passed: float
    compared: bool


class ExplorerPicture:
    """Draws one prediction after the other, and what was measured of it. It isn't for two threads at once."""

    def __init__(self) -> None:
        self._figure = Figure(figsize=_INCHES, dpi=_DOTS, facecolor=_PAPER)
        self._canvas: Any = FigureCanvasAgg(self._figure)
        heights = {"height_ratios": (3.2, 2, 2), "hspace": 0.16}
        panels = self._figure.subplots(3, 1, sharex=True, gridspec_kw=heights)
        self._figure.subplots_adjust(left=0.085, right=0.985, top=0.915, bottom=0.09)
        self._requests, self._level, self._passed = panels
        for axes in panels:
            _plain_axes(axes)
        panels[-1].set_xlabel("seconds", color=_INK, fontsize=12)
        self._background: Any = None
        self._drawn: _Frame | None = None
        self._prediction_artists()
        self._measured_artists()
        self._legends: dict[tuple[bool, bool], Any] = {}

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
        [self._tokens] = self._level.plot([], [], color=_INK, linewidth=1.4)
        self._filled: Any = self._level.fill_between([], [], color=_GRID)
        self._full = self._level.axhline(1, color=_INK, linewidth=1, linestyle=":")
        [self._bound] = self._passed.plot([], [], color=VERMILION, linewidth=1.8, linestyle="--")
        [self._staircase] = self._passed.plot([], [], color=_PALE_BLUE, linewidth=5)

    def _measured_artists(self) -> None:
        solid = {"linestyle": "none", "animated": True}
        [self._dots] = self._requests.plot([], [], "o", color=BLUE, **solid)
        [self._crosses] = self._requests.plot(
            [], [], "x", color=VERMILION, markeredgewidth=1.8, **solid
        )
        [self._others] = self._requests.plot([], [], "^", color=BLACK, **solid)
        [self._climbed] = self._passed.plot([], [], color=_INK, linewidth=1.6, animated=True)
        self._overlay = (
            (self._requests, self._dots),
            (self._requests, self._crosses),
            (self._requests, self._others),
            (self._passed, self._climbed),
        )

    def png(self, prediction: Prediction, measured: Measured | None, alt: str) -> bytes:
        """The image.

        Args:
            prediction: what is outlined.
            measured: what is laid over it; a copy that doesn't grow.
            alt: the image in words, for its description.
        """
        if measured is not None and not len(measured):
            measured = None
        frame = _frame(prediction, measured)
        if frame != self._drawn:
            self._lay_out(frame)
            self._canvas.draw()
            self._background = self._canvas.copy_from_bbox(self._figure.bbox)
            self._drawn = frame
        else:
            self._canvas.restore_region(self._background)
        if measured is not None:
            self._lay_over(measured, frame)
        buffer = io.BytesIO()
        matplotlib.image.imsave(
            buffer,
            np.asarray(self._canvas.buffer_rgba()),
            format="png",
            metadata={"Description": alt},
            pil_kwargs={"compress_level": 1},
        )
        return buffer.getvalue()

    # -- the prediction ------------------------------------------------------------------------

    def _lay_out(self, frame: _Frame) -> None:
        simulation = frame.prediction.simulation
        many = len(simulation) > MOST_MARKS
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
        self._show_legend(many, frame.compared)
        self._requests.set_xlim(-0.012 * frame.end, 1.012 * frame.end)

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
        edges = np.linspace(0, frame.end, BINS + 1)
        accepted = binned(simulation.arrivals[simulation.accepted], frame.end, BINS)
        every = binned(simulation.arrivals, frame.end, BINS)
        self._bars.set_data(accepted, edges, np.zeros(BINS))
        self._hatched.set_data(every, edges, accepted)
        self._requests.set_ylabel(f"requests per {_span(frame.end / BINS)}")
        self._requests.set_ylim(0, frame.requests)

    def _outline_level(self, frame: _Frame) -> None:
        simulation = frame.prediction.simulation
        [layer] = simulation.layers
        when, tokens = level_curve(simulation, layer)
        # After the last request it fills up, until the picture ends.
        full = (layer.burst - tokens[-1]) / layer.rate
        end = max(frame.end, when[-1])
        rest = np.array([min(when[-1] + full, end), end])
        when = np.concatenate(([0.0], when, rest))
        after = np.minimum(layer.burst, tokens[-1] + (rest - when[-3]) * layer.rate)
        tokens = np.concatenate(([layer.burst], tokens, after))
        when, tokens = thinned(when, tokens, end, _COLUMNS)
        self._tokens.set_data(when, tokens)
        self._filled.set_data(when, tokens, np.zeros(len(when)))
        self._full.set_ydata([layer.burst, layer.burst])
        self._level.set_ylim(0, max(1.0, layer.burst * 1.15))
        self._level.set_ylabel("tokens")

    def _outline_passed(self, frame: _Frame) -> None:
        settings, simulation = frame.prediction.settings, frame.prediction.simulation
        begin = float(simulation.arrivals[0])
        line = np.array([begin, frame.end])
        self._bound.set_data(line, settings.burst + settings.rate * (line - begin))
        self._staircase.set_data(
            *_staircase(simulation.arrivals[simulation.accepted], frame.end, frame.end)
        )
        self._passed.set_ylim(0, frame.passed)
        self._passed.set_ylabel("passed")

    def _show_legend(self, many: bool, compared: bool) -> None:
        for legend in self._legends.values():
            legend.set_visible(False)
        if (many, compared) not in self._legends:
            self._legends[many, compared] = self._legend(many, compared)
        self._legends[many, compared].set_visible(True)

    def _legend(self, many: bool, compared: bool) -> Any:
        ring: Any = Line2D([], [], linestyle="none", marker="o", color=BLUE, markersize=9)
        square: Any = Line2D([], [], linestyle="none", marker="s", color=VERMILION, markersize=8)
        for one in (ring, square):
            one.set(markerfacecolor="none", markeredgewidth=1.4)
        if many:
            ring = Patch(facecolor=_PALE_BLUE, edgecolor=BLUE)
            square = Patch(facecolor=_PALE_VERMILION, edgecolor=VERMILION, hatch="////")
        dot = Line2D([], [], linestyle="none", marker="o", color=BLUE, markersize=6)
        cross = Line2D([], [], linestyle="none", marker="x", color=VERMILION, markersize=7)
        cross.set_markeredgewidth(1.8)
        handles = {"predicted: accepted": ring, "refused": square}
        bound = Line2D([], [], color=VERMILION, linewidth=1.8, linestyle="--")
        both = [*handles.items(), *([("measured: accepted", dot), ("refused", cross)] * compared)]
        both.append(("burst + rate × t", bound))
        legend = self._requests.legend(
            [handle for _label, handle in both], [label for label, _handle in both],
            loc="lower left", bbox_to_anchor=(-0.012, 0.985), ncols=len(both), frameon=False,
            fontsize=11, labelcolor=_INK, handletextpad=0.4, columnspacing=1.2,
        )  # fmt: skip
        self._requests.add_artist(legend)
        return legend

    # -- what was measured ---------------------------------------------------------------------

    def _lay_over(self, measured: Measured, frame: _Frame) -> None:
        kinds = ((self._dots, ACCEPTED), (self._crosses, REFUSED), (self._others, OTHER))
        if len(frame.prediction.simulation) > MOST_MARKS:
            below = np.zeros(BINS, dtype=np.int64)
            middle = (np.arange(BINS) + 0.5) * frame.end / BINS
            for artist, kind in kinds:
                count = binned(measured.times(kind), frame.end, BINS)
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
        self._climbed.set_data(*_staircase(measured.times(ACCEPTED), until, frame.end))
        for axes, artist in self._overlay:
            axes.draw_artist(artist)


def _frame(prediction: Prediction, measured: Measured | None) -> _Frame:
    simulation, settings = prediction.simulation, prediction.settings
    latest = float(simulation.arrivals[-1])
    if measured is not None:
        latest = max(latest, float(np.max(measured.sent[measured.is_answered])))
    end = axis_end(settings.seconds, latest)
    most = float(len(simulation))
    passed = simulation.passed
    if len(simulation) > MOST_MARKS:
        most = float(binned(simulation.arrivals, end, BINS).max())
        if measured is not None:
            found = binned(measured.sent[measured.is_answered], end, BINS)
            most = max(most, float(found.max()))
        most = _round_up(most * _HEADROOM)
    if measured is not None:
        passed = max(passed, int(np.count_nonzero(measured.outcome == ACCEPTED)))
    top = _round_up(max(passed, settings.burst) * _HEADROOM)
    return _Frame(prediction, end, most, top, measured is not None)


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
    return float(np.clip(9.5 - count / 50, 5, 9))


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _plain_axes(axes: Axes) -> None:
    axes.set_facecolor(_PAPER)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, labelsize=11)
    axes.yaxis.label.set(color=_INK, fontsize=12)
    axes.yaxis.set_label_coords(-0.06, 0.5)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    for side in axes.spines.values():
        side.set_color(_INK)
