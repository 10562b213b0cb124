"""Where a burst goes, whether it may, and what is sent there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from labkit.errors import BurstError, CloudUnavailableError, ForeignHostError
from labkit.lab.session import Lab
from labkit.names import TAGS

MOST_AT_ONCE = 64
_API_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")
_TIMEOUT_SECONDS = 35.0
"""API Gateway gives an integration 29 seconds."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        status: the HTTP status; 0 when no answer came.
        error_type: ``x-amzn-ErrorType``, or the name of the error when no answer came.
        request_id: ``x-amzn-RequestId``, by which the local cloud keeps the journey.
    """

    status: int
    error_type: str = ""
    request_id: str = ""


class Target:
    """One API of the lab, and what each client sends to it.

    Args:
        session: sends.
        prepared: the clients' requests, prepared and signed.
    """

    def __init__(
        self, session: requests.Session, prepared: Sequence[requests.PreparedRequest]
    ) -> None:
        self._session, self._prepared = session, prepared
        url = prepared[0].url or ""
        self._settings = session.merge_environment_settings(url, {}, None, None, None)

    @classmethod
    def of(cls, lab: Lab, each: Sequence[str | requests.Request]) -> Target:
        """The API that all requests are for.

        Raises:
            ForeignHostError: it isn't the lab's.
            BurstError: the requests aren't for one host, or can't be repeated.
            CloudUnavailableError: nobody tells whose it is.
        """
        prepared = [
            lab.http.prepare_request(requests.Request("GET", one) if isinstance(one, str) else one)
            for one in each
        ]
        hosts = {urlsplit(one.url or "").hostname or "" for one in prepared}
        if len(hosts) != 1:
            raise BurstError("A burst goes to one API: give requests for one host name.")
        if not all(isinstance(one.body, str | bytes | None) for one in prepared):
            raise BurstError("A burst repeats its request: give the body as text or bytes.")
        _refuse_foreign(hosts.pop(), local=is_local(lab.http))
        session = requests.Session()
        follow(session, lab.http)
        return cls(session, prepared)

    def ask(self, client: int) -> Reply:
        """Send a client's request, by its number, and read the answer.

        Raises:
            CloudUnavailableError: the local cloud is gone.
        """
        request = self._prepared[client].copy()
        try:
            response = self._session.send(
                request, timeout=_TIMEOUT_SECONDS, allow_redirects=False, **self._settings
            )
        except requests.RequestException as error:
            return Reply(0, type(error).__name__)
        headers = response.headers
        error_type = headers.get("x-amzn-ErrorType", "")
        return Reply(response.status_code, error_type, headers.get("x-amzn-RequestId", ""))


def is_local(lab_session: requests.Session) -> bool:
    """Whether the lab's session goes to the local cloud."""
    return hasattr(lab_session.get_adapter("https://"), "endpoint")


def follow(session: requests.Session, lab_session: requests.Session) -> None:
    """Let a session take the way that the lab's takes, with room for as many connections as a burst has."""
    session.trust_env, session.verify = lab_session.trust_env, lab_session.verify
    session.proxies = lab_session.proxies
    if is_local(lab_session):
        session.adapters = lab_session.adapters
    else:
        session.mount("https://", HTTPAdapter(pool_maxsize=MOST_AT_ONCE))


@contextmanager
def connection_errors_told(*, local: bool) -> Iterator[None]:
    """Boto3's errors of a connection become one that says what to do.

    Raises:
        CloudUnavailableError: the cloud doesn't answer.
    """
    from botocore.exceptions import ConnectionError as NoConnectionError
    from botocore.exceptions import HTTPClientError

    try:
        yield
    except (NoConnectionError, HTTPClientError) as error:
        gone = "The local cloud doesn't answer: run `lab = labkit.start()` again."
        away = f"No connection to AWS ({error}): check the network."
        raise CloudUnavailableError(gone if local else away) from error


def _refuse_foreign(host: str, *, local: bool) -> None:
    """Only the lab's own APIs.

    Raises:
        ForeignHostError: it is none of them.
        CloudUnavailableError: nobody tells.
    """
    found = _API_HOST.fullmatch(host)
    if found is None:
        raise ForeignHostError(
            "fire() only aims at the lab's own APIs, https://<id>.execute-api.<Region>.amazonaws.com/…, "
            f"not at {host!r}."
        )
    with connection_errors_told(local=local):
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
