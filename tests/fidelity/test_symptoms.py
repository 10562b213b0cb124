"""Each of the 30 symptoms, made to happen on a genuine local cloud: the error doctor names its true cause first.

With the journey, always; from the bytes alone, wherever they can tell.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jwt
import pytest
import requests
from botocore.exceptions import ClientError

from labkit import sigv4
from labkit.doctor import explain
from labkit.journey import Journey
from tests.support.gateway import ADMIN_SCOPE, STAGE, TRUST, Gateway
from tests.support.rest_api import Api

GUARD = """
def handler(event, context):
    asked = event["authorizationToken"]
    if asked == "unauthorized":
        raise Exception("Unauthorized")
    if asked == "crash":
        raise RuntimeError("a secret detail")
    if asked == "web":
        return {"statusCode": 401, "body": "no"}
    effect = "Deny" if asked == "deny" else "Allow"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": "somebody",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"roles": ["admin"]} if asked == "context" else {},
    }
"""
"""An authorizer that does what its token says, right or wrong."""
FROM_PAGE = {"Origin": "https://example.com"}
LOCAL_HOST_ONLY = (
    "the local cloud has no CloudFront in front of an API yet, so nothing forwards a Host"
)


# -- the stage on which they happen ---------------------------------------------------------------


@dataclass
class Keys:
    access_key: str
    secret_key: str
    token: str | None = None


class Scene:
    """APIs with everything that can go wrong.

    Args:
        gateway: the cloud and its users.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.cloud = gateway.cloud

    # -- calling --------------------------------------------------------------------

    def call(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        api: Api | None = None,
        data: bytes | None = None,
    ) -> requests.Response:
        api_id = (api or self.api).id
        return self.cloud.send(api_id, f"/{STAGE}{path}", method, headers, data)

    def signed(self, path: str, method: str = "GET", **settings: Any) -> dict[str, str]:
        host = f"{self.api.id}.execute-api.{self.cloud.region}.amazonaws.com"
        options = {"credentials": self.root, "region": self.cloud.region, **settings}
        return sigv4.sign(method, f"https://{host}/{STAGE}{path}", **options).headers

    def token(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.gateway.token(name)}"}

    # -- who calls ----------------------------------------------------------------------

    @cached_property
    def root(self) -> Keys:
        return Keys(self.cloud.access_key_id, self.cloud.secret_access_key)

    @cached_property
    def role_arn(self) -> str:
        trust = {
            **TRUST,
            "Statement": [
                *TRUST["Statement"],
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": self.cloud.account_id},
                    "Action": "sts:AssumeRole",
                },
            ],
        }
        iam = self.cloud.client("iam")
        made = iam.create_role(RoleName="symptoms", AssumeRolePolicyDocument=json.dumps(trust))
        policy = {"Effect": "Allow", "Action": "apigateway:GET", "Resource": "*"}
        iam.put_role_policy(
            RoleName="symptoms",
            PolicyName="manage",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [policy]}),
        )
        return str(made["Role"]["Arn"])

    def role(self, session_name: str = "session") -> Keys:
        """Temporary credentials of a role that may manage APIs, and not call them."""
        made = self.cloud.assumer.assume_role(RoleArn=self.role_arn, RoleSessionName=session_name)[
            "Credentials"
        ]
        return Keys(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    # -- what they call -------------------------------------------------------------------

    def function(self, name: str, source: str) -> str:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("index.py", source)
        made = self.cloud.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=self.role_arn,
            Handler="index.handler",
            Code={"ZipFile": package.getvalue()},
        )
        return str(made["FunctionArn"])

    def lambda_authorizer(self, api: Api, name: str, *, may_invoke: bool) -> dict[str, Any]:
        arn = self.function(name, GUARD)
        made = api.aws.create_authorizer(
            restApiId=api.id,
            name=name,
            type="TOKEN",
            identitySource="method.request.header.Authorization",
            authorizerUri=f"arn:aws:apigateway:{self.cloud.region}:lambda:path/2015-03-31/functions/{arn}/invocations",
        )
        if may_invoke:
            self.cloud.client("lambda").add_permission(
                FunctionName=name,
                StatementId="gateway",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=f"arn:aws:execute-api:{self.cloud.region}:{self.cloud.account_id}:{api.id}/authorizers/*",
            )
        return {"authorizationType": "CUSTOM", "authorizerId": made["id"]}

    @cached_property
    def api(self) -> Api:
        api = Api(self.gateway)
        api.mock("GET", "/open")
        api.mock("GET", "/iam", authorizationType="AWS_IAM")
        api.mock("POST", "/iam", authorizationType="AWS_IAM")
        api.mock("GET", "/iam/{name}", authorizationType="AWS_IAM")
        pools = api.authorizer(self.gateway.pool)
        api.mock("GET", "/id", **pools)
        api.mock("OPTIONS", "/id", **pools)
        api.mock("GET", "/admin", authorizationScopes=[ADMIN_SCOPE], **pools)
        api.mock("GET", "/scoped", authorizationScopes=["demo/read"], **pools)
        api.function("GET", "/echo", **pools)
        guard = self.lambda_authorizer(api, "guard", may_invoke=True)
        api.mock("GET", "/guarded/first", **guard)
        api.mock("GET", "/guarded/second", **guard)
        api.mock("GET", "/locked", **self.lambda_authorizer(api, "locked-out", may_invoke=False))
        api.function("GET", "/closed", "echo-never-allowed", source_arn=None)
        api.mock("GET", "/key", apiKeyRequired=True)
        api.mock("GET", "/slow-down")
        api.deploy()
        limits = {"rateLimit": "0.001", "burstLimit": "1"}
        api.aws.update_stage(
            restApiId=api.id,
            stageName=STAGE,
            patchOperations=[
                {"op": "replace", "path": f"/~1slow-down/GET/throttling/{name}", "value": value}
                for name, value in limits.items()
            ],
        )
        return api

    def fresh(self) -> Api:
        return Api(self.gateway)

    def client_error(self, service: str, operation: str, **arguments: Any) -> ClientError:
        with pytest.raises(ClientError) as caught:
            getattr(self.cloud.client(service), operation)(**arguments)
        return caught.value


@pytest.fixture(scope="module")
def scene(gateway: Gateway) -> Scene:
    return Scene(gateway)


# -- the symptoms ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What happened, and why.

    Attributes:
        given: the answer.
        cause: its true cause.
        first_by_bytes: whether the bytes and the request alone put it first.
        certain: whether the journey leaves this cause only.
    """

    given: object
    cause: str
    first_by_bytes: bool = True
    certain: bool = True


Reproduce = Callable[[Scene], Shown]
SYMPTOMS: list[tuple[int, str, Reproduce]] = []


def symptom(number: int) -> Callable[[Reproduce], Reproduce]:
    def register(make: Reproduce) -> Reproduce:
        SYMPTOMS.append((number, make.__name__, make))
        return make

    return register


@symptom(1)
def no_such_route(scene: Scene) -> Shown:
    return Shown(scene.call("/opens"), "no-such-route")


@symptom(1)
def an_unsigned_call(scene: Scene) -> Shown:
    return Shown(scene.call("/iam"), "not-signed", first_by_bytes=False)


@symptom(2)
def the_id_token_for_a_scope(scene: Scene) -> Shown:
    return Shown(scene.call("/admin", scene.token("id")), "id-token-but-scopes")


@symptom(2)
def the_access_token_without_a_scope(scene: Scene) -> Shown:
    answer = scene.call("/id", scene.token("access"))
    return Shown(answer, "access-token-but-no-scopes", first_by_bytes=False)


@symptom(3)
def an_empty_bucket(scene: Scene) -> Shown:
    answers = [scene.call("/slow-down") for _ in range(3)]
    return Shown(next(a for a in answers if a.status_code != 200), "throttled")


@symptom(3)
def a_used_up_quota(scene: Scene) -> Shown:
    key = usable_key(scene, quota={"limit": 1, "period": "DAY"})
    answers = [scene.call("/key", {"X-API-Key": key}) for _ in range(2)]
    return Shown(answers[-1], "quota-used-up")


@symptom(3)
def a_key_that_counts_for_nothing(scene: Scene) -> Shown:
    key = usable_key(scene)
    return Shown(
        scene.call("/open", {"X-API-Key": key}),
        "key-not-required",
        first_by_bytes=False,
        certain=False,
    )


@symptom(4)
def a_cached_policy(scene: Scene) -> Shown:
    caller = {"Authorization": "somebody"}
    assert scene.call("/guarded/first", caller).status_code == 200
    return Shown(scene.call("/guarded/second", caller), "policy-cached")


@symptom(5)
def a_body_that_came_after_the_signature(scene: Scene) -> Shown:
    headers = scene.signed("/iam", "POST", headers={"x-amz-content-sha256": sigv4.EMPTY_SHA256})
    answer = scene.call("/iam", headers, "POST", data=b"late")
    return Shown(answer, "changed-after-signing", certain=False)


@symptom(6)
def a_refusal_that_a_web_page_cant_read(scene: Scene) -> Shown:
    return Shown(scene.call("/id", FROM_PAGE), "browser-hides-it")


@symptom(7)
def an_authorizer_in_the_draft_only(scene: Scene) -> Shown:
    api = scene.fresh()
    api.mock("GET", "/open")
    api.deploy()
    api.mock("GET", "/open", **api.authorizer(scene.gateway.pool))
    answer = scene.call("/open", scene.token("id"), api=api)
    return Shown(answer, "authorizer-not-deployed", first_by_bytes=False, certain=False)


@symptom(7)
def a_deployment_that_a_stage_serves(scene: Scene) -> Shown:
    api = scene.fresh()
    api.mock("GET", "/open")
    deployment = api.deploy()
    error = scene.client_error(
        "apigateway", "delete_deployment", restApiId=api.id, deploymentId=deployment
    )
    return Shown(error, "stage-in-use")


@symptom(8)
def an_old_signature(scene: Scene) -> Shown:
    past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=6)
    answer = scene.call("/iam", scene.signed("/iam", now=past))
    assert "older than the time at AWS" in str(explain(answer))
    return Shown(answer, "clock-off", certain=False)


@symptom(8)
def a_signature_from_the_future(scene: Scene) -> Shown:
    future = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=6)
    return Shown(scene.call("/iam", scene.signed("/iam", now=future)), "clock-off")


@symptom(9)
def a_function_that_may_not_be_invoked(scene: Scene) -> Shown:
    return Shown(scene.call("/closed"), "integration-permission")


@symptom(9)
def an_authorizer_that_may_not_be_invoked(scene: Scene) -> Shown:
    answer = scene.call("/locked", {"Authorization": "allow"})
    return Shown(answer, "authorizer-permission", first_by_bytes=False)


@symptom(10)
def a_key_without_a_plan(scene: Scene) -> Shown:
    made = scene.cloud.client("apigateway").create_api_key(name="lonely", enabled=True)
    return Shown(scene.call("/key", {"X-API-Key": made["value"]}), "key-without-plan")


@symptom(10)
def no_key(scene: Scene) -> Shown:
    return Shown(scene.call("/key"), "key-missing")


@symptom(11)
def a_deny(scene: Scene) -> Shown:
    return Shown(scene.call("/guarded/first", {"Authorization": "deny"}), "authorizer-denied")


@symptom(11)
def exactly_unauthorized(scene: Scene) -> Shown:
    answer = scene.call("/guarded/first", {"Authorization": "unauthorized"})
    return Shown(answer, "lambda-said-unauthorized", first_by_bytes=False)


@symptom(11)
def an_authorizer_that_answers_like_a_web_page(scene: Scene) -> Shown:
    answer = scene.call("/guarded/first", {"Authorization": "web"})
    return Shown(answer, "authorizer-http-answer", first_by_bytes=False)


@symptom(12)
def a_scope_that_the_sign_in_never_gives(scene: Scene) -> Shown:
    return Shown(scene.call("/scoped", scene.token("access")), "scope-missing")


@symptom(13)
def a_token_checked_with_another_pools_key(scene: Scene) -> Shown:
    pool = scene.gateway.other_pool
    keys = scene.cloud.http.get(f"{scene.cloud.endpoint}/{pool.id}/.well-known/jwks.json").json()
    key = jwt.PyJWK(keys["keys"][0]).key
    with pytest.raises(jwt.InvalidSignatureError) as caught:
        jwt.decode(scene.gateway.token("id"), key, algorithms=["RS256"], options={"verify_aud": False})  # fmt: skip
    return Shown(caught.value, "wrong-signing-key")


@symptom(13)
def a_token_that_wasnt_copied_whole(scene: Scene) -> Shown:
    half = scene.gateway.token("id")[:100]
    return Shown(scene.call("/id", {"Authorization": half}), "token-unreadable")


@symptom(14)
def a_path_that_was_encoded_once(scene: Scene) -> Shown:
    path = "/iam/me%40example.com"
    headers = scene.signed(path)
    signed_names = ["host", "x-amz-date"]
    canonical = sigv4.canonical_request(
        "GET", f"/{STAGE}{path}", "", headers, signed_names, sigv4.EMPTY_SHA256, service="s3"
    )
    scope = sigv4.CredentialScope(headers["X-Amz-Date"][:8], scene.cloud.region, "execute-api")
    to_sign = sigv4.string_to_sign(headers["X-Amz-Date"], scope, canonical)
    proof = sigv4.signature(scene.root.secret_key, scope, to_sign)
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={scene.root.access_key}/{scope}, "
        f"SignedHeaders={';'.join(signed_names)}, Signature={proof}"
    )
    assert scene.call(path, scene.signed(path)).status_code == 200
    return Shown(scene.call(path, headers), "encoding", certain=False)


@symptom(15)
def a_refresh_token_that_isnt_one(scene: Scene) -> Shown:
    error = scene.client_error(
        "cognito-idp",
        "initiate_auth",
        ClientId=scene.gateway.pool.clients["app"],
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": "not-a-refresh-token"},
    )
    return Shown(error, "refresh-token")


@symptom(16)
def an_authorizer_that_crashes(scene: Scene) -> Shown:
    answer = scene.call("/guarded/first", {"Authorization": "crash"})
    return Shown(answer, "authorizer-crashed")


@symptom(17)
def another_region(scene: Scene) -> Shown:
    answer = scene.call("/iam", scene.signed("/iam", region="eu-west-1"))
    return Shown(answer, "wrong-region")


@symptom(17)
def another_service(scene: Scene) -> Shown:
    answer = scene.call("/iam", scene.signed("/iam", service="apigateway"))
    return Shown(answer, "wrong-service")


@symptom(18)
def a_list_in_the_context(scene: Scene) -> Shown:
    answer = scene.call("/guarded/first", {"Authorization": "context"})
    return Shown(answer, "context-not-flat", first_by_bytes=False)


@symptom(19)
def no_session_token(scene: Scene) -> Shown:
    keys = scene.role()
    answer = scene.call(
        "/iam", scene.signed("/iam", credentials=Keys(keys.access_key, keys.secret_key))
    )
    return Shown(answer, "session-token-missing")


@symptom(20)
def a_verifier_that_looks_for_aud_in_an_access_token(scene: Scene) -> Shown:
    token = scene.gateway.token("access")
    with pytest.raises(jwt.MissingRequiredClaimError) as caught:
        jwt.decode(
            token,
            audience="app",
            algorithms=["RS256"],
            options={"verify_signature": False, "verify_aud": True},
        )
    return Shown(caught.value, "audience")


@symptom(21)
def a_resource_policy_that_says_nothing(scene: Scene) -> Shown:
    return Shown(scene.call("/silent", api=with_policy(scene)), "resource-policy-silent")


@symptom(21)
def a_resource_policy_that_denies(scene: Scene) -> Shown:
    return Shown(scene.call("/denied", api=with_policy(scene)), "resource-policy-denied")


@symptom(22)
def a_guarded_preflight(scene: Scene) -> Shown:
    asks = {**FROM_PAGE, "Access-Control-Request-Method": "GET"}
    return Shown(scene.call("/id", asks, "OPTIONS"), "preflight-refused")


@symptom(22)
def no_method_for_the_preflight(scene: Scene) -> Shown:
    asks = {**FROM_PAGE, "Access-Control-Request-Method": "GET"}
    return Shown(scene.call("/scoped", asks, "OPTIONS"), "preflight-refused")


@symptom(23)
def a_flow_that_isnt_enabled(scene: Scene) -> Shown:
    error = scene.client_error(
        "cognito-idp",
        "initiate_auth",
        ClientId=scene.gateway.pool.clients["app"],
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": "jane"},
    )
    return Shown(error, "flow-not-enabled")


@symptom(24)
def a_token_on_an_unknown_route(scene: Scene) -> Shown:
    return Shown(scene.call("/ids", scene.token("id")), "token-on-unknown-route")


@symptom(24)
def a_token_on_an_iam_method(scene: Scene) -> Shown:
    answer = scene.call("/iam", scene.token("id"))
    return Shown(answer, "token-on-iam-method", first_by_bytes=False)


@symptom(25)
def a_factor_that_isnt_offered(scene: Scene) -> Shown:
    cognito = scene.cloud.client("cognito-idp")
    pool = cognito.create_user_pool(
        PoolName="choices",
        UsernameAttributes=["email"],
        Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}},
    )["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(
        UserPoolId=pool,
        Username="new@example.com",
        TemporaryPassword="Correct-Horse-7",
        MessageAction="SUPPRESS",
        UserAttributes=[
            {"Name": "email", "Value": "new@example.com"},
            {"Name": "email_verified", "Value": "true"},
        ],
    )
    wish = {"USERNAME": "new@example.com", "PREFERRED_CHALLENGE": "EMAIL_OTP"}
    answer = scene.cloud.http.post(
        scene.cloud.endpoint,
        headers={
            "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
            "Content-Type": "application/x-amz-json-1.1",
        },
        data=json.dumps({"ClientId": client, "AuthFlow": "USER_AUTH", "AuthParameters": wish}),
    )
    assert answer.status_code == 200
    return Shown(answer, "factor-not-offered")


@symptom(26)
def a_signature_where_a_token_is_wanted(scene: Scene) -> Shown:
    return Shown(scene.call("/id", scene.signed("/id")), "signature-to-cognito")


@symptom(26)
def a_role_that_may_manage_apis_but_not_call_them(scene: Scene) -> Shown:
    keys = scene.role("CognitoIdentityCredentials")
    answer = scene.call("/iam", scene.signed("/iam", credentials=keys))
    return Shown(answer, "role-for-control-plane", certain=False)


@symptom(27)
def a_token_that_outlives_the_sign_out(scene: Scene) -> Shown:
    pool = scene.gateway.pool
    pool.user("outliving")
    access = pool.sign_in("outliving")["access"]
    answer = scene.cloud.http.post(
        scene.cloud.endpoint,
        headers={
            "X-Amz-Target": "AWSCognitoIdentityProviderService.GlobalSignOut",
            "Content-Type": "application/x-amz-json-1.1",
        },
        data=json.dumps({"AccessToken": access}),
    )
    assert answer.status_code == 200
    assert scene.call("/admin", {"Authorization": access}).status_code == 200
    return Shown(answer, "sign-out-doesnt-close")


@symptom(27)
def a_user_who_signed_out(scene: Scene) -> Shown:
    pool = scene.gateway.pool
    pool.user("leaving")
    access = pool.sign_in("leaving")["access"]
    scene.cloud.client("cognito-idp").global_sign_out(AccessToken=access)
    return Shown(scene.client_error("cognito-idp", "get_user", AccessToken=access), "signed-out")


@symptom(28)
def groups_that_arrive_as_text(scene: Scene) -> Shown:
    answer = scene.call("/echo", scene.token("id of a user in two groups"))
    assert answer.status_code == 200
    return Shown(answer, "groups-as-text", certain=False)


@symptom(29)
def no_secret_hash(scene: Scene) -> Shown:
    return Shown(without_secret(scene, {}), "secret-hash")


@symptom(29)
def a_wrong_secret_hash(scene: Scene) -> Shown:
    wrong = base64.b64encode(bytes(32)).decode()
    return Shown(without_secret(scene, {"SECRET_HASH": wrong}), "secret-hash")


def usable_key(scene: Scene, **plan: Any) -> str:
    """An API key with a usage plan that holds the stage."""
    aws = scene.cloud.client("apigateway")
    key = aws.create_api_key(name="good", enabled=True)
    made = aws.create_usage_plan(
        name="good", apiStages=[{"apiId": scene.api.id, "stage": STAGE}], **plan
    )
    aws.create_usage_plan_key(usagePlanId=made["id"], keyId=key["id"], keyType="API_KEY")
    return str(key["value"])


def with_policy(scene: Scene) -> Api:
    """An API whose resource policy allows one path and denies another."""
    anybody = {"Principal": "*", "Action": "execute-api:Invoke"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Resource": "execute-api:/*/GET/allowed", **anybody},
            {"Effect": "Deny", "Resource": "execute-api:/*/GET/denied", **anybody},
        ],
    }
    api = Api(scene.gateway, policy=json.dumps(policy))
    for path in ("/allowed", "/denied", "/silent"):
        api.mock("GET", path)
    api.deploy()
    assert scene.call("/allowed", api=api).status_code == 200
    return api


def without_secret(scene: Scene, more: Mapping[str, str]) -> ClientError:
    cognito = scene.cloud.client("cognito-idp")
    made = cognito.create_user_pool_client(
        UserPoolId=scene.gateway.pool.id,
        ClientName="confidential",
        GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
    )["UserPoolClient"]
    parameters = {"USERNAME": "jane", "PASSWORD": "Correct-Horse-7", **more}
    return scene.client_error(
        "cognito-idp",
        "initiate_auth",
        ClientId=made["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters=parameters,
    )


# -- the proof ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [pytest.param(make, id=f"{number:02}-{name}") for number, name, make in SYMPTOMS]
)
def test_the_true_cause_is_named(scene: Scene, make: Reproduce) -> None:
    [number] = {n for n, _name, made in SYMPTOMS if made is make}
    shown = make(scene)
    by_bytes = explain(shown.given)
    journey = None
    if isinstance(shown.given, requests.Response) and "x-amz-apigw-id" in shown.given.headers:
        journey = Journey.from_dict(scene.cloud.journey(shown.given))
    found = explain(shown.given, journey=journey)
    assert (found.causes[0].id, found.causes[0].symptom) == (shown.cause, number)
    if shown.first_by_bytes:
        assert by_bytes.causes[0].id == shown.cause
    elif by_bytes.refused:
        assert shown.cause in [cause.id for cause in by_bytes.causes]
    if journey is not None:
        assert found.certain == shown.certain


NOT_HERE = {
    30: LOCAL_HOST_ONLY,
}
"""The symptoms that can't be made to happen on the local cloud; tests/unit/doctor/test_explain.py has their texts."""


@pytest.mark.parametrize(
    "number", [pytest.param(number, id=f"{number}: {why}") for number, why in NOT_HERE.items()]
)
def test_what_cant_happen_here_is_said(number: int) -> None:
    assert number not in {n for n, _name, _make in SYMPTOMS}


def test_all_30_are_accounted_for() -> None:
    assert {n for n, _name, _make in SYMPTOMS} | set(NOT_HERE) == set(range(1, 31))
