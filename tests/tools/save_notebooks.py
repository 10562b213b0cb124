"""Run notebooks from top to bottom and save them with outputs that are the same on every run.

    python tests/tools/save_notebooks.py                     # all notebooks
    python tests/tools/save_notebooks.py notebooks/lab/0*    # some of them

Use it after a change of a notebook, or of what a notebook shows. Each notebook runs in a kernel of
its own, in its own directory, on a local cloud of its own, which is stopped after it: the learner's own
cloud, its state and its AWS settings stay out of it.

What differs from run to run (ids, times, codes) is replaced by the masks of
``tests/notebooks/nbval_sanitize.cfg``, so that no secret is committed and a diff shows only what changed in
the lesson. Volatile metadata goes, execution counts and cell ids stay. When a cell raises, nothing
is written and the exit status is 1.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import zmq
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbval.plugin import get_sanitize_patterns
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[2]
MASKS = get_sanitize_patterns((ROOT / "tests/notebooks/nbval_sanitize.cfg").read_text("utf-8"))
CELL_TIMEOUT_SECONDS = 60
QUIET_KERNEL = Config(
    {"KernelManager": {"transport_encryption": "auto" if zmq.has("curve") else "disabled"}}
)
"""Over encrypted channels a kernel has nothing to warn about."""
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}


def main() -> int:
    """Save the notebooks that the command line names, or all."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("paths", nargs="*", type=Path, help="notebooks; all when none is named")
    paths = arguments.parse_args().paths or every_notebook()
    with tempfile.TemporaryDirectory(prefix="labkit-save-") as directory:
        keep_away_from_the_learner(Path(directory))
        try:
            return max([save(path.resolve()) for path in paths], default=0)
        finally:
            stop_the_cloud()


def every_notebook() -> list[Path]:
    """All notebooks of the course, in their order."""
    found = (ROOT / "notebooks").glob("**/*.ipynb")
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def keep_away_from_the_learner(directory: Path) -> None:
    """Settings for this process and its kernels: the local cloud, its state in ``directory``."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.pop("MPLBACKEND", None)
    os.environ.pop("LABKIT_EMAIL", None)
    os.environ |= {
        "AWS_EC2_METADATA_DISABLED": "true",
        "IPYTHONDIR": str(directory / "ipython"),
        "JUPYTER_CONFIG_DIR": str(directory / "jupyter-config"),
        "JUPYTER_DATA_DIR": str(directory / "jupyter-data"),
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel named python3 is this environment's
        "LABKIT_CLOUD": "local",
        "LABKIT_STATE_DIR": str(directory / "state"),
    }


def stop_the_cloud() -> None:
    """End the local cloud that the kernels started."""
    sys.path.insert(0, str(ROOT))
    import labkit

    labkit.stop()


def save(path: Path) -> int:
    """Run one notebook and write it back; 1 when a cell raised, 0 otherwise."""
    stop_the_cloud()  # what the notebook before built would show
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        coalesce_streams=True,  # how a cell's lines arrive in time must not show
        kernel_name="python3",
        config=QUIET_KERNEL,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"{path.name}: a cell raised, nothing is written\n{error}", file=sys.stderr)
        return 1
    tidy(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
    return 0


def tidy(notebook: Any) -> None:  # nbformat's notebooks are untyped dictionaries
    """Leave nothing that differs from run to run."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells, start=1):
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        cell.setdefault("id", f"cell-{number:02}")
        for output in cell.get("outputs", []):
            output.update(each_text(dict(output), masked))
            # A widget's model exists in one kernel only; its text stays.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
            if "metadata" in output:
                sizes = {kind: size_of(of) for kind, of in output.metadata.items() if size_of(of)}
                output.metadata = nbformat.from_dict(sizes)


def size_of(metadata: Any) -> dict[str, int]:
    """The size at which a picture is shown; its alternative text may hold numbers of one run."""
    if not isinstance(metadata, dict):
        return {}
    return {key: metadata[key] for key in ("width", "height") if key in metadata}


def masked(text: str) -> str:
    """The text without what differs from run to run.

    Raises:
        ValueError: a second pass would change the text again, so nbval could never agree with it.
    """
    once = with_masks(text)
    if with_masks(once) != once:
        raise ValueError(
            f"the masks of tests/notebooks/nbval_sanitize.cfg change their own result: {once!r}"
        )
    return once


def with_masks(text: str) -> str:
    """The text after one pass of all masks, as nbval applies them."""
    for regex, replacement in MASKS:
        text = re.sub(regex, replacement, text)
    return text


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every text in it changed, except pictures."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [each_text(item, change) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key.startswith("image/") else each_text(item, change)
            for key, item in value.items()
        }
    return value


if __name__ == "__main__":
    raise SystemExit(main())
