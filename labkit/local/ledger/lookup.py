"""What the ledger holds on a row or a fact, as text: ``python -m labkit.local ledger --row gateway-2.7``."""

from __future__ import annotations

import re
from difflib import get_close_matches

from labkit.errors import LabkitError
from labkit.local.ledger import Row, rows
from labkit.local.ledger.citations import Fact, facts, references, sources


class UnknownRowError(LabkitError):
    """The ledger has no such row and no such fact: take one of the nearest."""


def look_up(name: str) -> str:
    """The rows of a name, with the facts that they stand on and the facts' sources.

    ``name`` is a row's id, how ids begin (``http-13.1``), or a fact with a hyphen (``gateway-2.7``).

    Raises:
        UnknownRowError: there is no such row and no such fact.
    """
    fact = facts().get(name.replace("-", " ", 1))
    found = [
        row
        for row in rows()
        if re.match(rf"{re.escape(name)}(?![\d.])", row.id) or (fact and fact.name in row.facts)
    ]
    if not found and fact is None:
        known = [*(row.id for row in rows()), *(key.replace(" ", "-", 1) for key in facts())]
        near = get_close_matches(name, dict.fromkeys(known), n=5, cutoff=0.4)
        hint = f" The nearest: {', '.join(near)}." if near else ""
        raise UnknownRowError(f"The ledger has no row and no fact {name}.{hint}")
    names = dict.fromkeys([fact.name] if fact else [])
    names.update(dict.fromkeys(name for row in found for name in row.facts))
    blocks = [_shown_fact(facts()[name]) for name in names]
    blocks += [_shown_row(row) for row in found] or ["No row of the ledger stands on it."]
    return "\n\n".join(blocks)


def _shown_row(row: Row) -> str:
    return f"{row.id}  {row.label}\n  {row.case}\n  fact: {row.fact}\n  source: {row.source}"


def _shown_fact(fact: Fact) -> str:
    lines = [f"{fact.name}  ({fact.title})"]
    for column, text in fact.parts:
        label = f"{column}: " if column not in {"", "#"} else ""
        lines += [f"  {label}{text}".replace("\n", "\n  ")]
    return "\n".join([*lines, *_addresses(fact)])


def _addresses(fact: Fact) -> list[str]:
    lines = []
    for name, page in references(fact.text):
        if "/" in name:
            lines.append(f"  {name}: https://github.com/{name.replace('#', '/issues/')}")
        elif source := sources().get(name):
            date = f" ({source.date})" if source.date else ""
            lines.append(f"  [{name}] {source.what}{date}: {source.at(page)}")
    return lines
