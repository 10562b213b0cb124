"""Keeps tests, and the kernels they start, away from the learner's own cloud and settings; ends what they leave."""

import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from nbval.plugin import IPyNbFile

from labkit.clock import PROCESS_CLOCK
from tests.support import start
from tests.support.notebooks import Notebook
from tests.support.processes import DIRECTORY_VARIABLE, end_processes

pytest_plugins = ["tests.support.groups"]

# Programs, not tests; --doctest-modules would import them.
collect_ignore_glob = ["tests/benchmarks/*", "tests/tools/*"]


class Run:
    """One run of pytest, or one worker of it.

    Attributes:
        directory: what the run and its workers keep, temporary directories included.
        is_worker: whether pytest-xdist started it.
        shared_state: the state directory of the cloud that all notebooks share, if somebody named one.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.is_worker = hasattr(config, "workerinput")
        if self.is_worker:
            self.directory = Path(os.environ[DIRECTORY_VARIABLE])
        else:
            self.directory = Path(tempfile.mkdtemp(prefix="labkit-tests-"))
        named = os.environ.get("LABKIT_STATE_DIR")
        foreign = named is not None and not Path(named).is_relative_to(self.directory)
        self.shared_state = named if foreign else None
        self.failed = False
        self._clock: tuple[float, Path | None] = (0.0, None)

    def prepare(self, config: pytest.Config) -> None:
        """Set what every test, kernel and worker inherits, before anything reads it."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        worker = os.environ["PYTEST_XDIST_WORKER"] if self.is_worker else "state"
        os.environ |= {
            DIRECTORY_VARIABLE: str(self.directory),
            "LABKIT_CLOUD": "local",
            "LABKIT_IDLE_MINUTES": "20",  # a killed test run must not leave its cloud for half a day
            "LABKIT_STATE_DIR": self.shared_state or str(self.directory / worker),
            "AWS_CONFIG_FILE": str(self.directory / "no-aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.directory / "no-aws-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "IPYTHONDIR": str(self.directory / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self.directory / "jupyter-config"),
            "JUPYTER_DATA_DIR": str(self.directory / "jupyter-data"),
            "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel named python3 is this environment's
        }
        # A kernel sets its own inline backend; anything else here would reach it.
        os.environ.pop("MPLBACKEND", None)
        if config.option.basetemp is None:
            config.option.basetemp = str(self.directory / "tmp")
        # nbval looks for its file in the working directory; look in the repository instead.
        masks = config.rootpath / config.option.nbval_sanitize_with
        config.option.nbval_sanitize_with = str(masks)
        if config.option.start:
            start.moment(config.option.start)
            os.environ[start.VARIABLE] = config.option.start
        self.move_clock(start.ahead())

    def move_clock(self, ahead: float, file: Path | None = None) -> None:
        """Put this process's clock so far ahead; once in a file of tests, which may move it themselves."""
        if file != self._clock[1]:  # a lab that lives as long as the run is no other file's
            PROCESS_CLOCK.catch_up = lambda: None
        if (ahead, file) != self._clock:
            self._clock = (ahead, file)
            PROCESS_CLOCK.move_to(ahead)

    def notebook(self, collected: IPyNbFile) -> Notebook:
        """The notebook, to run on a cloud of its own."""
        notebook = Notebook.from_parent(collected.parent, path=collected.path)
        name = "-".join(collected.path.relative_to(collected.config.rootpath).with_suffix("").parts)
        notebook.state = None if self.shared_state else self.directory / name
        return notebook

    def finish(self) -> None:
        """Leave no process, and files only when somebody may want to look at them."""
        if self.is_worker:
            return
        end_processes(self.directory)
        if not self.failed:
            shutil.rmtree(self.directory, ignore_errors=True)


RUN = pytest.StashKey[Run]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--start",
        metavar="MOMENT",
        default=os.environ.get(start.VARIABLE),
        help="when the tests take place, in UTC: 2028-02-29T23:59 (default: now, or a chosen day)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    run = config.stash[RUN] = Run(config)
    run.prepare(config)
    if not run.is_worker:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
        # What a shell starts in the background ignores an interrupt, as would all that tests start and interrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    collected = yield
    run = parent.config.stash[RUN]
    return [run.notebook(one) if isinstance(one, IPyNbFile) else one for one in collected]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that takes place on a chosen day signs with that day's clock."""
    chosen = "start" in getattr(item, "fixturenames", ())
    ahead = start.chosen_ahead() if chosen else start.ahead()
    item.config.stash[RUN].move_clock(ahead, item.path)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    run = session.config.stash[RUN]
    run.failed = exitstatus != pytest.ExitCode.OK
    if run.is_worker:  # as long as the run waits for it
        end_processes(None)


def pytest_terminal_summary(
    config: pytest.Config, terminalreporter: pytest.TerminalReporter
) -> None:
    run = config.stash[RUN]
    if run.failed:
        terminalreporter.write_line(f"What the tests wrote is in {run.directory}.")


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[RUN].finish()
