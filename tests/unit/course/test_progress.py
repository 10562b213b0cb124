"""What a learner said and did is kept, also through damage, a full disk and two notebooks at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.course.progress import FILE, Progress, Records


def test_the_first_reveal_counts(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    assert progress.predict("04.draft", {"": "401"}).right is None
    progress.predict("04.draft", {"": "200"})
    progress.judge("04.draft", True)
    kept = progress.predict("04.draft", {"": "403"})
    progress.judge("04.draft", False)
    assert (kept.said, kept.right) == ({"": "200"}, True)
    assert Progress(tmp_path).read().predictions["04.draft"].right is True


def test_a_judgement_without_an_answer_is_nothing(tmp_path: Path) -> None:
    Progress(tmp_path).judge("04.draft", True)
    assert Progress(tmp_path).read().predictions == {}


def test_a_task_is_done_once(tmp_path: Path) -> None:
    for _ in range(2):
        Progress(tmp_path).finish("4.2")
    assert Progress(tmp_path).read().tasks == ["4.2"]


@given(st.binary() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["predictions", "tasks", "said", "right", "04.draft"]), inner)))  # fmt: skip
def test_a_damaged_file_is_laid_aside(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    folder = tmp_path_factory.mktemp("state")
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / FILE).write_bytes(raw)
    told: list[str] = []
    progress = Progress(folder, told.append)
    before = progress.read()
    progress.finish("4.2")
    assert "4.2" in progress.read().tasks
    aside = folder / f"{FILE}.damaged"
    if told:
        assert aside.read_bytes() == raw
        assert before == Records()
    else:
        assert not aside.exists()


def test_what_a_newer_version_keeps_beyond_that_is_no_damage(tmp_path: Path) -> None:
    one = {"said": {"": "401"}, "right": True, "minutes": 3}
    kept = {"predictions": {"04.draft": one}, "tasks": ["4.2"], "badges": []}
    (tmp_path / FILE).write_text(json.dumps(kept))
    records = Progress(tmp_path).read()
    assert (records.score, records.tasks) == ("1 of 1", ["4.2"])


@pytest.mark.parametrize(
    "predictions",
    [{"04.draft": {"said": {"": 401}}}, {"04.draft": {"said": {"": "401"}, "right": "yes"}}],
)
def test_an_answer_that_is_no_text_is_damage(tmp_path: Path, predictions: object) -> None:
    (tmp_path / FILE).write_text(json.dumps({"predictions": predictions, "tasks": []}))
    told: list[str] = []
    Progress(tmp_path, told.append).finish("4.2")
    assert len(told) == 1


def test_two_kernels_at_once_lose_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from labkit.course.progress import Progress\n"
        "for n in range(20): Progress(Path(sys.argv[1])).finish(f'{sys.argv[2]}.{n}')"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    running = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(Progress(tmp_path).read().tasks) == 60


def test_a_place_that_is_no_directory_is_told_too(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "file").write_text("")
    kept = Progress(tmp_path / "file", told.append).predict("04.draft", {"": "401"})
    assert kept.said == {"": "401"}
    assert len(told) == 1
    assert told[0].startswith("This isn't kept (")
    assert told[0].endswith("so it doesn't count. The notebook goes on.")
