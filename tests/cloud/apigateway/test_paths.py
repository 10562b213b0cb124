"""Paths in every encoding: each leads where its decoded segments say, and none goes round a guard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.gateway import Gateway
from tests.support.in_process_cloud import cloud as in_process_cloud
from tests.support.one_api import OneApi, arn_of, mock
from tests.support.rest_api import Api
from tests.support.running_cloud import Cloud
from tests.support.wire import exchange, get, status_of

MANY = settings(max_examples=300)
FEW = settings(max_examples=80)
GUARDED = {"authorizationType": "AWS_IAM"}

# -- paths ----------------------------------------------------------------------------------

# What may stand in a path as it is (RFC 3986: pchar), and what only stands there encoded.
AS_IT_IS = "abcABC019-._~!$&'()*+,;=:@"
ENCODED_ONLY = ' /?#[]%"<>\\^`{|}\x00\r\n\x7fé\u2028'


def hexadecimal(byte: int, upper: bool) -> str:
    return f"%{byte:02X}" if upper else f"%{byte:02x}"


@st.composite
def spelt(draw: st.DrawFn, text: str) -> str:
    """One of the spellings of a segment: any character may be encoded, in either case."""
    found = []
    for char in text:
        if char in AS_IT_IS and draw(st.booleans()):
            found.append(char)
        else:
            upper = draw(st.booleans())
            found += [hexadecimal(byte, upper) for byte in char.encode()]
    return "".join(found)


SEGMENTS = st.text(st.sampled_from(AS_IT_IS + ENCODED_ONLY), min_size=1, max_size=8).filter(
    lambda text: text not in (".", "..")
)
ODD_SEGMENTS = st.sampled_from(
    """
    % %2 %zz %25 %252e . .. %2e %2e%2e ..; .%00 %c0%ae %ff %u002e ~ {x} {proxy+} open rest one
    admin ADMIN admin%20 admin%2f %61dmin admi%6E admin;x=1 admin.json admin%00 admin%0a
    """.split()
) | st.sampled_from(["", "a" * 3_000])
ANY_PATHS = st.lists(
    ODD_SEGMENTS | st.text(st.sampled_from(AS_IT_IS + "%"), max_size=6), max_size=5
).map(lambda segments: "/" + "/".join(segments))


# -- in this process --------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    with in_process_cloud().in_use():
        yield


@pytest.fixture(scope="module")
def one_api(_environment: None) -> OneApi:
    """``/admin`` and what is below are guarded, ``/open/{x}`` and ``/rest/{proxy+}`` tell what they got."""
    return OneApi(
        {
            "/admin": {"GET": mock("guarded", **GUARDED)},
            "/admin/{x}": {"GET": mock("guarded", **GUARDED)},
            "/open/{x}": {"GET": mock("open $input.params('x')")},
            "/open/fixed": {"GET": mock("guarded", **GUARDED)},
            "/rest/{proxy+}": {"GET": mock("rest $input.params('proxy')")},
        }
    )


def served(api: OneApi, path: str) -> str | None:
    """The body of a 200; None for a refusal, which is AWS's 403 for a path or a guard."""
    response, journey = api.send(path)
    assert response.status in (200, 403)
    if response.status == 403:
        assert response.body == b'{"message":"Missing Authentication Token"}'
        return None
    assert journey.stopped_at is None
    return response.body.decode()


@MANY
@given(SEGMENTS.flatmap(lambda text: st.tuples(st.just(text), spelt(text))), st.booleans())
def test_a_parameter_is_the_decoded_segment(
    one_api: OneApi, segment: tuple[str, str], slash: bool
) -> None:
    text, spelling = segment
    assert served(one_api, f"/open/{spelling}{'/' if slash else ''}") == f"open {text}"


@MANY
@given(
    st.lists(SEGMENTS, min_size=1, max_size=4).flatmap(
        lambda s: st.tuples(st.just(s), st.tuples(*map(spelt, s)))
    )
)
def test_a_proxy_gets_the_decoded_rest(
    one_api: OneApi, segments: tuple[list[str], tuple[str, ...]]
) -> None:
    texts, spellings = segments
    assert served(one_api, "/rest/" + "/".join(spellings)) == f"rest {'/'.join(texts)}"


@MANY
@given(spelt("admin"), st.just("") | SEGMENTS.flatmap(spelt).map("/".__add__), st.booleans())
def test_every_spelling_of_a_guarded_path_is_guarded(
    one_api: OneApi, admin: str, below: str, slash: bool
) -> None:
    response, journey = one_api.send(f"/{admin}{below}{'/' if slash else ''}")
    assert response.status == 403
    assert journey.stopped_at is not None
    assert journey.stopped_at.gate == "authorizer"


@MANY
@given(spelt("fixed"))
def test_a_parameter_never_takes_what_a_fixed_segment_guards(one_api: OneApi, fixed: str) -> None:
    assert served(one_api, f"/open/{fixed}") is None


@MANY
@given(ANY_PATHS)
@example("/open/..%2fadmin")
@example("/rest/../admin")
@example("/rest/%2e%2e/admin")
@example("//admin")
@example("//open/%")
@example("/./admin")
def test_any_path_is_served_for_what_it_says(one_api: OneApi, path: str) -> None:
    """Only an open route answers, and only with the path's own segments; dots aren't resolved by the gateway."""
    body = served(one_api, path)
    # Slashes at the beginning count as one (gateway 8.16).
    segments = [unquote(one) for one in path.lstrip("/").removesuffix("/").split("/")]
    if body is None:
        return
    first, rest = segments[0], segments[1:]
    assert body == (f"open {rest[0]}" if first == "open" else f"rest {'/'.join(rest)}")
    assert first in ("open", "rest")


@MANY
@given(ANY_PATHS)
def test_what_is_authorized_is_the_path_as_sent(one_api: OneApi, path: str) -> None:
    """A policy that allows one path allows no other spelling: the ARN has the path undecoded."""
    allowed = "/open/one"
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": arn_of(allowed),
    }
    one_api.configuration["api"] = {"policy": {"Statement": [statement]}}
    one_api.deploy()
    try:
        response, _journey = one_api.send(path)
        assert response.status == (200 if path == allowed else 403)
        response, _journey = one_api.send(allowed)
        assert response.status == 200
    finally:
        one_api.configuration["api"] = {}
        one_api.deploy()


# -- on the wire ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def api(gateway: Gateway) -> Api:
    """Guards that don't need the engine's tables, and an integration that gets the path in its event."""
    found = Api(gateway)
    found.mock("GET", "/admin", "guarded", **GUARDED)
    found.mock("GET", "/open/{x}", "open")
    found.function("GET", "/event/{proxy+}")
    found.deploy()
    return found


@FEW
@given(
    st.binary(max_size=60).map(lambda b: b"/" + re.sub(rb"[\x00-\x20\x7f]", b"", b))
    | ANY_PATHS.map(str.encode)
    | st.sampled_from([b"/open/", b"/event/", b"/admin/"]).flatmap(
        lambda start: st.binary(max_size=30).map(
            lambda b: start + "".join(f"%{byte:02x}" for byte in b).encode()
        )
    )
)
def test_on_the_wire(api: Api, cloud: Cloud, path: bytes) -> None:
    """No bytes in a path bring AWS's own 500, in the gateway or on the way into a function's event."""
    answer = exchange(cloud, get(api.id, path))
    assert status_of(answer) in (0, 200, 400, 403, 431)
    assert b"\r\n\r\nguarded" not in answer
