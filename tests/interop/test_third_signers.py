"""Signers of other people decide: our gateway takes what those sign that sign as AWS does, and refuses the others."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import httpx
import pytest
import requests
from aws_requests_auth.aws_auth import AWSRequestsAuth
from botocore.credentials import Credentials
from httpx_auth import AWS4Auth as HttpxAuth
from requests_aws4auth import AWS4Auth as RequestsAuth

from tests.interop.guarded_api import REGION, REQUESTS, RESERVED, Answer, GuardedApi, Request

Signer = Callable[[GuardedApi, Request, Credentials], Answer]
each_reserved = pytest.mark.parametrize("request_", RESERVED, ids=lambda r: r.target)
each_key = pytest.mark.parametrize("whose", ["user", "temporary"])


def _by_requests(api: GuardedApi, request: Request, auth: requests.auth.AuthBase) -> Answer:
    made = requests.Request(
        request.method,
        f"https://{api.host}{request.target}",
        headers={"Host": api.host, **request.headers},
        data=request.body.encode(),
        auth=auth,
    ).prepare()
    headers = {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in made.headers.items()
    }
    return api.send(request.method, made.path_url, headers, request.body)


def by_requests_aws4auth(api: GuardedApi, request: Request, key: Credentials) -> Answer:
    auth = RequestsAuth(
        key.access_key, key.secret_key, REGION, "execute-api", session_token=key.token
    )
    return _by_requests(api, request, auth)


def by_httpx_auth(api: GuardedApi, request: Request, key: Credentials) -> Answer:
    made = httpx.Request(
        request.method,
        f"https://{api.host}{request.target}",
        headers=request.headers,
        content=request.body.encode(),
    )
    auth = HttpxAuth(
        access_id=key.access_key,
        secret_key=key.secret_key,
        region=REGION,
        service="execute-api",
        security_token=key.token,
    )
    signed = next(auth.auth_flow(made))
    target = signed.url.raw_path.decode()
    return api.send(request.method, target, dict(signed.headers.items()), request.body)


def by_aws_requests_auth(api: GuardedApi, request: Request, key: Credentials) -> Answer:
    auth = AWSRequestsAuth(
        aws_access_key=key.access_key,
        aws_secret_access_key=key.secret_key,
        aws_token=key.token,
        aws_host=api.host,
        aws_region=REGION,
        aws_service="execute-api",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it asks for the time in an old way
        return _by_requests(api, request, auth)


MISTAKES = {
    by_httpx_auth: "%",  # it encodes a path once; AWS does twice, but for S3 (gateway 4.28)
    by_requests_aws4auth: ";",  # it doesn't sign what stands behind it
}
"""What the path of a request may not hold, where a signer isn't right about paths."""
RIGHT = pytest.mark.parametrize("signer", [by_requests_aws4auth, by_httpx_auth])
WRONG = pytest.mark.parametrize("signer", [by_aws_requests_auth, GuardedApi.by_botocore])


@RIGHT
@each_key
@pytest.mark.parametrize("request_", [*REQUESTS, *RESERVED], ids=lambda r: f"{r.method} {r.target}")
def test_who_signs_as_aws_does_is_let_in(
    api: GuardedApi, request_: Request, whose: str, signer: Signer
) -> None:
    key: Credentials = getattr(api, whose)
    answer = signer(api, request_, key)
    if MISTAKES[signer] in request_.target.partition("?")[0]:
        assert answer.status == 403
        return
    assert (answer.status, answer.body) == (200, '"in"')
    wrong = Credentials(key.access_key, key.secret_key[::-1], key.token)
    assert signer(api, request_, wrong).status == 403


@each_reserved
def test_labkit_signs_as_they_do(api: GuardedApi, request_: Request) -> None:
    assert api.by_labkit(request_, api.user).body == '"in"'
    assert api.presigned_by_labkit(request_.target, api.user).body == '"in"'


@WRONG
@pytest.mark.parametrize("request_", RESERVED[:4], ids=lambda r: r.target)
def test_who_signs_a_query_as_it_stands_is_refused(
    api: GuardedApi, request_: Request, signer: Signer
) -> None:
    """botocore too: it takes a URL's query for encoded already (gateway 4.26)."""
    answer = signer(api, request_, api.user)
    assert answer.status == 403
    assert "does not match the signature you provided" in answer.body


@WRONG
def test_but_not_where_that_is_the_same(api: GuardedApi, signer: Signer) -> None:
    assert signer(api, Request("GET", "/dev/a?b=2&a=1", {}), api.user).body == '"in"'
