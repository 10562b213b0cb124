"""The server's own canonical request, held against botocore's, which signs for AWS."""

from __future__ import annotations

from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import example, given
from hypothesis import strategies as st

from labkit.local.apigateway.canonical_request import (
    SigningScope,
    canonical_query,
    canonical_request,
    signature_of,
    string_to_sign,
)
from labkit.local.messages import Request

HOST = "abc123.execute-api.us-east-1.amazonaws.com"
STAMP = "20261130T000000Z"
RESERVED = "!$&'()*+,/:;=?@[]#% \"<>"
TEXT = st.text(st.sampled_from("ab09-._~" + RESERVED + "é€"), max_size=8)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=4)


def encoded(text: str, safe: str = "-_.~") -> str:
    return quote(text, safe=safe)


def query_of(pairs: list[tuple[str, str]], safe: str = "-_.~") -> str:
    return "&".join(f"{encoded(name, safe)}={encoded(value, safe)}" for name, value in pairs)


class FixedTime(SigV4Auth):
    """Signs at one moment."""

    def sign_at(self, request: AWSRequest) -> tuple[str, str]:
        request.context["timestamp"] = STAMP
        request.headers["X-Amz-Date"] = STAMP
        request.headers["Host"] = HOST
        canonical = self.canonical_request(request)
        return canonical, self.signature(self.string_to_sign(request, canonical), request)


@given(
    st.lists(st.text("ab .~%+*", min_size=1, max_size=4), max_size=3),
    PAIRS,
    st.sampled_from(["GET", "POST"]),
    st.binary(max_size=8),
    st.text(st.sampled_from("ab  \t,"), max_size=8).map(str.strip),
)
@example(["a b", "..", ""], [("b", "2"), ("a", "*"), ("a", "")], "POST", b"x", "a  b")
def test_botocore_signs_the_same(
    segments: list[str], pairs: list[tuple[str, str]], method: str, body: bytes, header: str
) -> None:
    path = "/" + "/".join(encoded(segment) for segment in segments)
    query = query_of(pairs)
    url = f"https://{HOST}{path}" + (f"?{query}" if query else "")
    signing = AWSRequest(method, url, {"X-Own": header}, body)
    theirs, signature = FixedTime(
        Credentials("AKIA", "secret"), "execute-api", "us-east-1"
    ).sign_at(signing)
    headers = [("Host", HOST), ("X-Amz-Date", STAMP), ("X-Own", header)]
    ours = canonical_request(
        Request(method, path, query, headers, body), ("host", "x-amz-date", "x-own")
    )
    assert ours == theirs
    scope = SigningScope("20261130", "us-east-1", "execute-api", "aws4_request")
    assert signature_of(string_to_sign(STAMP, scope, ours), "secret", scope) == signature


@given(PAIRS, st.sets(st.sampled_from("!$'()*,/:;?@")).map("".join))
def test_every_spelling_of_a_query_is_the_same(pairs: list[tuple[str, str]], safe: str) -> None:
    """Whoever sends a reserved character as it stands has to sign it encoded."""
    assert canonical_query(query_of(pairs, safe)) == canonical_query(query_of(pairs))
    assert canonical_query(query_of(pairs).lower()) == canonical_query(
        query_of([(name.lower(), value.lower()) for name, value in pairs])
    )


@given(st.text(max_size=30))
def test_whatever_is_sent_has_one_canonical_form(sent: str) -> None:
    once = canonical_query(sent)
    assert once.isascii()
    assert canonical_query(once) == once
