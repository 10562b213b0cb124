"""The version is in one place; the changelog's newest heading names it."""

import re
from pathlib import Path

import labkit

CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"


def test_the_newest_heading_is_the_version() -> None:
    headings = re.findall(r"^## (\S+?),", CHANGELOG.read_text("utf-8"), re.MULTILINE)
    assert headings[0] == labkit.__version__
