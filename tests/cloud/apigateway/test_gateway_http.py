"""Odd bytes on the wire: whatever comes, nobody gets in, the cloud stays up and keeps nothing of it."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labkit.local.apigateway.rest.data_plane import MAX_BODY_BYTES
from tests.support.gateway import STAGE, Gateway
from tests.support.patience import PATIENCE
from tests.support.rest_api import Api
from tests.support.running_cloud import Cloud

OPEN = '{"answered": "by the backend"}'
FEW = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def api(gateway: Gateway) -> Api:
    """``GET /guarded`` with a Cognito authorizer, ``ANY /open`` and ``GET /open/{x}`` without."""
    api = Api(gateway)
    api.mock("GET", "/guarded", OPEN, **api.authorizer(gateway.pool))
    api.mock("ANY", "/open", OPEN)
    api.mock("GET", "/open/{x}", OPEN)
    api.respond(
        "UNAUTHORIZED",
        responseParameters={"gatewayresponse.header.X-Back": "method.request.querystring.q"},
    )
    api.deploy()
    return api


@pytest.fixture(autouse=True)
def _stays_up(cloud: Cloud) -> Iterator[None]:
    yield
    assert cloud.labkit("health").json()["status"] == "ready"


def _exchange(cloud: Cloud, *chunks: bytes, close: bool = False, patience: float = 20) -> bytes:
    """Everything that the cloud answers to these bytes until it closes the connection.

    What is not a whole request may make it wait for the rest: with less ``patience``, so much time is enough.
    """
    port = urlsplit(cloud.endpoint).port
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        with contextlib.suppress(OSError):  # it may have answered and closed already
            for chunk in chunks:
                connection.sendall(chunk)
            if close:
                connection.shutdown(socket.SHUT_WR)
        connection.settimeout(patience)
        impatient = (TimeoutError,) if patience < 20 else ()
        with contextlib.suppress(ConnectionError, *impatient):
            while received := connection.recv(65_536):
                answer += received
    return answer


def _status(answer: bytes) -> int:
    """The status of an answer; 0 when the cloud closed the connection without one."""
    match = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    assert match or not answer, answer[:200]
    return int(match[1]) if match else 0


def _request(api: Api, path: bytes, *headers: bytes, verb: bytes = b"GET") -> bytes:
    host = f"{api.id}.execute-api.us-east-1.amazonaws.com".encode()
    lines = [
        verb + b" /" + STAGE.encode() + path + b" HTTP/1.1",
        b"Host: " + host,
        b"Connection: close",
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


# -- headers -------------------------------------------------------------------------------

HEADER_BYTES = st.binary(max_size=200).map(lambda b: re.sub(rb"[\r\n]", b"", b))


@FEW
@given(
    HEADER_BYTES
    | HEADER_BYTES.map(lambda b: b"Bearer " + b)
    | st.from_regex(rb"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True)
    | st.from_regex(rb'eyJ[A-Za-z0-9+/=]*\.{1,4}"?', fullmatch=True)
)
def test_no_authorization_header_gets_in(api: Api, cloud: Cloud, value: bytes) -> None:
    for path in (b"/guarded", b"/nothing"):
        answer = _exchange(cloud, _request(api, path, b"Authorization: " + value))
        assert _status(answer) in (0, 400, 401, 403)
        assert b"answered" not in answer


@pytest.mark.parametrize(
    ("headers", "statuses"),
    [
        ([b"X: " + b"x" * 9_000], {200}),
        ([b"X: " + b"x" * 10_240], {431}),
        ([b"X: " + b"x" * 15_000], {431}),
        ([b"X: " + b"x" * 100_000], {0, 400, 431}),
        ([b"X: " + b"x" * 5_000_000], {0, 400, 431}),
        ([b"X" * 12_000 + b": x"], {431}),
        ([b"X: x"] * 6_000, {0, 400, 431}),
        ([b"Authorization: a", b"Authorization: b"], {200}),
        ([b"Host: other.example"], {400}),
        ([b"X\0: x"], {400}),
        ([b"X: a\0b"], {400}),
        ([b"X : x"], {400}),
        ([b": x"], {400}),
        ([b"no colon"], {400}),
        ([b"X: a", b" folded"], {200, 400}),
        ([b"\xff\xfe: x"], {400}),
        ([b"X: \xff\xfe"], {200}),
    ],
)
def test_odd_headers(api: Api, cloud: Cloud, headers: list[bytes], statuses: set[int]) -> None:
    assert _status(_exchange(cloud, _request(api, b"/open", *headers))) in statuses


@FEW
@given(st.text(max_size=30))
def test_a_value_that_comes_back_in_a_header_adds_none(api: Api, cloud: Cloud, value: str) -> None:
    query = "".join(f"%{byte:02x}" for byte in f"{value}\r\nX-Evil: 1\n\0".encode())
    answer = _exchange(cloud, _request(api, b"/guarded?q=" + query.encode()))
    assert _status(answer) == 401
    assert b"x-evil:" not in answer.lower()
    answer = _exchange(cloud, _request(api, b"/guarded?q=" + query[:-15].encode()))
    assert _status(answer) == 401


# -- paths --------------------------------------------------------------------------------------


@FEW
@given(st.binary(max_size=100).map(lambda b: re.sub(rb"[\s\x00-\x20\x7f]", b"%", b)))
def test_no_path_breaks_the_routing(api: Api, cloud: Cloud, path: bytes) -> None:
    answer = _exchange(cloud, _request(api, b"/" + path))
    assert _status(answer) in (0, 400, 403)
    assert b"Internal" not in answer


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/open/%2e%2e/guarded", 403),
        (b"/open/../guarded", 403),
        (b"/open/%2e%2e%2fguarded", 200),
        (b"/open/..%2fguarded", 200),
        (b"/guarded/", 401),
        (b"/guarded?x", 401),
        (b"/guarded#x", 403),
        (b"/%67uarded", 401),
        (b"//guarded", 401),
        (b"/guarded%00", 403),
        (b"/guarded%2f", 403),
        (b"/guarded;x=1", 403),
        (b"/GUARDED", 403),
    ],
)
def test_no_other_spelling_of_a_path_goes_round_the_guard(
    api: Api, cloud: Cloud, path: bytes, status: int
) -> None:
    assert _status(_exchange(cloud, _request(api, path))) in (status, 400)


# -- bodies ---------------------------------------------------------------------------------------


def test_bodies_over_the_limit(api: Api, cloud: Cloud) -> None:
    """10 MB and a byte, with its length and in chunks: refused, and not kept."""
    body = b"x" * (MAX_BODY_BYTES + 1)
    chunked = (
        b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:1], body[1:]))
        + b"0\r\n\r\n"
    )
    length = b"Content-Length: %d" % len(body)
    with_length = _request(api, b"/open", length, verb=b"POST") + body
    in_chunks = _request(api, b"/open", b"Transfer-Encoding: chunked", verb=b"POST") + chunked
    for request in (with_length, in_chunks):
        assert _status(_exchange(cloud, request)) == 413
    before = cloud.memory()
    for _ in range(3):
        for request in (with_length, in_chunks):
            assert _status(_exchange(cloud, request)) == 413
    assert cloud.memory() - before < 2 * MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("headers", "body", "statuses"),
    [
        ([b"Content-Length: 5"], b"abc", {0, 400}),
        ([b"Content-Length: 99999999999"], b"abc", {0, 400, 413}),
        ([b"Content-Length: -1"], b"", {400}),
        ([b"Content-Length: x"], b"", {400}),
        ([b"Content-Length: 3", b"Content-Length: 4"], b"abcd", {400}),
        ([b"Content-Length: 3", b"Transfer-Encoding: chunked"], b"0\r\n\r\n", {200, 400}),
        ([b"Transfer-Encoding: chunked"], b"zz\r\nabc\r\n0\r\n\r\n", {0, 400}),
        ([b"Transfer-Encoding: chunked"], b"3\r\nabcdef\r\n0\r\n\r\n", {0, 400}),
        ([b"Transfer-Encoding: chunked"], b"fffffffffffffffff\r\nabc", {0, 400}),
        ([b"Transfer-Encoding: gzip"], b"abc", {400, 501}),
        ([b"Transfer-Encoding: chunked"], b"3\r\nabc\r\n", {0, 400}),
    ],
)
def test_bodies_that_are_not_what_they_say(
    api: Api, cloud: Cloud, headers: list[bytes], body: bytes, statuses: set[int]
) -> None:
    request = _request(api, b"/open", *headers, verb=b"POST")
    assert _status(_exchange(cloud, request, body, close=True)) in statuses


@pytest.mark.parametrize("status", [200, 204, 304, 404, 500])
@pytest.mark.parametrize("verb", [b"GET", b"HEAD"])
def test_statuses_without_a_body(gateway: Gateway, status: int, verb: bytes) -> None:
    """A 204 with a body would break the connection."""
    api = Api(gateway)
    where = api.method("ANY", "/x")
    template = {"application/json": f'{{"statusCode": {status}}}'}
    api.aws.put_integration(**where, type="MOCK", requestTemplates=template)
    api.aws.put_method_response(**where, statusCode=str(status))
    api.aws.put_integration_response(
        **where, statusCode=str(status), responseTemplates={"application/json": OPEN}
    )
    api.deploy()
    assert _status(_exchange(gateway.cloud, _request(api, b"/x", verb=verb))) == status


# -- what isn't HTTP ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n\r\n",
        b"\0" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500,  # a TLS hello
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"G\0T / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET " + b"/" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x.execute-api.us-east-1.amazonaws.com\r\nConnection: close\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 100,
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 200-ok\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
        b"GET / HTTP/1.1\nHost: x\n\n",
    ],
)
def test_what_is_not_a_request_gets_nothing(cloud: Cloud, sent: bytes) -> None:
    answer = _exchange(cloud, sent, close=True, patience=0.1)
    assert b"HTTP/1.1 200" not in answer
    assert b"Traceback" not in answer


@FEW
@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(cloud: Cloud, sent: bytes) -> None:
    assert b"HTTP/1.1 200" not in _exchange(cloud, sent, close=True, patience=0.02)


def test_many_requests_leave_nothing(api: Api, cloud: Cloud) -> None:
    """The journeys and the tokens that are kept are bounded, and so is what a client says in them."""

    def ask(number: int) -> None:
        token = b"Authorization: eyJ." + b"%08d" % number * 900
        assert _status(_exchange(cloud, _request(api, b"/guarded", token))) == 401

    for number in range(300):
        ask(number)
    before = cloud.memory()
    for number in range(300, 900):
        ask(number)
    assert cloud.memory() - before < 20_000_000
