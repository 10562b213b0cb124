"""Presigned URLs, signing for requests, and finding the line that breaks a signature."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote_plus

import botocore.auth
import pytest
import requests
from botocore.auth import SigV4Auth as BotocoreAuth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, RefreshableCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit import sigv4
from labkit.errors import LabkitError, SigningError
from labkit.sigv4.signing import Signature
from labkit.sigv4.steps import canonical_headers, canonical_query_string

NOW = dt.datetime(2026, 11, 21, 12, 34, 56, tzinfo=dt.UTC)
HOST = "abc123.execute-api.us-east-1.amazonaws.com"
URL = f"https://{HOST}/dev/demo"
EXAMPLES = settings().max_examples  # the profile says how many
KEY = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TEMPORARY = Credentials("ASIAEXAMPLE", "TemporaryKey/EXAMPLE", "IQoJb3JpZ2luX2Vj//token+value==")


@pytest.fixture(autouse=True, scope="module")
def _botocore_at_this_time() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: NOW)
        yield


def sign(method: str = "GET", url: str = URL, **options: Any) -> Signature:
    return sigv4.sign(
        method, url, **{"credentials": KEY, "region": "us-east-1", "now": NOW, **options}
    )


def presign(method: str = "GET", url: str = URL, **options: Any) -> Signature:
    given = {"credentials": KEY, "region": "us-east-1", "now": NOW, "expires": 60, **options}
    return sigv4.presign(method, url, **given)


# -- byte by byte like botocore -----------------------------------------------------------------

RAW = st.text("aZ09-._~ +:@*=,;!'()$%/éü💡ሴ\u0301", max_size=8)
"""What people put into URLs and get wrong when they sign."""
SENT = RAW.map(lambda text: quote(text, safe="+:@*=,;!'()$"))
"""As some clients send it: fewer characters are encoded than AWS's signers encode."""
PATHS = st.lists(SENT | st.sampled_from(["", ".", "..", "a%20b", "%252F"]), max_size=4)
PAIRS = st.lists(st.tuples(SENT.map(lambda t: t.replace("=", "")), SENT | st.none()), max_size=5)
QUERIES = PAIRS.map(lambda ps: "&".join(n if v is None else f"{n}={v}" for n, v in ps))
HEADERS = st.dictionaries(
    st.sampled_from("X-Own Content-Type Accept User-Agent Connection TE X-Amzn-Trace-Id x-amz-meta".split()),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
)  # fmt: skip
KEYS = st.builds(
    Credentials,
    st.from_regex(r"A[KS]IA[A-Z0-9]{16}", fullmatch=True),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    st.none() | st.from_regex(r"[A-Za-z0-9+/=]{1,60}", fullmatch=True),
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
REGIONS = st.sampled_from(["us-east-1", "eu-central-1"])
SERVICES = st.sampled_from(["execute-api", "sts", "lambda"])


@settings(max_examples=20 * EXAMPLES)
@given(METHODS, PATHS, QUERIES, HEADERS, st.binary(max_size=20), KEYS, REGIONS, SERVICES)
def test_requests_are_signed_as_botocore_signs_them(
    method: str,
    path: list[str],
    query: str,
    headers: dict[str, str],
    body: bytes,
    key: Credentials,
    region: str,
    service: str,
) -> None:
    """botocore signs a query as it stands, so it gets the spelling that is signed (gateway 4.26)."""
    start = "/".join([f"https://{HOST}/dev", *path])
    url = f"{start}?{query}" if query else start
    spelled = f"{start}?{_spelled(query)}" if query else start
    request = AWSRequest(method, spelled, headers=dict(headers), data=body)
    signer = BotocoreAuth(key, service, region)
    signer.add_auth(request)
    made = sigv4.sign(
        method,
        url,
        headers=headers,
        body=body,
        credentials=key,
        region=region,
        service=service,
        now=NOW,
    )
    assert made.canonical_request == _canonical(signer, request)
    assert made.string_to_sign == signer.string_to_sign(request, made.canonical_request)
    theirs = {name.lower(): value for name, value in request.headers.items()}
    ours = {name.lower(): value for name, value in made.headers.items() if name != "Host"}
    assert ours == theirs


def _spelled(query: str) -> str:
    pairs = [pair.partition("=") for pair in query.split("&")]
    return "&".join(
        "".join((quote(unquote_plus(name), safe=""), equals, quote(unquote_plus(value), safe="")))
        for name, equals, value in pairs
    )


def _canonical(signer: BotocoreAuth, request: AWSRequest) -> str:
    """The request as it was before botocore added the signature."""
    unsigned = AWSRequest(request.method, request.url, data=request.data)
    for name, value in request.headers.items():
        if name != "Authorization":
            unsigned.headers[name] = value
    unsigned.context.update(request.context)
    canonical: str = signer.canonical_request(unsigned)
    return canonical


@settings(max_examples=10 * EXAMPLES)
@given(METHODS, PATHS, PAIRS, KEYS, REGIONS, SERVICES, st.integers(1, 604_800))
def test_urls_are_presigned_as_botocore_presigns_them(
    method: str,
    path: list[str],
    pairs: list[tuple[str, str | None]],
    key: Credentials,
    region: str,
    service: str,
    expires: int,
) -> None:
    # botocore keeps only the first of a repeated parameter.
    single = list({canonical_query_string(n): (n, v) for n, v in pairs if n}.values())
    single = [pair for n, pair in enumerate(single) if _name(pair) not in map(_name, single[:n])]
    query = "&".join(f"{n}={v or ''}" for n, v in single)
    url = "/".join([f"https://{HOST}/dev", *path]) + (f"?{query}" if query else "")
    request = AWSRequest(method, url)
    SigV4QueryAuth(key, service, region, expires).add_auth(request)
    made = sigv4.presign(
        method,
        url,
        expires=expires,
        credentials=key,
        region=region,
        service=service,
        now=NOW,
    )
    start, _mark, asked = made.url.partition("?")
    assert (start, _spelled(asked)) == (
        request.url.partition("?")[0],
        request.url.partition("?")[2],
    )
    assert made.headers == {"Host": HOST}


def _name(pair: tuple[str, str | None]) -> str:
    return requests.utils.unquote(pair[0].replace("+", " "))


def test_repeated_parameters_stay_in_a_presigned_url() -> None:
    made = presign(url=f"{URL}?a=2&a=1&b=&a=2#fragment")
    assert made.url.startswith(f"{URL}?a=2&a=1&b=&a=2&X-Amz-Algorithm=")
    assert made.canonical_request.split("\n")[2].endswith("&a=1&a=2&a=2&b=")
    assert "#" not in made.url


def test_what_the_url_has_already_is_sent_as_it_stands() -> None:
    made = presign(url=f"{URL}?a=%FF%fe&b=*")
    assert made.url.startswith(f"{URL}?a=%FF%fe&b=*&X-Amz-")
    assert made.canonical_request.split("\n")[2].endswith("&a=%FF%FE&b=%2A")


@pytest.mark.parametrize("expires", [0, -1, 604_801])
def test_a_presigned_url_is_good_for_a_week_at_most(expires: int) -> None:
    with pytest.raises(SigningError, match="604800 seconds"):
        presign(expires=expires)


def test_a_presigned_url_is_not_presigned_again() -> None:
    with pytest.raises(SigningError, match="presigned already"):
        presign(url=presign().url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.COM/", "example.com"),
        ("https://example.com:443/", "example.com"),
        ("http://example.com:80/", "example.com"),
        ("http://example.com:443/", "example.com:443"),
        ("http://[::1]:4566/", "[::1]:4566"),
        ("https://user:password@example.com/", "example.com"),
    ],
)
def test_the_host_is_the_one_that_botocore_signs(url: str, host: str) -> None:
    request = AWSRequest("GET", url)
    BotocoreAuth(KEY, "execute-api", "us-east-1").add_auth(request)
    made = sign(url=url)
    assert made.headers["Host"] == host
    assert made.headers["Authorization"] == request.headers["Authorization"]


def test_a_given_host_is_signed() -> None:
    made = sign(url="http://127.0.0.1:4566/", headers={"host": HOST})
    assert f"\nhost:{HOST}\n" in made.canonical_request
    assert [name for name in made.headers if name.lower() == "host"] == ["host"]


def test_what_an_earlier_signature_wrote_is_replaced() -> None:
    once = sign(credentials=TEMPORARY)
    old = {name.lower(): "old" if name != "Host" else value for name, value in once.headers.items()}
    assert (
        sign(credentials=TEMPORARY, headers=old).headers["Authorization"]
        == once.headers["Authorization"]
    )
    lasting = sign(headers=once.headers)
    assert "X-Amz-Security-Token" not in lasting.headers
    assert lasting.headers["Authorization"] == sign().headers["Authorization"]


def test_a_declared_hash_is_the_payload_hash() -> None:
    made = sign(
        "PUT", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}, body=b"x", service="s3"
    )
    assert made.canonical_request.endswith("\nUNSIGNED-PAYLOAD")


# -- AWS's suite ----------------------------------------------------------------------------------

SUITE = {"service": "service", "now": dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.UTC)}
SITE = "https://example.amazonaws.com"
LETTERS = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SUITE_TOKEN = Credentials(
    KEY.access_key,
    KEY.secret_key,
    "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
)


@pytest.mark.parametrize(
    ("url", "options", "signature"),
    [
        ("/", {"headers": {"My-Header1": "value2,value2,value1"}},
         "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
        ("/", {"headers": {"My-Header1": "value4", "MY-HEADER1": "value1", "my-header1": "value3,value2"}},
         "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"),
        ("/", {"headers": {"My-Header1": " value1", "My-Header2": ' "a   b   c"'}},
         "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        ("/example1/example2/../..", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("/./example", {}, "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"),
        ("//example//", {}, "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        ("/example space/", {}, "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        ("/ሴ", {}, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        (f"/{LETTERS}", {}, "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        ("/?Param1=value1", {}, "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        (f"/?{LETTERS}={LETTERS}", {}, "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
        ("/?%E1%88%B4=bar", {}, "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        ("/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", {},
         "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"),
        ("/", {"credentials": SUITE_TOKEN}, "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"),
    ],
)  # fmt: skip
def test_more_of_aws_s_suite(url: str, options: dict[str, Any], signature: str) -> None:
    assert sign(url=SITE + url, **SUITE, **options).signature == signature


@pytest.mark.parametrize(
    ("url", "key", "signature"),
    [
        ("/", KEY, "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"),
        (f"/{LETTERS}", KEY, "95968482db1b9e0fadef6efc1bd24689f77c77d9ef56919c96a28cc92e0d6005"),
        (
            "/example space/",
            KEY,
            "7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0e394abf6",
        ),
        (
            f"/?{LETTERS}={LETTERS}",
            KEY,
            "8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf",
        ),
        ("/?ሴ=bar", KEY, "0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600"),
        ("/", SUITE_TOKEN, "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c"),
    ],
)
def test_the_presigned_requests_of_aws_s_suite(url: str, key: Credentials, signature: str) -> None:
    assert presign(url=SITE + url, expires=3600, credentials=key, **SUITE).signature == signature


def test_a_header_that_comes_twice_is_joined() -> None:
    assert canonical_headers({"A": "1", "a": " 2 "}, ["a"]) == "a:1,2\n"


# -- what is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [sign(credentials=TEMPORARY), presign(credentials=TEMPORARY)])
def test_the_steps_are_text_without_the_session_token(made: Signature) -> None:
    for text in (str(made), repr(made), html.unescape(made._repr_html_())):
        assert TEMPORARY.token not in text
        assert quote(TEMPORARY.token, safe="") not in text
        assert TEMPORARY.secret_key not in text
        for heading, _step in made.steps():
            assert heading in text
        assert made.signature in text
    assert [heading[:2] for heading, _text in made.steps()][:4] == ["1.", "2.", "3.", "4."]
    assert "20261121 → us-east-1 → execute-api → aws4_request" in str(made)


def test_what_comes_from_the_request_is_escaped() -> None:
    made = sign(url=f"{URL}?<script>", headers={"X-Own": "<img src=x>"})
    assert "<script" not in made._repr_html_()
    assert "<img" not in made._repr_html_()


# -- requests -------------------------------------------------------------------------------------


class Server:
    """Remembers what it was sent; redirects where it is told to."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        self.redirects: dict[str, str] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                owner.seen.append(
                    {**headers, ":method": self.command, ":path": self.path, ":body": body.decode()}
                )
                to = owner.redirects.get(self.path)
                self.send_response(307 if to else 200)
                if to:
                    self.send_header("Location", to)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET  # noqa: N815 - the name that http.server calls

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def serving() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        yield made


def auth(key: Any = KEY) -> Any:
    return sigv4.SigV4Auth(key, "us-east-1", clock=lambda: NOW)


def checked(sent: dict[str, str], key: Credentials = KEY) -> None:
    """The signature is the one that a server computes from what it got."""
    named = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=(.+?)/(\d+)/(.+?)/(.+?)/aws4_request, SignedHeaders=(.+?), Signature=(\w+)",
        sent["authorization"],
    )
    assert named is not None
    _key, date, region, service, signed, proof = named.groups()
    scope = sigv4.CredentialScope(date, region, service)
    path, _mark, query = sent[":path"].partition("?")
    canonical = sigv4.canonical_request(
        sent[":method"],
        path,
        query,
        sent,
        signed.split(";"),
        hashlib.sha256(sent[":body"].encode()).hexdigest(),
    )
    to_sign = sigv4.string_to_sign(sent["x-amz-date"], scope, canonical)
    assert sigv4.signature(key.secret_key, scope, to_sign) == proof
    assert sent.get("x-amz-security-token") == key.token


@pytest.mark.parametrize("key", [KEY, TEMPORARY])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"params": {"a b": "c+d", "ü": ["1", "", "2"], "e": "@:*=&"}},
        {"json": {"name": "Jürgen"}},
        {"data": "text ü"},
        {"data": b"\x00bytes"},
        {"data": bytearray(b"bytes")},
        {"data": {"a": "b c", "d": "ü"}},
        {"data": ""},
        {"files": {"file": b"content"}},
        {"headers": {"X-Own": "a   b ", "Content-Type": "text/plain"}},
        {"headers": {"X-Own": b"bytes"}},
        {"cookies": {"a": "b"}},
    ],
    ids=str,
)
def test_a_request_is_signed_as_it_is_sent(
    server: Server, session: requests.Session, key: Credentials, options: dict[str, Any]
) -> None:
    signer = auth(key)
    response = session.post(f"{server.url}/dev/a b/ü/%2F/.", auth=signer, **options)
    assert response.status_code == 200
    checked(server.seen[0], key)
    names = signer.last.signed_headers.split(";")
    assert not {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "user-agent",
        "cookie",
    } & set(names)
    assert {"host", "x-amz-date"} <= set(names)


def test_a_session_signs_every_request(server: Server, session: requests.Session) -> None:
    session.auth = auth(TEMPORARY)
    for path in ("/a", "/b?x=1"):
        session.get(server.url + path)
    for sent in server.seen:
        checked(sent, TEMPORARY)
    prepared = session.prepare_request(requests.Request("GET", server.url + "/c"))
    auth()(prepared)  # signed again, with other credentials
    session.send(prepared)
    checked(server.seen[-1])


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_redirect_gets_no_signature(
    server: Server, session: requests.Session, elsewhere: bool
) -> None:
    with serving() as other:
        target = other if elsewhere else server
        server.redirects = {"/start": f"{server.url}/next", "/next": f"{target.url}/end?x=1"}
        response = session.post(f"{server.url}/start", data="body", auth=auth(TEMPORARY))
        assert response.status_code == 200
        first, *followed = server.seen + other.seen
        checked(first, TEMPORARY)
        assert [sent[":path"] for sent in followed] == ["/next", "/end?x=1"]
        for sent in followed:
            assert not {"authorization", "x-amz-security-token", "x-amz-date"} & set(sent)
            assert TEMPORARY.token not in str(sent)
        signed = response.history[0].request  # what was sent can still be looked at
        assert "Signature=" in signed.headers["Authorization"]
        assert "Authorization" not in response.request.headers


@pytest.mark.parametrize("body", [iter([b"a"]), (part for part in [b"a"]), ["a"]], ids=type)
def test_a_body_that_can_be_read_once_is_refused(session: requests.Session, body: Any) -> None:
    with pytest.raises(SigningError, match="give bytes"):
        session.post(URL, data=iter(body), auth=auth())


def test_a_file_is_refused(session: requests.Session, tmp_path: Any) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with (
        (tmp_path / "file").open("rb") as file,
        pytest.raises(SigningError, match="BufferedReader"),
    ):
        session.post(URL, data=file, auth=auth())


@pytest.mark.parametrize("key", [None, Credentials("", ""), Credentials("AKIA", "")])
def test_without_credentials_nothing_is_signed(session: requests.Session, key: Any) -> None:
    with pytest.raises(SigningError, match="no credentials") as refused:
        session.get(URL, auth=auth(key))
    assert isinstance(refused.value, LabkitError)


def test_refreshed_credentials_are_used(server: Server, session: requests.Session) -> None:
    def refresh() -> dict[str, str]:
        return {
            "access_key": "ASIANEW",
            "secret_key": "new",
            "token": "token",
            "expiry_time": "2999-01-01T00:00:00Z",
        }

    key = RefreshableCredentials.create_from_metadata(
        {**refresh(), "access_key": "ASIAOLD", "expiry_time": "2020-01-01T00:00:00Z"},
        refresh,
        "test",
    )
    session.get(server.url, auth=auth(key))
    checked(server.seen[0], Credentials("ASIANEW", "new", "token"))


def test_it_shows_no_key() -> None:
    assert TEMPORARY.secret_key not in repr(auth(TEMPORARY))


# -- diff -----------------------------------------------------------------------------------------

SIGNED: dict[str, Any] = {
    "method": "POST",
    "url": f"{URL}/a%20b?b=2&a=1",
    "headers": {"Content-Type": "application/json", "X-Own": "1"},
    "body": b"{}",
}


def refusal(credentials: Any = KEY, to_sign: str | None = None, **changes: Any) -> str:
    """What API Gateway answers when it got something else than was signed."""
    arrived = {**SIGNED, "credentials": credentials, **changes}
    made = sign(arrived.pop("method"), arrived.pop("url"), **arrived)
    return (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this "
        f"request should have been\n'{made.canonical_request}'\n\nThe String-to-Sign should have been\n"
        f"'{to_sign or made.string_to_sign}'\n"
    )


def ours(**changes: Any) -> Signature:
    made = {**SIGNED, **changes}
    return sign(made.pop("method"), made.pop("url"), **made)


CONTENT = {"Content-Type": "application/json"}
DIFFERENCES: list[tuple[dict[str, Any], str, int, str]] = [
    ({"method": "GET"}, "verb", 1, "redirect"),
    ({"url": f"{URL}/a?b=2&a=1"}, "path", 2, "stage"),
    ({"url": f"{URL}/a%20b?b=2&a=2"}, "query", 3, "built|build"),
    ({"url": f"{URL}/a%20b?b=2&a=1&c"}, "query", 3, "changed"),
    (
        {"headers": {"Content-Type": "text/plain", "X-Own": "1"}},
        "header content-type",
        4,
        "Content-Type",
    ),
    ({"url": f"https://{HOST}:8443/dev/demo/a%20b?b=2&a=1"}, "header host", 5, "CloudFront"),
    ({"now": NOW + dt.timedelta(seconds=1)}, "header x-amz-date", 6, "sign again"),
    ({"headers": {**CONTENT, "X-Own": "2"}}, "header x-own", 7, "on the way"),
    ({"headers": {**CONTENT, "X-Own": ""}}, "header x-own", 7, "didn't arrive"),
    ({"headers": CONTENT}, "header x-own", 7, "didn't arrive"),
    (
        {"headers": {**CONTENT, "X-Own": "1", "X-Amz-Other": "1"}},
        "header x-amz-other",
        7,
        "wasn't signed",
    ),
    ({"credentials": TEMPORARY}, "header x-amz-security-token", 7, "wasn't signed"),
    ({"body": b"{ }"}, "payload hash", 10, "exactly the bytes"),
    ({"body": b""}, "payload hash", 10, "not sent"),
]


@pytest.mark.parametrize(
    ("changes", "part", "line", "hint"), DIFFERENCES, ids=lambda value: str(value)[:40]
)
def test_the_first_line_that_differs(
    changes: dict[str, Any], part: str, line: int, hint: str
) -> None:
    message = refusal(**changes)
    response = requests.Response()
    response._content = json.dumps({"message": message}).encode()
    found = sigv4.diff(message, ours())
    assert (found.part, found.line) == (part, line)
    assert found.signed != found.arrived
    assert re.search(hint, found.hint), found.hint
    for same in (response, response.text, json.dumps(message)[1:-1], f"403 Forbidden: {message}"):
        assert sigv4.diff(same, ours()) == found
    for text in (str(found), html.unescape(found._repr_html_())):
        assert found.hint in text
        assert found.heading in text
        assert TEMPORARY.token not in text
    reported = [found.signed, found.arrived]
    assert reported[0] is None or reported[0] in ours().canonical_request.split("\n")


def test_an_empty_body_that_was_signed() -> None:
    assert "give the body to the signer" in sigv4.diff(refusal(), ours(body=b"")).hint


def test_the_path_as_s3_signs_it() -> None:
    found = sigv4.diff(refusal(), ours(service="s3"))
    assert found.part == "path"
    assert "encoded once" in found.hint
    assert str(found).split("\n") == [
        "The first difference is the path, line 2 of the canonical request.",
        "  signed   /dev/demo/a%20b",
        "  arrived  /dev/demo/a%2520b",
        "                        ^",
        found.hint,
    ]
    assert ">/dev/demo/a%2<b>520b</b><" in found._repr_html_()


def test_a_path_without_the_stage() -> None:
    found = sigv4.diff(refusal(), ours(url=f"https://{HOST}/demo/a%20b?b=2&a=1"))
    assert (found.part, "the stage is part of it" in found.hint) == ("path", True)


def test_a_query_that_was_encoded_another_way() -> None:
    made = sign(url=f"{URL}?a=b%20c")
    as_it_stands = made.canonical_request.replace("a=b%20c", "a=b+c")
    signed = Signature(
        as_it_stands, made.string_to_sign, made.signature, made.scope, made.signed_headers, {}
    )
    message = refusal(url=f"{URL}?a=b%20c", method="GET", headers={}, body=b"")
    found = sigv4.diff(message, signed)
    assert (found.part, "%20, not +" in found.hint) == ("query", True)


def test_a_query_in_another_order() -> None:
    wrong = sign(url=f"{URL}?b=2&a=1")
    unsorted = wrong.canonical_request.replace("a=1&b=2", "b=2&a=1")
    message = refusal(url=f"{URL}?b=2&a=1", method="GET", headers={}, body=b"")
    made = Signature(
        unsorted, wrong.string_to_sign, wrong.signature, wrong.scope, wrong.signed_headers, {}
    )
    assert "sorted by name" in sigv4.diff(message, made).hint


def test_equal_strings_leave_the_secret_key() -> None:
    found = sigv4.diff(refusal(credentials=Credentials(KEY.access_key, "other")), ours())
    assert (found.part, found.line) == ("secret key", 0)
    assert str(found).startswith("Both sides computed the same strings.")


def test_the_string_to_sign_can_differ_alone() -> None:
    for old, new, part in (("us-east-1", "eu-west-1", "scope"), ("T123456Z", "T123457Z", "time")):
        changed = ours().string_to_sign.replace(old, new)
        found = sigv4.diff(refusal(to_sign=changed), ours())
        assert (found.part, found.line) == (part, 0)
        assert found.signed in str(found)


@pytest.mark.parametrize(
    "message", ["", "Forbidden", '{"message": null}', "{", "[" * 100_000, '{"Message": 7}', "[1]"]
)
def test_an_answer_that_tells_nothing(message: str) -> None:
    found = sigv4.diff(message, ours())
    assert (found.part, found.line, found.signed, found.arrived) == ("unknown", 0, None, None)
    assert "labkit.explain" in str(found)
    assert "labkit.explain" in found._repr_html_()


@given(st.text(), st.text())
def test_whatever_the_server_says(canonical: str, to_sign: str) -> None:
    message = (
        f"The Canonical String for this request should have been\n'{canonical}'\n\n"
        f"The String-to-Sign should have been\n'{to_sign}'\n"
    )
    found = sigv4.diff(message, ours())
    str(found).encode()
    assert not re.search(r"<(?!/?(p|b|table|tbody|tr|th|td)\b)", found._repr_html_())


@given(st.lists(st.text(max_size=5), max_size=12))
def test_whatever_lines_the_server_has(lines: list[str]) -> None:
    message = "The Canonical String for this request should have been\n'{}'\n\nThe String-to-Sign should have been\n'x'"
    found = sigv4.diff(message.format("\n".join(lines)), ours())
    assert found.part


def test_a_presigned_url_can_be_compared_too() -> None:
    made = presign(url=f"{URL}?a=1")
    message = (
        "The Canonical String for this request should have been\n'"
        + made.canonical_request.replace("a=1", "a=2")
        + "'\n\nThe String-to-Sign should have been\n'x'\n"
    )
    assert sigv4.diff(message, made).part == "query"
