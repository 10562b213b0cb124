"""labkit's Signature v4 is botocore's, byte by byte, and AWS's own examples come out."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote

import botocore.auth
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit import sigv4

NOW = dt.datetime(2026, 11, 21, 12, 34, 56, tzinfo=dt.UTC)
HOST = "abc123.execute-api.us-east-1.amazonaws.com"
EXAMPLE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
"""The credentials of AWS's test suite for Signature v4."""

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
SEGMENTS = st.lists(TEXT.map(lambda text: quote(text, safe="")), max_size=4)
QUERIES = st.lists(
    st.tuples(
        TEXT.map(lambda text: quote(text, safe="-_.~")), TEXT.map(lambda t: quote(t, safe="-_.~"))
    ),
    max_size=5,
)
HEADER_NAMES = st.from_regex(r"X-Own-[A-Za-z]{1,8}", fullmatch=True)
HEADER_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)
CREDENTIALS = st.builds(
    Credentials,
    access_key=st.from_regex(r"A[KS]IA[A-Z0-9]{16}", fullmatch=True),
    secret_key=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    token=st.none() | st.from_regex(r"[A-Za-z0-9+/=]{1,60}", fullmatch=True),
)


@pytest.fixture(autouse=True, scope="module")
def botocore_at_this_time() -> Iterator[None]:
    """botocore takes no time as an argument."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: NOW)
        yield


def by_botocore(
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    key: Credentials,
    region: str = "us-east-1",
    service: str = "execute-api",
) -> dict[str, str]:
    request = AWSRequest(method, url, headers=dict(headers), data=body)
    SigV4Auth(key, service, region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@settings(max_examples=300)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]),
    segments=SEGMENTS,
    slash=st.booleans(),
    query=QUERIES,
    headers=st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=4),
    body=st.binary(max_size=64),
    key=CREDENTIALS,
    region=st.sampled_from(["us-east-1", "eu-central-1", "ap-southeast-2"]),
    port=st.sampled_from(["", ":443", ":8443"]),
)
def test_the_signature_is_botocore_s(
    method: str,
    segments: list[str],
    slash: bool,
    query: list[tuple[str, str]],
    headers: dict[str, str],
    body: bytes,
    key: Credentials,
    region: str,
    port: str,
) -> None:
    headers = {name.title(): value for name, value in headers.items()}  # one header, one name
    path = "/".join(["/dev", *segments]) + ("/" if slash else "")
    url = f"https://{HOST}{port}{path}"
    if query:
        url += "?" + "&".join(f"{name}={value}" for name, value in query)
    expected = by_botocore(method, url, headers, body, key, region)
    made = sigv4.sign(
        method, url, headers=headers, body=body, credentials=key, region=region, now=NOW
    )
    sent = {name.lower(): value for name, value in made.headers.items()}
    assert sent["authorization"] == expected["authorization"]
    assert sent["x-amz-date"] == expected["x-amz-date"]
    assert sent.get("x-amz-security-token") == expected.get("x-amz-security-token")


@settings(max_examples=100)
@given(query=QUERIES, key=CREDENTIALS, expires=st.integers(1, 604_800))
def test_a_presigned_url_of_botocore_s_is_what_the_steps_give(
    query: list[tuple[str, str]], key: Credentials, expires: int
) -> None:
    url = f"https://{HOST}/dev/x"
    if query:
        url += "?" + "&".join(f"{name}={value}" for name, value in query)
    request = AWSRequest("GET", url)
    SigV4QueryAuth(key, "execute-api", "us-east-1", expires).add_auth(request)
    head, _sign, proof = request.url.rpartition("&X-Amz-Signature=")
    stamp = NOW.strftime("%Y%m%dT%H%M%SZ")
    scope = sigv4.CredentialScope(stamp[:8], "us-east-1", "execute-api")
    canonical = sigv4.canonical_request(
        "GET", "/dev/x", head.partition("?")[2], {"host": HOST}, ["host"], sigv4.EMPTY_SHA256
    )
    to_sign = sigv4.string_to_sign(stamp, scope, canonical)
    assert sigv4.signature(key.secret_key, scope, to_sign) == proof
    assert dict(parse_qsl(head.partition("?")[2]))["X-Amz-Expires"] == str(expires)


# -- AWS's own examples ---------------------------------------------------------------------------

SUITE_TIME = dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.UTC)
"""The time of AWS's test suite for Signature v4 (aws-sig-v4-test-suite); its service is called ``service``."""


@pytest.mark.parametrize(
    ("name", "method", "url", "headers", "signature"),
    [
        (
            "get-vanilla",
            "GET",
            "https://example.amazonaws.com/",
            {},
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            "https://example.amazonaws.com/?Param2=value2&Param1=value1",
            {},
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "post-vanilla",
            "POST",
            "https://example.amazonaws.com/",
            {},
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-header-key-sort",
            "POST",
            "https://example.amazonaws.com/",
            {"My-Header1": "value1"},
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "-" in value and "/" not in value else "",
)
def test_the_examples_of_aws_s_test_suite(
    name: str, method: str, url: str, headers: dict[str, str], signature: str
) -> None:
    made = sigv4.sign(
        method,
        url,
        headers=headers,
        credentials=EXAMPLE,
        region="us-east-1",
        service="service",
        now=SUITE_TIME,
    )
    assert made.signature == signature, name


def test_the_example_of_the_iam_user_guide() -> None:
    """``GET /?Action=ListUsers`` of 30 August 2015: each step as AWS's documentation prints it."""
    made = sigv4.sign(
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        credentials=EXAMPLE,
        region="us-east-1",
        service="iam",
        now=SUITE_TIME,
    )
    assert made.canonical_request == (
        "GET\n/\nAction=ListUsers&Version=2010-05-08\n"
        "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
        "host:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
        "content-type;host;x-amz-date\n" + sigv4.EMPTY_SHA256
    )
    assert hashlib.sha256(made.canonical_request.encode()).hexdigest() == (
        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    )
    assert sigv4.signing_key(EXAMPLE.secret_key, made.scope).hex() == (
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    )
    assert made.signature == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"


# -- what a signature covers ---------------------------------------------------------------------------


def signature_of(**changed: object) -> str:
    asked = {
        "method": "POST",
        "url": f"https://{HOST}/dev/x?a=1",
        "headers": {"X-Own": "1"},
        "body": b"body",
        "credentials": EXAMPLE,
        "region": "us-east-1",
        "now": NOW,
        **changed,
    }
    return sigv4.sign(asked.pop("method"), asked.pop("url"), **asked).signature  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"url": f"https://{HOST}/dev/y?a=1"},
        {"url": f"https://{HOST}/dev/x?a=2"},
        {"url": f"https://{HOST}/dev/x?a=1&b"},
        {"url": f"https://{HOST}/dev/x?a=1&X-Amz-Signature=0"},
        {"url": "https://other.execute-api.us-east-1.amazonaws.com/dev/x?a=1"},
        {"headers": {"X-Own": "2"}},
        {"headers": {}},
        {"body": b"other"},
        {"region": "eu-west-1"},
        {"service": "apigateway"},
        {"now": NOW + dt.timedelta(seconds=1)},
        {"credentials": Credentials(EXAMPLE.access_key, "other")},
        {"credentials": Credentials(EXAMPLE.access_key, EXAMPLE.secret_key, "token")},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_change_of_anything_that_is_signed_changes_the_signature(
    changed: dict[str, object],
) -> None:
    assert signature_of() != signature_of(**changed)


def test_what_proxies_change_is_not_signed() -> None:
    unsigned = {"User-Agent": "x", "X-Amzn-Trace-Id": "y", "X-Own": "1"}
    assert signature_of() == signature_of(headers=unsigned)
