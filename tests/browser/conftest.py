"""JupyterLab as a learner sees it, in a real browser."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

import labkit
from tests.support.attached_cloud import environment
from tests.support.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
PICTURES_WANTED = "LABKIT_SCREENSHOTS" in os.environ
"""Whether somebody wants to look at the notebooks; drawing them whole takes its time."""
BROWSER_OPTIONS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course, so that running the notebooks does not change the working tree."""
    folder = tmp_path_factory.mktemp("browser") / "course"
    unwanted = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
    for name in ("notebooks", "labkit"):
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for path in folder.glob("notebooks/**/*.ipynb"):
        # Without outputs: what the tests find, this run has made.
        notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        path.write_text(json.dumps(notebook), "utf-8")
    return folder


@pytest.fixture(scope="module")
def lab_url(course: Path) -> Iterator[str]:
    """The address that `python3 -m labkit --no-browser` prints, token included; its kernels share a cloud."""
    log = course.parent / "jupyterlab.log"
    settings = course.parent / "settings"
    tracker = settings / "@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text('{"windowingMode": "none"}')  # draw all cells, not only those in view
    command = [sys.executable, "-m", "labkit", "--no-browser", f"--port={free_port()}"]
    command += [
        f"--ServerApp.root_dir={course / 'notebooks'}",
        "--LabApp.expose_app_in_browser=True",
    ]
    state = {"LABKIT_STATE_DIR": str(course.parent / "state")}
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"JUPYTERLAB_SETTINGS_DIR": str(settings)} | state,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield wait_for_url(server, log)
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except (
            subprocess.TimeoutExpired
        ):  # it waits for a kernel that a busy machine keeps from ending
            server.kill()
            server.wait()
        with environment(**state):
            labkit.stop()


def wait_for_url(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\S+token=\w+", log.read_text("utf-8")):
            return found[0]
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text('utf-8')}")


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: LABKIT_SCREENSHOTS, or a temporary folder."""
    wanted = os.environ.get("LABKIT_SCREENSHOTS")
    folder = Path(wanted) if wanted else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")  # not longer: while it is open, no other test can run an event loop
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=BROWSER_OPTIONS)
        launched.on("context", lambda context: context.set_default_timeout(PATIENCE * 1000))
        yield launched


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1400, "height": 1000}) as context:
        yield context.new_page()
