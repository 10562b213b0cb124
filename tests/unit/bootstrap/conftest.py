"""A small course of each test's own."""

from pathlib import Path

import pytest

from tests.unit.bootstrap.small_course import copy_small_course


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A small course with no environment."""
    folder = tmp_path / "course with a space"
    copy_small_course(folder)
    return folder
