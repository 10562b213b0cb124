"""Fires what the throttle explorer predicts, in a thread of its own: one at a time, to be stopped at any moment."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.exceptions import HTTPClientError

from labkit.bursts.burst import Burst, fire
from labkit.bursts.simulation import simulate
from labkit.bursts.target import Target
from labkit.errors import LabkitError
from labkit.lab.session import Lab
from labkit.widgets.exploring import Measured, Prediction, Settings
from labkit.widgets.view import plain

Apply = Callable[[float, int], object]
"""Sets the real limit to a rate and a burst."""

NOT_FIRED = "Not fired yet."
NEEDED = (
    "To fire it, say at what: throttle_explorer(url, lab=lab, apply=…); "
    "apply is a function that sets the real limit to (rate, burst)."
)
_NO_ANSWER = "The cloud doesn't answer: run `lab = labkit.start()` again."
_GLANCE_SECONDS = 0.3
_LONGEST_STATUS = 300


class Firing:
    """Fires one prediction after the other at the same target.

    Args:
        request: what to send; None for nothing.
        lab: whose API it is.
        apply: sets the limit.
        changed: called when there is something new to show, a few times a second, from another thread.

    Attributes:
        status: what is going on.
        measured: what came back last; None before.
        burst: the last whole burst, stopped or not; None before.
        running: whether one is on its way.
    """

    def __init__(
        self,
        request: str | requests.Request | None,
        lab: Lab | None,
        apply: Apply | None,
        changed: Callable[[], object],
    ) -> None:
        self._request, self._lab, self._apply, self._changed = request, lab, apply, changed
        self.status = ""
        self.measured: Measured | None = None
        self.burst: Burst | None = None
        self.running = False
        self._stop = threading.Event()
        self._one = threading.Lock()
        self._over = threading.Event()
        self._over.set()
        self._thread: threading.Thread | None = None
        self._full_at = (0.0, 0, 0.0)
        self._ended: dict[Settings, str] = {}

    @property
    def possible(self) -> bool:
        """Whether there is something to fire at."""
        return None not in (self._request, self._lab, self._apply)

    def measured_of(self, prediction: Prediction) -> Measured | None:
        """What came back last, as it is now; None when the sliders are elsewhere."""
        measured = self.measured
        if measured is None or measured.prediction.settings != prediction.settings:
            return None
        return measured.so_far()

    def status_of(self, prediction: Prediction) -> str:
        """What is going on; or how it ended with these settings; or with which it was done last."""
        if self.running:
            return self.status
        if prediction.settings in self._ended:
            return self._ended[prediction.settings]
        if self.measured is None:
            return NOT_FIRED if self.possible else NEEDED
        return f"{NOT_FIRED} The last burst was: {self.measured.prediction.settings}."

    def start(self, prediction: Prediction) -> None:
        """Fire it, unless one is on its way."""
        if not self.possible:
            return
        with self._one:
            if self.running:
                return
            self.running = True
        self._stop = threading.Event()
        self._over.clear()
        self._thread = threading.Thread(
            target=self._run, args=(prediction,), name="labkit explorer", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End it early; what came back is kept."""
        self._stop.set()

    def wait(self) -> None:
        """Wait until none is on its way; an interrupt stops it."""
        with _interrupts_stop(self.stop):
            # Not Thread.join: an interrupt of it makes Python 3.11 believe that the thread is over.
            while not self._over.wait(_GLANCE_SECONDS):
                pass
        if self._thread is not None:
            self._thread.join()

    def _run(self, prediction: Prediction) -> None:
        try:
            with stopped_by_interrupt(self.stop):
                end = self._fired(prediction)
        except LabkitError as error:
            end = str(error)
        except (NoConnectionError, HTTPClientError):
            end = _NO_ANSWER
        except Exception as error:  # whatever it is, the controls come back and it is told
            end = f"{type(error).__name__}: {error}"
        self._ended[prediction.settings] = _one_line(end)
        self._over.set()  # whoever waits then waits for this thread's end
        self.running = False
        self._changed()

    def _fired(self, prediction: Prediction) -> str:
        """Fire it; how it ended."""
        assert self._request is not None and self._lab is not None and self._apply is not None
        settings = prediction.settings
        self._say("Setting the limit…")
        Target.of(self._lab, [self._request])  # a foreign one is refused before anything changes
        try:
            self._apply(settings.rate, settings.burst)
        except Exception as error:  # the learner's own function may raise anything
            return f"The limit couldn't be set: {type(error).__name__}: {error}"
        if not self._full_again(prediction):
            return "Stopped before the first request was sent."
        self._ended.clear()
        self.measured = measured = Measured(prediction)
        self._say("Firing…")
        clients = int(prediction.requests.client.max()) + 1
        burst = fire(
            [self._request] * clients,
            prediction.requests,
            lab=self._lab,
            progress=_Progress(self),
            seen=measured.note,
            stop=self._stop,
        )
        self.burst = burst
        self._remember(prediction, burst)
        return str(burst) + "."

    def _full_again(self, prediction: Prediction) -> bool:
        """Wait until the bucket of the burst before is full, as the prediction's is; False when stopped."""
        rate, size, full_at = self._full_at
        if (rate, size) == (prediction.settings.rate, prediction.settings.burst):
            while (left := full_at - time.monotonic()) > 0 and not self._stop.is_set():
                self._say(f"Waiting {math.ceil(left)} s: the bucket is filling up again.")
                self._stop.wait(min(left, _GLANCE_SECONDS))
        return not self._stop.is_set()

    def _remember(self, prediction: Prediction, burst: Burst) -> None:
        """Note when the bucket will be full again, by the model."""
        settings, level = prediction.settings, 0.0
        if len(burst):
            since = float(burst.answered.max() - burst.sent.max())
            level = float(simulate(burst.sent, settings.bucket).after[-1]) + since * settings.rate
        full_in = max(0.0, (settings.burst - level) / settings.rate) if len(burst) else 0.0
        self._full_at = (settings.rate, settings.burst, time.monotonic() + full_in)

    def _say(self, text: str) -> None:
        self.status = text
        self._changed()


def _one_line(text: str) -> str:
    return plain(" ".join(text.split()))[:_LONGEST_STATUS]


class _Progress:
    """Says how far the burst is, a few times a second."""

    def __init__(self, firing: Firing) -> None:
        self._firing, self._said = firing, 0.0

    def update(self, done: int, total: int) -> None:
        """Some were answered."""
        now = time.monotonic()
        if now - self._said >= _GLANCE_SECONDS:
            self._said = now
            self._firing._say(f"Firing: {done:,} of {total:,} answered.")

    def finish(self, text: str) -> None:
        """Nothing: the burst is told as a whole."""


@contextlib.contextmanager
def _interrupts_stop(stop: Callable[[], None]) -> Iterator[None]:
    """In the main thread, an interrupt calls ``stop`` and isn't raised: one raised in a destructor would be lost."""
    if threading.current_thread() is not threading.main_thread():
        yield  # no other thread is ever interrupted
        return
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)


@contextlib.contextmanager
def stopped_by_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """While it lasts, in any thread, the kernel's interrupt calls ``stop`` too, whether a cell runs or none does.

    A kernel ignores the interrupt while no cell runs. Its handler can only be changed in the main thread, and each
    message that the main thread handles puts back the one that it found; so it is looked at again and again.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    loop = getattr(getattr(shell, "kernel", None), "io_loop", None)
    if loop is None:
        yield
        return
    over = threading.Event()

    def handler(_signal: int, _frame: object) -> None:
        stop()

    def after_cell(result: Any) -> None:
        if isinstance(result.error_in_exec, KeyboardInterrupt):
            stop()

    def look() -> None:
        if over.is_set():
            if signal.getsignal(signal.SIGINT) is handler:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            return
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, handler)
        loop.call_later(_GLANCE_SECONDS, look)

    loop.add_callback(look)
    shell.events.register("post_run_cell", after_cell)
    try:
        yield
    finally:
        over.set()
        shell.events.unregister("post_run_cell", after_cell)
