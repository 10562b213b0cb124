"""Keeps tests, and the kernels they start, away from the learner's own cloud and settings."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Programs, not tests; --doctest-modules would import them.
collect_ignore_glob = ["tests/benchmarks/*", "tests/tools/*"]

# At import, before anything reads them: every test process and kernel inherits these.
_outer_state = os.environ.get("LABKIT_STATE_DIR")
_temporary = Path(tempfile.mkdtemp(prefix="labkit-tests-"))
for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ |= {
    "LABKIT_CLOUD": "local",
    "LABKIT_IDLE_MINUTES": "20",  # a killed test run must not leave its cloud for half a day
    "LABKIT_STATE_DIR": _outer_state or str(_temporary / "state"),
    "AWS_CONFIG_FILE": str(_temporary / "no-aws-config"),
    "AWS_SHARED_CREDENTIALS_FILE": str(_temporary / "no-aws-credentials"),
    "AWS_EC2_METADATA_DISABLED": "true",
    "IPYTHONDIR": str(_temporary / "ipython"),
    "JUPYTER_CONFIG_DIR": str(_temporary / "jupyter-config"),
    "JUPYTER_DATA_DIR": str(_temporary / "jupyter-data"),
    "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel named python3 is this environment's
}
# A kernel sets its own inline backend; anything else here would reach it.
os.environ.pop("MPLBACKEND", None)


def pytest_configure(config: pytest.Config) -> None:
    # nbval looks for its file in the working directory; look in the repository instead.
    masks = config.rootpath / config.option.nbval_sanitize_with
    config.option.nbval_sanitize_with = str(masks)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if hasattr(item, "output_timeout"):
            # nbval waits 5 s for the output of a finished cell; a busy machine needs more.
            item.output_timeout = 30


@pytest.fixture(scope="session", autouse=True)
def _leave_nothing_running() -> Iterator[None]:
    """Stop the cloud that tests and notebooks shared, and delete what it kept."""
    yield
    if _outer_state is None:
        import labkit

        labkit.stop()


def pytest_unconfigure() -> None:
    shutil.rmtree(_temporary, ignore_errors=True)
