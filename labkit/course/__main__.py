"""What `python3 -m labkit` does with copies, in the course's environment: `python -m labkit.course copies`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

from labkit.course.copies import master_files, read_master
from labkit.course.copies_folder import CopiesFolder
from labkit.course.copies_nbgrader import write_teacher_copies
from labkit.course.exercises import task_of, without_marks
from labkit.course.notebook_names import find_notebook
from labkit.errors import CopyError
from labkit.folders import COPIES, ROOT


def main() -> None:
    """Do what the command line says; a sentence and exit status 1 when it can't be done."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # Windows writes into files in an old encoding
    parser = argparse.ArgumentParser(prog="python3 -m labkit")
    commands = parser.add_subparsers(required=True, dest="command")
    copies = commands.add_parser("copies", help=f"lay your copies of the notebooks into {COPIES}")
    copies.add_argument(
        "--teacher", metavar="DIR", type=_folder, help="nbgrader's sources, into DIR"
    )
    for name, what in (("reset", "bring one copy back"), ("solution", "print solutions")):
        commands.add_parser(name, help=what).add_argument("notebook", help="04, throttling, …")
    arguments = parser.parse_args()
    try:
        if arguments.command == "reset":
            CopiesFolder(ROOT).reset(find_notebook(arguments.notebook, master_files(ROOT)))
        elif arguments.command == "solution":
            print(solutions(ROOT, arguments.notebook))
        elif arguments.teacher:
            number = write_teacher_copies(ROOT, arguments.teacher)
            print(
                f"{number} notebooks with solutions and nbgrader's metadata are in {arguments.teacher}."
            )
        else:
            CopiesFolder(ROOT).lay()
            print(f"Your notebooks are in {ROOT / COPIES}.")
    except CopyError as error:
        sys.exit(str(error))


def _folder(text: str) -> Path:
    """The folder that is meant; a shell leaves the ``~`` in ``--teacher=~/class`` as it is."""
    return Path(text).expanduser()


def solutions(root: Path, text: str) -> str:
    """The solved cells of a notebook, or the one of a task such as ``4.2``, ready to be copied.

    Raises:
        CopyError: there is no such notebook, or nothing is to be solved there.
    """
    names = master_files(root)
    number, _, task = text.strip().partition(".")
    by_task = number.isalnum() and task[:1].isdecimal()
    wanted = f"{number[:-1].lstrip('0')}{number[-1:]}.{task}"  # 04.2 is task 4.2
    name = find_notebook(number if by_task else text, names)
    cells = {task_of(cell["source"]): cell["source"] for cell in read_master(root, name)["cells"]}
    cells.pop(None, None)
    if by_task:
        cells = {found: cells[found] for found in cells if found == wanted}
    if not cells:
        raise CopyError(
            f"{os.path.splitext(name)[0]} has no exercise{f' {text}' if by_task else ''}: nothing is left blank there."
        )
    return "\n\n".join(map(without_marks, cells.values()))


if __name__ == "__main__":
    main()
