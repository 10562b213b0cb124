"""A request's way through the gateway, gate by gate: written by the gateway, drawn in the notebook."""

from labkit.journey.codes import Code
from labkit.journey.comparison import Comparison
from labkit.journey.journey import Journey
from labkit.journey.step import GATES, Outcome, Step

__all__ = ["GATES", "Code", "Comparison", "Journey", "Outcome", "Step"]
