"""The throttle explorer: move rate, burst and requests, see what a token bucket lets pass, and fire it for real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
from traitlets import Unicode

from labkit.widgets.exploring import PATTERNS, Prediction, Report, Settings, report, steps_around
from labkit.widgets.latest import Latest
from labkit.widgets.view import LABEL, View, button, join, row, sentence, table, tag

if TYPE_CHECKING:
    import requests

    from labkit.bursts.burst import Burst
    from labkit.lab.session import Lab
    from labkit.widgets.firing import Apply

_DIGITS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
RATES = (*_DIGITS, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 2000, 5000, 10_000)
BURSTS = (*_DIGITS, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 2000, 5000)
SIZES = (
    *_DIGITS, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800,
    1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000, 10_000,
)  # fmt: skip
SPANS = (1, 2, 3, 5, 10, 20, 30, 60)
_WIDTH, _SLIDER_WIDTH = "min(100%, 900px)", "30em"
_CAPTION = "Accepted and refused requests"


def throttle_explorer(
    request: str | requests.Request | None = None,
    *,
    lab: Lab | None = None,
    apply: Apply | None = None,
    rate: float = 10,
    burst: int = 20,
    pattern: str = "steady",
    size: int = 60,
    seconds: float = 3,
) -> ThrottleExplorer:
    """Move the sliders: the prediction follows. Fire it: what happened is laid over the prediction.

    Args:
        request: what to fire: a URL to GET or a ``requests.Request``, as for ``labkit.fire``. Without it there is the
            prediction only.
        lab: whose API it is.
        apply: called with the rate and the burst before each burst: it sets the real limit to them, for example with
            boto3's ``update_stage``.
        rate: tokens a second.
        burst: the bucket's size.
        pattern: how requests come: ``steady``, ``spike``, ``Poisson``, ``ramp``, ``two clients``, ``retry storm``.
        size: how many requests.
        seconds: over how long they are spread; a spike isn't.

    Raises:
        ValueError: a number is out of its range, or there is no such pattern.
    """
    return ThrottleExplorer(Settings(rate, burst, pattern, size, seconds), request, lab, apply)


class _Picture(ipywidgets.Image):  # type: ignore[misc] # ipywidgets has no types
    """An image with an alternative text: its tooltip.

    The browser's part of ipywidgets shows a tooltip only where there is a description, of which an image has none.
    """

    description = Unicode().tag(sync=True)


class ThrottleExplorer(View):
    """What :func:`throttle_explorer` shows.

    Attributes:
        rate: the slider of the rate.
        burst: the slider of the burst.
        pattern: the list of patterns.
        size: the slider of the number of requests.
        seconds: the slider of the time.
        fire_button: fires.
        stop_button: stops.
        status: what is going on.
        picture: the image.
        said: the table and the sentences.
    """

    def __init__(
        self,
        settings: Settings,
        request: str | requests.Request | None = None,
        lab: Lab | None = None,
        apply: Apply | None = None,
    ) -> None:
        # Matplotlib takes half a second to import: only whoever wants pictures waits for it.
        from labkit.widgets.explorer_picture import ExplorerPicture
        from labkit.widgets.firing import Firing

        self.rate = _slider("Rate", settings.rate, RATES, "tokens a second")
        self.burst = _slider("Burst", settings.burst, BURSTS, "the bucket's size in tokens")
        self.pattern = ipywidgets.Dropdown(
            description="Pattern",
            options=list(PATTERNS),
            value=settings.pattern,
            layout={"width": _SLIDER_WIDTH},
            style=LABEL,
        )
        self.size = _slider("Requests", settings.size, SIZES, "how many are sent")
        self.seconds = _slider("Seconds", settings.seconds, SPANS, "over how long they are spread")
        self.fire_button = button("Fire it", self.fire)
        self.stop_button = button("Stop", self.stop, disabled=True)
        self.status, self.said = ipywidgets.HTML(), ipywidgets.HTML()
        self.picture = _Picture(format="png", layout={"width": _WIDTH})
        self._inputs = (self.rate, self.burst, self.pattern, self.size, self.seconds)
        self._prediction = Prediction(settings)
        self._firing = Firing(request, lab, apply, self._ask)
        self._drawing = ExplorerPicture()
        self._latest = Latest(self._draw)
        self._draw(self._prediction)
        for one in self._inputs:
            one.observe(self._moved, "value")
        super().__init__(
            row(self.rate, self.burst),
            row(self.size, self.seconds),
            row(self.pattern, self.fire_button, self.stop_button),
            self.status,
            self.picture,
            self.said,
        )

    @property
    def prediction(self) -> Prediction:
        """What the model says of where the sliders are."""
        return self._prediction

    @property
    def measured(self) -> Burst | None:
        """The last burst that was fired from here; None before."""
        return self._firing.burst

    def fire(self) -> None:
        """Set the real limit and send the requests; this doesn't wait. One burst at a time."""
        self._firing.start(self._prediction)

    def stop(self) -> None:
        """End the burst early; what came back stays."""
        self._firing.stop()

    def wait(self) -> None:
        """Wait until the burst is over and everything is drawn; an interrupt stops the burst."""
        self._firing.wait()
        self._latest.wait()

    def report(self) -> Report:
        """What the widget says."""
        return self._report(self._prediction)

    def __str__(self) -> str:
        return str(self.report())

    # -- what it does ---------------------------------------------------------------------------

    def _moved(self, _change: object) -> None:
        self._prediction = Prediction(Settings(*(one.value for one in self._inputs)))
        self._ask()

    def _ask(self) -> None:
        self._latest.put(self._prediction)

    def _report(self, prediction: Prediction) -> Report:
        measured = self._firing.measured_of(prediction)
        return report(prediction, measured, self._firing.status_of(prediction))

    def _draw(self, prediction: Prediction) -> None:
        """Show everything; by one thread at a time."""
        running = self._firing.running
        for one in self._inputs:
            one.disabled = running
        self.seconds.disabled = running or prediction.settings.pattern == "spike"
        self.fire_button.disabled = running or not self._firing.possible
        self.stop_button.disabled = not running
        says = self._report(prediction)
        measured = self._firing.measured_of(prediction)
        self.status.value = sentence(says.status, role="status")
        self.picture.value = self._drawing.png(prediction, measured, says.alt)
        self.picture.tooltip = says.alt
        self.said.value = join(
            [
                sentence(tag("b", says.settings)),
                table(_CAPTION, says.head, says.rows),
                *map(sentence, says.sentences),
            ]
        )


def _slider(name: str, own: float, usual: Sequence[float], meaning: str) -> Any:
    return ipywidgets.SelectionSlider(
        description=name,
        options=[(f"{value:,g}", value) for value in steps_around(own, usual)],
        value=own,
        tooltip=meaning,
        layout={"width": _SLIDER_WIDTH},
        style=LABEL,
    )
