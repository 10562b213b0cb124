"""Pictures of bursts, buckets, layers and retries: matplotlib, and the same in words.

What happened to a request is told by shape and by colour; the colours are close to Okabe and Ito's, which colour-blind
people tell apart (https://jfly.uni-koeln.de/color/), and the shapes do in greyscale. A picture can't know the theme
around it: its paper is transparent, and ink and colours are chosen to read on white and on JupyterLab's dark.

In a notebook a picture shows its image and then prints its words. nbval compares the words and leaves ``image/png``
out, so a cell needs no tag as long as its counts are the same on every run; SVG would be compared, so there is
none.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike
from PIL import Image

from labkit.bursts.burst import Burst
from labkit.bursts.simulation import BoolArray, FloatArray, IntArray, Layer, Simulation, excess
from labkit.retry import RetryRun, table
from labkit.throttle import TokenBucket

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, VERMILION, GREEN, PURPLE = "#0A80C4", "#D55E00", "#009E73", "#B8679A"
INK = "#797979"
"""Of letters and lines: 4.3 to 1 on white and on #111111, as much on one as on the other."""
_PALE_BLUE, _PALE_VERMILION = f"{BLUE}99", f"{VERMILION}99"
_GRID, _EDGE = f"{INK}50", "#00000099"
_INCHES_WIDE = 9.0
_INCHES_BESIDE = 7.0
"""Beside the explorer's sliders."""
_PIXELS_WIDE = 900
"""What a notebook shows: it fits on a projector, and there the small letters are 18 pixels high."""
_DOTS = 144
"""To the inch: more than that, for screens with small pixels."""
_DOTS_DRAGGED = 100
_COLOURS = 64
"""Enough for the marks and their smooth edges, and a fraction of the size."""
_LARGE, _MEDIUM, _SMALL = 15, 13.5, 13
"""Font sizes in points."""
_ROUNDING = 1e-6

ACCEPTED = ("o", BLUE)
THROTTLED = ("x", VERMILION)
OTHER = ("^", INK)
_MOST_MARKS = 120
_PARTS = 50
_HATCHES = (None, "////", "....", "xxxx", "----", "\\\\\\\\")
_REFUSED_BY = (("x", VERMILION), ("^", PURPLE), ("+", INK), ("v", GREEN), ("D", "#B07A00"))


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture that also exists in words.

    Attributes:
        figure: matplotlib's.
        title: what it shows.
        words: the result in numbers; what ``print`` shows.
    """

    figure: Figure
    title: str
    words: str

    def png(self) -> bytes:
        """The image."""
        drawn = Image.open(io.BytesIO(fast_png(self.figure, _DOTS)))
        file = io.BytesIO()
        few = drawn.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.save(file, "PNG", optimize=True)
        return file.getvalue()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        alt = f"{self.title}. {' '.join(self.words.split())}"
        image = base64.b64encode(self.png()).decode()
        display(  # type: ignore[no-untyped-call]
            {"image/png": image, "text/plain": self.title},
            metadata={"image/png": {"width": _PIXELS_WIDE, "alt": alt}},
            raw=True,
        )
        print(self.words)

    def __str__(self) -> str:
        return self.words


def burst(result: Simulation | Burst, bucket: TokenBucket | None = None) -> Picture:
    """Every request at its time, the bucket's level under it, and what passed against ``burst + rate * t``.

    Args:
        result: a prediction; or a real burst, then the level is the model's for the times at which it was sent.
        bucket: the limit of a real burst; a prediction has its own.

    Raises:
        ValueError: a real burst without its bucket.
    """
    if isinstance(result, Simulation):
        model, answered, said = result, None, ""
    elif bucket is None:
        raise ValueError("Say which bucket the burst met: plots.burst(result, TokenBucket(…)).")
    else:
        model, answered = result.predict(bucket), result.answered[result.accepted]
        said = f"The model lets {model.passed} of them pass.\n"
    [layer] = model.layers
    times, accepted = model.arrivals, result.accepted
    kinds = [("accepted", *ACCEPTED, accepted), ("throttled", *THROTTLED, ~accepted)]
    figure, _marks = _against_the_bound(
        model, kinds, [("passed", BLUE, 2, times[accepted], times[-1:])]
    )
    over = excess(times[accepted], TokenBucket(layer.rate, layer.burst), answered=answered)
    no, more = ("no", "") if over <= _ROUNDING else ("one", f"{over:.1f} ")
    title = f"{len(times)} requests at a bucket with rate {layer.rate:g} and burst {layer.burst:g}"
    words = (
        f"{len(times)} requests: {accepted.sum()} accepted, {(~accepted).sum()} throttled.\n{said}"
        f"The bucket {'ran empty' if _ran_empty(layer) else 'never ran empty'}. "
        f"In {no} span of t seconds {more}more than burst + rate × t passed."
    )
    return _picture(figure, title, words)


def compared(prediction: Simulation, measured: Burst | None, seconds: float) -> Figure:
    """What is predicted, pale, and over it what was measured so far: as :func:`burst`, for the throttle explorer.

    It is drawn while a slider is dragged: its margins aren't calculated, and :func:`fast_png` writes it.

    Args:
        prediction: what is predicted.
        measured: what came back; None before.
        seconds: the time that is shown, from 0; by halves of it more where something was sent later.
    """
    accepted = prediction.accepted
    predicted = [
        ("predicted accepted", "o", _PALE_BLUE, accepted),
        ("predicted refused", "s", _PALE_VERMILION, ~accepted),
    ]
    late = measured.sent[-1] / seconds - 1.01 if measured else 0
    end = seconds * (1 + max(0, math.ceil(2 * late) / 2))
    curves = [("predicted", _PALE_BLUE, 5, prediction.arrivals[accepted], np.array([end]))]
    if measured:
        passed = measured.sent[measured.accepted]
        curves.append(("measured", BLUE, 2, passed, measured.sent[-1:]))
    figure, marks = _against_the_bound(prediction, predicted, curves, (0, end), wide=_INCHES_BESIDE)
    figure.subplots_adjust(left=0.16, right=0.98, top=0.91, bottom=0.09, hspace=0.3)
    marks.set_xlim(-0.012 * end, 1.012 * end)  # a mark at 0 is whole
    if measured:
        kinds = [
            ("measured accepted", *ACCEPTED, measured.accepted),
            ("measured refused", *THROTTLED, measured.throttled),
            ("other", *OTHER, ~(measured.accepted | measured.throttled)),
        ]
        planned = len(prediction)
        _requests(marks, measured.sent, kinds, (0, end), over=measured.job, planned=planned)
    return figure


def fast_png(figure: Figure, dots: int = _DOTS_DRAGGED) -> bytes:
    """The image of a figure, written fast and not small."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dots, pil_kwargs={"compress_level": 1})
    return file.getvalue()


def layers(prediction: Simulation, shown: ArrayLike | None = None) -> Picture:
    """Requests at their times with the layer that refused them, and each layer's level.

    Args:
        prediction: what happened to all requests.
        shown: for each request whether it is drawn; all are unless given.
    """
    drawn = np.ones(len(prediction), dtype=np.bool_) if shown is None else np.asarray(shown, bool)
    figure, (marks, *levels) = _panels((2.3, *[1.5] * len(prediction.layers)))
    kinds = [("accepted", *ACCEPTED, prediction.accepted[drawn])]
    by = np.array(prediction.refused_by)[drawn]
    for name, kind in zip(prediction.refusals, cycle(_REFUSED_BY), strict=False):
        if (by == name).any():
            kinds.append((f"refused by {name}", *kind, by == name))
    _requests(marks, prediction.arrivals[drawn], kinds)
    for axes, layer in zip(levels, prediction.layers, strict=True):
        _level(axes, prediction, layer)
        _title(axes, f"{layer.name}: rate {layer.rate:,g}, burst {layer.burst:,g}")
    words = f"{prediction}."
    if shown is not None:
        passed, count = (prediction.accepted & drawn).sum(), drawn.sum()
        words += f"\nOf the {count} that are shown: {passed} accepted, {count - passed} refused."
    empty = [layer.name for layer in prediction.layers if _ran_empty(layer)]
    words += f"\nRan empty: {', '.join(empty) or 'none'}."
    count, buckets = len(prediction), len(prediction.layers)
    title = f"{count:,} requests at {buckets} {'bucket' if buckets == 1 else 'layers of buckets'}"
    return _picture(figure, title, words)


def retries(runs: Sequence[RetryRun], words: str | None = None) -> Picture:
    """The requests of each run, one run under the other over the same seconds.

    A row is a client, and the rows are in the order in which they got through.

    Args:
        runs: what is compared.
        words: what is said instead of the numbers, where they aren't the same on every run.
    """
    figure, panels = _panels([1.5] * len(runs))
    for axes, run in zip(panels, runs, strict=True):
        accepted, row = run.accepted, run.places[run.client] + 1
        _marks(axes, run.sent, row, ("refused", *THROTTLED, ~accepted), size=5)
        _marks(axes, run.sent, row, ("passed", *ACCEPTED, accepted), size=6)
        axes.set_ylabel("client")
        got_through = f"{run.name}: {run.done} of {run.clients} got through"
        _title(axes, f"{got_through}, {run.refused:,} refused, {run.seconds:.1f} s")
    _legend(panels[0], "lower right")
    clients = max(run.clients for run in runs)
    ways = "" if len(runs) == 1 else f", {len(runs)} ways to retry"
    title = f"{clients} clients call at once{ways}"
    return _picture(figure, title, table(runs) if words is None else words)


Kind = tuple[str, str, str, BoolArray]
"""Label, shape, colour, and which requests."""
_Curve = tuple[str, str, float, FloatArray, FloatArray]
"""Label, colour, width, when each passed that did, and until when it is known."""
_Span = tuple[float, float]


def level_curve(
    prediction: Simulation, layer: Layer, span: _Span | None = None
) -> tuple[FloatArray, FloatArray]:
    """The level between the requests too: it rises by the rate until the bucket is full.

    Args:
        prediction: what happened to the requests.
        layer: whose level.
        span: from when to when; from the first request to the last unless given.

    >>> from labkit.bursts.simulation import simulate
    >>> prediction = simulate([0, 3], TokenBucket(rate=0.5, burst=1))
    >>> when, level = level_curve(prediction, prediction.layers[0])
    >>> np.interp([1, 2, 2.9], when, level).tolist()
    [0.5, 1.0, 1.0]
    """
    if not len(prediction):
        return np.empty(0), np.empty(0)
    ends, asked = span or prediction.arrivals[[0, -1]], prediction.arrivals[layer.applies]
    times, after = np.append(ends[0], asked), np.append(layer.burst, layer.after[layer.applies])
    # Without a rate it never fills: infinity, or NaN where it is full.
    with np.errstate(all="ignore"):
        full = np.nan_to_num(times + (layer.burst - after) / np.float64(layer.rate)).clip(*ends)
    when = np.unique(np.concatenate((ends, asked, full)))
    before_and_after = (np.searchsorted(asked, when, side) for side in ("left", "right"))
    levels = [after[last] + (when - times[last]) * layer.rate for last in before_and_after]
    return np.repeat(when, 2), np.minimum(layer.burst, np.column_stack(levels).ravel())


def _panels(heights: Sequence[float], wide: float = _INCHES_WIDE) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(wide, 0.8 + sum(heights)), facecolor="none")
    made = figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)
    panels: list[Axes] = list(made[:, 0])
    for axes in panels:
        axes.set_facecolor("none")
        axes.spines[:].set_color(INK)
        axes.grid(color=_GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=_SMALL, color=INK, labelcolor=INK)
        axes.yaxis.label.set(fontsize=_MEDIUM, color=INK)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter("{x:,g}")
    panels[-1].set_xlabel("seconds", fontsize=_MEDIUM, color=INK)
    return figure, panels


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=_MEDIUM, color=INK)


def _picture(figure: Figure, title: str, words: str) -> Picture:
    figure.suptitle(title, fontsize=_LARGE, color=INK)
    figure.set_layout_engine("constrained")
    return Picture(figure, title, words)


def _marks(axes: Axes, times: FloatArray, height: np.ndarray, kind: Kind, size: float) -> None:
    label, shape, colour, which = kind
    filled = shape in "ovD"
    axes.plot(
        times[which],
        height[which],
        linestyle="none",
        marker=shape,
        color=colour,
        markerfacecolor=colour if filled else "none",
        # The dark edge keeps dots apart that overlap, also in greyscale.
        markeredgecolor=_EDGE if filled else colour,
        markeredgewidth=size / 14 if filled else size / 5,
        markersize=size,
        label=label,
    )


def _requests(
    axes: Axes,
    times: FloatArray,
    kinds: Sequence[Kind],
    span: _Span | None = None,
    *,
    over: IntArray | None = None,
    planned: int = 0,
) -> None:
    """A mark for each request at its time; more than fit side by side are counted instead.

    Those that are drawn over others have numbers from 0, ``over``, of so many that are planned.
    """
    kinds = [kind for kind in kinds if kind[-1].any()] or kinds
    fill = over is None
    if max(planned, len(times)) > _MOST_MARKS:
        _counts(axes, times, kinds, span or (times[0], times[-1]), fill=fill)
    else:
        height = np.arange(1, len(times) + 1) if over is None else over + 1
        for label, shape, colour, which in kinds:
            counted = (f"{label}: {which.sum():,}", shape, colour, which)
            _marks(axes, times, height, counted, size=8 if fill else 5)
        axes.set_ylabel("request")
    several = len(axes.get_legend_handles_labels()[0])
    _legend(axes, columns=3 if fill or several > 4 else 2)


def _counts(
    axes: Axes, times: FloatArray, kinds: Sequence[Kind], span: _Span, *, fill: bool
) -> None:
    """How many requests of each kind each part of the time has, one kind upon the other."""
    begin, end = span
    edges = np.linspace(begin, max(end, begin + _ROUNDING), _PARTS + 1)
    below = np.zeros(_PARTS)
    for (label, _shape, colour, which), hatch in zip(kinds, cycle(_HATCHES), strict=False):
        top = below + np.histogram(times[which].clip(max=edges[-1]), edges)[0]
        axes.stairs(
            np.where(top > below, top, np.nan),  # none has no edge
            edges,
            baseline=below,
            fill=fill,
            facecolor=to_rgba(colour, 0.3),
            edgecolor=colour,
            hatch=hatch if fill else None,
            linewidth=1 if fill else 2,
            label=f"{label}: {which.sum():,}",
            zorder=(1 if fill else 2) - len(axes.patches) / 100,  # the accepted ones on top
        )
        below = top
    axes.set_ylim(0, max(below.max() * 1.1, axes.get_ylim()[1]))
    part = edges[1] - edges[0]
    axes.set_ylabel("requests / " + (f"{part:.3g} s" if part >= 1 else f"{part * 1000:.3g} ms"))


def _level(axes: Axes, prediction: Simulation, layer: Layer, span: _Span | None = None) -> None:
    when, tokens = level_curve(prediction, layer, span)
    axes.fill_between(when, tokens, color=_GRID)
    axes.plot(when, tokens, color=INK, linewidth=1.4)
    axes.axhline(layer.burst, color=INK, linewidth=1, linestyle=":")
    axes.set_ylim(0, max(1.0, layer.burst * 1.3))
    axes.set_ylabel("tokens left")
    says, place = f"full: {layer.burst:,g} ", axes.get_yaxis_transform()
    full = axes.text(1, layer.burst, says, transform=place, ha="right", va="bottom")
    full.set(fontsize=_SMALL, color=INK)


def _against_the_bound(
    model: Simulation,
    kinds: Sequence[Kind],
    curves: Sequence[_Curve],
    span: _Span | None = None,
    *,
    wide: float = _INCHES_WIDE,
) -> tuple[Figure, Axes]:
    """Three panels: requests, the bucket's level, what passed; the figure and the first of them."""
    figure, (marks, level, axes) = _panels((2.3, 1.8, 1.8), wide)
    [layer] = model.layers
    _requests(marks, model.arrivals, kinds, span)
    _level(level, model, layer, span)
    *_look, passed, last = curves[0]
    begin = float(passed[0]) if len(passed) else 0.0
    line = np.array([begin, max([begin, *last])])
    bound = layer.burst + layer.rate * (line - begin)
    axes.plot(line, bound, color=INK, linewidth=2, linestyle="--", label="burst + rate × t")
    for label, colour, width, times, until in curves:
        many = len(times)
        count = [*[0][:many], *range(1, many + 1), *[many] * len(until)]
        steps = np.concatenate((times[:1], times, until))
        [step] = axes.step(steps, count, where="post", color=colour, linewidth=width, label=label)
        step.set_zorder(2.5 - width / 5)  # a wide one doesn't cover the bound
    axes.set_ylim(bottom=0)  # after the last line: it ends autoscaling
    axes.set_ylabel("passed")
    _legend(axes)
    return figure, marks


def _legend(
    axes: Axes, corner: Literal["lower left", "lower right"] = "lower left", columns: int = 3
) -> None:
    """Above the panel: inside it would cover requests."""
    axes.legend(
        loc=corner,
        bbox_to_anchor=(-0.01 if corner == "lower left" else 1.01, 0.94),
        ncols=columns,
        frameon=False,
        labelcolor=INK,
        fontsize=_SMALL,
        handlelength=1.5,
        columnspacing=1.5,
        handletextpad=0.4,
    )


def _ran_empty(layer: Layer) -> bool:
    return bool((layer.after < 1).any())
