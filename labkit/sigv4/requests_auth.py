"""Signature v4 for ``requests``: ``requests.get(url, auth=SigV4Auth(credentials, "us-east-1"))``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import requests
from requests.auth import AuthBase

from labkit.errors import SigningError
from labkit.sigv4.signing import WRITTEN_BY_THE_SIGNER, Credentials, Signature, sign

_OF_THE_TRANSPORT = frozenset({"accept", "accept-encoding", "content-length", "cookie"})
"""Headers that the client adds by itself and that a proxy (CloudFront) may change: signing them gains nothing."""


class SigV4Auth(AuthBase):
    """Signs each request as it will be sent.

    A redirect is followed without the signature: it is good for one URL, and another host must not see it.

    Args:
        credentials: botocore's, such as ``boto3.Session().get_credentials()``; refreshed ones are asked each time.
        region: the API's Region.
        service: the signing name.
        clock: the time, aware; the computer's if None.

    Attributes:
        last: the last signature, for :func:`labkit.sigv4.diff`.

    >>> from botocore.credentials import Credentials
    >>> auth = SigV4Auth(Credentials("AKID", "key"), "us-east-1")
    >>> request = requests.Request("GET", "https://a.example.com/dev/demo", auth=auth).prepare()
    >>> request.headers["Authorization"].partition(" ")[0], auth.last.signed_headers
    ('AWS4-HMAC-SHA256', 'host;x-amz-date')
    """

    def __init__(
        self,
        credentials: Credentials,
        region: str,
        service: str = "execute-api",
        *,
        clock: Callable[[], dt.datetime] | None = None,
    ) -> None:
        self._credentials = credentials
        self._region = region
        self._service = service
        self._clock = clock
        self.last: Signature | None = None

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a prepared request.

        Raises:
            SigningError: there are no credentials, or the body can't be read twice.
        """
        r.body = _bytes_of(r.body)
        headers = {name: _text(value) for name, value in (r.headers or {}).items()}
        self.last = sign(
            str(r.method),
            str(r.url),
            headers={k: v for k, v in headers.items() if k.lower() not in _OF_THE_TRANSPORT},
            body=r.body or b"",
            credentials=_frozen(self._credentials),
            region=self._region,
            service=self._service,
            now=self._clock() if self._clock else None,
        )
        for name in WRITTEN_BY_THE_SIGNER:
            r.headers.pop(name, None)
        for name, value in self.last.headers.items():
            if name.lower() in WRITTEN_BY_THE_SIGNER:
                r.headers[name] = value
        r.hooks["response"].append(_forget_the_signature)
        return r


def _forget_the_signature(response: requests.Response, **_options: Any) -> requests.Response:
    """Before a redirect is followed: requests copies all headers to the next request, and drops some of them."""
    if response.is_redirect:
        followed, response.request = response.request, response.request.copy()
        for name in WRITTEN_BY_THE_SIGNER:
            followed.headers.pop(name, None)
    return response


def _bytes_of(body: object) -> bytes | None:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    if body is None:
        return None
    raise SigningError(
        f"A signature covers the whole body, and {type(body).__name__} can be read only once: give bytes, such as "
        "data=file.read()."
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _frozen(credentials: Any) -> Credentials:
    """Key and token of one moment: another thread may be refreshing them."""
    freeze = getattr(credentials, "get_frozen_credentials", None)
    found: Credentials | None = freeze() if freeze else credentials
    if found is None or not found.access_key or not found.secret_key:
        raise SigningError(
            "There are no credentials to sign with: set up an AWS profile or start the lab."
        )
    return found
