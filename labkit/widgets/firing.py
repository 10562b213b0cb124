"""Fires what the throttle explorer predicts, in a thread of its own: one at a time, to be stopped at any moment."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence

import requests

from labkit.bursts.burst import Burst, Shot, fire
from labkit.bursts.target import Target, connection_errors_told, is_local
from labkit.errors import CloudUnavailableError, LabkitError
from labkit.lab.session import Lab
from labkit.throttle import TokenBucket
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
        stopped: whether the last one was told to stop.
        aim: what is on its way; None when nothing is, or when it isn't settled yet.
    """

    def __init__(self, request: str | requests.Request, lab: Lab, apply: Apply) -> None:
        self._request, self._lab, self._apply = request, lab, apply
        self.changed: Callable[[], object] = lambda: None
        self.burst: Burst | None = None
        self.running = False
        self.aim: Prediction | None = None
        self._fired: Prediction | None = None
        self._shots: Sequence[Shot] = ()
        self._noted_at = self._full_at = 0.0
        self._bucket = TokenBucket(0, 0)
        self._status = ""
        self._ended: dict[Prediction, str] = {}
        self.stopped = threading.Event()

    def measured_of(self, prediction: Prediction) -> Burst | None:
        """What came back so far; None when the sliders are elsewhere."""
        if prediction != self._fired:
            return None
        shots = sorted(self._shots, key=lambda shot: shot.sent)
        return Burst(tuple(shots), prediction.size, False, 0.0)

    def status_of(self, prediction: Prediction) -> str:
        """What is going on; or how it ended with these settings; or with which it was done last."""
        if self.running:
            return self._status
        if prediction in self._ended:
            return self._ended[prediction]
        if self._fired is None:
            return NOT_FIRED
        return f"{NOT_FIRED} The last burst was: {self._fired}."

    def start(self, latest: Callable[[], Prediction]) -> None:
        """Fire what it gives, unless one is on its way.

        A click overtakes a slider's last message while the kernel draws, so it is asked after the first status.
        """
        if self.running:
            return
        self.running = True
        self.stopped.clear()
        threading.Thread(
            target=self._run, args=(latest,), name="labkit explorer", daemon=True
        ).start()

    def stop(self) -> None:
        """End it early; what came back is kept."""
        self.stopped.set()

    def _run(self, latest: Callable[[], Prediction]) -> None:
        self._say("Setting the limit…")
        self.aim = prediction = latest()
        try:
            end = self._fire(prediction)
        except LabkitError as error:
            end = str(error)
        except Exception as error:  # whatever it is, the controls come back and it is told
            end = f"{type(error).__name__}: {error}"
        self._ended[prediction] = " ".join(end.split())[:_LONGEST_STATUS]
        self.running, self.aim = False, None
        self.changed()

    def _fire(self, prediction: Prediction) -> str:
        """Fire it; how it ended."""
        Target.of(self._lab, [self._request])  # a foreign one is refused before anything changes
        try:
            with connection_errors_told(local=is_local(self._lab.http)):
                self._apply(prediction.rate, prediction.burst)
        except CloudUnavailableError:
            raise
        except Exception as error:  # the learner's own function may raise anything
            return f"The limit couldn't be set: {type(error).__name__}: {error}"
        bucket = TokenBucket(prediction.rate, prediction.burst)
        # A changed limit has a new, full bucket.
        same = (bucket.rate, bucket.burst) == (self._bucket.rate, self._bucket.burst)
        while same and (left := self._full_at - time.monotonic()) > 0 and not self.stopped.is_set():
            self._say(f"Waiting {math.ceil(left)} s: the bucket is filling up again.")
            self.stopped.wait(min(left, _GLANCE_SECONDS))
        if self.stopped.is_set():
            return "Stopped before the first request was sent."
        self._ended.clear()
        self._fired, self._shots = prediction, ()
        self._say("Firing…")
        self._noted_at = time.monotonic()  # to draw at once would hold up what is being sent

        def note(shots: Sequence[Shot], total: int) -> None:
            """Show what came back, a few times a second; the picture takes its time too."""
            if time.monotonic() - self._noted_at >= _GLANCE_SECONDS:
                self._shots = tuple(shots)
                self._say(f"Firing: {len(shots):,} of {total:,} answered.")
                self._noted_at = time.monotonic()

        clients = int(prediction.requests.client.max()) + 1
        each = [self._request] * clients
        self.burst = fire(
            each, prediction.requests, lab=self._lab, progress=note, stop=self.stopped
        )
        self._shots = self.burst.shots
        for when in sorted(self.burst.answered.tolist()):  # no token was taken later
            bucket.take(when)
        # The next one waits until the bucket is full again, as the prediction's is.
        missing = bucket.burst - bucket.level(self.burst.answered.max(initial=0.0))
        self._bucket, self._full_at = bucket, time.monotonic() + missing / bucket.rate
        return f"{self.burst}."

    def _say(self, text: str) -> None:
        self._status = text
        self.changed()
