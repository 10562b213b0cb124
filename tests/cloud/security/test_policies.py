"""IAM users may do what their policies say, also where labkit answers in front of MiniStack."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.support.attacker import COGNITO, FORM, JSON, Attacker

DENIED = {"AccessDenied", "AccessDeniedException", "NotAuthorizedException"}


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


def test_a_user_may_do_what_the_policy_says(cloud: Attacker, limited: Credentials) -> None:
    assert cloud.client("cognito-idp", limited).list_user_pools(MaxResults=10)["UserPools"]
    who = cloud.client("sts", limited).get_caller_identity()
    assert who["Arn"].endswith("user/limited")


CALLS: dict[str, Callable[[Attacker, Credentials], Any]] = {
    "CreateFunction": lambda cloud, key: cloud.client("lambda", key).create_function(
        FunctionName="made-by-an-attack",
        Runtime="python3.13",
        Role="arn:aws:iam::123456789012:role/x",
        Handler="a.b",
        Code={"ZipFile": _package()},
    ),
    "Invoke": lambda cloud, key: cloud.client("lambda", key).invoke(
        FunctionName=cloud.demo.function_arn
    ),
    "GetRestApis": lambda cloud, key: cloud.client("apigateway", key).get_rest_apis(),
    "CreateRestApi": lambda cloud, key: cloud.client("apigateway", key).create_rest_api(
        name="made by an attack"
    ),
    "CreateDeployment": lambda cloud, key: cloud.client("apigateway", key).create_deployment(
        restApiId=cloud.demo.rest_api_id, stageName="attack"
    ),
    "DeleteRestApi": lambda cloud, key: cloud.client("apigateway", key).delete_rest_api(
        restApiId=cloud.demo.rest_api_id
    ),
    "TestInvokeMethod": lambda cloud, key: cloud.client("apigateway", key).test_invoke_method(
        restApiId=cloud.demo.rest_api_id, resourceId=cloud.demo.resource_id, httpMethod="GET"
    ),
    "UpdateMethod": lambda cloud, key: update_scopes(cloud, key),
    "AdminInitiateAuth": lambda cloud, key: cloud.client("cognito-idp", key).admin_initiate_auth(
        UserPoolId=cloud.demo.user_pool_id,
        ClientId=cloud.demo.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": cloud.demo.email},
    ),
    "AdminRespondToAuthChallenge": lambda cloud, key: cloud.client(
        "cognito-idp", key
    ).admin_respond_to_auth_challenge(
        UserPoolId=cloud.demo.user_pool_id,
        ClientId=cloud.demo.client_id,
        ChallengeName="EMAIL_OTP",
    ),
    "AdminCreateUser": lambda cloud, key: cloud.client("cognito-idp", key).admin_create_user(
        UserPoolId=cloud.demo.user_pool_id, Username="attack@example.com"
    ),
    "AdminSetUserPassword": lambda cloud, key: cloud.client(
        "cognito-idp", key
    ).admin_set_user_password(
        UserPoolId=cloud.demo.user_pool_id, Username=cloud.demo.email, Password="Passw0rd!"
    ),
    "CreateUserPool": lambda cloud, key: cloud.client("cognito-idp", key).create_user_pool(
        PoolName="made by an attack"
    ),
    "UpdateUserPool": lambda cloud, key: cloud.client("cognito-idp", key).update_user_pool(
        UserPoolId=cloud.demo.user_pool_id
    ),
    "CreateUser": lambda cloud, key: cloud.client("iam", key).create_user(UserName="attacker"),
    "PutUserPolicy": lambda cloud, key: cloud.client("iam", key).put_user_policy(
        UserName="limited", PolicyName="more", PolicyDocument="{}"
    ),
    "CreateBucket": lambda cloud, key: cloud.client("s3", key).create_bucket(Bucket="attack"),
    "ListDistributions": lambda cloud, key: cloud.client("cloudfront", key).list_distributions(),
    "ListEmailIdentities": lambda cloud, key: cloud.client("sesv2", key).list_email_identities(),
    "SendEmail": lambda cloud, key: cloud.client("ses", key).list_identities(),
    "DescribeLogGroups": lambda cloud, key: cloud.client("logs", key).describe_log_groups(),
    "ListWebACLs": lambda cloud, key: cloud.client("wafv2", key).list_web_acls(Scope="REGIONAL"),
    "GetResources": lambda cloud, key: cloud.client(
        "resourcegroupstaggingapi", key
    ).get_resources(),
}


def _package() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("a.py", "b = print")
    return buffer.getvalue()


def update_scopes(cloud: Attacker, key: Credentials) -> Any:
    return cloud.client("apigateway", key).update_method(
        restApiId=cloud.demo.rest_api_id,
        resourceId=cloud.demo.resource_id,
        httpMethod="GET",
        patchOperations=[{"op": "add", "path": "/authorizationScopes", "value": "attack"}],
    )


@pytest.mark.parametrize("operation", CALLS)
def test_and_nothing_else(cloud: Attacker, limited: Credentials, operation: str) -> None:
    assert code_of(lambda: CALLS[operation](cloud, limited)) in DENIED


def test_with_permission_the_calls_that_labkit_answers_work(cloud: Attacker) -> None:
    """The denials above are the policy's: the same calls by a user who may."""
    key = cloud.user(
        "nobody", "apigateway:POST", "apigateway:PATCH", "cognito-idp:AdminInitiateAuth"
    )
    assert CALLS["TestInvokeMethod"](cloud, key)["status"] == 200
    assert "attack" in update_scopes(cloud, key)["authorizationScopes"]
    cloud.client("apigateway").update_method(
        restApiId=cloud.demo.rest_api_id,
        resourceId=cloud.demo.resource_id,
        httpMethod="GET",
        patchOperations=[{"op": "remove", "path": "/authorizationScopes", "value": "attack"}],
    )
    assert CALLS["AdminInitiateAuth"](cloud, key)["Session"]


def test_a_foreign_key_can_t_call_restapis(cloud: Attacker) -> None:
    for method, path in (("POST", "/restapis"), ("POST", cloud.method_path), ("GET", "/restapis")):
        assert cloud.send(method, path, cloud.unknown_key("apigateway"), b"{}").refused
        incomplete = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAX/1"}
        assert cloud.send(method, path, incomplete, b"{}").refused


@pytest.mark.parametrize("service", ["cognito-idp", "sts", "iam", "s3", "lambda", "imds", "ses"])
@pytest.mark.parametrize("query", ["", "?Action=GetCallerIdentity", "?Action=ListUserPools"])
def test_a_signature_for_another_service_doesn_t_help(
    cloud: Attacker, limited: Credentials, service: str, query: str
) -> None:
    path = cloud.method_path + query
    for method, body in (
        ("POST", b"{}"),
        (
            "PATCH",
            b'{"patchOperations":[{"op":"add","path":"/authorizationScopes","value":"attack"}]}',
        ),
    ):
        assert cloud.signed(service, method, path, body=body, key=limited).refused


CREATE = json.dumps({"PoolName": "made by an attack", "MaxResults": 1}).encode()
CREATE_TARGET = JSON | {"X-Amz-Target": COGNITO + "CreateUserPool"}


@pytest.mark.parametrize(
    ("service", "method", "target", "headers", "body"),
    [
        ("cognito-idp", "POST", "/?Action=ListUserPools", CREATE_TARGET, CREATE),
        ("cognito-idp", "POST", "/?action=ListUserPools", CREATE_TARGET, CREATE),
        ("cognito-idp", "POST", "/?%41ction=ListUserPools", CREATE_TARGET, CREATE),
        (
            "cognito-idp",
            "POST",
            "/",
            CREATE_TARGET | FORM,
            b'{"x":"&Action=ListUserPools&","PoolName":"made by an attack"}',
        ),
        ("cognito-idp", "POST", "/", CREATE_TARGET | {"Action": "ListUserPools"}, CREATE),
        ("cognito-idp", "POST", "/", JSON | {"X-Amz-Target": "x.ListUserPools"}, CREATE),
        (
            "cognito-idp",
            "POST",
            "/",
            JSON | {"X-Amz-Target": "awscognitoidentityproviderservice.CreateUserPool"},
            CREATE,
        ),
        (
            "cognito-idp",
            "POST",
            "/",
            JSON | {"X-Amz-Target": COGNITO + "CreateUserPool.ListUserPools"},
            CREATE,
        ),
        ("lambda", "GET", "/2015-03-31/functions/?Action=ListUserPools", {}, b""),
        ("lambda", "GET", "//2015-03-31/functions/", {}, b""),
        ("lambda", "GET", "/2015-03-31/functions//", {}, b""),
        ("lambda", "GET", "/2015-03-31/./functions/", {}, b""),
        ("lambda", "GET", "/2015-03-31/functions%2F", {}, b""),
        ("lambda", "GET", "/%32015-03-31/functions", {}, b""),
        ("lambda", "OPTIONS", "/2015-03-31/functions/", {}, b""),
        ("lambda", "HEAD", "/2015-03-31/functions/", {}, b""),
        ("lambda", "GET", "/2015-03-31/FUNCTIONS/", {}, b""),
        ("lambda", "GET", "/2099-01-01/functions/", {}, b""),
        ("lambda", "GET", "/", {}, b""),
        (
            "lambda",
            "GET",
            "/2015-03-31/functions/",
            {"X-Amz-Target": COGNITO + "ListUserPools"},
            b"",
        ),
        ("apigateway", "HEAD", "/restapis", {}, b""),
        ("apigateway", "OPTIONS", "/restapis", {}, b""),
        ("apigateway", "GET", "/v2/apis", {}, b""),
        ("apigateway", "GET", "/%72estapis", {}, b""),
        ("apigateway", "GET", "//restapis", {}, b""),
        ("cloudfront", "GET", "/2020-05-31/distribution/", {}, b""),
        ("cloudfront", "GET", "/2020-05-31//distribution", {}, b""),
        ("cloudfront", "GET", "/2099-05-31/distribution", {}, b""),
        ("ses", "GET", "/v2/email/identities/", {}, b""),
        ("ses", "GET", "/v2/email//identities", {}, b""),
        ("s3", "GET", "//", {}, b""),
        ("s3", "PATCH", "/bucket", {}, b""),
        ("iam", "POST", "/", FORM, b"Action=ListUsers&Version=2010-05-08&Action=GetUser"),
        ("iam", "POST", "/x", FORM, b"Action=ListUsers&Version=2010-05-08"),
        ("sts", "POST", "/", FORM, b"Action=ListUsers&Version=2010-05-08"),
        ("iam", "POST", "/", FORM, b"action=ListUsers&Version=2010-05-08"),
        ("iam", "POST", "/", {"Content-Type": "text/plain"}, b"Action=ListUsers&Version=1"),
        ("wafv2", "POST", "/", {"X-Amz-Target": "AWSWAF_20190729.x.y"} | JSON, b"{}"),
        ("tagging", "POST", "/", {"X-Amz-Target": COGNITO + "ListUserPools"} | JSON, b"{}"),
    ],
)
def test_no_spelling_of_a_call_evades_the_policy(
    cloud: Attacker,
    limited: Credentials,
    service: str,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes,
) -> None:
    answer = cloud.signed(service, method, target, headers=headers, body=body, key=limited)
    assert answer.refused, answer


# -- temporary and withdrawn keys ---------------------------------------------------------


def session_of(cloud: Attacker) -> Credentials:
    iam = cloud.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(
        RoleName="lister",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]
    allow = {"Effect": "Allow", "Action": "cognito-idp:ListUserPools", "Resource": "*"}
    iam.put_role_policy(
        RoleName="lister",
        PolicyName="list",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    assumer = cloud.user("lister", "sts:AssumeRole")
    made = cloud.client("sts", assumer).assume_role(RoleArn=role["Arn"], RoleSessionName="one")
    keys = made["Credentials"]
    return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def test_a_role_s_keys_need_their_own_session_token(cloud: Attacker) -> None:
    good = session_of(cloud)

    def pools(key: Credentials) -> Any:
        return cloud.client("cognito-idp", key).list_user_pools(MaxResults=1)["UserPools"]

    assert pools(good)
    for token in (None, "", "wrong", (good.token or "")[:-1], cloud.settings.admin_token):
        bad = Credentials(good.access_key, good.secret_key, token)
        code = code_of(lambda key=bad: pools(key))
        assert code in {"UnrecognizedClientException", "InvalidClientTokenId"}
    wrong_secret = Credentials(good.access_key, "wrong", good.token)
    assert code_of(lambda: pools(wrong_secret)) == "InvalidSignatureException"
    assert code_of(lambda: cloud.client("lambda", good).list_functions()) in DENIED


def test_a_withdrawn_key_opens_nothing(cloud: Attacker) -> None:
    key = cloud.user("gateway-admin", "apigateway:*")
    gateway, iam = cloud.client("apigateway", key), cloud.client("iam")
    gateway.get_rest_apis()
    iam.update_access_key(UserName="gateway-admin", AccessKeyId=key.access_key, Status="Inactive")
    inactive = code_of(gateway.get_rest_apis)
    iam.delete_access_key(UserName="gateway-admin", AccessKeyId=key.access_key)
    assert {inactive, code_of(gateway.get_rest_apis)} <= {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
    }
