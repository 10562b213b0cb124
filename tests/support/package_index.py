"""A package index on loopback, for what this computer's pip is set to in a test."""

from __future__ import annotations

import base64
import contextlib
import html
import ssl
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

PASSWORD = "a-secret"
KEY = f"reader:{PASSWORD}"


class PackageIndex(ThreadingHTTPServer):
    """Serves a folder of wheels as `/simple/`; behind a password, or as the proxy of any host."""

    daemon_threads = True

    def __init__(self, wheels: Path, locked: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wheels = wheels
        self.locked = locked
        self.clients: set[str] = set()  # who was let in

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @contextlib.contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator[PackageIndex]:
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        thread = threading.Thread(target=self.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: PackageIndex
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = unquote(urlsplit(self.path).path)  # a proxy is asked for whole URLs
        client = self.headers.get("user-agent", "").partition("/")[0]
        key = base64.b64encode(KEY.encode()).decode()
        if self.server.locked and self.headers.get("authorization") != f"Basic {key}":
            return self._answer(401, b"")
        self.server.clients.add(client)
        match url.strip("/").split("/"):
            case ["simple", name]:
                files = self.server.wheels.glob(f"{name.replace('-', '_')}-*.whl")
                links = (
                    f'<a href="/files/{html.escape(path.name)}">{path.name}</a>' for path in files
                )
                page = "\n".join(links).encode()
                return self._answer(200 if page else 404, page, "text/html")
            case ["files", name] if (path := self.server.wheels / name).is_file():
                return self._answer(200, path.read_bytes(), "application/octet-stream")
        return self._answer(404, b"")

    def _answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if status == 401:
            self.send_header("www-authenticate", 'Basic realm="wheels"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing: a test looks at `clients`."""


def write_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """A wheel of pure Python with these files; `entry_points.txt` goes to its metadata."""
    metadata = f"{name}-{version}.dist-info"
    files = {
        **{
            path.replace("entry_points", f"{metadata}/entry_points"): text
            for path, text in files.items()
        },
        f"{metadata}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{metadata}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{metadata}/RECORD"])
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{metadata}/RECORD": record}.items():
            archive.writestr(path, text)
    return wheel
