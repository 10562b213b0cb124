"""Everyone has the same environment; making it works, or says in one sentence why it does not."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from labkit import _bootstrap

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DISTRIBUTION = PYPROJECT["project"]["name"]
PINS = [pin for group in PYPROJECT["dependency-groups"].values() for pin in group]


def pip_section() -> list[str]:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    [section] = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    return list(section)


# The lists


def test_every_requirement_is_one_exact_version() -> None:
    for pin in map(Requirement, PINS):
        [specifier] = pin.specifier
        assert specifier.operator == "==", pin
    assert len(PINS) == len(set(PINS))


def test_environment_yml_and_pyproject_hold_the_same_versions() -> None:
    assert set(pip_section()) - {"-e ."} == set(PINS)
    assert "-e ." in pip_section()


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
        for pin in map(Requirement, PINS)
        if pin.marker is None or pin.marker.evaluate()
    }
    needed = set(needed_by(DISTRIBUTION, {"test"}, set()))
    assert needed <= set(wanted)
    assert {name: importlib.metadata.version(name) for name in wanted} == wanted


def test_the_package_says_its_version() -> None:
    import labkit

    assert labkit.__version__ == PYPROJECT["project"]["version"]
    assert importlib.metadata.version(DISTRIBUTION) == labkit.__version__


@pytest.mark.slow
def test_environment_yml_can_be_installed(
    tmp_path: Path, lacking: Callable[[str], NoReturn]
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("\n".join(pip_section()))
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    run(lacking, [*pip, "install", "--no-compile", "-r", requirements], cwd=ROOT)
    run(lacking, [*pip, "check"], cwd=tmp_path)
    run(lacking, [python, "-c", "import labkit, jupyterlab, nbval"], cwd=tmp_path)


def run(lacking: Callable[[str], NoReturn], command: list[str | Path], cwd: Path) -> str:
    answer = subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if "NewConnectionError" in answer.stdout:
        lacking("no connection to the package index")
    assert answer.returncode == 0, answer.stdout
    return answer.stdout


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


# The bootstrap


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A course with no environment, whose lists have one small package each."""
    folder = tmp_path / "course with a space"
    shutil.copytree(ROOT / "labkit", folder / "labkit", ignore=shutil.ignore_patterns("local"))
    shutil.copy(ROOT / "LICENSE", folder)
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    backend = next(pin for pin in PINS if pin.startswith("flit"))
    other = next(pin for pin in PINS if pin.startswith("iniconfig"))
    before, after = re.split(r"(?ms)^\[dependency-groups\]\n.*?\n(?=\n\[)", text)
    table = f'[dependency-groups]\ncourse = ["{backend}"]\ntest = ["{other}"]\n'
    (folder / "pyproject.toml").write_text(before + table + after, "utf-8")
    return folder


def python_m_labkit(
    clone: Path, *arguments: str, first: str = "", prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run it as a learner does, in a Python that `first` has made poorer."""
    code = f"import runpy, sys; sys.argv = ['labkit', *{list(arguments)}]\n{first}\n"
    code += "runpy.run_module('labkit', run_name='__main__', alter_sys=True)"
    return subprocess.run(
        [*prefix, sys._base_executable, "-c", code],  # type: ignore[attr-defined]
        cwd=clone,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={name: text for name, text in os.environ.items() if name != "VIRTUAL_ENV"},
    )


def assert_one_sentence(answer: subprocess.CompletedProcess[str], *words: str) -> None:
    assert answer.returncode == 1
    sentence = answer.stderr.strip()
    assert "Traceback" not in sentence
    assert len(sentence.splitlines()) == 1, sentence
    assert sentence.endswith(".")
    for word in words:
        assert word in sentence


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_old_pythons_can_read_what_they_run_first(name: str) -> None:
    ast.parse((ROOT / "labkit" / name).read_text("utf-8"), feature_version=(3, 7))


def test_an_old_python_is_told_which_one_is_needed(clone: Path) -> None:
    answer = python_m_labkit(clone, first="sys.version_info = (3, 9, 1, 'final', 0)")
    assert_one_sentence(answer, "3.11 or newer", "is Python 3.9", "python3.13 -m labkit")


def test_without_venv_the_package_to_install_is_named(clone: Path) -> None:
    answer = python_m_labkit(clone, first="sys.modules['venv'] = None")
    assert_one_sentence(answer, "apt install python3-venv")


NO_PIP = """
import subprocess
real_run = subprocess.run
def run(command, **options):
    if "ensurepip" in command or "pip" in command:
        return subprocess.CompletedProcess(command, {code}, {says!r}, "")
    return real_run(command, **options)
subprocess.run = run
"""


def test_without_any_pip_the_package_to_install_is_named(clone: Path) -> None:
    answer = python_m_labkit(clone, first=NO_PIP.format(code=1, says=""))
    assert_one_sentence(answer, "neither pip nor ensurepip", "apt install python3-venv")


def test_a_pip_that_is_too_old_is_named(clone: Path) -> None:
    # The pip inside is the one that the old Python brings along; hide that too.
    first = NO_PIP.format(code=0, says="pip 20.3.4 from …")
    first = first.replace(
        "return subprocess", "code = 1 if '.venv' in command[0] else 0\n        return subprocess"
    )
    first = first.replace("(command, 0,", "(command, code,")
    answer = python_m_labkit(clone, first=first)
    assert_one_sentence(answer, "pip 20.3 is too old", "22.3", "pip install --upgrade pip")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no write permission on a folder")
def test_without_write_permission_a_folder_of_ones_own_is_advised(clone: Path) -> None:
    # Root may write anywhere, unless it has given that capability away.
    prefix = ("setpriv", "--bounding-set=-all") if os.geteuid() == 0 else ()
    clone.chmod(0o555)
    try:
        answer = python_m_labkit(clone, prefix=prefix)
    finally:
        clone.chmod(0o755)
    assert_one_sentence(answer, str(clone), "copy the course to a folder of your own")


def test_without_a_network_the_connection_is_to_be_checked(clone: Path) -> None:
    nowhere = "import os; os.environ.update(PIP_INDEX_URL='http://127.0.0.1:9/simple'"
    nowhere += ", PIP_RETRIES='0', PIP_NO_CACHE_DIR='1', PIP_CONFIG_FILE=os.devnull)\n"
    nowhere += "os.environ.pop('PIP_EXTRA_INDEX_URL', None); os.environ.pop('PIP_FIND_LINKS', None)"
    answer = python_m_labkit(clone, first=nowhere)
    assert_one_sentence(answer, "connection to the internet", "HTTPS_PROXY")
    assert "Installing 1 packages into" in answer.stdout


def test_an_unknown_command_and_the_help(clone: Path) -> None:
    assert_one_sentence(python_m_labkit(clone, "tests"), "no command 'tests'", "--help")
    answer = python_m_labkit(clone, "--help")
    assert answer.returncode == 0
    assert "python3 -m labkit test" in answer.stdout
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize(
    ("cloud", "hidden"), [(None, True), ("local", True), (" AWS ", False)], ids=str
)
def test_only_the_mode_for_aws_lets_cells_find_the_aws_account(
    monkeypatch: pytest.MonkeyPatch, cloud: str | None, hidden: bool
) -> None:
    own = {"AWS_PROFILE": "mine", "AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "mine"}
    for name in [name for name in os.environ if name.startswith(("AWS_", "LABKIT_CLOUD"))]:
        monkeypatch.delenv(name)
    for name, value in {**own, **({"LABKIT_CLOUD": cloud} if cloud else {})}.items():
        monkeypatch.setenv(name, value)
    became: list[dict[str, str]] = []

    def become(command: list[str]) -> NoReturn:
        became.append({name: os.environ[name] for name in os.environ if name.startswith("AWS_")})
        raise SystemExit

    monkeypatch.setattr(_bootstrap, "_continue_as", become)
    with pytest.raises(SystemExit):
        _bootstrap._open_course([])
    [environment] = became
    assert (environment == own) is not hidden
    assert ("AWS_ACCESS_KEY_ID" in environment) is not hidden
    if hidden:
        assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
        assert environment["AWS_CONFIG_FILE"] == os.devnull


@pytest.mark.slow
def test_the_environment_is_made_once_and_again_when_needed(
    clone: Path, lacking: Callable[[str], NoReturn]
) -> None:
    def make(*groups: str) -> str:
        code = f"from labkit import _bootstrap; _bootstrap._make_environment({groups!r})"
        python = sys._base_executable  # type: ignore[attr-defined]
        return run(lacking, [python, "-c", code], cwd=clone)

    venv = clone / ".venv"
    leftover = venv / "leftover"

    assert "Installing 1 packages" in make("course")
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    place = "import labkit; print(labkit.__file__)"
    assert run(lacking, [python, "-c", place], cwd=ROOT.parent).startswith(str(clone))

    leftover.touch()
    assert make("course") == "", "the second time, there is nothing to do"
    assert "Installing 1 packages" in make("course", "test"), "only what the tests need more"
    assert leftover.exists()

    (venv / "labkit-course.stamp").unlink()
    assert "Installing 2 packages" in make("course", "test"), "an interrupted one is made anew"
    assert not leftover.exists()

    leftover.touch()
    project = clone / "pyproject.toml"
    project.write_text(project.read_text().replace("test = [", "test = [  # changed\n"))
    assert make("course", "test") == "", "a comment changes nothing"
    project.write_text(project.read_text().replace('course = ["', 'course = ["six", "'))
    assert "Installing 2 packages" in make("course"), "another list makes another environment"
    assert not leftover.exists()
