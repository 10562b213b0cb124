"""Fires what the throttle explorer predicts, in a thread of its own: one at a time, to be stopped at any moment."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import requests

from labkit.bursts.burst import Burst, Shot, fire
from labkit.bursts.target import Target
from labkit.errors import LabkitError
from labkit.lab.session import Lab
from labkit.widgets.prediction import Prediction

Apply = Callable[[float, int], object]
"""Sets the real limit to a rate and a burst."""

NOT_FIRED = "Not fired yet."
_GLANCE_SECONDS = 0.3
_LONGEST_STATUS = 300


class Firing:
    """Fires one prediction after the other at the same target.

    Args:
        request: what to send.
        lab: whose API it is.
        apply: sets the limit.

    Attributes:
        changed: called when there is something new to show, a few times a second, from another thread.
        burst: the last whole burst, stopped or not; None before.
        running: whether one is on its way.
    """

    def __init__(self, request: str | requests.Request, lab: Lab, apply: Apply) -> None:
        self._request, self._lab, self._apply = request, lab, apply
        self.changed: Callable[[], object] = lambda: None
        self.burst: Burst | None = None
        self.running = False
        self._fired: Prediction | None = None
        self._shots: Sequence[Shot] = ()
        self._noted_at = self._full_at = 0.0
        self._status: dict[Prediction, str] = {}
        self._stop = threading.Event()

    def measured_of(self, prediction: Prediction) -> Burst | None:
        """What came back so far; None when the sliders are elsewhere."""
        if prediction != self._fired:
            return None
        shots = sorted(self._shots, key=lambda shot: shot.sent)
        return Burst(tuple(shots), prediction.size, False, 0.0)

    def status_of(self, prediction: Prediction) -> str:
        """What is going on; or how it ended with these settings; or with which it was done last."""
        if prediction in self._status:
            return self._status[prediction]
        if self._fired is None:
            return NOT_FIRED
        return f"{NOT_FIRED} The last burst was: {self._fired}."

    def start(self, prediction: Prediction) -> None:
        """Fire it, unless one is on its way."""
        if self.running:
            return
        self.running = True
        self._stop.clear()
        threading.Thread(
            target=self._run, args=(prediction,), name="labkit explorer", daemon=True
        ).start()

    def stop(self) -> None:
        """End it early; what came back is kept."""
        self._stop.set()

    def _run(self, prediction: Prediction) -> None:
        say = partial(self._say, prediction)
        try:
            end = self._fire(prediction, say)
        except LabkitError as error:
            end = str(error)
        except Exception as error:  # whatever it is, the controls come back and it is told
            end = f"{type(error).__name__}: {error}"
        self.running = False
        say(" ".join(end.split())[:_LONGEST_STATUS])

    def _fire(self, prediction: Prediction, say: Callable[[str], object]) -> str:
        """Fire it; how it ended."""
        say("Setting the limit…")
        Target.of(self._lab, [self._request])  # a foreign one is refused before anything changes
        try:
            self._apply(prediction.rate, prediction.burst)
        except Exception as error:  # the learner's own function may raise anything
            return f"The limit couldn't be set: {type(error).__name__}: {error}"
        while (left := self._full_at - time.monotonic()) > 0 and not self._stop.is_set():
            say(f"Waiting {math.ceil(left)} s: the bucket is filling up again.")
            self._stop.wait(min(left, _GLANCE_SECONDS))
        if self._stop.is_set():
            return "Stopped before the first request was sent."
        self._status.clear()
        self._fired, self._shots = prediction, ()
        say("Firing…")

        def note(shots: Sequence[Shot], total: int) -> None:
            """Show what came back, a few times a second; the picture takes its time too."""
            if time.monotonic() - self._noted_at >= _GLANCE_SECONDS:
                self._shots = tuple(shots)
                say(f"Firing: {len(shots):,} of {total:,} answered.")
                self._noted_at = time.monotonic()

        clients = int(prediction.requests.client.max()) + 1
        each = [self._request] * clients
        self.burst = fire(each, prediction.requests, lab=self._lab, progress=note, stop=self._stop)
        self._shots = self.burst.shots
        # The next one waits until the bucket is full again, as the prediction's is.
        passed = min(int(self.burst.accepted.sum()), prediction.burst)
        self._full_at = time.monotonic() + passed / prediction.rate
        return f"{self.burst}."

    def _say(self, prediction: Prediction, text: str) -> None:
        self._status[prediction] = text
        self.changed()
