"""Widgets: interactive views of what the helpers say, each with a text twin.

They decide nothing themselves, need no network of their own, and show what comes from a token or a response as text.
"""

from labkit.widgets.explorer import throttle_explorer
from labkit.widgets.inspector import token_inspector
from labkit.widgets.journeys import journey_view
from labkit.widgets.matrix import Call, who_may_call
from labkit.widgets.signing import signature_steps

__all__ = [
    "Call",
    "journey_view",
    "signature_steps",
    "throttle_explorer",
    "token_inspector",
    "who_may_call",
]
