"""MiniStack in this process: its settings, its modules, its control planes."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from labkit.local.engine import names
from labkit.local.instance import engine_version
from labkit.local.messages import Request, Response
from labkit.local.settings import CloudSettings

SERVICES = (
    "acm",
    "apigateway",
    "cloudfront",
    "cognito-identity",
    "cognito-idp",
    "dynamodb",
    "iam",
    "lambda",
    "logs",
    "s3",
    "ses",
    "sts",
    "tagging",
    "wafv2",
)
"""The services that the course uses: the others stay off."""

_IMPORTED_AT_START = (
    "app",
    "core.sigv4",
    "services.apigateway_v1",
    "services.cognito",
    "services.iam",
    "services.lambda_svc",
    "services.sts",
)
"""What the first lesson needs; the other modules are imported when somebody calls their service."""

_FOREIGN_SETTINGS = (
    "AWS_",
    "MINISTACK_",
    "LOCALSTACK_",
    "LAMBDA_",
    "COGNITO_",
    "SMTP_",
    "S3_",
    "EDGE_PORT",
)

CONCURRENT_EXECUTIONS = 1_000
"""An account's limit for Lambda: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"""

JsonObject = dict[str, Any]


class MiniStack:
    """MiniStack in this process: one a process, because its state is in its modules.

    ``ministack[names.USER_POOLS]`` is what MiniStack has under a name of the table.

    Args:
        settings: the cloud's port, credentials and account.
    """

    def __init__(self, settings: CloudSettings) -> None:
        self.settings = settings
        self._modules: dict[str, Any] = {}
        self._threads = ThreadPoolExecutor(CONCURRENT_EXECUTIONS, "labkit-invocation")

    def import_services(self, replaced: Iterable[names.Name]) -> None:
        """Import MiniStack (about 0.3 s), and look through the table of its names.

        Args:
            replaced: the names that are going to be replaced.

        Raises:
            SetupError: this version lacks names, or they are something else in it.
        """
        for module in _IMPORTED_AT_START:
            with contextlib.suppress(ImportError):  # the check says which names are gone with it
                self._imported(module)
        is_known = engine_version() == names.VERSION
        names.check(
            one for one in (*names.TABLE, *replaced) if not is_known or self.is_imported(one)
        )

    def __getitem__(self, name: names.Name) -> Any:
        return getattr(self._imported(name.module), name.name)

    def replace(self, replacements: Iterable[tuple[names.Name, Any]]) -> None:
        """Put something else under names, also in the modules that have imported what was there."""
        by_own = {id(self[name]): new for name, new in replacements}
        modules = [
            module for name, module in list(sys.modules.items()) if name.startswith("ministack.")
        ]
        for module in modules:
            for name, value in list(vars(module).items()):
                if id(value) in by_own:
                    setattr(module, name, by_own[id(value)])

    def is_imported(self, name: names.Name) -> bool:
        """Whether somebody has called the service that a name belongs to."""
        return f"ministack.{name.module}" in sys.modules

    def configure(self) -> None:
        """Tell MiniStack who it is; nothing is written outside the cloud's work directory."""
        work = Path(self.settings.work_directory)
        state = work / "engine"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True, mode=0o700)
        for name in list(os.environ):
            if name.startswith(_FOREIGN_SETTINGS):
                del os.environ[name]
        os.environ.update(
            {
                "AUTH": "true",
                "AWS_ACCESS_KEY_ID": self.settings.access_key_id,
                "AWS_SECRET_ACCESS_KEY": self.settings.secret_access_key,
                "BIND_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(self.settings.port),
                "IOT_MTLS_ENABLED": "0",
                "LOG_LEVEL": "ERROR",
                "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",  # a trigger that fails isn't overlooked
                "MINISTACK_ACCOUNT_ID": self.settings.account_id,
                "MINISTACK_HOST": "localhost",
                "MINISTACK_REGION": self.settings.region,
                "PERSIST_STATE": "0",
                "S3_DATA_DIR": str(state / "s3"),
                "SERVICES": ",".join(SERVICES),
                "SFTP_ENABLED": "0",
                "STATE_DIR": str(state),
            }
        )

    def bind_to_running_loop(self) -> None:
        """Tell MiniStack which event loop serves; its worker threads call back into it."""
        setattr(
            self._imported(names.MAIN_LOOP.module), names.MAIN_LOOP.name, asyncio.get_running_loop()
        )

    async def forward(self, request: Request) -> Response:
        """Let MiniStack answer a control-plane call that ``access.py`` has let in."""
        sent = False
        status = 500
        headers: list[tuple[str, str]] = []
        body = io.BytesIO()

        async def receive() -> JsonObject:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: JsonObject) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [
                    (k.decode("latin-1"), v.decode("latin-1")) for k, v in message["headers"]
                ]
            elif message["type"] == "http.response.body":
                body.write(message.get("body", b""))

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": request.method,
            "path": request.path,
            "raw_path": request.raw_path.encode("latin-1"),
            "query_string": request.query_string.encode("latin-1"),
            "headers": [
                (k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in request.headers
            ],
            "client": (request.source_ip, 0),
            "server": ("127.0.0.1", self.settings.port),
        }
        await self[names.APP](scope, receive, send)
        kept = [(k, v) for k, v in headers if not k.lower().startswith("access-control-")]
        return Response(status, kept, body.getvalue())

    async def run_blocking(self, call: Callable[..., Any], *args: Any) -> Any:
        """Run a blocking call in a thread, so that it may call back into this server.

        Threads are kept: MiniStack starts one a call, for which the event loop waits 0.4 ms.
        """
        run = contextvars.copy_context().run
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, run, call, *args)

    def _imported(self, name: str) -> Any:
        module = self._modules.get(name)
        if module is None:
            module = self._modules[name] = importlib.import_module(f"ministack.{name}")
        return module

    def scope(self, region: str | None = None) -> AbstractContextManager[None]:
        """Within it, MiniStack's functions are about this account and a Region: the cloud's own by default."""
        scope: AbstractContextManager[None] = self[names.REQUEST_SCOPE](
            self.settings.account_id, region or self.settings.region
        )
        return scope

    def region_of(self, store: names.Name, key: str) -> str | None:
        """The Region in whose part of a store a key of this account is; None when it is in none."""
        account_id, own = self.settings.account_id, self.settings.region
        records = self[store]
        if records.contains_scoped(account_id, own, key):  # mostly
            return own
        others = (scope for scope, _record in records.all_items())
        return next(
            (scope[1] for scope in others if (scope[0], scope[2]) == (account_id, key)), None
        )

    def record(self, store: names.Name, key: str) -> JsonObject | None:
        """The live record under a key, in whatever Region, or None."""
        records = self[store]
        found = records.get_scoped(self.settings.account_id, self.settings.region, key)
        if found is None:
            others = (one for scope, one in records.all_items() if scope[2] == key)
            found = next(others, None)
        return None if found is None else dict_of(found)


def dict_of(record: Any) -> JsonObject:
    """The record itself, typed: MiniStack keeps plain dictionaries."""
    assert isinstance(record, dict)
    return record


def response_of(answer: tuple[int, Mapping[str, str], bytes]) -> Response:
    """MiniStack's (status, headers, body) as a response."""
    status, headers, body = answer
    return Response(status, list(headers.items()), body)


def without_own_keys(record: Mapping[str, Any]) -> JsonObject:
    """A copy of a record without MiniStack's own keys, which begin with an underscore."""
    return {name: value for name, value in record.items() if not name.startswith("_")}
