"""The API key of a call, and the usage plan that lets it use the stage (gateway 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class KeyUse:
    """The key that a request came with, and the plan that lets it use the stage.

    Attributes:
        key_id: the key's id.
        value: the key's value.
        plan: the usage plan, live, as the engine keeps it.
        api_stage: the plan's entry for this stage, with its per-method throttles.
    """

    key_id: str
    value: str
    plan: Mapping[str, Any]
    api_stage: Mapping[str, Any]

    @property
    def plan_id(self) -> str:
        """The usage plan's id."""
        return str(self.plan["id"])
