"""The README shows how many rows of the ledger carry each label, and the numbers are right."""

from pathlib import Path

from labkit.local.ledger import LABELS, counts

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_counts_the_ledger() -> None:
    lines = [f"| {label} | {counts()[label]} | {meaning} |" for label, meaning in LABELS.items()]
    table = "\n".join(["| Label | Rows | Meaning |", "| --- | --- | --- |", *lines])
    assert table in README.read_text(encoding="utf-8"), f"the README's table must be:\n{table}"
