"""The throttle explorer: move rate, burst and requests, see what a token bucket lets pass, and fire it for real."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Any

import ipywidgets
import requests
from traitlets import Unicode

from labkit.lab.session import Lab
from labkit.markup import Block, join, paragraph
from labkit.widgets.firing import Apply, Firing
from labkit.widgets.prediction import MOST, PATTERNS, Prediction, report
from labkit.widgets.view import View, button, field, row

_STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
RATES = SIZES = sorted({int(step * 10**zeros) for step in _STEPS for zeros in range(4)} | {10_000})
BURSTS = [size for size in SIZES if size <= MOST["burst"]]
SPANS = (1, 2, 3, 5, 10, 20, 30, 60)
_LEFT, _SLIDER_WIDTH = "25em", "24em"


def throttle_explorer(
    request: str | requests.Request,
    *,
    lab: Lab,
    apply: Apply,
    rate: float = 10,
    burst: int = 20,
    pattern: str = "steady",
    size: int = 60,
    seconds: float = 3,
) -> ThrottleExplorer:
    """Move the sliders: the prediction follows. Fire it: what happened is laid over the prediction.

    Args:
        request: what to fire: a URL to GET or a ``requests.Request``, as for ``labkit.fire``.
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
    prediction = Prediction(rate, burst, pattern, size, seconds)
    return ThrottleExplorer(prediction, Firing(request, lab, apply))


class _Picture(ipywidgets.Image):  # type: ignore[misc] # ipywidgets has no types
    """An image with an alternative text: its tooltip.

    The browser's part of ipywidgets shows a tooltip only where there is a description, of which an image has none.
    """

    description = Unicode().tag(sync=True)


class ThrottleExplorer(View):
    """What :func:`throttle_explorer` shows.

    Attributes:
        prediction: what the model says of where the sliders are.
        firing: sends it, stops it, and has the last burst.
        rate: the slider of the rate; likewise ``burst``, ``size`` and ``seconds``.
        pattern: the list of patterns.
        fire_button: fires.
        stop_button: stops.
        status: what is going on.
        picture: the image.
        said: the table and the sentences.
    """

    def __init__(self, prediction: Prediction, firing: Firing) -> None:
        self.prediction, self.firing = prediction, firing
        self.rate = _slider("Rate", prediction.rate, RATES, "tokens a second")
        self.burst = _slider("Burst", prediction.burst, BURSTS, "the bucket's size in tokens")
        patterns = {"options": list(PATTERNS), "value": prediction.pattern}
        self.pattern = field(ipywidgets.Dropdown, "Pattern", _SLIDER_WIDTH, **patterns)
        self.size = _slider("Requests", prediction.size, SIZES, "how many are sent")
        self.seconds = _slider(
            "Seconds", prediction.seconds, SPANS, "over how long they are spread"
        )
        self.fire_button = button("Fire it", lambda: firing.start(lambda: self.prediction))
        self.stop_button = button("Stop", firing.stop, disabled=True)
        self.status, self.said = ipywidgets.HTML(), ipywidgets.HTML()
        self.picture = _Picture(format="png", layout={"width": "100%"})
        self._inputs = (self.rate, self.burst, self.pattern, self.size, self.seconds)
        self.firing.changed = self._draw
        self._drawing = threading.Lock()  # while it fires, another thread draws
        self._draw()
        for one in self._inputs:
            one.observe(self._moved, "value")
        buttons = row(self.fire_button, self.stop_button)
        controls = ipywidgets.VBox(
            [self.rate, self.burst, self.pattern, self.size, self.seconds, buttons, self.status],
            layout={"flex": f"0 0 {_LEFT}", "max_width": "100%"},
        )
        beside = ipywidgets.VBox(
            [self.picture],
            layout={"flex": "1 1 28em", "min_width": "0", "max_width": "700px"},
        )
        super().__init__(
            ipywidgets.HBox([controls, beside], layout={"flex_flow": "row wrap"}), self.said
        )

    def blocks(self) -> Iterator[Block]:
        """The report and the status; as HTML the status comes first, then the picture."""
        yield from self._said
        yield paragraph(self.firing.status_of(self.prediction), role="status")

    def _moved(self, _change: object) -> None:
        self.prediction = Prediction(*(one.value for one in self._inputs))
        aim = self.firing.aim
        if aim and aim != self.prediction:  # too late: what is on its way stays on the screen
            for one, value in zip(self._inputs, astuple(aim), strict=True):
                one.value = value
        else:
            self._draw()

    def _draw(self) -> None:
        from labkit import plots  # matplotlib takes half a second to import

        with self._drawing:
            running = self.firing.running
            for one in self._inputs:
                one.disabled = running
            self.seconds.disabled = running or self.prediction.pattern == "spike"
            # A button that was pressed stays enabled: disabled, it would lose the keyboard's focus.
            self.stop_button.disabled = not (running or self.firing.stopped.is_set())
            measured = self.firing.measured_of(self.prediction)
            self._said, self.picture.tooltip = report(self.prediction, measured)
            *said, status = (block.html for block in self.blocks())
            self.status.value, self.said.value = status, join(said)
            figure = plots.compared(self.prediction.simulation, measured, self.prediction.seconds)
            self.picture.value = plots.fast_png(figure)


def _slider(name: str, own: float, usual: Sequence[float], meaning: str) -> Any:
    options = [(f"{value:,g}", value) for value in sorted({*usual, own})]
    choice = {"options": options, "value": own, "tooltip": meaning}
    return field(ipywidgets.SelectionSlider, name, _SLIDER_WIDTH, **choice)
