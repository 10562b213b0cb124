"""Only a good signature of a known key opens a control plane, and what it signed is what runs."""

import gzip
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from tests.support.attacker import COGNITO, FORM, JSON, Answer, Attacker

CALLS: dict[str, Callable[[Any], Any]] = {
    "cognito-idp": lambda client: client.list_user_pools(MaxResults=1),  # json
    "logs": lambda client: client.describe_log_groups(),  # json
    "wafv2": lambda client: client.list_web_acls(Scope="REGIONAL"),  # json
    "iam": lambda client: client.list_users(),  # query
    "sts": lambda client: client.get_caller_identity(),  # query
    "ses": lambda client: client.list_identities(),  # query
    "lambda": lambda client: client.list_functions(),  # rest-json
    "apigateway": lambda client: client.get_rest_apis(),  # rest-json
    "sesv2": lambda client: client.list_email_identities(),  # rest-json
    "s3": lambda client: client.list_buckets(),  # rest-xml
    "cloudfront": lambda client: client.list_distributions(),  # rest-xml
}
UNKNOWN = {"UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"}
MISMATCH = {"SignatureDoesNotMatch", "InvalidSignatureException"}


@pytest.mark.parametrize("service", CALLS)
def test_botocore_reads_why_a_key_is_refused(cloud: Attacker, service: str) -> None:
    secret = cloud.settings.secret_access_key
    CALLS[service](cloud.client(service))
    for key_id, key_secret, codes in (
        (cloud.settings.access_key_id, "wrong", MISMATCH),
        (cloud.settings.access_key_id, secret.swapcase(), MISMATCH),
        ("test", "test", UNKNOWN),
        ("test", secret, UNKNOWN),
        (cloud.settings.account_id, secret, UNKNOWN),
        ("000000000000", secret, UNKNOWN),
        ("AKIANOBODYAAAEXAMPLE", secret, UNKNOWN),
        (cloud.settings.access_key_id.lower(), secret, UNKNOWN),
    ):
        with pytest.raises(ClientError) as refused:
            CALLS[service](cloud.client(service, Credentials(key_id, key_secret)))
        assert refused.value.response["Error"]["Code"] in codes, (key_id, refused.value)


@pytest.mark.parametrize("key_id", ["test", "123456789012", "000000000000", "", "AKIANOBODY"])
def test_unknown_keys_are_refused_in_presigned_urls(cloud: Attacker, key_id: str) -> None:
    key = Credentials(key_id, cloud.settings.secret_access_key)
    for service in ("sts", "s3", "iam"):
        url = cloud.presign("/?Action=ListUsers&Version=2010-05-08", service=service, key=key)
        answer = cloud.send("GET", url)
        assert answer.refused, (service, answer)
        assert "AccessKey" in answer.text or "token" in answer.text


WHO = "/?Action=GetCallerIdentity&Version=2011-06-15"


def test_a_presigned_url_is_good_for_what_it_signed_until_it_expires(cloud: Attacker) -> None:
    assert "123456789012" in cloud.send("GET", cloud.presign(WHO)).text
    for url in (
        cloud.presign(WHO, expires=60, age=timedelta(minutes=2)),
        cloud.presign(WHO).replace("GetCallerIdentity", "GetSessionToken"),
        cloud.presign(WHO).replace("X-Amz-Expires=60", "X-Amz-Expires=3600"),
        cloud.presign(WHO).replace("&X-Amz-Expires=60", ""),
        cloud.presign(WHO) + "&X-Amz-Expires=3600",
        cloud.presign(WHO) + "&x-amz-expires=3600",
        cloud.presign(WHO) + "&Action=GetSessionToken",
        cloud.presign(WHO, key=Credentials(cloud.settings.access_key_id, "wrong")),
    ):
        answer = cloud.send("GET", url)
        assert answer.refused, (url, answer)


LIST = JSON | {"X-Amz-Target": COGNITO + "ListUserPools"}
ONE = b'{"MaxResults":1}'


def list_pools(cloud: Attacker, headers: Any, body: bytes = ONE) -> Answer:
    return cloud.send("POST", "/", headers, body)


@pytest.mark.parametrize("whose", ["root", "user"])
def test_what_was_signed_can_t_be_changed(
    cloud: Attacker, limited: Credentials, whose: str
) -> None:
    key = cloud.root if whose == "root" else limited
    headers = cloud.sign("cognito-idp", "POST", "/", LIST, ONE, key=key)
    assert list_pools(cloud, headers).status == 200
    declared = [("X-Amz-Content-SHA256", hashlib.sha256(ONE).hexdigest())]
    other = b'{"MaxResults":2}'
    without_host = [
        (name, value.replace("SignedHeaders=content-type;host;", "SignedHeaders=content-type;"))
        for name, value in headers
    ]
    for answer in (
        list_pools(cloud, headers, other),
        list_pools(cloud, headers + declared, other),
        list_pools(cloud, [*headers, ("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")], other),
        cloud.send("POST", "/?x=1", headers, ONE),
        cloud.send("POST", "//", headers, ONE),
        cloud.send("PUT", "/", headers, ONE),
        list_pools(cloud, _with(headers, "X-Amz-Target", COGNITO + "CreateUserPool"), ONE),
        list_pools(cloud, _with(headers, "Host", "sts.amazonaws.com"), ONE),
        list_pools(cloud, without_host, ONE),
        list_pools(cloud, _with(headers, "Content-Type", "application/json"), ONE),
        list_pools(
            cloud,
            [*_with(headers, "Content-Encoding", "gzip"), ("Content-Encoding", "gzip")],
            gzip.compress(ONE),
        ),
    ):
        assert answer.refused, answer
        assert "UserPools" not in answer.text


def _with(headers: list[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    return [pair for pair in headers if pair[0].lower() != name.lower()] + [(name, value)]


@pytest.mark.parametrize("whose", ["root", "user"])
@pytest.mark.parametrize("age", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1)])
def test_an_old_signature_is_refused(
    cloud: Attacker, limited: Credentials, whose: str, age: timedelta
) -> None:
    key = cloud.root if whose == "root" else limited
    headers = cloud.sign("cognito-idp", "POST", "/", LIST, ONE, key=key, age=age)
    answer = list_pools(cloud, headers)
    assert answer.refused
    assert "Signature" in answer.text
    fresh = cloud.sign("cognito-idp", "POST", "/", LIST, ONE, key=key)
    stamp = dict(fresh)["X-Amz-Date"]
    assert list_pools(cloud, _with(headers, "X-Amz-Date", stamp)).refused


@pytest.mark.parametrize(
    "service", ["sts", "lambda", "apigateway", "s3", "execute-api", "imds", "ecs", "*"]
)
def test_a_signature_is_for_one_service(cloud: Attacker, service: str) -> None:
    assert cloud.signed(service, "POST", "/", headers=LIST, body=ONE).refused
    if service != "apigateway":
        assert cloud.signed(service, "GET", "/restapis").refused


CREATE = json.dumps({"PoolName": "made by an attack"}).encode()
TEST_SCOPE = "test/20261121/us-east-1/cognito-idp/aws4_request"
NOBODY_SCOPE = "AKIANOBODYAAAEXAMPLE/20261121/us-east-1/cognito-idp/aws4_request"
GOOD_LOOKING = f"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={NOBODY_SCOPE}"


@pytest.mark.parametrize(
    ("target", "authorization"),
    [
        ("/", None),
        ("/", ""),
        ("/", "Bearer x"),
        ("/", "Basic dGVzdDp0ZXN0"),
        ("/", "AWS test:x"),
        ("/", f"AWS4-HMAC-SHA256 Credential={TEST_SCOPE}"),
        ("/", f"AWS4-HMAC-SHA256 Credential={TEST_SCOPE}, SignedHeaders=host, Signature=0"),
        ("/", f"AWS4-HMAC-SHA1 Credential={TEST_SCOPE}, SignedHeaders=host, Signature=0"),
        ("/", f"AWS4-HMAC-SHA256 Credential={NOBODY_SCOPE}, Credential={TEST_SCOPE}"),
        ("/", f"aws4-hmac-sha256 Credential={TEST_SCOPE}, SignedHeaders=host, Signature=0"),
        ("/", f" AWS4-HMAC-SHA256 Credential={TEST_SCOPE}, SignedHeaders=host, Signature=0"),
        ("/", "AWS4-HMAC-SHA256 Credential=/a/b/c/aws4_request, SignedHeaders=host, Signature=0"),
        ("/?AWSAccessKeyId=test", None),
        ("/?AWSAccessKeyId=test&Signature=x&Expires=9999999999", None),
        (f"/?X-Amz-Credential={TEST_SCOPE}", None),
        (f"/?x-amz-credential={TEST_SCOPE}", None),
        (f"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={TEST_SCOPE}", None),
        (GOOD_LOOKING, None),
        (GOOD_LOOKING, f"AWS4-HMAC-X Credential={TEST_SCOPE}"),
        (GOOD_LOOKING, f"AWS4-ECDSA-P256-SHA256 Credential={TEST_SCOPE}"),
        (GOOD_LOOKING, "AWS test:x"),
        (GOOD_LOOKING, "Bearer x"),
        (f"{GOOD_LOOKING}&X-Amz-Credential={TEST_SCOPE}", None),
        (
            f"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={TEST_SCOPE}&X-Amz-Credential={NOBODY_SCOPE}",
            None,
        ),
        (f"{GOOD_LOOKING}&x-amz-credential={TEST_SCOPE}", None),
        (f"{GOOD_LOOKING}&AWSAccessKeyId=test", None),
    ],
)
def test_no_disguise_makes_a_caller_root(
    cloud: Attacker, target: str, authorization: str | None
) -> None:
    headers = [*JSON.items(), ("X-Amz-Target", COGNITO + "CreateUserPool")]
    if authorization is not None:
        headers.append(("Authorization", authorization))
    answer = cloud.send("POST", target, headers, CREATE)
    assert answer.refused, answer


# -- unsigned calls ------------------------------------------------------------------------


def test_signed_operations_need_a_signature(cloud: Attacker) -> None:
    for method, target, headers, body in (
        ("POST", "/", LIST, ONE),
        ("POST", "/", JSON | {"X-Amz-Target": COGNITO + "AdminInitiateAuth"}, b"{}"),
        ("POST", "/", JSON | {"X-Amz-Target": COGNITO + "AdminCreateUser"}, b"{}"),
        ("POST", "/", FORM, b"Action=ListUsers&Version=2010-05-08"),
        ("POST", "/", FORM, b"Action=AssumeRole&Version=2011-06-15"),
        ("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {}, b""),
        ("GET", "/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15", {}, b""),
        ("GET", "/2015-03-31/functions/", {}, b""),
        ("GET", "/restapis", {}, b""),
        ("POST", "/restapis", {}, b'{"name":"made by an attack"}'),
        ("POST", cloud.method_path, {}, b"{}"),
        ("POST", f"/restapis/{cloud.demo.rest_api_id}/deployments", {}, b"{}"),
        ("DELETE", f"/restapis/{cloud.demo.rest_api_id}", {}, b""),
        ("GET", "/2020-05-31/distribution", {}, b""),
        ("GET", "/bucket", {}, b""),
        ("PUT", "/bucket", {}, b""),
    ):
        answer = cloud.send(method, target, headers, body)
        assert answer.refused, (method, target, answer)
        named = answer.headers.get("x-amzn-ErrorType", "") + answer.text
        assert "MissingAuthenticationToken" in named


@pytest.mark.parametrize(
    "path",
    [
        "/2015-03-31/functions/x/.well-known/jwks.json",
        "/restapis/.well-known/jwks.json",
        "/bucket/.well-known/jwks.json",
        "/bucket/x/.well-known/openid-configuration",
        "/us-east-1_x%2F..%2F..%2Fhealth/.well-known/jwks.json",
    ],
)
@pytest.mark.parametrize("authorization", [None, "Bearer x"])
def test_a_pool_s_public_documents_open_nothing_else(
    cloud: Attacker, path: str, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    assert cloud.send("GET", path, headers).status == 403


def test_a_pool_s_public_documents_are_public(cloud: Attacker) -> None:
    for name in ("jwks.json", "openid-configuration"):
        path = f"/{cloud.demo.user_pool_id}/.well-known/{name}"
        assert cloud.send("GET", path).status == 200
        host = {"Host": "cognito-idp.us-east-1.amazonaws.com"}
        assert cloud.send("GET", path, host).status == 200


def test_public_cognito_operations_need_no_signature(cloud: Attacker) -> None:
    body = {
        "AuthFlow": "USER_AUTH",
        "ClientId": cloud.demo.client_id,
        "AuthParameters": {"USERNAME": cloud.demo.email, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
    }
    headers = JSON | {"X-Amz-Target": COGNITO + "InitiateAuth"}
    for extra in ({}, {"Authorization": "Bearer x"}):
        answer = cloud.send("POST", "/", headers | extra, json.dumps(body).encode())
        assert (answer.status, json.loads(answer.body)["ChallengeName"]) == (200, "EMAIL_OTP")


@pytest.mark.parametrize("service", ["cognito-idp", "cognito-identity"])
def test_the_model_says_which_operations_need_no_signature(cloud: Attacker, service: str) -> None:
    model = Loader().load_service_model(service, "service-2")
    prefix = model["metadata"]["targetPrefix"]
    for operation, facts in model["operations"].items():
        headers = JSON | {"X-Amz-Target": f"{prefix}.{operation}"}
        answer = cloud.send("POST", "/", headers, b"{}")
        asks = "MissingAuthenticationToken" in answer.text
        assert asks == (facts.get("authtype") != "none"), (operation, answer)


INITIATE = COGNITO + "InitiateAuth"
POOL = CREATE[:-1] + b',"ClientId":"abc","AuthFlow":"USER_AUTH","MaxResults":5}'


@pytest.mark.parametrize(
    "targets",
    [
        [INITIATE, COGNITO + "CreateUserPool"],
        [COGNITO + "CreateUserPool", INITIATE],
        [f"{INITIATE}, {COGNITO}CreateUserPool"],
        [f"{INITIATE},{COGNITO}CreateUserPool"],
        [f"{INITIATE}.CreateUserPool"],
        [f"{COGNITO}InitiateAuth.CreateUserPool"],
        [COGNITO.lower() + "CreateUserPool"],
        [COGNITO + "createUserPool"],
        [f" {INITIATE}", "X.CreateUserPool"],
        ["X.CreateUserPool"],
        [""],
    ],
)
def test_an_unsigned_operation_can_t_carry_another_one(cloud: Attacker, targets: list[str]) -> None:
    headers = [*JSON.items(), *(("X-Amz-Target", value) for value in targets)]
    for disguise in ([], [("Authorization", "Bearer x")], [("Authorization", "AWS test:x")]):
        for path in ("/", "/?AWSAccessKeyId=test", "/?Action=CreateUserPool"):
            assert cloud.send("POST", path, headers + disguise, POOL).refused


@pytest.mark.parametrize("path", ["/restapis", "/2015-03-31/functions", "/x", "/%2F", "//"])
def test_an_unsigned_operation_has_one_path(cloud: Attacker, path: str) -> None:
    answer = cloud.send("POST", path, JSON | {"X-Amz-Target": INITIATE}, CREATE)
    assert answer.refused
    assert cloud.send("PUT", "/", JSON | {"X-Amz-Target": INITIATE}, CREATE).refused


ROLE = "Action=AssumeRoleWithWebIdentity"
USER = "Action=CreateUser&UserName=attacker&Version=2010-05-08"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", f"{ROLE}&{USER}"),
        ("", f"{USER}&{ROLE}"),
        ("", f"Actio%6e=CreateUser&{ROLE}&{USER.partition('&')[2]}"),
        ("", f"{ROLE}&Actio%6E=CreateUser&{USER.partition('&')[2]}"),
        ("", f"%41ction=CreateUser&{ROLE}&{USER.partition('&')[2]}"),
        ("", f"{ROLE};{USER}"),
        ("", f"{ROLE}%26{USER}"),
        ("", f"x={ROLE}&{USER}"),
        ("", f"&&{USER}"),
        (f"?{USER}", ROLE),
        (f"?{ROLE}", USER),
        (f"?{USER}", f"{ROLE}&{USER}"),
        (f"?%41ction=CreateUser&{USER.partition('&')[2]}", ROLE),
        ("?Action=&Action=CreateUser&UserName=attacker", ROLE),
        (f"?{USER}", ""),
    ],
)
def test_an_unsigned_action_can_t_carry_another_one(cloud: Attacker, query: str, body: str) -> None:
    form = FORM["Content-Type"]
    for content_type in (form, form.title(), "text/plain", "application/json"):
        for disguise in ({}, {"Authorization": "Bearer x"}, {"Authorization": "x"}):
            headers = {"Content-Type": content_type} | disguise
            answer = cloud.send("POST", f"/{query}", headers, body.encode())
            assert answer.refused, answer
            assert "CreateUserResult" not in answer.text


def test_no_attack_made_a_user(cloud: Attacker) -> None:
    names = {user["UserName"] for user in cloud.client("iam").list_users()["Users"]}
    assert names <= {"limited", "lister", "gateway-admin", "nobody"}


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    "name",
    ["Authorization", "X-Amz-Target", "X-Amz-Date", "Content-Type", "X-Amz-Content-SHA256"],
)
def test_a_header_that_decides_comes_once(cloud: Attacker, name: str, signed: bool) -> None:
    headers = dict(LIST)
    if signed:
        extra = {"X-Amz-Content-SHA256": hashlib.sha256(ONE).hexdigest()}
        headers = dict(cloud.sign("cognito-idp", "POST", "/", LIST | extra, ONE))
        assert list_pools(cloud, headers).status == 200
    value = headers.get(name, "x")
    for twice in (
        [*headers.items(), (name, value)],
        [(name, "x"), *headers.items()],
        [*headers.items(), (name.lower(), "x")],
    ):
        assert list_pools(cloud, twice).refused
