"""Everyone has the same environment, and no commit holds what is one machine's or one person's."""

import importlib.metadata
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import labkit
from labkit._bootstrap import environment

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DISTRIBUTION = PYPROJECT["project"]["name"]
COURSE, TEST = (environment.pins([group]) for group in ("course", "test"))
PINS = [*COURSE, *TEST, *environment.pins(["installer"])]


def pip_section() -> list[str]:
    content = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    [section] = [part["pip"] for part in content["dependencies"] if isinstance(part, dict)]
    return list(section)


# The lists


def test_every_requirement_is_one_exact_version() -> None:
    for pin in map(Requirement, PINS):
        [specifier] = pin.specifier
        assert specifier.operator == "==", pin
    assert len(PINS) == len(set(PINS))


def test_a_learner_gets_the_course_and_not_the_tools_of_its_tests() -> None:
    assert pip_section() == ["-r requirements/course.txt", "-e ."]
    course = {Requirement(pin).name for pin in COURSE}
    assert {"jupyterlab", "nbval", "ministack"} <= course
    assert not course & {"hypothesis", "import-linter", "mypy", "playwright", "ruff", "uv"}


def test_direct_dependencies_are_pinned_within_their_limits() -> None:
    pins = {canonicalize_name(pin.name): pin for pin in map(Requirement, PINS)}
    groups = PYPROJECT["project"]["optional-dependencies"]["test"]
    for direct in map(Requirement, PYPROJECT["project"]["dependencies"] + groups):
        [pinned] = pins[canonicalize_name(direct.name)].specifier
        assert direct.specifier.contains(pinned.version), direct


def needed_by(name: str, extras: set[str], seen: set[str]) -> Iterator[str]:
    """The packages that an installed one needs on this computer, and what those need."""
    for text in importlib.metadata.requires(name) or []:
        requirement = Requirement(text)
        if requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}
        ):
            child = canonicalize_name(requirement.name)
            if (key := f"{child}{sorted(requirement.extras)}") not in seen:
                seen.add(key)
                yield child
                yield from needed_by(child, requirement.extras, seen)


def test_everything_that_is_needed_is_installed_as_pinned() -> None:
    wanted = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in map(Requirement, COURSE + TEST)
        if pin.marker is None or pin.marker.evaluate()
    }
    needed = set(needed_by(DISTRIBUTION, {"test"}, set()))
    assert needed <= set(wanted)
    assert {name: importlib.metadata.version(name) for name in wanted} == wanted


def test_the_package_says_its_version() -> None:
    assert "version" in PYPROJECT["project"]["dynamic"]
    assert importlib.metadata.version(DISTRIBUTION) == labkit.__version__


# What must not be committed


def committed_files() -> list[Path]:
    answer = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in answer.stdout.split("\0") if (ROOT / name).is_file()]


NOT_IN_A_COMMIT = {
    # Written in two halves: this file may not name them either.
    "the host of a package registry": "|".join(
        first + second
        for first, second in [
            ("py", r"pi\.org"),
            ("python", r"hosted\.org"),
            ("np", r"mjs\.(org|com)"),
            ("ana", r"conda\.org"),
            ("deb", r"\.debian\.org"),
            ("yarn", r"pkg\.com"),
            ("mcr", r"\.microsoft\.com"),
            ("ghcr", r"\.io"),
            ("quay", r"\.io"),
            ("docker", r"\.io"),
        ]
    ),
    "an index option": r"--(extra-)?index-url|(?m:^registry\s*=)",
    "a path of one machine": r"(?<![\w.$}-])/(root|work|home/(?!\w+\.)\w+|Users/\w+)/",
    "an access key": r"\b(AKIA|ASIA)(?!\w*EXAMPLE)[A-Z0-9]{16}\b",
    "a token": r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE" + " KEY-----",
}


@pytest.mark.parametrize("what", NOT_IN_A_COMMIT)
def test_no_committed_file_holds(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in committed_files()
        for match in re.finditer(NOT_IN_A_COMMIT[what], path.read_text("utf-8", errors="ignore"))
    ]
    assert not found


def test_no_generated_file_is_committed() -> None:
    for path in committed_files():
        parts = set(path.relative_to(ROOT).parts)
        assert not parts & {".venv", "__pycache__", ".ipynb_checkpoints", "uv.lock"}, path
