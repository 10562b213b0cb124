"""How long a Cognito-authorized GET with a MOCK integration takes, compared with MiniStack's own data plane.

    python tests/benchmarks/bench_cognito_mock_call.py

The same API, made with the same boto3 calls, in the local cloud and in MiniStack by itself (as it comes, so it doesn't
verify signatures), called by the same HTTP client over one kept connection each, by turns. The target: the ratio of the
median latencies at most 1.0. A client sends the same token until it expires, and so does this one; the last row is the
first call with a token that the cloud hasn't seen. Ours evaluates every gate and keeps the journey of each request.
"""

from __future__ import annotations

import gc
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peers import Verdict, ministack, percentile, scratch_directory

ROUNDS = 40
CALLS = 50  # a round and a cloud
WARM_UP = 100
FRESH_TOKENS = 60
EMAIL, PASSWORD = "jane@example.com", "Correct-Horse-7"


@contextmanager
def local_cloud(directory: Path) -> Iterator[dict[str, str]]:
    """`python -m labkit.local` and what it announces."""
    with (
        (directory / "labkit.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "labkit.local", "--port", "0"],
            env=os.environ | {"TMPDIR": str(directory)},
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


class Target:
    """An API in one of the clouds, a token for it, and a kept connection."""

    def __init__(self, endpoint: str, access_key_id: str, secret_access_key: str) -> None:
        import boto3

        session = boto3.Session(access_key_id, secret_access_key, region_name="us-east-1")
        cognito = session.client("cognito-idp", endpoint_url=endpoint)
        pool_id, self._sign_in = user_of_new_pool(cognito)
        account_id = session.client("sts", endpoint_url=endpoint).get_caller_identity()["Account"]
        pool_arn = f"arn:aws:cognito-idp:us-east-1:{account_id}:userpool/{pool_id}"
        api_id = guarded_api(session.client("apigateway", endpoint_url=endpoint), pool_arn)
        self._path = f"/_aws/execute-api/{api_id}/dev/demo"
        self._headers = {"Authorization": self._sign_in()}
        self._connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=10)
        assert self._get({}) == (401, b'{"message":"Unauthorized"}')
        self.call()

    def _get(self, headers: dict[str, str]) -> tuple[int, bytes]:
        self._connection.request("GET", self._path, headers=headers)
        response = self._connection.getresponse()
        return response.status, response.read().replace(b'": "', b'":"')

    def call(self) -> float:
        """The latency of one call, in seconds."""
        began = time.perf_counter()
        answer = self._get(self._headers)
        took = time.perf_counter() - began
        assert answer == (200, b'{"answer":"mock"}'), answer
        return took

    def first_call(self) -> float:
        """The latency of the first call with a fresh token, in seconds."""
        self._headers = {"Authorization": self._sign_in()}
        return self.call()


def user_of_new_pool(cognito: Any) -> tuple[str, Callable[[], str]]:
    """A user pool's id, and what signs its user in and returns an ID token."""
    pool_id = cognito.create_user_pool(PoolName="bench")["UserPool"]["Id"]
    client_id = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName="bench", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    user = {"UserPoolId": pool_id, "Username": EMAIL}
    cognito.admin_create_user(**user, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)

    def sign_in() -> str:
        tokens = cognito.admin_initiate_auth(
            UserPoolId=pool_id,
            ClientId=client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": EMAIL, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        return str(tokens["IdToken"])

    return pool_id, sign_in


def guarded_api(gateway: Any, pool_arn: str) -> str:
    """The id of an API: `GET /demo`, Cognito authorizer, MOCK integration, deployed to `dev`."""
    api_id = gateway.create_rest_api(name="bench")["id"]
    root_id = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    resource_id = gateway.create_resource(restApiId=api_id, parentId=root_id, pathPart="demo")["id"]
    authorizer_id = gateway.create_authorizer(
        restApiId=api_id,
        name="bench",
        type="COGNITO_USER_POOLS",
        providerARNs=[pool_arn],
        identitySource="method.request.header.Authorization",
    )["id"]
    method = {"restApiId": api_id, "resourceId": resource_id, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer_id)
    gateway.put_integration(
        **method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    gateway.put_method_response(**method, statusCode="200")
    gateway.put_integration_response(
        **method, statusCode="200", responseTemplates={"application/json": '{"answer":"mock"}'}
    )
    gateway.create_deployment(restApiId=api_id, stageName="dev")
    return str(api_id)


def main() -> int:
    verdict = Verdict(f"Cognito-authorized MOCK GET, {ROUNDS} rounds of {CALLS} calls, by turns")
    with (
        scratch_directory() as directory,
        local_cloud(directory) as announced,
        ministack(directory) as endpoint,
    ):
        ours = Target(*(announced[k] for k in ("endpoint", "access_key_id", "secret_access_key")))
        theirs = Target(endpoint, "test", "test")
        samples: tuple[list[float], list[float]] = ([], [])
        for target in (ours, theirs):
            for _ in range(WARM_UP):
                target.call()
        gc.disable()
        for _ in range(ROUNDS):
            for target, found in zip((ours, theirs), samples, strict=True):
                found.extend(target.call() for _ in range(CALLS))
        first = [(ours.first_call(), theirs.first_call()) for _ in range(FRESH_TOKENS)]
    for percent in (50, 95):
        mine, peer = (percentile(found, percent) for found in samples)
        verdict.ratio(f"p{percent}", mine, peer, "MiniStack")
    mine, peer = (percentile(found, 50) for found in zip(*first, strict=True))
    verdict.ratio(f"p50, first call of {FRESH_TOKENS} tokens", mine, peer, "MiniStack")
    verdict.at_most(
        "ratio of the medians", percentile(samples[0], 50) / percentile(samples[1], 50), 1.0, ""
    )
    return verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
