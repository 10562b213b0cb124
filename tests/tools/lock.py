"""Writes the pins, requirements/*.txt, from pyproject.toml's dependencies.

Run it after changing a dependency, with uv (`pip install uv`) on the PATH:

    .venv/bin/python tests/tools/lock.py            keeps the present versions where they still fit
    .venv/bin/python tests/tools/lock.py --upgrade  takes the newest ones
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "requirements"

HEADER = """\
# {purpose}
# On Linux, macOS and Windows and on Python 3.11 to 3.14. Written by tests/tools/lock.py: don't edit it, change the
# dependencies in pyproject.toml and run that.
"""
PURPOSES = {
    "course": "What `python3 -m labkit` installs, and environment.yml: the course.",
    "test": "What `python3 -m labkit test` installs besides: the tests' own tools.",
    "installer": "What installs the other two (uv), and what a learner may install more with (pip).",
}


def resolve(requirements: list[str], present: list[str]) -> list[str]:
    """The closure, for every system and Python, as `name==version ; marker` lines."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "lock.txt")
        output.write_text("\n".join(present))
        command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11"]
        command += ["--no-header", "--no-annotate", "--quiet", "--output-file", str(output), "-"]
        subprocess.run(command, input="\n".join(requirements), text=True, check=True)
        return [line for line in output.read_text().splitlines() if not line.startswith("-")]


def name_of(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0]


def present_pins() -> list[str]:
    lines = [line for path in FOLDER.glob("*.txt") for line in path.read_text().splitlines()]
    return [line for line in lines if not line.startswith("#")]


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    present = [] if "--upgrade" in sys.argv else present_pins()
    direct = project["project"]["dependencies"] + project["build-system"]["requires"]
    course = resolve(direct, present)
    both = resolve(direct + project["project"]["optional-dependencies"]["test"], course + present)
    known = {name_of(line) for line in course}
    missing = [line for line in course if name_of(line) not in {name_of(other) for other in both}]
    changed = [line for line in course if line.split(";")[0] not in {x.split(";")[0] for x in both}]
    assert not missing + changed, f"the tests' tools move {missing + changed}"
    pins = {
        "course": course,
        "test": [line for line in both if name_of(line) not in known],
        "installer": resolve(["pip", "uv"], present),
    }
    for group, lines in pins.items():
        text = HEADER.format(purpose=PURPOSES[group]) + "\n".join(lines) + "\n"
        (FOLDER / f"{group}.txt").write_text(text)


if __name__ == "__main__":
    main()
