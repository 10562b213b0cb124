"""Pictures: what they draw is what they say, and they read without colour and in both themes."""

import io
import itertools
from typing import Any

import numpy as np
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from labkit import plots
from labkit.bursts import arrivals
from labkit.bursts.burst import Burst, Shot
from labkit.bursts.simulation import simulate
from labkit.bursts.target import Reply
from labkit.plots import Picture
from labkit.retry import RetryRun, rehearse
from labkit.throttle import TokenBucket
from labkit.widgets.prediction import Prediction

BUCKET = TokenBucket(rate=10, burst=5)
SHARED = arrivals.shared(arrivals.spike(6), arrivals.steady(10, 1))
LAYERS = {
    "key A": TokenBucket(1, 2),
    "the stage": TokenBucket(5, 6),
    "the account": TokenBucket(50, 50),
}


def real_burst() -> Burst:
    statuses = [200] * 5 + [429] * 3
    shots = [Shot(n, 0.0, n / 1000, 0.01, Reply(status)) for n, status in enumerate(statuses)]
    return Burst(tuple(shots), 8, True, 0.0)


def once(http: requests.Session, verb: str, url: str, *_time: object) -> requests.Response:
    return http.request(verb, url)


def pictures() -> dict[str, Picture]:
    return {
        "prediction": plots.burst(simulate(arrivals.steady(20, 2), BUCKET)),
        "real burst": plots.burst(real_burst(), BUCKET),
        "layers": plots.layers(simulate(SHARED.times, LAYERS, only={"key A": SHARED.client == 0})),
        "retries": plots.retries([rehearse(once, BUCKET, clients=20, name="once")] * 2),
        "some": plots.layers(
            simulate(SHARED.times, LAYERS, only={"key A": SHARED.client == 0}), SHARED.client == 1
        ),
    }


PICTURES = pictures()


WORDS = {
    "prediction": "40 requests: 24 accepted, 16 throttled.\n"
    "The bucket ran empty. In no span of t seconds more than burst + rate × t passed.",
    "real burst": "8 requests: 5 accepted, 3 throttled.\nThe model lets 5 of them pass.\n"
    "The bucket ran empty. In no span of t seconds more than burst + rate × t passed.",
    "layers": "16 requests: 10 accepted, 6 refused (4 by key A, 2 by the stage).\n"
    "Ran empty: key A, the stage.",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_picture_says_its_result_in_numbers(name: str) -> None:
    picture = PICTURES[name]
    assert str(picture) == picture.words == WORDS[name]


def test_retries_are_said_as_a_table() -> None:
    picture = PICTURES["retries"]
    assert picture.title == "20 clients call at once, 2 ways to retry"
    assert picture.words.splitlines()[1].split() == ["once", "5", "15", "15", "0.0", "250.0"]
    title = picture.figure.axes[0].get_title(loc="left")
    assert title == "once: 5 of 20 got through, 15 refused, 0.0 s"


def test_other_words_for_what_differs_from_run_to_run() -> None:
    run = rehearse(once, BUCKET, clients=7)
    picture = plots.retries([run], words="It depends.")
    assert (picture.title, picture.words) == ("7 clients call at once", "It depends.")


def test_rows_are_in_the_order_in_which_the_clients_got_through() -> None:
    accepted = np.array([True, False, True])
    run = RetryRun("x", 3, np.array([2, 0, 1]), np.array([0.0, 0.1, 0.2]), np.ones(3), accepted)
    refused, passed = plots.retries([run]).figure.axes[0].get_lines()
    assert [*passed.get_ydata()] == [2, 1]  # type: ignore[misc]
    assert [*refused.get_ydata()] == [3]  # type: ignore[misc]


def test_only_some_requests_are_drawn() -> None:
    words = PICTURES["some"].words.splitlines()
    assert words[0] == PICTURES["layers"].words.splitlines()[0]
    passed = simulate(SHARED.times, LAYERS, only={"key A": SHARED.client == 0}).accepted
    passed = passed[SHARED.client == 1]
    assert words[1] == (
        f"Of the 10 that are shown: {passed.sum()} accepted, {(~passed).sum()} refused."
    )


def test_a_picture_is_small() -> None:
    assert len(PICTURES["prediction"].png()) < 40_000


@pytest.mark.parametrize("name", PICTURES)
def test_every_request_is_a_mark_and_its_shape_tells_what_happened(name: str) -> None:
    shapes: dict[str, set[Any]] = {}
    axes = PICTURES[name].figure.axes
    for line in itertools.chain.from_iterable(each.get_lines() for each in axes):
        if line.get_marker() not in ("None", "", None):
            shapes.setdefault(str(line.get_label()).split(":")[0], set()).add(
                (line.get_marker(), str(line.get_color()))
            )
    assert len(shapes) >= 2
    flat = [kind for kinds in shapes.values() for kind in kinds]
    assert len({marker for marker, _colour in flat}) == len(flat), "told apart without colour"
    assert len({colour for _marker, colour in flat}) == len(flat)
    if name not in ("retries", "some"):
        marks = [
            line for line in axes[0].get_lines() if line.get_marker() not in ("None", "", None)
        ]
        sizes = [int(words) for words in PICTURES[name].words.split()[:1]]
        assert sum(len(line.get_xdata()) for line in marks) == sizes[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("spread", [4.0, 0.0])
def test_more_requests_than_marks_fit_are_counted_and_none_is_lost(spread: float) -> None:
    prediction = simulate(np.linspace(0, spread, 3_000), TokenBucket(rate=100, burst=500))
    axes = plots.burst(prediction).figure.axes[0]
    stairs = [patch for patch in axes.patches if isinstance(patch, StepPatch)]
    counted = {}
    for kind in stairs:
        values, _edges, baseline = kind.get_data()
        counted[str(kind.get_label())] = int(np.nansum(values - baseline))
    refused = 3_000 - prediction.passed
    assert counted == {
        f"accepted: {prediction.passed}": prediction.passed,
        f"throttled: {refused:,}": refused,
    }
    hatches = [kind.get_hatch() for kind in stairs]
    assert len(set(hatches)) == len(hatches), "told apart without colour"


# -- what was measured over what was predicted -------------------------------------------------


def compared(prediction: Prediction, bucket: TokenBucket | None = None, late: float = 0) -> Figure:
    """With what another bucket would have let pass, or the same."""
    times = prediction.requests.times
    limit = bucket or TokenBucket(prediction.rate, prediction.burst)
    whole = enumerate(zip(times.tolist(), simulate(times, limit).accepted, strict=True))
    shots = [
        Shot(job, when, when + late, when + late, Reply(200 if passed else 429))
        for job, (when, passed) in whole
    ]
    measured = Burst(tuple(shots), prediction.size, True, 0.0)
    return plots.compared(prediction.simulation, measured, prediction.seconds)


def curves(axes: Axes) -> dict[str, Line2D]:
    return {str(line.get_label()): line for line in axes.get_lines()}


def labels(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_what_passed_stays_in_the_panel() -> None:
    panel = compared(Prediction(1, 5, "steady", 100, 3), TokenBucket(1000, 100)).axes[2]
    assert panel.get_ylim()[0] == 0
    assert max(curves(panel)["measured"].get_ydata()) == 100  # type: ignore[arg-type]
    assert panel.get_ylim()[1] >= 100


@pytest.mark.parametrize("late", [0.0, 0.007, 4.0])
def test_a_spike_is_seen_over_the_whole_time(late: float) -> None:
    figure = compared(Prediction(10, 20, "spike", 60, 3), late=late)
    end = 4.5 if late > 3 else 3
    for axes in figure.axes:
        first, last = axes.get_xlim()
        assert -0.1 < first < 0
        assert end <= last < 1.02 * end
    level, passed = figure.axes[1].get_lines()[0], curves(figure.axes[2])
    assert np.interp([1, 2, end], *level.get_data()).tolist() == pytest.approx([10, 20, 20])
    bound = passed["burst + rate × t"].get_xydata()
    assert np.allclose(bound, [(0, 20), (end, 20 + 10 * end)])


@pytest.mark.parametrize("size", [121, 300])
def test_the_few_that_passed_are_on_top(size: int) -> None:
    bars = compared(Prediction(1, 12, "steady", size, 10)).axes[0].patches
    names = [str(one.get_label()).partition(":")[0] for one in bars]
    assert names == [
        "predicted accepted",
        "predicted refused",
        "measured accepted",
        "measured refused",
    ]
    order = sorted(range(4), key=lambda number: bars[number].get_zorder())
    assert order == [1, 0, 3, 2]


@pytest.mark.parametrize("size", [60, 600])
def test_predicted_is_pale_and_measured_is_strong(size: int) -> None:
    requests_, _level, passed = compared(Prediction(10, 20, "steady", size, 3)).axes
    colours = {
        str(one.get_label()).partition(" accepted")[0]: to_rgba(
            one.get_edgecolor() if isinstance(one, StepPatch) else one.get_color()
        )
        for one in (*requests_.get_lines(), *requests_.patches)
        if "accepted" in str(one.get_label())
    }
    for name in ("predicted", "measured"):
        assert to_rgba(curves(passed)[name].get_color()) == colours[name]
    assert colours["measured"] == to_rgba(plots.BLUE) != colours["predicted"]
    assert labels(passed) == ["burst + rate × t", "predicted", "measured"]
    order = sorted(curves(passed).values(), key=lambda line: line.get_zorder())
    assert [line.get_label() for line in order] == ["predicted", "burst + rate × t", "measured"]
    assert not any("other" in label for label in labels(requests_))


def test_other_answers_are_told() -> None:
    prediction = Prediction(10, 20, "steady", 2, 3)
    shots = (Shot(0, 0, 0, 0, Reply(200)), Shot(1, 0.1, 0.1, 0.1, Reply(403)))
    figure = plots.compared(prediction.simulation, Burst(shots, 2, True, 0.0), 3)
    assert labels(figure.axes[0]) == [
        "predicted accepted: 2",
        "measured accepted: 1",
        "other: 1",
    ]


def test_where_none_is_refused_nothing_is_drawn() -> None:
    figure = compared(Prediction(10_000, 5_000, "ramp", 10_000, 1))
    assert labels(figure.axes[0]) == ["predicted accepted: 10,000", "measured accepted: 10,000"]
    assert [text.get_text() for text in figure.axes[1].texts] == ["full: 5,000 "]
    refused = compared(Prediction(100, 200, "ramp", 1_000, 5)).axes[0].patches[1]
    assert isinstance(refused, StepPatch)
    values, _edges, baseline = refused.get_data()
    assert np.isnan(values[0])
    assert (values > baseline)[~np.isnan(values)].all()


@pytest.mark.parametrize("seconds", [1, 3, 60])
@pytest.mark.parametrize("measured", [False, True])
def test_every_text_is_in_the_picture(seconds: float, measured: bool) -> None:
    prediction = Prediction(10_000, 5_000, "spike", 10_000, seconds)
    figure = plots.compared(prediction.simulation, None, seconds)
    if measured:
        figure = compared(prediction, TokenBucket(10, 4_000))
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        label, panel = axes.yaxis.label.get_window_extent(), axes.get_window_extent()
        assert label.height < panel.height * 1.02
        assert label.x0 >= 0
    for axes in figure.axes[::2]:
        legend = axes.get_legend()
        assert legend is not None
        box = legend.get_window_extent()
        assert box.x1 < figure.bbox.x1
        assert box.y1 < figure.bbox.y1 + 12  # without its empty border


def luminance(colour: np.ndarray) -> np.ndarray:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


WHITE, DARK = (luminance(np.array([shade] * 3)) for shade in (1, 0x11 / 255))
"""What is behind an output in JupyterLab's two themes."""


def contrast(light: np.ndarray, other: np.ndarray) -> np.ndarray:
    """As https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    return (np.maximum(light, other) + 0.05) / (np.minimum(light, other) + 0.05)


def luminance_of(colour: str) -> np.ndarray:
    return luminance(np.array(to_rgba(colour)[:3]))


@pytest.mark.parametrize("name", PICTURES)
def test_the_paper_is_the_theme_s_own(name: str) -> None:
    image = imread(io.BytesIO(PICTURES[name].png()))
    clear = image[..., 3] == 0
    assert clear.mean() > 0.5
    assert clear[[0, 0, -1, -1], [0, -1, 0, -1]].all()
    most = np.unique(image[image[..., 3] == 1].round(2), axis=0, return_counts=True)
    ink = luminance(most[0][most[1].argmax()][:3])
    assert min(contrast(ink, WHITE), contrast(ink, DARK)) > 3.5


@pytest.mark.parametrize("paper", [WHITE, DARK], ids=["light", "dark"])
def test_ink_and_colours_differ_from_the_paper(paper: np.ndarray) -> None:
    assert contrast(luminance_of(plots.INK), paper) > 4.3
    for colour in (plots.BLUE, plots.VERMILION, plots.GREEN, plots.PURPLE):
        assert contrast(luminance_of(colour), paper) >= 3, colour  # WCAG 1.4.11 for graphics


def test_nothing_at_all_can_be_drawn() -> None:
    for picture in (
        plots.burst(simulate([], BUCKET)),
        plots.layers(simulate([], LAYERS)),
        plots.layers(simulate([0, 1], LAYERS), [False, False]),
        plots.burst(simulate([0, 0, 1], TokenBucket(0, 1))),
    ):
        assert picture.png().startswith(b"\x89PNG")


def test_what_is_missing_is_said() -> None:
    with pytest.raises(ValueError, match="which bucket"):
        plots.burst(real_burst())


def test_a_broken_bound_is_said() -> None:
    picture = plots.burst(real_burst(), TokenBucket(rate=0, burst=3))
    assert "In one span of t seconds 2.0 more than burst + rate × t passed." in picture.words


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=30).map(sorted),
    st.builds(TokenBucket, st.floats(0, 20), st.floats(0, 10)),
)
def test_the_drawn_level_is_the_bucket_s(times: list[float], bucket: TokenBucket) -> None:
    prediction = simulate(times, bucket)
    when, level = plots.level_curve(prediction, prediction.layers[0])
    assert (np.diff(when) >= 0).all()
    assert (level >= 0).all()
    assert (level <= bucket.burst).all()
    for first, second, after in zip(times, times[1:], prediction.layers[0].after, strict=False):
        middle = (first + second) / 2
        if first < middle < second and second - first > 1e-6:
            expected = min(bucket.burst, after + (middle - first) * bucket.rate)
            assert np.interp(middle, when, level) == pytest.approx(expected, abs=1e-4)
