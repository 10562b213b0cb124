"""``python -m labkit.local --port N`` serves a local cloud; ``python -m labkit.local ledger`` prints the ledger."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from labkit.clock import PROCESS_CLOCK
from labkit.errors import SetupError
from labkit.local.front.watchdog import Watchdog
from labkit.local.functions.deployment_package import remove_tree
from labkit.local.instance import (
    INSTANCE_LOCK,
    INSTANCE_PID,
    clean_environment,
    engine_version,
)
from labkit.local.settings import CloudSettings
from labkit.state_directory import VARIABLE, explain_unwritable

if TYPE_CHECKING:
    from hypercorn.config import Config

    from labkit.local.front.application import CloudApplication
    from labkit.local.front.tls_server import TlsServer

MakeCloud = Callable[..., "CloudApplication"]

_IDLE_CHECK_SECONDS = 30.0
_ENDING_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
]


@dataclass(frozen=True)
class Place:
    """Where a cloud serves.

    Attributes:
        settings: the cloud's.
        opened: the listening socket.
        for_tls: the listening socket of TLS; None without.
        variable: the environment variable that chose the work directory.
    """

    settings: CloudSettings
    opened: socket.socket
    variable: str
    for_tls: socket.socket | None = None

    @property
    def certificate_authority(self) -> Path:
        """The file with the certificate that clients of TLS are to trust, PEM."""
        return self.work / "certificate-authority.pem"

    def announcement(self) -> dict[str, str]:
        """The line that says where the cloud is."""
        line = self.settings.announcement()
        if self.for_tls is None:
            return line
        port = self.for_tls.getsockname()[1]
        return {
            **line,
            "tls_endpoint": f"https://127.0.0.1:{port}",
            "certificate_authority": str(self.certificate_authority),
        }

    @property
    def work(self) -> Path:
        """The work directory."""
        return Path(self.settings.work_directory)

    def explain_unwritable(self, error: OSError) -> SetupError:
        """What to do about the work directory."""
        return explain_unwritable(error, self.work, self.variable)


def compose_for_real_time(
    settings: CloudSettings, **callbacks: Callable[[], None]
) -> CloudApplication:
    """A cloud whose clock is this process's."""
    from labkit.local.front.compose import compose

    return compose(settings, clock=time.time, process_clock=PROCESS_CLOCK, **callbacks)


def main(arguments: list[str] | None = None, make_cloud: MakeCloud = compose_for_real_time) -> int:
    """Run the command line; the exit status.

    Args:
        arguments: of the command line; the process's own unless given.
        make_cloud: makes the cloud from its settings and the callbacks ``shut_down`` and ``ready``.
    """
    parser = argparse.ArgumentParser(prog="python -m labkit.local", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("serve", "ledger"), default="serve")
    parser.add_argument(
        "--port", type=int, default=0, help="the port on 127.0.0.1; 0 takes any free one"
    )
    parser.add_argument(
        "--tls",
        action="store_true",
        help="serve TLS too, on another port, with certificates of an authority of its own",
    )
    parser.add_argument(
        "--idle-minutes", type=float, default=0, help="stop after so long without a request"
    )
    parser.add_argument(
        "--row", help="of the ledger: a row or a fact (gateway-2.7) with its sources"
    )
    parser.add_argument(
        "--settings", action="store_true", help="of the ledger: what becomes of each AWS setting"
    )
    parser.add_argument("--settings-from-stdin", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if (options.row or options.settings) and options.command != "ledger":
        parser.error(f"--{'row' if options.row else 'settings'} belongs to ledger")
    if options.command == "ledger":
        return _print_ledger(options.row, settings=options.settings)
    try:
        engine_version()
        _leave_foreign_environment()
        if options.settings_from_stdin:
            settings = CloudSettings.from_json(sys.stdin.readline())
            place = Place(settings, _open_port(settings.port), VARIABLE)
            _serve(place, options.idle_minutes, make_cloud)
        else:
            opened, for_tls = _open_port(options.port), _open_port(0) if options.tls else None
            _serve_in_foreground(opened, for_tls, options.idle_minutes, make_cloud)
    except SetupError as error:
        if options.settings_from_stdin:  # on a full disk the log, which is stderr, stays empty
            print(json.dumps({"error": str(error)}), flush=True)
        with contextlib.suppress(OSError):
            print(error, file=sys.stderr)
        return 1
    return 0


def _print_ledger(row: str | None, *, settings: bool) -> int:
    from labkit.local.ledger import table
    from labkit.local.ledger.lookup import UnknownRowError, look_up
    from labkit.local.offered import inventory

    if settings:
        print(inventory.table())
        return 0
    try:
        print(look_up(row) if row else table())
    except UnknownRowError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _leave_foreign_environment() -> None:
    """Start over without the caller's environment: a function could read its parent's in ``/proc``."""
    clean = clean_environment()
    if os.name == "posix" and clean != dict(os.environ):
        os.execve(sys.executable, [sys.executable, "-m", "labkit.local", *sys.argv[1:]], clean)  # noqa: S606


def _serve_in_foreground(
    opened: socket.socket,
    for_tls: socket.socket | None,
    idle_minutes: float,
    make_cloud: MakeCloud,
) -> None:
    """Serve from a new directory, and leave none."""
    try:
        work = Path(tempfile.mkdtemp(prefix="labkit-"))
    except OSError as error:
        raise explain_unwritable(error, tempfile.gettempdir(), "TMPDIR") from None
    try:
        settings = CloudSettings.new(opened.getsockname()[1], work)
        _serve(Place(settings, opened, "TMPDIR", for_tls), idle_minutes, make_cloud)
    finally:
        remove_tree(work)


def _open_port(port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise SetupError(f"{port} isn't a port: choose one from 1 to 65535, or 0 for any free one.")
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(("127.0.0.1", port))
    except PermissionError:
        opened.close()
        raise SetupError(
            f"You may not open port {port}: choose one above 1023, or --port 0."
        ) from None
    except OSError:
        opened.close()
        raise SetupError(
            f"Port {port} is in use: choose another, or --port 0 for any free one."
        ) from None
    opened.listen(256)
    return opened


def _serve(place: Place, idle_minutes: float, make_cloud: MakeCloud) -> None:
    """Serve until the end.

    Raises:
        SetupError: the cloud can't start in its work directory.
    """
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        lock = FileLock(place.work / INSTANCE_LOCK)
        lock.acquire(timeout=10)
        (place.work / INSTANCE_PID).write_text(str(os.getpid()))
    except Timeout:
        raise SetupError(
            "Another local cloud uses the same work directory: stop it first."
        ) from None
    except OSError as error:
        raise place.explain_unwritable(error) from None
    with lock:
        asyncio.run(_run(place, idle_minutes, make_cloud))


async def _run(place: Place, idle_minutes: float, make_cloud: MakeCloud) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from hypercorn.utils import LifespanFailureError

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in _ENDING_SIGNALS:
        if signal.getsignal(name) is signal.SIG_IGN:  # nohup
            continue
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
    is_ready = asyncio.Event()

    def ready() -> None:
        print(json.dumps(place.announcement()), flush=True)
        is_ready.set()

    cloud = make_cloud(place.settings, shut_down=stop.set, ready=ready)
    config = Config()
    config.bind = [f"fd://{place.opened.detach()}"]
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    config.h11_pass_raw_headers = True
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.shutdown_timeout = 5

    async def asked_to_end() -> None:
        await stop.wait()
        # MiniStack doesn't give up a call of Lambda, and the server would wait for it: its function ends first.
        loop.call_later(config.graceful_timeout / 2, loop.run_in_executor, None, cloud.parts.close)

    watch = (
        loop.create_task(_stop_when_idle(cloud, idle_minutes * 60, stop))
        if idle_minutes > 0
        else None
    )
    over_tls = None
    if place.for_tls is not None:
        tls_server = _tls_server(place, place.for_tls, cloud, config)

        async def serve_tls() -> None:
            await is_ready.wait()
            await tls_server.serve()

        over_tls = loop.create_task(serve_tls())
    try:
        with Watchdog(loop):
            await serve(cloud, config, shutdown_trigger=asked_to_end)  # type: ignore[arg-type]
    except LifespanFailureError as failure:
        if isinstance(failure.__context__, OSError):
            raise place.explain_unwritable(failure.__context__) from None
        if isinstance(failure.__context__, SetupError):
            raise failure.__context__ from None
        raise
    finally:
        if over_tls is not None:
            over_tls.cancel()
        if watch is not None:
            watch.cancel()


def _tls_server(
    place: Place, listener: socket.socket, cloud: CloudApplication, config: Config
) -> TlsServer:
    """The server of TLS, whose authority's certificate lies in the work directory then.

    Raises:
        SetupError: nothing can be written there.
    """
    from labkit.local.certificate_authority import CertificateAuthority
    from labkit.local.front.tls_contexts import TlsContexts
    from labkit.local.front.tls_server import TlsServer

    authority = CertificateAuthority(time.time)
    try:
        place.certificate_authority.write_text(authority.pem)
    except OSError as error:
        raise place.explain_unwritable(error) from None
    contexts = TlsContexts(authority, place.work, cloud.is_served, cloud.mutual_tls.trust_store)
    return TlsServer(cloud, listener, contexts, config)


async def _stop_when_idle(cloud: CloudApplication, seconds: float, stop: asyncio.Event) -> None:
    while cloud.seconds_idle() < seconds:
        await asyncio.sleep(min(_IDLE_CHECK_SECONDS, seconds))
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
