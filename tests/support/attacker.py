"""What somebody on the same computer can send to a running cloud: any bytes, and signatures with any key."""

import http.client
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import botocore.auth
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from labkit.course.tasks import Demo
from labkit.lab.session import Lab
from labkit.local.settings import CloudSettings
from tests.support.attached_cloud import cloud_settings
from tests.support.patience import PATIENCE

COGNITO = "AWSCognitoIdentityProviderService."
JSON = {"Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Headers = Iterable[tuple[str, str]]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def refused(self) -> bool:
        return self.status in (400, 401, 403)


@dataclass
class Attacker:
    lab: Lab
    directory: Path
    demo: Demo
    answers: list[Answer] = field(default_factory=list)

    @cached_property
    def settings(self) -> CloudSettings:
        return cloud_settings(self.directory)

    @property
    def pid(self) -> int:
        return int((self.directory / "work" / "instance.pid").read_text())

    @property
    def loopback(self) -> str:
        return f"127.0.0.1:{self.settings.port}"

    @property
    def api_host(self) -> str:
        return f"{self.demo.rest_api_id}.execute-api.us-east-1.amazonaws.com"

    @property
    def method_path(self) -> str:
        return f"/restapis/{self.demo.rest_api_id}/resources/{self.demo.resource_id}/methods/GET"

    # -- sending ------------------------------------------------------------------

    def send(
        self, method: str, target: str, headers: Headers | dict[str, str] = (), body: bytes = b""
    ) -> Answer:
        """A request, byte by byte as told; Host is the loopback's if it isn't given."""
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        names = {name.lower() for name, _value in pairs}
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.port, timeout=PATIENCE)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            if "host" not in names:
                connection.putheader("Host", self.loopback)
            for name, value in pairs:
                connection.putheader(name, value)
            if "content-length" not in names:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            answer = Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()
        self.answers.append(answer)
        return answer

    def sign(
        self,
        service: str,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        *,
        key: Credentials | None = None,
        age: timedelta = timedelta(0),
    ) -> list[tuple[str, str]]:
        """The headers of a request with a genuine signature, made `age` ago."""
        request = AWSRequest(method, f"http://{self.loopback}{target}", headers or {}, body)
        with _clock(age):
            SigV4Auth(key or self.root, service, "us-east-1").add_auth(request)
        return list(request.headers.items())

    def presign(
        self,
        target: str,
        *,
        service: str = "sts",
        key: Credentials | None = None,
        age: timedelta = timedelta(0),
        expires: int = 60,
    ) -> str:
        """The path and query of a presigned GET."""
        request = AWSRequest("GET", f"http://{self.loopback}{target}")
        with _clock(age):
            SigV4QueryAuth(key or self.root, service, "us-east-1", expires=expires).add_auth(
                request
            )
        return request.url.partition(self.loopback)[2]

    def signed(self, service: str, method: str, target: str, **options: Any) -> Answer:
        headers = self.sign(service, method, target, **options)
        return self.send(method, target, headers, options.get("body", b""))

    def unknown_key(self, service: str = "iam", key_id: str = "AKIANOBODYAAAEXAMPLE") -> Headers:
        """A header that looks signed, with a key that nobody has."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        return [
            (
                "Authorization",
                f"AWS4-HMAC-SHA256 Credential={key_id}/{now[:8]}/us-east-1/{service}/aws4_request, "
                f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
            ),
            ("X-Amz-Date", now),
        ]

    # -- identities -----------------------------------------------------------------

    @property
    def root(self) -> Credentials:
        return Credentials(self.settings.access_key_id, self.settings.secret_access_key)

    def client(self, service: str, key: Credentials | None = None) -> Any:
        key = key or self.root
        return boto3.client(
            service,
            endpoint_url=self.settings.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key.access_key,
            aws_secret_access_key=key.secret_key,
            aws_session_token=key.token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def user(self, name: str, *actions: str) -> Credentials:
        """A user who may do these actions."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if actions:
            statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            policy = {"Version": "2012-10-17", "Statement": [statement]}
            iam.put_user_policy(
                UserName=name, PolicyName="given", PolicyDocument=json.dumps(policy)
            )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    # -- what an attack could have changed --------------------------------------------

    def inventory(self) -> dict[str, list[str]]:
        gateway, cognito = self.client("apigateway"), self.client("cognito-idp")
        scopes = gateway.get_method(
            restApiId=self.demo.rest_api_id, resourceId=self.demo.resource_id, httpMethod="GET"
        )["authorizationScopes"]
        pools = cognito.list_user_pools(MaxResults=60)["UserPools"]
        users = cognito.list_users(UserPoolId=self.demo.user_pool_id)["Users"]
        functions = self.client("lambda").list_functions()["Functions"]
        return {
            "pools": [pool["Name"] for pool in pools],
            "pool users": [user["Username"] for user in users],
            "functions": [function["FunctionName"] for function in functions],
            "apis": [api["name"] for api in gateway.get_rest_apis()["items"]],
            "scopes": scopes,
        }

    def nothing_leaked(self) -> None:
        """No answer to anything ever sent names the cloud's secret or its token; neither does its log."""
        assert self.answers
        everything = [json.dumps(answer.headers) + answer.text for answer in self.answers]
        everything.append((self.directory / "cloud.log").read_text())
        for secret in (self.settings.secret_access_key, self.settings.admin_token):
            assert not any(secret in text for text in everything)


def _clock(age: timedelta) -> Any:
    def then(*_arguments: Any, **_options: Any) -> datetime:
        return (datetime.now(UTC) - age).replace(tzinfo=None)

    return mock.patch.object(botocore.auth, "get_current_datetime", then)
