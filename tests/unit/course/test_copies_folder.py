"""Copies are laid into the learner's folder, and whatever is there or happens, no work of the learner's is lost."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from labkit.course.copies import make_copy
from labkit.course.copies_folder import MANIFEST, CopiesFolder
from labkit.errors import CopyError
from tests.support.small_course import write_master

NAME = "lab/01-one.ipynb"


class Course:
    """A clone with two masters and a picture, and what the learner is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.mine = root / "my-notebooks"
        self.change("1")
        write_master(root, "00-start-here.ipynb", ["0"])
        (root / "notebooks/images").mkdir()
        (root / "notebooks/images/one.svg").write_bytes(b"<svg>\n</svg>\n")

    def change(self, source: str) -> None:
        write_master(self.root, NAME, [source])

    def lay(self, patience: float = 20) -> list[str]:
        told: list[str] = []
        CopiesFolder(self.root, told.append, patience).lay()
        return told

    def reset(self) -> list[str]:
        told: list[str] = []
        CopiesFolder(self.root, told.append).reset(NAME)
        return told

    def work(self, text: str = "mine", name: str = NAME) -> bytes:
        """Save a copy as JupyterLab does, with a changed cell and its output."""
        path = self.mine / name
        notebook = json.loads(path.read_bytes())
        output = {"output_type": "stream", "name": "stdout", "text": [text]}
        notebook["cells"][0] |= {"source": [text], "execution_count": 1, "outputs": [output]}
        path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")
        return path.read_bytes()

    def files(self) -> dict[str, bytes]:
        """All that the learner sees in the folder."""
        found = [path for path in self.mine.rglob("*") if path.is_file() and path.name[0] != "."]
        return {path.relative_to(self.mine).as_posix(): path.read_bytes() for path in found}

    def fresh(self) -> bytes:
        return make_copy(self.root, NAME).data


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path / "course")


def test_all_files_are_laid_in_the_same_tree_and_then_nothing_changes(course: Course) -> None:
    assert course.lay() == []
    files = course.files()
    assert sorted(files) == ["00-start-here.ipynb", "images/one.svg", NAME]
    assert files[NAME] == course.fresh()
    times = [(course.mine / name).stat().st_mtime_ns for name in files]
    assert course.lay() == []
    assert [(course.mine / name).stat().st_mtime_ns for name in files] == times


def test_a_copy_that_nobody_worked_in_follows_its_master(course: Course) -> None:
    course.lay()
    path = course.mine / NAME
    notebook = json.loads(path.read_bytes())
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.14.0"}
    path.write_bytes(json.dumps(notebook, indent=2).encode().replace(b"\n", b"\r\n"))
    course.change("2")
    (course.root / "notebooks/images/one.svg").write_bytes(b"<svg>2</svg>\n")
    assert course.lay() == []
    assert course.files()[NAME] == course.fresh()
    assert course.files()["images/one.svg"] == b"<svg>2</svg>\n"


def test_beside_a_learners_work_the_newer_copy_is_laid_and_told_once(course: Course) -> None:
    course.lay()
    work = course.work()
    assert course.lay() == []
    course.change("2")
    [told] = course.lay()
    assert "lab/new-01-one.ipynb" in told
    assert course.lay() == []
    assert course.files()[NAME] == work
    assert course.files()["lab/new-01-one.ipynb"] == course.fresh()

    course.change("3")
    [told] = course.lay()
    assert course.files()["lab/new-01-one.ipynb"] == course.fresh(), "nobody worked in it"
    newer = course.work("more", "lab/new-01-one.ipynb")
    course.change("4")
    [told] = course.lay()
    assert "lab/new-2-01-one.ipynb" in told
    assert course.lay() == []
    assert course.files()[NAME] == work
    assert course.files()["lab/new-01-one.ipynb"] == newer
    assert course.files()["lab/new-2-01-one.ipynb"] == course.fresh()


def test_line_ends_of_masters_change_nothing(course: Course) -> None:
    course.lay()
    work = course.work()
    (course.mine / "images/one.svg").write_bytes(b"<svg>mine</svg>")
    for path in (course.root / "notebooks").rglob("*.*"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert course.lay() == []
    assert course.files()[NAME] == work
    assert len(course.files()) == 3


@pytest.mark.parametrize(
    "manifest",
    [b"", b"{", b"[]", b"7", b'{"lab/01-one.ipynb": 1}', b'{"lab/01-one.ipynb": {"content": 1, "master": 2}}',
     b"\xff", b"[" * 9999],
)  # fmt: skip
def test_a_damaged_list_loses_nothing(course: Course, manifest: bytes) -> None:
    course.lay()
    work = course.work()
    (course.mine / MANIFEST).write_bytes(manifest)
    [told] = course.lay()
    assert "damaged" in told
    assert "stay as they are" in told
    assert course.lay() == []
    assert course.files()[NAME] == work
    assert len(course.files()) == 3, "the copy itself says from which master it came"
    course.change("2")
    assert len(course.lay()) == 1
    assert course.files()[NAME] == work


@pytest.mark.parametrize("work", [b"", b"{", b"null", b'{"cells": []}', b"\xff\x00"])
def test_a_copy_that_is_no_notebook_any_more_stays(course: Course, work: bytes) -> None:
    course.lay()
    (course.mine / NAME).write_bytes(work)
    assert course.lay() == []
    (course.mine / MANIFEST).unlink()
    [told] = course.lay()  # now nobody knows from which master it came
    assert "new-01-one.ipynb" in told
    assert course.lay() == []
    assert course.files()[NAME] == work


def test_a_damaged_master_is_told_and_the_others_are_laid(course: Course) -> None:
    (course.root / "notebooks" / NAME).write_text("<<<<<<< HEAD")
    [told] = course.lay()
    assert "git checkout notebooks/lab/01-one.ipynb" in told
    assert list(course.files()) == ["00-start-here.ipynb", "images/one.svg"]


# -- reset ---------------------------------------------------------------------------------------


def test_reset_keeps_the_learners_work_aside(course: Course) -> None:
    course.lay()
    works = []
    for kept in ("lab/kept-01-one.ipynb", "lab/kept-2-01-one.ipynb"):
        works.append(course.work(kept))
        [told] = course.reset()
        assert kept in told
        assert course.files()[NAME] == course.fresh()
        assert course.files()[kept] == works[-1]
    [told] = course.reset()
    assert "nobody has worked in it" in told
    assert len(course.files()) == 5
    assert course.lay() == []
    assert len(course.files()) == 5


def test_reset_takes_the_newest_master_and_the_copy_beside_that_is_the_same(course: Course) -> None:
    course.lay()
    course.work()
    course.change("2")
    course.lay()
    course.reset()
    assert course.files()[NAME] == course.fresh()
    assert "lab/new-01-one.ipynb" not in course.files()

    course.work()
    course.change("3")
    course.lay()
    newer = course.work("more", "lab/new-01-one.ipynb")
    course.reset()
    assert course.files()["lab/new-01-one.ipynb"] == newer


def test_reset_makes_what_is_missing(course: Course) -> None:
    course.reset()
    assert course.files()[NAME] == course.fresh()


# -- what a computer may be like -----------------------------------------------------------------


def refused(course: Course, *words: str, do: Callable[[], object] | None = None) -> None:
    with pytest.raises(CopyError) as caught:
        (do or course.lay)()
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    for word in words:
        assert word in sentence


@pytest.mark.parametrize("where", ["my-notebooks", "my-notebooks/lab"])
def test_a_file_where_a_folder_should_be(course: Course, where: str) -> None:
    path = course.root / where
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    refused(course, where, "is a file", "rename it")
    assert path.read_text() == "mine"


def test_a_folder_where_a_file_should_be(course: Course) -> None:
    (course.mine / NAME).mkdir(parents=True)
    refused(course, "01-one.ipynb is a folder", "rename it")


@pytest.mark.parametrize("where", ["my-notebooks", "my-notebooks/lab"])
@pytest.mark.parametrize("to", ["notebooks/lab", "nowhere"])
def test_a_link_is_not_followed(course: Course, where: str, to: str) -> None:
    link = course.root / where
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(course.root / to)
    before = sorted((course.root / "notebooks").rglob("*"))
    refused(course, where, "link", "remove the link")
    assert sorted((course.root / "notebooks").rglob("*")) == before
    assert not (course.root / "nowhere").exists()


@pytest.mark.parametrize("to", [f"notebooks/{NAME}", "nowhere"])
def test_a_linked_notebook_is_the_learners(course: Course, to: str) -> None:
    link = course.mine / NAME
    link.parent.mkdir(parents=True)
    link.symlink_to(course.root / to)
    master = (course.root / "notebooks" / NAME).read_bytes()
    course.lay()
    assert link.is_symlink()
    course.reset()
    assert not link.is_symlink()
    assert (course.root / "notebooks" / NAME).read_bytes() == master
    assert not (course.root / "nowhere").exists()


def test_who_shares_the_clone_by_a_link_gets_copies(course: Course, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(course.root)
    CopiesFolder(tmp_path / "link").lay()
    assert len(course.files()) == 3


def test_another_one_that_lays_copies_is_waited_for(course: Course) -> None:
    course.lay()
    with FileLock(course.mine / ".masters.lock"):
        refused(course, "Another 'python3 -m labkit'", do=lambda: course.lay(patience=0.01))


def full_disk(path: Path, _data: bytes, *, keep: Path | None = None) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(keep or path))


def test_on_a_full_disk_what_is_there_stays(course: Course) -> None:
    course.lay()
    work = course.work()
    before = course.files()
    folder = CopiesFolder(course.root, write=full_disk)
    refused(course, "The disk is full", "make room", do=lambda: folder.reset(NAME))
    assert course.files() == before
    assert course.reset() != []
    assert work in course.files().values()


def test_nothing_else_is_explained_as_something_known(course: Course) -> None:
    course.lay()
    loop = course.mine / "images/one.svg"
    loop.unlink()
    loop.symlink_to(loop)
    refused(course, os.strerror(errno.ELOOP))


STEPS = st.lists(
    st.sampled_from(["lay", "work", "change", "reset", "lose the list", "delete", "work beside"])
)


@given(STEPS)
def test_whatever_the_order_no_work_is_lost(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    course = Course(tmp_path_factory.mktemp("steps"))
    works: set[bytes] = set()
    course.lay()
    for number, step in enumerate(steps):
        if step == "work" and (course.mine / NAME).exists():
            works.discard((course.mine / NAME).read_bytes())  # overwritten by the learner
            works.add(course.work(f"work {number}"))
        elif step == "work beside" and (course.mine / "lab/new-01-one.ipynb").exists():
            works.discard((course.mine / "lab/new-01-one.ipynb").read_bytes())
            works.add(course.work(f"beside {number}", "lab/new-01-one.ipynb"))
        elif step == "change":
            course.change(f"master {number}")
        elif step == "lose the list":
            (course.mine / MANIFEST).unlink(missing_ok=True)
        elif step == "delete" and (course.mine / NAME).exists():
            works.discard((course.mine / NAME).read_bytes())
            (course.mine / NAME).unlink()
        elif step == "reset":
            course.reset()
            assert course.files()[NAME] == course.fresh()
        else:
            course.lay()
            assert course.lay() == [], "told once"
        assert works <= set(course.files().values())
    shutil.rmtree(course.root)
