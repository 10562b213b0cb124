"""The fidelity ledger: every behaviour of AWS that the local cloud claims, as data, with its source and a label.

The same rows drive the tests under ``tests/fidelity``. ``python -m labkit.local ledger`` prints them. What they stand
on is in ``facts``: see :mod:`labkit.local.ledger.citations`.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from labkit.local.ledger.citations import cited

LABELS = {
    "recorded": "a source recorded the answer from AWS",
    "documented": "AWS's documentation says so",
    "measured": "the authors of an emulator say that they measured it on AWS",
    "inferred": "nobody is known to have looked: a cautious guess",
}
"""Every label and what it means, the strongest first."""

FILES = (
    "gateway.toml",
    "gateway_authorization.toml",
    "gateway_limits.toml",
    "http_api.toml",
    "cognito.toml",
    "cognito_accounts.toml",
    "identity_pools.toml",
    "settings.toml",
    "iam.toml",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One behaviour.

    Attributes:
        id: unique, for example ``gateway-2.5``.
        fact: the facts it stands on, for example ``gateway 2.5`` or ``gateway 13.12 (CORS)``.
        case: one sentence.
        label: one of :data:`LABELS`.
        source: where it comes from, in short.
        setup: the situation that the test's runner makes.
        request: what the runner sends.
        expect: what must come back.
    """

    id: str
    fact: str
    case: str
    label: str
    source: str
    setup: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.label not in LABELS:
            raise ValueError(f"{self.id}: {self.label!r} isn't a label")

    @property
    def facts(self) -> tuple[str, ...]:
        """The names of its facts."""
        return cited(self.fact)


@cache
def rows(file: str | None = None) -> tuple[Row, ...]:
    """The rows of one file, or of all.

    Raises:
        ValueError: a row's label is unknown, or two rows have the same id.
    """
    names = (file,) if file else FILES
    found = [
        Row(**entry)
        for name in names
        for entry in tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))["row"]
    ]
    doubled = [key for key, count in Counter(row.id for row in found).items() if count > 1]
    if doubled:
        raise ValueError(f"the ledger has {doubled[0]!r} twice")
    return tuple(found)


def counts() -> dict[str, int]:
    """How many rows carry each label."""
    found = Counter(row.label for row in rows())
    return {label: found[label] for label in LABELS}


def table() -> str:
    """The ledger as text: one line a row, then the counts."""
    width = max(len(row.id) for row in rows())
    lines = [
        f"{row.id:<{width}}  {row.label:<10}  {row.fact:<18}  {row.case}  [{row.source}]"
        for row in rows()
    ]
    total = ", ".join(f"{count} {label}" for label, count in counts().items())
    return "\n".join([*lines, "", f"{len(rows())} rows: {total}"])
