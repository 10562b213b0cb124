"""Where a burst goes, whether it may, and the connections to it: like ``lab.http``, but opened ahead of time."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.utils import select_proxy
from urllib3.util.wait import wait_for_read

from labkit.errors import BurstError, CloudUnavailableError, ForeignHostError, LabkitError
from labkit.lab.session import Lab
from labkit.names import TAGS

_API_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")
_TIMEOUT_SECONDS = 35.0
"""API Gateway gives an integration 29 seconds."""
_CONNECT_SECONDS = 5.0
_KEPT_CHARACTERS = 4_096
_HOP_BY_HOP = {"host", "connection", "accept-encoding"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        status: the HTTP status; 0 when no answer came.
        error_type: ``x-amzn-ErrorType``, or the name of the error when no answer came.
        body: the first 4,096 characters.
        request_id: ``x-amzn-RequestId``, by which the local cloud keeps the journey.
    """

    status: int
    error_type: str = ""
    body: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it is written to the connection."""

    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]


class Exchange:
    """A connection, and the requests that can be sent over it.

    Args:
        connection: open.
        messages: by the client's number.
    """

    def __init__(self, connection: http.client.HTTPConnection, messages: Sequence[Message]) -> None:
        self._connection, self._messages = connection, messages

    def ask(self, client: int) -> Reply:
        """Send a client's request and read the answer."""
        message, connection = self._messages[client], self._connection
        if connection.sock is not None and wait_for_read(connection.sock, timeout=0.0):
            connection.close()  # it waited for too long and was ended; the request opens it again
        try:
            connection.request(message.method, message.path, message.body, message.headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return Reply(0, type(error).__name__)
        text = body.decode("utf-8", "replace")[:_KEPT_CHARACTERS]
        request_id = response.getheader("x-amzn-RequestId") or response.getheader("apigw-requestid")
        error_type = response.getheader("x-amzn-ErrorType") or ""
        return Reply(response.status, error_type, text, request_id or "")

    def cut(self) -> None:
        """End it from another thread, also while it waits for an answer."""
        sock = self._connection.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(2)

    def close(self) -> None:
        """End it."""
        self._connection.close()


class Target:
    """One API of the lab.

    Args:
        session: the lab's.
        endpoint: the local cloud's; None on AWS.
        messages: by the client's number.
        url: one of the URLs.
    """

    def __init__(
        self, session: requests.Session, endpoint: str | None, messages: list[Message], url: str
    ) -> None:
        self._session, self._endpoint, self._messages, self._url = session, endpoint, messages, url

    @classmethod
    def of(cls, lab: Lab, each: Sequence[str | requests.Request]) -> Target:
        """The API that all requests are for.

        Raises:
            ForeignHostError: it isn't the lab's.
            BurstError: the requests aren't for one host, or can't be repeated.
            CloudUnavailableError: nobody tells whose it is.
        """
        from botocore.exceptions import ConnectionError as NoConnectionError

        prepared = [
            lab.http.prepare_request(requests.Request("GET", one) if isinstance(one, str) else one)
            for one in each
        ]
        urls = [one.url or "" for one in prepared]
        hosts = {urlsplit(url).hostname for url in urls}
        if len(hosts) != 1:
            raise BurstError("A burst goes to one API: give requests for one host name.")
        endpoint = getattr(lab.http.get_adapter(urls[0]), "endpoint", None)
        target = cls(lab.http, endpoint, [_message(one) for one in prepared], urls[0])
        try:
            _refuse_foreign(hosts.pop() or "", local=endpoint is not None)
        except NoConnectionError as error:
            raise target.unavailable(error) from error
        return target

    def connect(self) -> Exchange:
        """An open connection.

        Raises:
            OSError: nobody answers.
        """
        connection = self._connection()
        connection.connect()
        connection.timeout = _TIMEOUT_SECONDS
        connection.sock.settimeout(_TIMEOUT_SECONDS)
        return Exchange(connection, self._messages)

    def unavailable(self, error: Exception) -> LabkitError:
        """What to tell when there is no connection."""
        if self._endpoint is not None:
            return CloudUnavailableError(
                "The local cloud doesn't answer: run `lab = labkit.start()` again."
            )
        host = urlsplit(self._url).hostname
        return CloudUnavailableError(f"No connection to {host} ({error}): check the network.")

    def _connection(self) -> http.client.HTTPConnection:
        if self._endpoint is not None:
            local = urlsplit(self._endpoint)
            return http.client.HTTPConnection(
                local.hostname or "", local.port, timeout=_CONNECT_SECONDS
            )
        host = urlsplit(self._url).hostname or ""
        settings = self._session.merge_environment_settings(self._url, {}, None, None, None)
        context = _tls(settings["verify"])
        proxy = select_proxy(self._url, settings["proxies"])
        if proxy is None:
            return http.client.HTTPSConnection(host, timeout=_CONNECT_SECONDS, context=context)
        way = urlsplit(proxy if "//" in proxy else f"//{proxy}")
        through = http.client.HTTPSConnection(
            way.hostname or "", way.port, timeout=_CONNECT_SECONDS, context=context
        )
        through.set_tunnel(host, 443, _proxy_headers(proxy))
        return through


def _refuse_foreign(host: str, *, local: bool) -> None:
    """Only the lab's own APIs.

    Raises:
        ForeignHostError: it is none of them.
    """
    found = _API_HOST.fullmatch(host)
    if found is None:
        raise ForeignHostError(
            "fire() only aims at the lab's own APIs, https://<id>.execute-api.<Region>.amazonaws.com/…, "
            f"not at {host!r}."
        )
    tags = _tags(*found.groups(), local=local)
    if tags is None:
        raise ForeignHostError(
            f"Your account has no API {found[1]} in {found[2]}: look at the URL."
        )
    if not local and not TAGS.items() <= tags.items():
        [(name, value)] = TAGS.items()
        raise ForeignHostError(
            f"The API {found[1]} doesn't carry the course's tag {name}={value}, so fire() leaves it alone: "
            "aim at one that the course made."
        )


def _tags(api_id: str, region: str, *, local: bool) -> dict[str, str] | None:
    """The tags of an API of this account; None when it has no such API."""
    import boto3
    from botocore.config import Config

    # A local cloud that doesn't answer won't do so in ten seconds either.
    config = Config(retries={"total_max_attempts": 1}) if local else None
    rest: Any = boto3.client("apigateway", region_name=region, config=config)
    with suppress(rest.exceptions.NotFoundException):
        return dict(rest.get_rest_api(restApiId=api_id).get("tags") or {})
    http_apis: Any = boto3.client("apigatewayv2", region_name=region, config=config)
    with suppress(http_apis.exceptions.NotFoundException):
        return dict(http_apis.get_api(ApiId=api_id).get("Tags") or {})
    return None


def _message(prepared: requests.PreparedRequest) -> Message:
    given: dict[str, Any] = dict(prepared.headers)  # requests takes bytes too
    texts = {
        name: value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in given.items()
        if name.lower() not in _HOP_BY_HOP
    }
    host = urlsplit(prepared.url or "").hostname or ""
    fixed = {"Host": host, "Accept-Encoding": "identity"}
    return Message(
        prepared.method or "GET", prepared.path_url, _repeatable(prepared.body), fixed | texts
    )


def _repeatable(body: Any) -> bytes | None:
    """The body, if it can be sent again and again: a file or a generator can't."""
    if isinstance(body, str):
        return body.encode()
    if body is None or isinstance(body, bytes):
        return body
    raise BurstError("A burst repeats its request: give the body as text or bytes.")


def _tls(verify: Any) -> ssl.SSLContext:
    """What ``requests`` would verify with."""
    if verify is False:
        return ssl._create_unverified_context()  # noqa: S323 - the learner's own session says so
    place = requests.utils.DEFAULT_CA_BUNDLE_PATH if verify in (True, None) else verify
    folder = Path(place).is_dir()
    return ssl.create_default_context(
        cafile=None if folder else place, capath=place if folder else None
    )


def _proxy_headers(proxy: str) -> dict[str, str]:
    from requests.adapters import HTTPAdapter

    return dict(HTTPAdapter().proxy_headers(proxy))
