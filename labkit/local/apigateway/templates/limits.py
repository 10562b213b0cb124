"""How much work a mapping template may make."""

from __future__ import annotations

MAX_TEMPLATE = 300_000
"""Characters of a template (gateway 14)."""
MAX_ITERATIONS = 1_000
"""Of one ``#foreach``, and elements of a range (gateway 14)."""
MAX_DEPTH = 50
"""Of nested expressions, blocks and data."""
MAX_STEPS = 200_000
MAX_CHARACTERS = 5 * 10_485_760
"""That a rendering may make and go through: five times the largest body."""


class UnsupportedTemplateError(Exception):
    """The template needs more than the local cloud evaluates; says what."""


class Budget:
    """What a rendering has left.

    Args:
        steps: nodes that may be evaluated.
        characters: that may be made or gone through.
    """

    def __init__(self, steps: int = MAX_STEPS, characters: int = MAX_CHARACTERS) -> None:
        self._steps = steps
        self._characters = characters

    def step(self) -> None:
        """Count an evaluated node.

        Raises:
            UnsupportedTemplateError: there were too many.
        """
        self._steps -= 1
        if self._steps < 0:
            raise UnsupportedTemplateError("it takes more steps than the local cloud makes")

    def make(self, characters: int) -> None:
        """Count characters that are made or gone through, beforehand.

        Raises:
            UnsupportedTemplateError: there were too many.
        """
        self._characters -= characters
        if self._characters < 0:
            raise UnsupportedTemplateError("it makes more text than the local cloud holds")
