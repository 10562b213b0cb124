"""After the last cell of a notebook one can play on: what it built is still there, until the notebook begins again."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from tests.support.attached_cloud import attached_cloud, environment
from tests.tools.save_notebooks import QUIET_KERNEL

pytestmark = pytest.mark.slow
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.mark.parametrize(
    ("name", "call", "said"),
    [
        ("modes/choosing-a-mode.ipynb", 'guess("partner", "IAM", 403)', "→ 403"),
        (
            "modes/usage-plans.ipynb",
            "print(boto3.client('apigateway').get_usage_plans()['items'][0]['name'])",
            "d-usage-plans",
        ),
    ],
)
def test_what_was_built_answers(tmp_path: Path, name: str, call: str, said: str) -> None:
    path = NOTEBOOKS / name
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(new_code_cell(call))
    with attached_cloud(tmp_path), environment(IPYTHONDIR=str(tmp_path)):
        NotebookClient(
            notebook,
            timeout=60,
            config=QUIET_KERNEL,
            resources={"metadata": {"path": str(path.parent)}},
        ).execute()
    assert said in str(notebook.cells[-1].outputs)
