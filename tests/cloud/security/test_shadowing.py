"""No name that a caller registers, and no body that is decoded later, goes round the front door."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.support.attacker import Answer, Attacker

OWN_HOSTS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "[::1]",
    "::1",
    "::ffff:127.0.0.1",
    "0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "api.localhost",
    "localhost.localdomain",
    "cognito-idp.us-east-1.amazonaws.com",
    "apigateway.us-east-1.amazonaws.com",
    "s3.amazonaws.com",
    "abc.execute-api.us-east-1.amazonaws.com",
    "d111111abcdef8.cloudfront.net",
    "shop.auth.us-east-1.amazoncognito.com",
    "*.amazonaws.com",
    "127.0.0.1:80",
    "api.example.com/x",
    "api.example.com\n",
    "",
]


def post(cloud: Attacker, path: str, body: Any, encoding: str | None = None) -> Answer:
    raw = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if encoding is not None:
        headers["Content-Encoding"] = encoding
        raw = gzip.compress(raw)
    return cloud.signed("apigateway", "POST", path, headers=headers, body=raw)


@pytest.fixture(autouse=True)
def _the_cloud_answers(cloud: Attacker) -> Any:
    yield
    token = {"x-labkit-token": cloud.settings.admin_token}
    assert cloud.send("GET", "/_labkit/health", token).status == 200
    assert cloud.client("apigateway").get_domain_names()["items"] == []
    assert cloud.client("apigatewayv2").get_domain_names()["Items"] == []


@pytest.mark.parametrize("path", ["/domainnames", "/v2/domainnames"])
@pytest.mark.parametrize("name", OWN_HOSTS)
def test_no_domain_name_is_the_clouds_own_host(cloud: Attacker, path: str, name: str) -> None:
    assert post(cloud, path, {"domainName": name}).status == 400


@pytest.mark.parametrize("name", [None, 7, ["127.0.0.1"], {"a": "127.0.0.1"}])
def test_a_domain_name_is_a_text(cloud: Attacker, name: Any) -> None:
    for path in ("/domainnames", "/v2/domainnames"):
        assert post(cloud, path, {"domainName": name}).status == 400


@pytest.mark.parametrize(
    "path", ["/domainnames/", "//domainnames", "/%64omainnames", "/v2//domainnames"]
)
def test_no_spelling_of_the_path_goes_round_the_check(cloud: Attacker, path: str) -> None:
    assert post(cloud, path, {"domainName": "127.0.0.1"}).status in (403, 404)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity, gzip", "aws-chunked"])
def test_no_encoded_body_goes_round_a_check(cloud: Attacker, encoding: str) -> None:
    for path in ("/domainnames", "/v2/domainnames"):
        assert post(cloud, path, {"domainName": "127.0.0.1"}, encoding).status == 403
    assert post(cloud, "/restapis", {"name": "x", "policy": "x" * 9000}, encoding).status == 403


def test_no_chunked_body_goes_round_a_check(cloud: Attacker) -> None:
    body = json.dumps({"domainName": "127.0.0.1"}).encode()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    length = {"x-amz-decoded-content-length": str(len(body))}
    for headers in (length, {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}):
        answer = cloud.signed("apigateway", "POST", "/domainnames", headers=headers, body=chunked)
        assert answer.status == 403, answer.text


def test_an_object_keeps_its_encoding(cloud: Attacker) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="encoded")
    s3.put_object(Bucket="encoded", Key="x", Body=gzip.compress(b"x"), ContentEncoding="gzip")
    assert s3.get_object(Bucket="encoded", Key="x")["ContentEncoding"] == "gzip"
    s3.delete_object(Bucket="encoded", Key="x")
    s3.delete_bucket(Bucket="encoded")
