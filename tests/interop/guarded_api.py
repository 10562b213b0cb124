"""A REST API whose every method wants Signature v4, and a user who may call it; made with boto3 on any cloud."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from labkit import sigv4
from tests.support.patience import PATIENCE

REGION = "us-east-1"


@dataclass(frozen=True)
class Answer:
    status: int
    body: str


@dataclass(frozen=True)
class GuardedApi:
    """Sends requests byte by byte as told.

    Attributes:
        endpoint: ``http://127.0.0.1:<port>``.
        host: the API's host name, for the ``Host`` header.
        user: the credentials of somebody who may call it.
        temporary: the same, from STS.
    """

    endpoint: str
    host: str
    user: Credentials
    temporary: Credentials

    def send(self, method: str, target: str, headers: Mapping[str, str], body: str = "") -> Answer:
        address = urlsplit(self.endpoint).netloc
        sent = {"Host": self.host, **{k: v for k, v in headers.items() if k.lower() != "host"}}
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, str(value))
            if not any(name.lower() == "content-length" for name in sent):
                connection.putheader("Content-Length", str(len(body.encode())))
            connection.endheaders(body.encode())
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())
        finally:
            connection.close()

    # -- three ways to sign the same request ----------------------------------------

    def by_labkit(self, request: Request, key: Credentials, **options: Any) -> Answer:
        made = sigv4.sign(
            request.method,
            f"https://{self.host}{request.target}",
            headers=request.headers,
            body=request.body,
            credentials=key,
            region=REGION,
            **options,
        )
        return self.send(request.method, request.target, made.headers, request.body)

    def by_botocore(self, request: Request, key: Credentials) -> Answer:
        made = AWSRequest(
            request.method,
            f"https://{self.host}{request.target}",
            headers=dict(request.headers),
            data=request.body.encode(),
        )
        SigV4Auth(key, "execute-api", REGION).add_auth(made)
        return self.send(request.method, request.target, dict(made.headers.items()), request.body)

    def presigned_by_labkit(self, target: str, key: Credentials, **options: Any) -> Answer:
        url = f"https://{self.host}{target}"
        made = sigv4.presign(
            "GET", url, **{"expires": 60, "credentials": key, "region": REGION, **options}
        )
        return self.send("GET", made.url.removeprefix(f"https://{self.host}"), made.headers)

    def presigned_by_botocore(self, target: str, key: Credentials) -> Answer:
        made = AWSRequest("GET", f"https://{self.host}{target}")
        SigV4QueryAuth(key, "execute-api", REGION, 60).add_auth(made)
        return self.send("GET", made.url.removeprefix(f"https://{self.host}"), {})


@dataclass(frozen=True)
class Request:
    """What is signed and sent.

    Attributes:
        method: the verb.
        target: path and query, percent-encoded.
        headers: the client's own.
        body: text.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: str = ""


_JSON = {"Content-Type": "application/json"}
REQUESTS = [
    Request("GET", "/dev/a", {}),
    Request("GET", "/dev/a/", {}),
    Request("GET", "/dev/a?x=1&x=0&empty=&y=2", {}),
    Request("GET", f"/dev/{quote('ü ሴ 💡', safe='')}?{quote('ä b')}={quote('+:@*=&', safe='')}", {}),
    Request("GET", "/dev/a%2Fb%3Fc%23d%25e", {}),
    Request("GET", "/dev/-._~!$'()*,;=:@", {}),
    Request("GET", "/dev/a", {"X-Own": "a   b", "X-Amz-Meta": "1"}),
    Request("POST", "/dev/a", _JSON, '{"name": "Jürgen"}'),
    Request("POST", "/dev/a?b=%2B", {"Content-Type": "application/x-www-form-urlencoded"}, "a=b+c&d=%C3%BC"),
    Request("PUT", "/dev/a", _JSON, ""),
    Request("PATCH", "/dev/a", _JSON, "[]"),
    Request("DELETE", "/dev/a", {}),
]  # fmt: skip
"""Paths and parameters that signers are known to disagree about."""


def guarded_api(client: Callable[[str], Any], endpoint: str, domain: str = "") -> GuardedApi:
    """Make the API, the user and temporary credentials.

    Args:
        client: makes a boto3 client of an administrator.
        endpoint: where the cloud listens.
        domain: what follows the API's id in its host name; AWS's when empty.
    """
    gateway, iam, sts = client("apigateway"), client("iam"), client("sts")
    api_id = gateway.create_rest_api(name="guarded")["id"]
    root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    proxy = gateway.create_resource(restApiId=api_id, parentId=root, pathPart="{proxy+}")["id"]
    method = {"restApiId": api_id, "resourceId": proxy, "httpMethod": "ANY"}
    gateway.put_method(**method, authorizationType="AWS_IAM")
    kinds = ("application/json", "application/x-www-form-urlencoded", "text/plain")
    templates = dict.fromkeys(kinds, '{"statusCode": 200}')
    gateway.put_integration(**method, type="MOCK", requestTemplates=templates)
    gateway.put_method_response(**method, statusCode="200")
    gateway.put_integration_response(
        **method, statusCode="200", responseTemplates={"application/json": '"in"'}
    )
    gateway.create_deployment(restApiId=api_id, stageName="dev")
    iam.create_user(UserName="caller")
    allowed = {"Effect": "Allow", "Action": ["execute-api:Invoke", "sts:*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="caller", PolicyName="given", PolicyDocument=policy)
    key = iam.create_access_key(UserName="caller")["AccessKey"]
    me = sts.get_caller_identity()["Account"]
    everybody = {"AWS": f"arn:aws:iam::{me}:root"}
    trust = {"Effect": "Allow", "Principal": everybody, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="caller",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    iam.put_role_policy(RoleName="caller", PolicyName="given", PolicyDocument=policy)
    caller = boto3.client(
        "sts",
        endpoint_url=sts.meta.endpoint_url,
        region_name=sts.meta.region_name,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(proxies={}),
    )
    session = caller.assume_role(RoleArn=role, RoleSessionName="interop")["Credentials"]
    return GuardedApi(
        endpoint,
        f"{api_id}.{domain or f'execute-api.{REGION}.amazonaws.com'}",
        Credentials(key["AccessKeyId"], key["SecretAccessKey"]),
        Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]),
    )
