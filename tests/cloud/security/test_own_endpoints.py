"""MiniStack's own endpoints, which it doesn't guard, can't be reached by anyone, however the path is spelled."""

import pytest
from botocore.credentials import Credentials

from tests.support.attacker import Attacker

ENDPOINTS = [
    ("GET", "/health"),
    ("GET", "/_ministack/health"),
    ("GET", "/_ministack/ready"),
    ("POST", "/_ministack/reset"),
    ("POST", "/_ministack/config"),
    ("GET", "/_ministack/ses/messages"),
    ("GET", "/_ministack/lambda-code/d-lambda-nonvpc-cmp-demo-function"),
    ("POST", "/_ministack/rds/iam-auth"),
    ("POST", "/_ministack/eks-auth/x"),
    ("PUT", "/_ministack/cfn-response/x"),
    ("GET", "/_localstack/health"),
    ("GET", "/_localstack/anything"),
    ("GET", "/_aws/lambda-url/0123456789abcdef0123456789abcdef/"),
    ("GET", "/_aws/ses"),
    ("GET", "/_alb/x/"),
    ("GET", "/oauth2/authorize?client_id={client}&response_type=code&redirect_uri=http://evil"),
    ("POST", "/oauth2/token"),
    ("GET", "/oauth2/userInfo"),
    ("POST", "/oauth2/login"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/logout?client_id={client}&logout_uri=http://evil"),
    ("POST", "/saml2/idpresponse"),
    ("GET", "/latest/meta-data/iam/security-credentials/"),
    ("GET", "/oidc/x/.well-known/openid-configuration"),
    ("GET", "/restapis/{api}/dev/_user_request_/demo"),
    ("GET", "/iceberg/v1/config"),
    ("GET", "/v20180820/mrap/instances"),
    ("POST", "/Execute"),
]
SPELLINGS = {
    "as it is": lambda path: path,
    "encoded": lambda path: "/" + "".join(f"%{ord(letter):02X}" for letter in path[1:3]) + path[3:],
    "lower hex": lambda path: "/" + f"%{ord(path[1]):02x}" + path[2:],
    "encoded slash": lambda path: "/" + path[1:].replace("/", "%2F"),
    "first slash encoded": lambda path: "/%2F" + path[1:],
    "two slashes": lambda path: "/" + path,
    "dot segment": lambda path: "/." + path,
    "encoded dot segment": lambda path: "/%2E" + path,
    "up": lambda path: "/.." + path,
    "upper case": lambda path: path.swapcase(),
}


def _forbidden(status: int, body: bytes) -> bool:
    return status == 403 and body == b'{"message":"Forbidden"}'


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_they_are_shut_whoever_asks(cloud: Attacker, spelling: str, limited: Credentials) -> None:
    for method, template in ENDPOINTS:
        path = template.format(client=cloud.demo.client_id, api=cloud.demo.rest_api_id)
        target = SPELLINGS[spelling](path)
        for headers in (
            [],
            cloud.unknown_key(),
            cloud.unknown_key(key_id="test"),
            cloud.sign("iam", method, target),
            cloud.sign("s3", method, target),
            cloud.sign("cognito-idp", method, target, key=limited),
        ):
            answer = cloud.send(method, target, headers)
            assert _forbidden(answer.status, answer.body), (method, target, answer)


def test_nothing_is_reached_through_the_hosts_of_aws(cloud: Attacker) -> None:
    for host in ("cognito-idp.us-east-1.amazonaws.com", "apigateway.us-east-1.amazonaws.com"):
        for method, template in ENDPOINTS:
            path = template.format(client=cloud.demo.client_id, api=cloud.demo.rest_api_id)
            headers = cloud.sign("iam", method, path, {"Host": host})
            answer = cloud.send(method, path, headers)
            assert _forbidden(answer.status, answer.body), (method, path, answer)


def test_a_path_that_is_encoded_twice_is_no_endpoint(cloud: Attacker) -> None:
    for service in ("lambda", "cloudfront", "s3"):
        answer = cloud.signed(service, "GET", "/%255Fministack/health")
        assert answer.status in (400, 403, 404)
        assert "available" not in answer.text


def test_by_an_api_s_host_everything_is_the_api_s(cloud: Attacker) -> None:
    for _method, path in ENDPOINTS:
        answer = cloud.send("GET", path.partition("?")[0], {"Host": cloud.api_host})
        assert answer.status == 403
        assert answer.headers["x-amzn-ErrorType"] == "ForbiddenException"
