"""Writes the pins, pyproject.toml's [dependency-groups] and environment.yml, from its dependencies.

Run it after changing a dependency, with uv (`pip install uv`) on the PATH:

    .venv/bin/python tests/tools/lock.py            keeps the present versions where they still fit
    .venv/bin/python tests/tools/lock.py --upgrade  takes the newest ones

tests/unit/test_environment.py fails when the two files differ.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = ROOT / "pyproject.toml"

ENVIRONMENT = """\
# The course as a conda environment, also for Binder: `conda env create -f environment.yml`.
# Written by tests/tools/lock.py; the versions are those of pyproject.toml's [dependency-groups].
name: api-gateway-security-course
channels:
  - conda-forge
dependencies:
  - python=3.13
  - pip
  - pip:
{pins}
      - "-e ."
"""


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


def main() -> None:
    text = PYPROJECT.read_text()
    project = tomllib.loads(text)
    locked = project.get("dependency-groups", {})
    present = [] if "--upgrade" in sys.argv else [pin for pins in locked.values() for pin in pins]
    direct = project["project"]["dependencies"] + project["build-system"]["requires"]
    course = resolve(direct, present)
    both = resolve(direct + project["project"]["optional-dependencies"]["test"], course + present)
    known = {name_of(line) for line in course}
    missing = [line for line in course if name_of(line) not in {name_of(other) for other in both}]
    changed = [line for line in course if line.split(";")[0] not in {x.split(";")[0] for x in both}]
    assert not missing + changed, f"the test group moves {missing + changed}"
    groups = {"course": course, "test": [line for line in both if name_of(line) not in known]}
    table = "[dependency-groups]\n"
    for group, lines in groups.items():
        table += f"{group} = [\n" + "".join(f'    "{line}",\n' for line in lines) + "]\n"
    before, after = re.split(r"(?ms)^\[dependency-groups\]\n.*?\n(?=\n\[)", text)
    text = before + table + after
    PYPROJECT.write_text(text)
    pins = "\n".join(f'      - "{line}"' for line in course + groups["test"])
    (ROOT / "environment.yml").write_text(ENVIRONMENT.format(pins=pins))


if __name__ == "__main__":
    main()
