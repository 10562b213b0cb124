"""The throttle explorer: what it predicts, draws and says, and what it does when it is fired and stopped.

tests/browser/test_throttle_explorer.py uses it in JupyterLab.
"""

import _thread
import io
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

import labkit
from labkit.bursts.burst import Shot
from labkit.bursts.target import Reply
from labkit.lab.session import Lab
from labkit.throttle import TokenBucket
from labkit.widgets import throttle_explorer
from labkit.widgets.explorer import BURSTS, RATES, SIZES, SPANS, ThrottleExplorer
from labkit.widgets.explorer_picture import BINS, MOST_MARKS, ExplorerPicture
from labkit.widgets.exploring import (
    ACCEPTED,
    OTHER,
    PATTERNS,
    REFUSED,
    Measured,
    Prediction,
    Settings,
    binned,
    report,
    thinned,
)
from labkit.widgets.firing import NEEDED, NOT_FIRED, stopped_by_interrupt
from labkit.widgets.latest import Latest
from labkit.widgets.png import png
from tests.cloud.widgets.test_widgets import EVIL, HOSTILE, WIDGET_VIEW, shown
from tests.support.attached_cloud import attached_cloud, eventually
from tests.support.mock_api import MockApi, mock_api
from tests.support.patience import PATIENCE

in_its_own_time = settings(max_examples=50)
"""Drawing takes some ten milliseconds, and on a busy machine more."""
SETTINGS = st.builds(
    Settings,
    rate=st.sampled_from(RATES),
    burst=st.sampled_from(BURSTS),
    pattern=st.sampled_from(list(PATTERNS)),
    size=st.sampled_from(SIZES),
    seconds=st.sampled_from(SPANS),
)
SMALL = Settings(10, 20, "steady", 60, 3)


def answers(prediction: Prediction, seed: int, share: float = 1.0) -> Measured:
    """What might have come back: as predicted, but for a few; sent a little late; only a share of it."""
    measured, random = Measured(prediction), np.random.default_rng(seed)
    times = prediction.requests.times
    for job in range(int(share * len(times))):
        chance = random.uniform()
        status = 200 if prediction.simulation.accepted[job] == (chance < 0.9) else 429
        reply = Reply(status) if chance < 0.98 else Reply(403, "ForbiddenException")
        sent = float(times[job] + random.uniform(0, 0.02))
        measured.note(Shot(job, float(times[job]), sent, sent + 0.01, reply))
    return measured


def cells(text: str, row: str) -> list[int]:
    """The numbers of a row of a text twin."""
    [line] = [line for line in text.splitlines() if line.startswith(f"{row} ")]
    return [int(number.replace(",", "")) for number in line[len(row) :].split()]


# -- the prediction --------------------------------------------------------------------------


@given(SETTINGS)
@in_its_own_time
def test_the_prediction_is_the_bucket_s(where: Settings) -> None:
    prediction = Prediction(where)
    times = prediction.requests.times
    assert len(times) == where.size
    assert (np.diff(times) >= 0).all()
    assert 0 <= times[0] <= times[-1] <= where.seconds
    bucket = TokenBucket(where.rate, where.burst)
    passed = sum(bucket.take(now) for now in times.tolist())
    assert cells(str(report(prediction, None, "")), "predicted") == [passed, where.size - passed]
    assert passed <= where.burst + where.rate * prediction.seconds + 1e-6


@given(SETTINGS)
@in_its_own_time
def test_the_same_settings_are_the_same_requests(where: Settings) -> None:
    first, second = Prediction(where).requests, Prediction(where).requests
    assert (first.times == second.times).all()
    assert (first.client == second.client).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": 0}, "rate=0: give a number above 0, at most 10,000."),
        ({"rate": float("nan")}, "rate=nan: give a number above 0, at most 10,000."),
        ({"burst": 5001}, "burst=5001: give a number above 0, at most 5,000."),
        ({"burst": 2.5}, "burst=2.5: give a whole number."),
        ({"size": 10_001}, "size=10001: give a number above 0, at most 10,000."),
        ({"seconds": -1}, "seconds=-1: give a number above 0, at most 300."),
        ({"pattern": EVIL}, "give one of steady, spike, Poisson, ramp, two clients, retry storm."),
    ],
)
def test_what_cannot_be_explored(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="give") as caught:
        throttle_explorer(**changes)
    assert str(caught.value).endswith(message)


def test_own_values_are_on_the_sliders() -> None:
    view = throttle_explorer(rate=7.5, burst=33, size=137, seconds=4, pattern="ramp")
    assert str(view).startswith("Rate 7.5, burst 33; ramp: 137 requests in 4 s")
    assert view.rate.value == 7.5
    view.rate.value = 100
    assert view.prediction.settings == Settings(100, 33, "ramp", 137, 4)


# -- what it says ------------------------------------------------------------------------------


@given(SETTINGS, st.floats(0.01, 1), st.integers(0, 99))
@in_its_own_time
def test_the_words_have_the_counts(where: Settings, share: float, seed: int) -> None:
    prediction = Prediction(where)
    measured = answers(prediction, seed, share)
    says = report(prediction, measured, "the end")
    text = str(says)
    if not len(measured):
        assert "measured" not in text
        return
    found = [int((measured.outcome == kind).sum()) for kind in (ACCEPTED, REFUSED, OTHER)]
    assert sum(found) == len(measured)
    assert cells(text, "measured") == (found if found[2] else found[:2])
    answered = len(measured) == where.size
    same = "predicted" if answered else f"predicted for the {len(measured):,} answered"
    predicted = cells(text, same)
    assert sum(predicted) == len(measured)
    difference = [now - before for now, before in zip(found, predicted, strict=False)]
    assert cells(text, "difference") == difference
    assert ("Other answers: 403 ForbiddenException." in text) == (found[2] > 0)
    assert text.endswith("\nthe end")
    for name, *numbers in says.rows:
        counts = (f"{n} {what}" for n, what in zip(numbers, says.head[1:], strict=True) if n)
        assert f"{name}: {', '.join(counts)}." in says.alt


def test_a_limit_that_was_not_kept_is_told() -> None:
    prediction = Prediction(SMALL)
    measured = Measured(prediction)
    for job, when in enumerate(prediction.requests.times.tolist()):
        measured.note(Shot(job, when, when, when, Reply(200)))
    says = str(report(prediction, measured, ""))
    assert cells(says, "measured") == [60, 0]
    assert cells(says, "difference") == [11, -11]
    assert "= 49.5 could pass, and 60 did: the limit was another one, or" in says


def test_the_quota_s_429_is_another_answer() -> None:
    measured = Measured(Prediction(SMALL))
    measured.note(Shot(0, 0.0, 0.0, 0.1, Reply(429, "LimitExceededException")))
    measured.note(Shot(1, 0.0, 0.0, 0.1, Reply(429, "TooManyRequestsException")))
    says = str(report(measured.prediction, measured, ""))
    assert cells(says, "measured") == [0, 1, 1]
    assert "Other answers: 429 LimitExceededException." in says


def test_two_clients_are_told_apart() -> None:
    prediction = Prediction(Settings(10, 20, "two clients", 60, 3))
    says = str(report(prediction, None, ""))
    assert "Of the even client, 30 of 30 are predicted to be accepted." in says
    assert "at one moment, 19 of 30 are predicted to be accepted." in says
    measured = str(report(prediction, answers(prediction, 1), ""))
    assert "Of the even client, 30 of 30 are predicted to be accepted; " in measured


@pytest.fixture(scope="module")
def view() -> ThrottleExplorer:
    """One that can't fire."""
    return throttle_explorer()


@given(where=SETTINGS)
@settings(max_examples=15)
def test_the_text_twin_and_the_widget_say_the_same(view: ThrottleExplorer, where: Settings) -> None:
    names = ("rate", "burst", "pattern", "size", "seconds")
    for name in names:
        getattr(view, name).value = getattr(where, name)
    view.wait()
    says = view.report()
    html = shown(view)
    for text in (says.settings, says.status, *says.sentences):
        assert text in html
        assert text in str(view)
    assert "".join(cell for row in (says.head, *says.rows) for cell in row) in html
    assert view.picture.tooltip == says.alt
    image = bytes(view.picture.value)
    assert says.alt.encode() in image
    assert image == ExplorerPicture().png(view.prediction, None, says.alt)
    assert view.seconds.disabled == (where.pattern == "spike")
    assert view._repr_mimebundle_()["text/plain"] == str(view)
    assert WIDGET_VIEW in view._repr_mimebundle_()


def test_without_a_target_it_says_what_is_missing() -> None:
    view = throttle_explorer()
    assert view.fire_button.disabled
    assert view.stop_button.disabled
    assert str(view).endswith(NEEDED)
    assert NEEDED in shown(view)
    view.fire()
    view.wait()
    assert view.measured is None


def test_the_other_widgets_do_not_wait_for_matplotlib() -> None:
    program = "import sys, labkit.widgets; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


# -- what it draws -----------------------------------------------------------------------------


@given(st.lists(st.floats(0, 10), max_size=200).map(sorted), st.integers(1, 60), st.floats(10, 100))
def test_no_request_gets_lost_in_the_bins(times: list[float], bins: int, end: float) -> None:
    counts = binned(np.array(times), end, bins)
    assert counts.sum() == len(times)
    assert len(counts) == bins


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-9, 9)), min_size=1), st.integers(1, 9))
def test_a_thinned_line_looks_the_same(points: list[tuple[float, float]], columns: int) -> None:
    x, y = (np.array(part) for part in zip(*sorted(points), strict=True))
    few, lowered = thinned(x, y, 1.0, columns)
    assert len(few) <= max(len(x), 4 * columns)
    assert (np.diff(few) >= 0).all()
    place = np.minimum((x * columns).astype(int), columns - 1)
    kept = np.minimum((few * columns).astype(int), columns - 1)
    for column in set(place.tolist()):
        own, drawn = y[place == column], lowered[kept == column]
        assert (drawn[0], drawn.min(), drawn.max()) == (own[0], own.min(), own.max())
        assert drawn[-1] == own[-1]


@pytest.fixture(scope="module")
def picture() -> ExplorerPicture:
    return ExplorerPicture()


@given(where=SETTINGS, seed=st.integers(0, 99))
@settings(max_examples=25)
def test_the_overlay_has_the_counts_of_the_text(
    picture: ExplorerPicture, where: Settings, seed: int
) -> None:
    prediction = Prediction(where)
    measured = answers(prediction, seed)
    picture.png(prediction, measured, "")
    text = str(report(prediction, measured, ""))
    predicted = [picture._rings, picture._squares]
    found = [picture._dots, picture._crosses, picture._others]
    if where.size <= MOST_MARKS:
        assert [len(one.get_xdata()) for one in predicted] == cells(text, "predicted")
        drawn = [len(one.get_xdata()) for one in found]
    else:
        accepted, top = (
            np.nan_to_num(bars.get_data().values) for bars in (picture._bars, picture._hatched)
        )
        refused = top - np.where(top > 0, accepted, 0)
        assert [accepted.sum(), refused.sum()] == cells(text, "predicted")
        drawn = stacked(found, picture._lower[0].base.end)
    numbers = cells(text, "measured")
    assert drawn == [*numbers, *[0] * (3 - len(numbers))]
    assert picture._climbed.get_ydata()[-1] == numbers[0]
    assert picture._staircase.get_ydata()[-1] == cells(text, "predicted")[0]


def stacked(marks: list[Any], end: float) -> list[int]:
    """How many requests marks count that stand on one another."""
    heights = np.zeros(BINS)
    counts = []
    for one in marks:
        x, y = one.get_xdata(), one.get_ydata()
        places = np.floor(x / end * BINS).astype(int)
        counts.append(int((y - heights[places]).sum()))
        heights[places] = y
    return counts


@given(st.lists(st.tuples(SETTINGS, st.none() | st.floats(0, 1)), min_size=2, max_size=4))
@settings(max_examples=8)
def test_what_is_drawn_over_a_copy_is_what_is_drawn_anew(
    steps: list[tuple[Settings, float | None]],
) -> None:
    picture = ExplorerPicture()
    for where, share in steps:
        prediction = Prediction(where)
        picture.png(prediction, None, "")
        measured = None if share is None else answers(prediction, 1, share)
        image = picture.png(prediction, measured, "")
    assert image == ExplorerPicture().png(prediction, measured, "")


def test_what_is_late_gets_room() -> None:
    prediction = Prediction(SMALL)
    measured = Measured(prediction)
    measured.note(Shot(59, 2.95, 5.2, 5.3, Reply(200)))
    picture = ExplorerPicture()
    picture.png(prediction, measured, "")
    assert picture._lower[0].base.end == 6


@given(st.text())
def test_a_png_is_one(description: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    image = png(pixels, description.encode("utf-8", "replace").decode())
    seen = matplotlib.image.imread(io.BytesIO(image))
    assert (np.rint(seen[:, :, :3] * 255) == pixels[:, :, :3]).all()


# -- the latest wins -----------------------------------------------------------------------------


def test_only_the_newest_is_drawn() -> None:
    began, go, done = threading.Event(), threading.Event(), []

    def work(job: int) -> None:
        began.set()
        go.wait(PATIENCE)
        done.append(job)

    latest = Latest(work)
    latest.put(1)
    assert began.wait(PATIENCE)
    for job in range(2, 9):
        latest.put(job)
    go.set()
    latest.wait()
    assert done == [1, 8]


def test_a_drag_ends_where_the_slider_is() -> None:
    view = throttle_explorer(size=10_000)
    drawn = []
    own = view._drawing.png

    def slowly(prediction: Prediction, *rest: Any) -> bytes:
        time.sleep(0.05)
        drawn.append(prediction.settings.rate)
        return own(prediction, *rest)

    view._drawing.png = slowly
    for rate in RATES:
        view.rate.value = rate
    view.wait()
    assert drawn[-1] == RATES[-1]
    assert len(drawn) < len(RATES) / 2
    assert f"Rate {RATES[-1]:,}" in shown(view)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_after_a_failure_the_next_job_is_done() -> None:
    done: list[int] = []
    latest = Latest[int](lambda job: done.append(10 // job))
    latest.put(0)
    latest.wait()
    latest.put(5)
    latest.wait()
    assert done == [2]
    assert eventually(lambda: not threads())


def threads() -> list[str]:
    """The widget's and the burst's threads that still run."""
    return [one.name for one in threading.enumerate() if one.name.startswith("labkit ")]


# -- firing ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def api(lab: Lab) -> MockApi:
    return mock_api()


def explorer(lab: Lab, api: MockApi, **options: Any) -> ThrottleExplorer:
    return throttle_explorer(api.url, lab=lab, **{"apply": api.limit, "seconds": 1} | options)


def assert_it_agrees(view: ThrottleExplorer) -> None:
    """The text, the image's text, the overlay and the burst have the same counts."""
    burst = view.measured
    assert burst is not None
    counts = [int(burst.accepted.sum()), int(burst.throttled.sum())]
    assert cells(str(view), "measured") == counts
    assert f"measured: {counts[0]} accepted, {counts[1]} refused (429)." in view.picture.tooltip
    assert view._drawing._climbed.get_ydata()[-1] == counts[0]
    assert shown(view).startswith(f"{burst}.")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_gateway_does_what_is_predicted(lab: Lab, api: MockApi, pattern: str) -> None:
    rate = 15 + list(PATTERNS).index(pattern)  # another limit, another bucket: a full one
    view = explorer(lab, api, pattern=pattern, rate=rate, burst=12, size=40)
    view.fire()
    view.wait()
    assert view.measured is not None
    assert len(view.measured) == 40
    assert_it_agrees(view)
    passed, refused = cells(str(view), "measured")
    assert passed + refused == 40
    # What comes a little later than planned meets a bucket that is a little fuller, or overflows.
    jitter = float((view.measured.answered - view.measured.scheduled).max())
    assert abs(passed - cells(str(view), "predicted")[0]) <= 1 + 2 * rate * jitter
    assert passed <= 12 + rate * float(view.measured.answered.max() - view.measured.sent.min())
    assert not view.fire_button.disabled
    assert view.stop_button.disabled


def test_what_is_measured_is_drawn_while_it_runs(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, seconds=3)
    drawn: list[bytes] = []
    view.picture.observe(lambda change: drawn.append(bytes(change.new)), "value")
    statuses: list[str] = []
    view.status.observe(lambda change: statuses.append(change.new), "value")
    view.fire()
    assert eventually(lambda: view.stop_button.disabled is False)
    assert all(one.disabled for one in (*view._inputs, view.fire_button))
    view.fire()  # one at a time
    view.wait()
    assert len(view.measured or ()) == 60
    assert len(set(drawn)) >= 5
    assert sum("Firing: " in one for one in statuses) >= 4
    assert not any(one.disabled for one in (*view._inputs, view.fire_button))


def test_elsewhere_the_measurement_is_out_of_sight(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, size=20)
    view.fire()
    view.wait()
    before = str(view)
    view.burst.value = 40
    view.wait()
    assert "measured" not in str(view)
    assert str(view).endswith(f"{NOT_FIRED} The last burst was: Rate 10, burst 20; steady: "
                              "20 requests, evenly over 1 s, 20 a second.")  # fmt: skip
    view.burst.value = 20
    view.wait()
    assert str(view) == before
    assert_it_agrees(view)


def test_the_same_again_waits_for_a_full_bucket(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, rate=40, burst=40, pattern="spike", size=60)
    statuses: list[str] = []
    view.status.observe(lambda change: statuses.append(change.new), "value")
    for _ in range(2):
        view.fire()
        view.wait()
        assert cells(str(view), "measured")[0] >= 40
    assert any("the bucket is filling up again" in one for one in statuses)


@pytest.mark.parametrize("way", ["button", "interrupt"])
def test_stopped_it_keeps_what_was_measured(lab: Lab, api: MockApi, way: str) -> None:
    view = explorer(lab, api, size=1000, seconds=60)
    view.fire()
    assert eventually(lambda: len(view._firing.measured or ()) > 3)
    began = time.monotonic()
    if way == "button":
        view.stop_button.click()
    else:
        timer = threading.Timer(0.2, _thread.interrupt_main)
        timer.start()
    view.wait()
    assert time.monotonic() - began < 20
    assert view.measured is not None
    assert not view.measured.finished
    assert 3 < len(view.measured) < 900
    assert "Stopped. " in shown(view)
    assert "of 1000 planned." in str(view)
    assert f"predicted for the {len(view.measured):,} answered" in str(view)
    assert_it_agrees(view)
    assert eventually(lambda: not threads())


def test_stopped_while_the_bucket_fills(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, rate=1, burst=50, pattern="spike", size=60)
    view.fire()
    view.wait()
    view.fire()
    assert eventually(lambda: "Waiting" in view.status.value)
    view.stop()
    view.wait()
    assert str(view).endswith("Stopped before the first request was sent.")
    assert len(view.measured or ()) == 60


def test_a_foreign_target_is_refused_before_anything_changes(lab: Lab, api: MockApi) -> None:
    applied: list[object] = []
    view = throttle_explorer(
        requests.Request("GET", "https://example.com/"),
        lab=lab,
        apply=lambda *at: applied.append(at),
    )
    view.fire()
    view.wait()
    assert "fire() only aims at the lab's own APIs" in str(view).splitlines()[-1]
    assert "fire() only aims at the lab's own APIs" in shown(view)
    assert applied == []
    assert not view.fire_button.disabled


@given(said=HOSTILE)
@settings(max_examples=8)
def test_what_the_own_function_raises_is_one_line_of_text(
    lab: Lab, api: MockApi, said: str
) -> None:
    def apply(rate: float, burst: int) -> None:
        raise RuntimeError(f"{rate:g} {burst}\n{said}")

    view = explorer(lab, api, apply=apply)
    view.fire()
    view.wait()
    last = str(view).splitlines()[-1]
    assert last.startswith("The limit couldn't be set: RuntimeError: 10 20")
    assert last.isprintable()
    assert last in shown(view)
    assert "measured" not in str(view)


def test_a_cloud_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with attached_cloud(tmp_path) as lab:
        api = mock_api()
        view = explorer(lab, api)
        labkit.stop()
        view.fire()
        view.wait()
        last = "The local cloud doesn't answer: run `lab = labkit.start()` again."
        assert str(view).endswith(last)
        assert last in shown(view)
        assert not view.fire_button.disabled


def test_without_a_kernel_nobody_listens_for_its_interrupt() -> None:
    with stopped_by_interrupt(lambda: pytest.fail("stopped")):
        pass
