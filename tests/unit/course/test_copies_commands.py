"""What a learner and a teacher call, in a small course with one exercise: the commands, a pull, two starts at once."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_course import write_master

SOLVED = """# Task 4.2: guard the method
names = ["GET"]
# BEGIN SOLUTION
answer = call(
    names, authorizer="COGNITO"
)
# END SOLUTION
print(answer)"""
BLANK = """answer = call(
    names, authorizer=____
)"""
PLAIN = SOLVED.replace("# BEGIN SOLUTION\n", "").replace("# END SOLUTION\n", "")
SECOND = "# Task 4.3: deploy\n# BEGIN SOLUTION\ndeploy()\n# END SOLUTION"
CELLS = ["call = print", SOLVED, 'lab.check("4.2")', SECOND, 'lab.check("4.3")', 'lab.check("4.3")']
FOUR = "lab/04-guard.ipynb"


@pytest.fixture
def course(clone: Path) -> Path:
    """A small course whose notebook 04 has two exercises."""
    folder = clone / "labkit/course/exercises"
    folder.mkdir(exist_ok=True)
    entries = f"['4.2']\nblank = '''{BLANK}'''\nhints = []\n['4.3']\nblank = '____()'\nhints = []\n"
    (folder / "04.toml").write_text(entries)
    write_master(clone, "00-start-here.ipynb", ["1"])
    write_master(clone, FOUR, CELLS)
    return clone


def python(
    course: Path, *arguments: str, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """This environment's Python, with that course's labkit."""
    return subprocess.run(
        [*prefix, sys.executable, *arguments],
        cwd=course,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(course)},
    )


def command(course: Path, *arguments: str) -> list[str]:
    """The lines that a command prints."""
    answer = python(course, "-m", "labkit.course", *arguments)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


def refused(course: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> str:
    answer = python(course, "-m", "labkit.course", *arguments, prefix=prefix)
    assert answer.returncode == 1
    [sentence] = answer.stderr.splitlines()
    assert sentence.endswith(".")
    return sentence


def sources(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(path.read_bytes())["cells"]]


def test_copies_have_blanks_and_reset_brings_them_back(course: Path) -> None:
    assert command(course, "copies") == [f"Your notebooks are in {course / 'my-notebooks'}."]
    mine = course / "my-notebooks" / FOUR
    begin, end = "# BEGIN SOLUTION\n", "# END SOLUTION"
    blank = re.sub(f"{begin}.*{end}", BLANK, SOLVED, flags=re.S)
    assert sources(mine)[1] == blank
    assert sources(mine)[3] == "# Task 4.3: deploy\n____()"
    fresh = mine.read_bytes()
    mine.write_text("mine")
    [told] = command(course, "reset", "4")
    assert "kept-04-guard" in told
    assert mine.read_bytes() == fresh
    assert mine.with_name("kept-04-guard.ipynb").read_text() == "mine"


def test_solutions_are_printed_task_by_task_to_be_copied(course: Path) -> None:
    second = ["# Task 4.3: deploy", "deploy()"]
    assert command(course, "solution", "guard") == [*PLAIN.splitlines(), "", *second]
    assert command(course, "solution", "4.3") == command(course, "solution", "04.3") == second


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("reset", "gard"), "no notebook 'gard': near it are lab/04-guard"),
        (("solution", "5"), "no notebook '5'"),
        (("solution", "00"), "00-start-here has no exercise"),
        (("solution", "4.9"), "lab/04-guard has no exercise 4.9"),
        (("solution", "4.3a"), "lab/04-guard has no exercise 4.3a"),
        (("copies", "--teacher", "labkit"), "labkit isn't empty"),
        (("copies", "--teacher", "notebooks/lab/new"), "inside the course's own notebooks"),
        (("copies", "--teacher", "labkit/../my-notebooks/new"), "inside the course's own"),
        (("copies", "--teacher", "LICENSE"), "LICENSE can't be written"),
    ],
)
def test_a_mistake_gets_one_sentence(course: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in refused(course, *arguments)


def test_without_masters_it_is_no_clone(clone: Path) -> None:
    assert "in a clone of the course" in refused(clone, "copies")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no write permission on a folder")
def test_without_write_permission(course: Path) -> None:
    # Root may write anywhere, unless it has given that capability away.
    prefix = ("setpriv", "--bounding-set=-all") if os.geteuid() == 0 else ()
    command(course, "copies")
    folder = course / "my-notebooks"
    folder.chmod(0o555)
    (folder / ".masters.lock").chmod(0o444)
    try:
        assert "copy the course to a folder of your own" in refused(course, "copies", prefix=prefix)
    finally:
        folder.chmod(0o755)


def test_two_starts_at_once_lay_each_copy_once(course: Path) -> None:
    code = [sys.executable, "-m", "labkit.course", "copies"]
    started = [
        subprocess.Popen(code, cwd=course, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in started:
        _, error = process.communicate()
        assert (process.returncode, error) == (0, b"")
    names = [path.name for path in (course / "my-notebooks").rglob("*.ipynb")]
    assert sorted(names) == ["00-start-here.ipynb", "04-guard.ipynb"]


def test_the_start_lays_copies_and_stops_only_without_any(course: Path) -> None:
    lay = "from labkit import _bootstrap; _bootstrap._lay_copies()"
    (course / "my-notebooks").write_text("in the way")
    answer = python(course, "-c", lay)
    assert answer.returncode == 1
    assert "is a file" in answer.stderr
    (course / "my-notebooks").unlink()
    assert python(course, "-c", lay).returncode == 0
    (course / "my-notebooks/.masters.json").unlink()
    (course / "my-notebooks/.masters.json").mkdir()
    answer = python(course, "-c", lay)
    assert answer.returncode == 0
    assert ".masters.json is a folder" in answer.stderr


def test_a_kernel_of_a_copy_is_led_to_copies(course: Path) -> None:
    command(course, "copies")
    ask = "from labkit.folders import notebooks_in_use as n; import os, sys; os.chdir(sys.argv[1]); print(n().name)"
    for folder, name in (("my-notebooks/lab", "my-notebooks"), ("notebooks/lab", "notebooks")):
        assert python(course, "-c", ask, folder).stdout.strip() == name


# -- JupyterLab that somebody starts without labkit ------------------------------------------------

SERVER = """
import logging, os, sys
from labkit.course import jupyter
class Server:
    root_dir = sys.argv[1]
    log = logging.getLogger("server")
jupyter._load_jupyter_server_extension(Server())
print(os.environ.get("AWS_PROFILE"))
"""


@pytest.mark.parametrize(("cloud", "profile"), [("", "None"), ("aws", "mine")])
def test_a_bare_jupyterlab_has_copies_and_no_account(
    course: Path, monkeypatch: pytest.MonkeyPatch, cloud: str, profile: str
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("LABKIT_CLOUD", cloud)
    elsewhere = python(course, "-c", SERVER, str(course.parent))
    assert (elsewhere.stdout.strip(), elsewhere.stderr) == (profile, "")
    assert not (course / "my-notebooks").exists()
    here = python(course, "-c", SERVER, str(course))
    assert (here.stdout.strip(), here.stderr) == (profile, "")
    assert (course / "my-notebooks" / FOUR).exists()
    (course / "my-notebooks/.masters.json").write_text("{")
    assert "damaged" in python(course, "-c", SERVER, str(course)).stderr


def test_the_environment_gets_the_setting_that_loads_it() -> None:
    from labkit.course import jupyter
    from labkit.folders import ROOT

    [file] = (ROOT / "labkit/_bootstrap/data").rglob("*.json")
    assert file.parent.relative_to(ROOT / "labkit/_bootstrap/data") == Path(
        "etc/jupyter/jupyter_server_config.d"
    )
    setting = json.loads(file.read_text())
    assert setting == {"ServerApp": {"jpserver_extensions": {jupyter.__name__: True}}}
    assert jupyter._jupyter_server_extension_points() == [{"module": jupyter.__name__}]


# -- git -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("line_ends", ["false", "true"])
def test_a_pull_after_a_day_of_learning(course: Path, tmp_path: Path, line_ends: str) -> None:
    def git(folder: Path, *words: str) -> str:
        own = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "core.hooksPath="]
        # Windows' settings; .gitattributes, which would make them harmless, isn't in this small course.
        own += ["-c", f"core.autocrlf={line_ends}", "-c", "core.safecrlf=false"]
        done = subprocess.run(["git", *own, *words], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (course / ".gitignore").write_text("/my-notebooks/\n__pycache__/\n")
    git(course, "init", "-q", "-b", "main")
    git(course, "add", "-A")
    git(course, "commit", "-q", "-m", "one")
    learner = tmp_path / "learner"
    git(tmp_path, "clone", "-q", str(course), str(learner))
    has_windows_line_ends = (
        b"\r\n"
        in (learner / "notebooks" / FOUR).read_bytes() + (learner / "pyproject.toml").read_bytes()
    )
    assert has_windows_line_ends == (line_ends == "true")

    command(learner, "copies")
    mine = learner / "my-notebooks" / FOUR
    notebook = json.loads(mine.read_bytes())
    notebook["cells"][3]["source"] = ["# Task 4.3: deploy\n", "deploy()"]
    notebook["cells"][3]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["!"]}]
    mine.write_text(json.dumps(notebook, indent=1))
    work = mine.read_bytes()
    assert git(learner, "status", "--porcelain") == ""

    write_master(course, FOUR, [*CELLS, "'new'"])
    write_master(course, "00-start-here.ipynb", ["2"])
    git(course, "commit", "-q", "-a", "-m", "two")
    git(learner, "pull", "-q", "--ff-only")
    told = command(learner, "copies")
    assert [FOUR in line for line in told] == [True, False]
    assert len(command(learner, "copies")) == 1
    assert mine.read_bytes() == work
    assert sources(mine.with_name("new-04-guard.ipynb"))[-1] == "'new'"
    assert sources(learner / "my-notebooks/00-start-here.ipynb") == ["2"]
    assert git(learner, "status", "--porcelain") == ""


# -- teachers --------------------------------------------------------------------------------------


def grading(cell: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = cell["metadata"].get("nbgrader")
    return found


def test_teachers_copies_carry_what_nbgrader_reads(course: Path) -> None:
    (course / "notebooks/images").mkdir()
    (course / "notebooks/images/one.png").write_bytes(b"\x89PNG\r\n")
    [told] = command(course, "copies", "--teacher", "source of the class")
    assert told == "2 notebooks with solutions and nbgrader's metadata are in source of the class."
    folder = course / "source of the class"
    assert (folder / "images/one.png").read_bytes() == b"\x89PNG\r\n"
    notebook = json.loads((folder / FOUR).read_bytes())
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    setup, first, check, second, other, again = notebook["cells"]
    assert setup["metadata"] == {}
    common = {"schema_version": 3, "task": False}
    exercise = common | {"grade": False, "solution": True, "locked": False}
    graded = common | {"grade": True, "solution": False, "locked": True, "points": 1}
    assert grading(first) == exercise | {"grade_id": "task-4-2"}
    assert grading(second) == exercise | {"grade_id": "task-4-3"}
    assert grading(check) == graded | {"grade_id": "check-4-2"}
    assert grading(other) == graded | {"grade_id": "check-4-3"}
    assert grading(again) == graded | {"grade_id": "check-4-3-cell-5"}
    assert check["source"] == ['print(lab.check("4.2"))']
    commented = "".join(f"# {line}\n" for line in BLANK.splitlines())
    assert "".join(first["source"]) == SOLVED.replace("# BEGIN", f"{commented}# BEGIN")
