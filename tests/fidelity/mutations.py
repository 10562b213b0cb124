"""Gates made wrong on purpose: a ledger that can't tell them from the right ones would prove nothing."""

from __future__ import annotations

from typing import Any

MUTATIONS: dict[str, Any] = {}
