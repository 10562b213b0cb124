"""The throttle explorer: what it predicts, draws and says, and what it does when it is fired and stopped.

tests/browser/test_throttle_explorer.py uses it in JupyterLab.
"""

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from botocore.exceptions import EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

import labkit
from labkit import plots
from labkit.bursts.burst import Burst, Shot
from labkit.bursts.target import Reply
from labkit.lab.session import Lab
from labkit.throttle import TokenBucket
from labkit.widgets import throttle_explorer
from labkit.widgets.explorer import BURSTS, RATES, SIZES, SPANS, ThrottleExplorer
from labkit.widgets.firing import NOT_FIRED
from labkit.widgets.prediction import PATTERNS, Prediction, report
from tests.cloud.widgets.test_widgets import EVIL, HOSTILE, WIDGET_VIEW, Elements, shown
from tests.support.attached_cloud import attached_cloud, eventually
from tests.support.mock_api import MockApi, mock_api

in_its_own_time = settings(max_examples=50)
"""Drawing takes some ten milliseconds, and on a busy machine more."""
SETTINGS = st.builds(
    Prediction,
    rate=st.sampled_from(RATES),
    burst=st.sampled_from(BURSTS),
    pattern=st.sampled_from(list(PATTERNS)),
    size=st.sampled_from(SIZES),
    seconds=st.sampled_from(SPANS),
)
NOBODY: Any = None
"""The lab of what isn't fired."""
SMALL = Prediction(10, 20, "steady", 60, 3)


def burst_of(prediction: Prediction, shots: list[Shot]) -> Burst:
    return Burst(tuple(sorted(shots, key=lambda shot: shot.sent)), prediction.size, False, 0.0)


def answers(prediction: Prediction, seed: int, share: float = 1.0) -> Burst:
    """What might have come back: as predicted, but for a few; sent a little late; only a share of it."""
    shots, random = [], np.random.default_rng(seed)
    times = prediction.requests.times
    for job in range(int(share * len(times))):
        chance = random.uniform()
        status = 200 if prediction.simulation.accepted[job] == (chance < 0.9) else 429
        reply = Reply(status) if chance < 0.98 else Reply(403, "ForbiddenException")
        sent = float(times[job] + random.uniform(0, 0.02))
        shots.append(Shot(job, float(times[job]), sent, sent + 0.01, reply))
    return burst_of(prediction, shots)


def words(prediction: Prediction, measured: Burst | None) -> str:
    """What is said of it, as text."""
    blocks, _alt = report(prediction, measured)
    return "\n".join(line for block in blocks for line in block.lines)


def cells(text: str, row: str) -> list[int]:
    """The numbers of a row of a text twin."""
    [line] = [line for line in text.splitlines() if line.startswith(f"{row} ")]
    return [int(number.replace(",", "")) for number in line[len(row) :].split()]


# -- the prediction --------------------------------------------------------------------------


@given(SETTINGS)
@in_its_own_time
def test_the_prediction_is_the_bucket_s(prediction: Prediction) -> None:
    times = prediction.requests.times
    assert len(times) == prediction.size
    assert (np.diff(times) >= 0).all()
    assert 0 <= times[0] <= times[-1] <= prediction.seconds
    bucket = TokenBucket(prediction.rate, prediction.burst)
    passed = sum(bucket.take(now) for now in times.tolist())
    assert cells(words(prediction, None), "predicted") == [
        passed,
        prediction.size - passed,
    ]
    assert passed <= prediction.burst + prediction.rate * (times[-1] - times[0]) + 1e-6


@given(SETTINGS)
@in_its_own_time
def test_the_same_settings_are_the_same_requests(prediction: Prediction) -> None:
    first, second = prediction.requests, replace(prediction).requests
    assert (first.times == second.times).all()
    assert (first.client == second.client).all()


@given(st.integers(1, 500), st.floats(0.1, 5))
def test_a_ramp_has_each_moment_s_rate(size: int, seconds: float) -> None:
    times = Prediction(1, 1, "ramp", size, seconds).requests.times
    # So many must have come by then, by the area under the rate.
    assert np.allclose(size / seconds**2 * times**2, np.arange(size), atol=1e-5)


def test_a_storm_comes_in_waves() -> None:
    times = Prediction(1, 1, "retry storm", 200, 8).requests.times
    wave, place = np.divmod(times, 2)
    assert np.bincount(wave.astype(int)).tolist() == [50, 50, 50, 50]
    assert place.max() <= 0.2 + 1e-9
    assert np.allclose(times[:50] + 2, times[50:100])


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
        throttle_explorer("", lab=NOBODY, apply=print, **changes)
    assert str(caught.value).endswith(message)


def test_own_values_are_on_the_sliders() -> None:
    view = throttle_explorer(
        "", lab=NOBODY, apply=print, rate=7.5, burst=33, size=137, seconds=4, pattern="ramp"
    )
    assert str(view).startswith("Rate 7.5, burst 33; ramp: 137 requests, in 4 s")
    assert view.rate.value == 7.5
    view.rate.value = 100
    assert view.prediction == Prediction(100, 33, "ramp", 137, 4)


# -- what it says ------------------------------------------------------------------------------


@given(SETTINGS, st.floats(0.01, 1), st.integers(0, 99))
@in_its_own_time
def test_the_words_have_the_counts(prediction: Prediction, share: float, seed: int) -> None:
    measured = answers(prediction, seed, share)
    (_blocks, alt), text = report(prediction, measured), words(prediction, measured)
    if not len(measured):
        assert "measured" not in text
        return
    passed, refused = int(measured.accepted.sum()), int(measured.throttled.sum())
    found = [passed, refused, len(measured) - passed - refused]
    assert cells(text, "measured") == (found if found[2] else found[:2])
    answered = len(measured) == prediction.size
    same = "predicted" if answered else f"predicted for the {len(measured):,} answered"
    predicted = cells(text, same)
    assert sum(predicted) == len(measured)
    difference = [now - before for now, before in zip(found, predicted, strict=False)]
    assert cells(text, "difference") == difference
    assert ("Other answers: 403 ForbiddenException." in text) == (found[2] > 0)
    kinds = ("accepted", "refused (429)", "other answers")
    counts = (f"{n:,} {what}" for n, what in zip(cells(text, "measured"), kinds, strict=False))
    assert f"measured: {', '.join(counts)}." in alt


def test_a_limit_that_was_not_kept_is_told() -> None:
    times = enumerate(SMALL.requests.times.tolist())
    shots = [Shot(job, when, when, when, Reply(200)) for job, when in times]
    says = words(SMALL, burst_of(SMALL, shots))
    assert cells(says, "measured") == [60, 0]
    assert cells(says, "difference") == [11, -11]
    assert "= 49.5 could pass, and 60 did: the limit was another one, or" in says


def test_the_quota_s_429_is_another_answer() -> None:
    shots = [
        Shot(0, 0.0, 0.0, 0.1, Reply(429, "LimitExceededException")),
        Shot(1, 0.0, 0.0, 0.1, Reply(429, "TooManyRequestsException")),
    ]
    says = words(SMALL, burst_of(SMALL, shots))
    assert cells(says, "measured") == [0, 1, 1]
    assert "Other answers: 429 LimitExceededException." in says


@pytest.mark.parametrize(
    ("pattern", "rate"), [("steady", "20,000"), ("Poisson", "20,000"), ("ramp", "40,000")]
)
def test_a_high_rate_is_told_in_full(pattern: str, rate: str) -> None:
    assert f"{rate} a second" in str(Prediction(1, 1, pattern, 10_000, 0.5))


def test_two_clients_are_told_apart() -> None:
    prediction = Prediction(10, 20, "two clients", 60, 3)
    says = words(prediction, None)
    assert "Of the even client, 30 of 30 are predicted to be accepted." in says
    assert "at one moment, 19 of 30 are predicted to be accepted." in says
    measured = words(prediction, answers(prediction, 1))
    assert "Of the even client, 30 of 30 are predicted to be accepted; " in measured


@pytest.fixture(scope="module")
def view() -> ThrottleExplorer:
    """One that isn't fired."""
    return throttle_explorer("", lab=NOBODY, apply=print)


@given(prediction=SETTINGS)
@settings(max_examples=15)
def test_the_text_twin_and_the_widget_say_the_same(
    view: ThrottleExplorer, prediction: Prediction
) -> None:
    names = ("rate", "burst", "pattern", "size", "seconds")
    for name in names:
        getattr(view, name).value = getattr(prediction, name)
    blocks, alt = report(prediction, None)
    html = shown(view)
    for block in blocks:
        assert Elements(block.html).text in html
        assert "\n".join(block.lines) in str(view)
    assert view.picture.tooltip == alt
    assert view.picture.value == plots.fast_png(
        plots.compared(prediction.simulation, None, prediction.seconds)
    )
    assert view.seconds.disabled == (prediction.pattern == "spike")
    assert view._repr_mimebundle_()["text/plain"] == str(view)
    assert WIDGET_VIEW in view._repr_mimebundle_()


def test_the_other_widgets_do_not_wait_for_matplotlib() -> None:
    program = "import sys, labkit.widgets; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


# -- what it draws -----------------------------------------------------------------------------


@given(prediction=SETTINGS, seed=st.integers(0, 99))
@settings(max_examples=25)
def test_the_picture_has_the_counts_of_the_text(prediction: Prediction, seed: int) -> None:
    measured = answers(prediction, seed)
    figure = plots.compared(prediction.simulation, measured, prediction.seconds)
    text = words(prediction, measured)
    counts: dict[str, list[int]] = {}
    for label in (found.get_text() for found in figure.axes[0].get_legend().get_texts()):
        if label.startswith(("predicted", "measured")):
            mine = counts.setdefault(label.partition(" ")[0], [])
        mine.append(int(label.rpartition(" ")[2].replace(",", "")))
    assert counts["predicted"] == [n for n in cells(text, "predicted") if n]
    assert sum(counts["measured"]) == sum(cells(text, "measured"))
    predicted, found = (
        next(line for line in figure.axes[2].get_lines() if line.get_label() == label)
        for label in ("predicted", "measured")
    )
    assert predicted.get_ydata()[-1] == cells(text, "predicted")[0]
    assert found.get_ydata()[-1] == cells(text, "measured")[0]


def test_every_measured_request_is_a_mark_or_counted() -> None:
    for prediction in (SMALL, replace(SMALL, size=5_000)):
        measured = answers(prediction, 1)
        axes = plots.compared(prediction.simulation, measured, prediction.seconds).axes[0]
        marks = sum(len(line.get_xdata()) for line in axes.get_lines())
        counted = sum(
            int(np.nansum(values - baseline))
            for values, _edges, baseline in (bars.get_data() for bars in axes.patches)
        )
        assert marks + counted == 2 * prediction.size


def threads() -> list[str]:
    """The widget's and the burst's threads that still run."""
    return [one.name for one in threading.enumerate() if one.name.startswith("labkit ")]


def over() -> None:
    """Wait until nothing is on its way and everything is drawn."""
    assert eventually(lambda: not threads())


# -- firing ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def api(lab: Lab) -> MockApi:
    return mock_api()


def explorer(lab: Lab, api: MockApi, **options: Any) -> ThrottleExplorer:
    return throttle_explorer(api.url, lab=lab, **{"apply": api.limit, "seconds": 1} | options)


def assert_it_agrees(view: ThrottleExplorer) -> None:
    """The text, the image's text, the overlay and the burst have the same counts."""
    burst = view.firing.burst
    assert burst is not None
    counts = [int(burst.accepted.sum()), int(burst.throttled.sum())]
    assert cells(str(view), "measured") == counts
    assert f"measured: {counts[0]} accepted, {counts[1]} refused (429)." in view.picture.tooltip
    assert shown(view).startswith(f"{burst}.")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_gateway_does_what_is_predicted(lab: Lab, api: MockApi, pattern: str) -> None:
    rate = 15 + list(PATTERNS).index(pattern)  # another limit, another bucket: a full one
    view = explorer(lab, api, pattern=pattern, rate=rate, burst=12, size=40)
    view.fire_button.click()
    over()
    assert view.firing.burst is not None
    assert len(view.firing.burst) == 40
    assert_it_agrees(view)
    passed, refused = cells(str(view), "measured")
    assert passed + refused == 40
    # What comes a little later than planned meets a bucket that is a little fuller, or overflows.
    jitter = float((view.firing.burst.answered - view.firing.burst.scheduled).max())
    assert abs(passed - cells(str(view), "predicted")[0]) <= 1 + 2 * rate * jitter
    assert passed <= 12 + rate * float(
        view.firing.burst.answered.max() - view.firing.burst.sent.min()
    )
    assert not view.fire_button.disabled
    assert view.stop_button.disabled


def test_what_is_measured_is_drawn_while_it_runs(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, seconds=3)
    drawn: list[bytes] = []
    view.picture.observe(lambda change: drawn.append(bytes(change.new)), "value")
    statuses: list[str] = []
    view.status.observe(lambda change: statuses.append(change.new), "value")
    view.fire_button.click()
    assert eventually(lambda: view.stop_button.disabled is False)
    assert all(one.disabled for one in view._inputs)
    view.fire_button.click()  # one at a time
    over()
    assert len(view.firing.burst or ()) == 60
    assert len(set(drawn)) >= 3
    assert sum("Firing: " in one for one in statuses) >= 2
    assert not any(one.disabled for one in view._inputs)


def test_nothing_is_drawn_while_the_first_requests_leave(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, size=30)
    said: dict[str, float] = {}

    def note(change: Any) -> None:
        said.setdefault("begin" if "Firing…" in change.new else change.new, time.monotonic())

    view.status.observe(note, "value")
    view.fire_button.click()
    over()
    [first, *_later] = [when for text, when in said.items() if "Firing: " in text]
    assert first - said["begin"] >= 0.3


def test_the_focus_is_not_lost(lab: Lab, api: MockApi) -> None:
    """A button that is pressed is never disabled."""
    view = explorer(lab, api, size=200, seconds=10)
    disabled: list[bool] = []
    for pressed in (view.fire_button, view.stop_button):
        pressed.observe(lambda change: disabled.append(change.new), "disabled")
        pressed.click()
        assert eventually(lambda: view.firing._shots)
    over()
    assert not any(disabled)
    assert not view.firing.running


def test_what_is_on_its_way_stays_on_the_screen(lab: Lab, api: MockApi) -> None:
    statuses: list[str] = []

    def apply(rate: float, burst: int) -> None:
        api.limit(rate, burst)
        view.seconds.value, view.rate.value = 2, 500  # messages of sliders that come too late
        statuses.append(str(view).splitlines()[-1])

    view = explorer(lab, api, size=20, apply=apply)
    view.fire_button.click()
    over()
    assert statuses == ["Setting the limit…"]
    assert view.prediction == Prediction(10, 20, "steady", 20, 1)
    assert (view.seconds.value, view.rate.value) == (1, 10)
    assert_it_agrees(view)


def test_a_slider_s_last_message_may_come_after_the_click(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, size=20)

    def move(change: Any) -> None:
        if "Setting the limit" in change.new and view.size.value == 20:
            threading.Thread(target=lambda: setattr(view.size, "value", 30)).start()
            assert eventually(lambda: view.prediction.size == 30)

    view.status.observe(move, "value")
    view.fire_button.click()
    over()
    assert len(view.firing.burst or ()) == view.size.value == 30
    assert_it_agrees(view)


def test_elsewhere_the_measurement_is_out_of_sight(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, size=20)
    view.fire_button.click()
    over()
    before = str(view)
    view.burst.value = 40
    over()
    assert "measured" not in str(view)
    assert str(view).endswith(f"{NOT_FIRED} The last burst was: Rate 10, burst 20; steady: "
                              "20 requests, evenly over 1 s, 20 a second.")  # fmt: skip
    view.burst.value = 20
    over()
    assert str(view) == before
    assert_it_agrees(view)


def test_the_same_again_waits_for_a_full_bucket(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, rate=8, burst=40, pattern="spike", size=60)
    statuses: list[str] = []
    view.status.observe(lambda change: statuses.append(change.new), "value")
    for _ in range(2):
        view.fire_button.click()
        over()
        assert cells(str(view), "measured")[0] >= 40
    assert any("the bucket is filling up again" in one for one in statuses)


@pytest.mark.parametrize(
    ("pattern", "changes"),
    [("spike", {"rate": 1000, "burst": 5}), ("steady", {})],
    ids=["another limit", "full again"],
)
def test_nobody_waits_for_a_full_bucket(
    lab: Lab, api: MockApi, pattern: str, changes: dict[str, float]
) -> None:
    view = explorer(lab, api, rate=40, burst=60, pattern=pattern, size=60, seconds=2)
    statuses: list[str] = []
    view.status.observe(lambda change: statuses.append(change.new), "value")
    for moved in ({}, changes):
        for name, value in moved.items():
            getattr(view, name).value = value
        view.fire_button.click()
        over()
        assert_it_agrees(view)
    assert not any("Waiting" in one for one in statuses)


def test_stopped_it_keeps_what_was_measured(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, size=1000, seconds=60)
    view.fire_button.click()
    assert eventually(lambda: len(view.firing._shots) > 3)
    began = time.monotonic()
    view.stop_button.click()
    over()
    assert time.monotonic() - began < 20
    assert view.firing.burst is not None
    assert not view.firing.burst.finished
    assert 3 < len(view.firing.burst) < 900
    assert "Stopped. " in shown(view)
    assert "of 1000 planned." in str(view)
    assert f"predicted for the {len(view.firing.burst):,} answered" in str(view)
    assert_it_agrees(view)
    assert eventually(lambda: not threads())


def test_stopped_while_the_bucket_fills(lab: Lab, api: MockApi) -> None:
    view = explorer(lab, api, rate=1, burst=50, pattern="spike", size=60)
    view.fire_button.click()
    over()
    view.fire_button.click()
    assert eventually(lambda: "Waiting" in view.status.value)
    view.firing.stop()
    over()
    assert str(view).endswith("Stopped before the first request was sent.")
    assert len(view.firing.burst or ()) == 60


def test_a_foreign_target_is_refused_before_anything_changes(lab: Lab, api: MockApi) -> None:
    applied: list[object] = []
    view = throttle_explorer(
        requests.Request("GET", "https://example.com/"),
        lab=lab,
        apply=lambda *at: applied.append(at),
    )
    view.fire_button.click()
    over()
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
    view.fire_button.click()
    over()
    last = str(view).splitlines()[-1]
    assert last.startswith("The limit couldn't be set: RuntimeError: 10 20")
    assert last.isprintable()
    assert last in shown(view)
    assert "measured" not in str(view)


def test_a_cloud_that_is_gone_while_the_limit_is_set(lab: Lab, api: MockApi) -> None:
    def apply(_rate: float, _burst: int) -> None:
        raise EndpointConnectionError(endpoint_url="https://apigateway")

    view = explorer(lab, api, apply=apply)
    view.fire_button.click()
    over()
    last = "The local cloud doesn't answer: run `lab = labkit.start()` again."
    assert str(view).splitlines()[-1] == last


def test_a_cloud_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with attached_cloud(tmp_path) as lab:
        api = mock_api()
        view = explorer(lab, api)
        labkit.stop()
        view.fire_button.click()
        over()
        last = "The local cloud doesn't answer: run `lab = labkit.start()` again."
        assert str(view).endswith(last)
        assert last in shown(view)
        assert not view.fire_button.disabled
