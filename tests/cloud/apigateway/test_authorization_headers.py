"""Authorization headers and signed query strings: whatever HTTP carries is refused in AWS's words by every guard."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labkit.local.apigateway.signature import RefusedSignatureError, SignatureVerifier
from labkit.local.messages import Request, Response
from tests.support.gateway import STAGE, Gateway
from tests.support.in_process_cloud import cloud as in_process_cloud
from tests.support.one_api import ACCOUNT_ID, FUNCTION_URI, HOST, REGION, OneApi, mock
from tests.support.rest_api import Api
from tests.support.running_cloud import Cloud
from tests.support.wire import exchange, get, status_of

MANY = settings(max_examples=200)
FEW = settings(max_examples=60)
PATHS = ("/cognito", "/iam", "/token", "/none")
ANSWERED = b"answered"

# -- what HTTP carries ------------------------------------------------------------------------

# A field value: visible ASCII, everything from 0x80 on, and blanks and tabs inside.
VALUES = st.text(
    st.characters(codec="latin-1", exclude_categories=["Cc"]) | st.just("\t"), max_size=80
)
NAMES = st.sampled_from(["Credential", "SignedHeaders", "Signature", "credential", "Other", ""])
STAMP = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
SCOPES = st.sampled_from(
    [
        f"{{key}}/{STAMP[:8]}/{REGION}/execute-api/aws4_request",
        f"{{key}}/{STAMP[:8]}/{REGION}/execute-api",
        f"a/b/{{key}}/{STAMP[:8]}/{REGION}/execute-api/aws4_request",
        f"{{key}}/{STAMP[:8]}/eu-west-1/s3/x",
        "{key}",
        "////",
        "/" * 400,
        "",
    ]
)
PARTS = st.tuples(
    NAMES,
    st.sampled_from(["=", "", "==", " = "]),
    SCOPES | st.sampled_from(["host;x-amz-date", "host", ";;;", "0" * 64, "f" * 63]) | VALUES,
).map("".join)
ALGORITHMS = st.sampled_from(
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA512",
        "AWS4-ECDSA-P256-SHA256",
        "AWS4-",
        "AWS",
        "Bearer",
        "Basic",
        "",
        "aws4-hmac-sha256",
    ]
)
SIGNED = st.tuples(
    ALGORITHMS,
    st.sampled_from([" ", "  ", "", ",", "\t"]),
    st.lists(PARTS, max_size=5).flatmap(
        lambda parts: st.sampled_from([", ", ",", ";", " "]).map(lambda c: c.join(parts))
    ),
).map("".join)
BEARERS = st.sampled_from(["Bearer ", "bearer ", "Bearer  ", "Token ", ""]).flatmap(
    lambda kind: VALUES.map(lambda v: kind + v)
)
HEADERS = VALUES | SIGNED | BEARERS
DATES = st.sampled_from(
    [
        STAMP,
        "",
        "x",
        "00010101T000000Z",
        "99991231T235959Z",
        STAMP.lower(),
        "20261301T000000Z",
        "2026-11-21T00:00:00Z",
    ]
) | st.sampled_from(
    [
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Sat, 21 Nov 2026 21:00:00 GMT",
        "Sat, 99 Nov 2026 21:00:00 GMT",
        "1 Jan 99999999999 0:0:0 +9999999",
    ]
)


# -- in this process --------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    with in_process_cloud().in_use():
        yield


@pytest.fixture(scope="module")
def key() -> Credentials:
    """The account's own key: a header with it is as near to a good one as can be."""
    known = in_process_cloud().settings
    assert known.account_id == ACCOUNT_ID
    return Credentials(known.access_key_id, known.secret_access_key)


@pytest.fixture(scope="module")
def one_api(_environment: None) -> OneApi:
    """A method for each kind of guard; the function lets nobody in whose token isn't ``good``."""
    pool = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT_ID}:userpool/{REGION}_none"
    source = "method.request.header.Authorization"
    authorizers = {
        "a1": {
            "id": "a1",
            "type": "TOKEN",
            "authorizerUri": FUNCTION_URI,
            "identitySource": source,
            "identityValidationExpression": "good",
        },
        "a2": {
            "id": "a2",
            "type": "COGNITO_USER_POOLS",
            "providerARNs": [pool],
            "identitySource": source,
        },
    }
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    found = OneApi(
        {
            "/cognito": {"GET": mock(authorizationType="COGNITO_USER_POOLS", authorizerId="a2")},
            "/iam": {"GET": mock(authorizationType="AWS_IAM")},
            "/token": {"GET": mock(authorizationType="CUSTOM", authorizerId="a1")},
        },
        authorizers=authorizers,
    )
    found.functions.answer = {"principalId": "me", "policyDocument": {"Statement": [allow]}}
    return found


def refused(response: Response) -> None:
    assert response.status in (401, 403)
    assert ANSWERED not in response.body
    (key,) = json.loads(response.body)
    assert key in ("message", "Message")
    assert response.header("x-amzn-ErrorType") is not None


@MANY
@given(
    HEADERS.filter(lambda value: value != "good"), DATES, st.sampled_from(["X-Amz-Date", "Date"])
)
@example(
    f"AWS4-HMAC-SHA256 Credential={{key}}/{STAMP[:8]}/{REGION}/execute-api/aws4_request, "
    "SignedHeaders=host, Signature=0",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Date",
)
def test_no_header_gets_in(
    one_api: OneApi, key: Credentials, value: str, date: str, date_header: str
) -> None:
    headers = {"Authorization": value.replace("{key}", key.access_key), date_header: date}
    for path in PATHS:
        response, _journey = one_api.send(path, headers)
        refused(response)


QUERY_VALUES = st.one_of(
    SCOPES,
    DATES,
    st.sampled_from(
        [
            "AWS4-HMAC-SHA256",
            "x",
            "",
            "300",
            "-1",
            "604801",
            "9" * 5000,
            "\u0663",
            "0" * 64,
            "host",
            "%ff",
            "%",
        ]
    ),
)
QUERY_NAMES = st.sampled_from(
    ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token"]
).map("X-Amz-".__add__)


@MANY
@given(st.lists(st.tuples(QUERY_NAMES, QUERY_VALUES), max_size=9))
def test_no_query_string_gets_in(
    one_api: OneApi, key: Credentials, pairs: list[tuple[str, str]]
) -> None:
    written = "&".join(f"{name}={value}" for name, value in pairs).replace("{key}", key.access_key)
    query = written.encode().decode("latin-1")
    response, _journey = one_api.send("/iam", {}, query=f"X-Amz-Algorithm=AWS4-HMAC-SHA256&{query}")
    refused(response)


@MANY
@given(st.booleans(), st.integers(0, 1_000), st.permutations("0Z/=,;% ~").map(lambda p: p[:2]))
def test_a_good_signature_with_one_character_changed(
    one_api: OneApi, key: Credentials, presigned: bool, place: int, chars: list[str]
) -> None:
    """In the header or in the URL: a changed signature is refused, the unchanged one isn't."""
    request = AWSRequest("GET", f"https://{HOST}/{STAGE}/iam")
    signer = SigV4QueryAuth if presigned else SigV4Auth
    signer(key, "execute-api", REGION).add_auth(request)
    query = request.url.partition("?")[2]
    headers = {} if presigned else {k: str(v) for k, v in request.headers.items()}
    response, _journey = one_api.send("/iam", headers, query=query)
    assert response.status == 200
    signed = query if presigned else headers["Authorization"]
    place %= len(signed)
    char = next(char for char in chars if char != signed[place])
    changed = signed[:place] + char + signed[place + 1 :]
    if presigned:
        response, _journey = one_api.send("/iam", {}, query=changed)
    else:
        response, _journey = one_api.send("/iam", {**headers, "Authorization": changed})
    if response.status == 200:
        # A blank between two parts of the header says nothing.
        assert " " in (char, signed[place]) or char == ","
    else:
        refused(response)


@MANY
@given(
    st.lists(
        st.tuples(st.sampled_from(["Authorization", "X-Amz-Date", "Host"]), HEADERS), max_size=5
    )
)
def test_the_verifier_raises_its_own_error_only(
    key: Credentials, headers: list[tuple[str, str]]
) -> None:
    filled = [(name, value.replace("{key}", key.access_key)) for name, value in headers]
    verifier = SignatureVerifier(in_process_cloud().engine, time.time)
    with pytest.raises(RefusedSignatureError):
        verifier.verify(Request("GET", "/dev/iam", headers=filled), REGION)


# -- on the wire ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def api(gateway: Gateway) -> Api:
    """The same on a cloud of its own."""
    found = Api(gateway)
    found.mock("GET", "/cognito", '{"answered": 1}', **found.authorizer(gateway.pool))
    found.mock("GET", "/iam", '{"answered": 1}', authorizationType="AWS_IAM")
    made = found.aws.create_authorizer(
        restApiId=found.id,
        name="token",
        type="TOKEN",
        authorizerUri=gateway.function_uri("crash"),
        identitySource="method.request.header.Authorization",
        identityValidationExpression="never",
    )
    found.mock(
        "GET", "/token", '{"answered": 1}', authorizationType="CUSTOM", authorizerId=made["id"]
    )
    found.deploy()
    return found


@FEW
@given(st.lists(HEADERS.map(lambda value: value.encode("latin-1")), min_size=1, max_size=2))
def test_on_the_wire(api: Api, cloud: Cloud, values: list[bytes]) -> None:
    """The HTTP server takes a value or refuses it; once or twice, nobody gets in."""
    named = [b"Authorization: " + v.replace(b"{key}", cloud.access_key_id.encode()) for v in values]
    for path in PATHS:
        answer = exchange(cloud, get(api.id, path.encode(), *named))
        assert status_of(answer) in (0, 400, 401, 403)
        assert ANSWERED not in answer
