"""Many clients at once: each gets the answer that it would get alone, and no bucket lets more through than it may.

How fast, and a minute of it: tests/benchmarks/load_gateway.py.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.gateway import FUNCTIONS, STAGE, Gateway
from tests.support.patience import PATIENCE
from tests.support.rest_api import Api
from tests.support.running_cloud import Cloud, running_cloud
from tests.support.start import ahead

CLIENTS, CALLS = 16, 40  # calls of each client
RATE, BURST = 5.0, 10
OPEN = '{"answered": "by the backend"}'
GUARD = """
def handler(event, context):
    name = event["authorizationToken"]
    effect = {"good": "Allow", "bad": "Deny"}[name.partition(" ")[0]]
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    return {"principalId": name, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""

Call = tuple[str, dict[str, str], int, str]
"""Path, headers, the status that it must get, and a part of the body."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Functions and users on a cloud that nobody else calls."""
    with running_cloud(tmp_path_factory.mktemp("load"), ahead()) as cloud:
        yield Gateway(cloud)


@pytest.fixture(scope="module")
def api(gateway: Gateway) -> Iterator[Api]:
    """A method of each kind of guard; ``/limited`` has a bucket of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FUNCTIONS, "guard", GUARD)
        api = Api(gateway)
        made = api.aws.create_authorizer(
            restApiId=api.id,
            name="guard",
            type="TOKEN",
            authorizerUri=gateway.function_uri("guard"),
            identitySource="method.request.header.Authorization",
            authorizerResultTtlInSeconds=0,
        )
        gateway.allow(
            "guard",
            f"arn:aws:execute-api:{gateway.cloud.region}:{gateway.cloud.account_id}:{api.id}/authorizers/*",
        )
        api.mock("GET", "/open", OPEN)
        api.mock("GET", "/limited", OPEN)
        api.mock("GET", "/cognito", OPEN, **api.authorizer(gateway.pool))
        api.mock("GET", "/iam", OPEN, authorizationType="AWS_IAM")
        who = "$context.authorizer.principalId"
        api.mock("GET", "/token", who, authorizationType="CUSTOM", authorizerId=made["id"])
        api.function("GET", "/function/{x}")
        api.deploy()
        settings = {"rateLimit": RATE, "burstLimit": BURST}
        api.aws.update_stage(
            restApiId=api.id,
            stageName=STAGE,
            patchOperations=[
                {"op": "replace", "path": f"/limited/GET/throttling/{name}", "value": str(value)}
                for name, value in settings.items()
            ],
        )
        yield api


def signed(cloud: Cloud, api: Api) -> dict[str, str]:
    request = AWSRequest(
        "GET", f"https://{api.id}.execute-api.{cloud.region}.amazonaws.com/{STAGE}/iam"
    )
    key = Credentials(cloud.access_key_id, cloud.secret_access_key)
    SigV4Auth(key, "execute-api", cloud.region).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}


class Client:
    """A kept connection."""

    def __init__(self, cloud: Cloud, api: Api) -> None:
        address = cloud.endpoint.removeprefix("http://")
        self._connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        self._host = f"{api.id}.execute-api.{cloud.region}.amazonaws.com"

    def get(self, path: str, headers: dict[str, str]) -> tuple[int, str]:
        self._connection.request("GET", f"/{STAGE}{path}", headers={"Host": self._host, **headers})
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()

    def close(self) -> None:
        self._connection.close()


def together(work: Callable[[int], None], count: int) -> None:
    """Do the work ``count`` times at once; an assertion that fails in a thread fails here."""
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def test_each_client_gets_its_own_answer(gateway: Gateway, api: Api) -> None:
    """Good and bad calls of every kind, mixed: nobody gets an answer that was another's."""
    token, key = gateway.token("id"), signed(gateway.cloud, api)
    forged = {**key, "Authorization": key["Authorization"][:-1] + "x"}

    def calls(number: int) -> list[Call]:
        me = f"good {number}"
        return [
            ("/open", {}, 200, OPEN),
            ("/cognito", {"Authorization": token}, 200, OPEN),
            ("/cognito", {"Authorization": token[:-2]}, 401, "Unauthorized"),
            ("/cognito", {}, 401, "Unauthorized"),
            ("/iam", key, 200, OPEN),
            ("/iam", forged, 403, "does not match"),
            ("/token", {"Authorization": me}, 200, me),
            ("/token", {"Authorization": f"bad {number}"}, 403, "explicit deny"),
            (f"/function/{number}", {}, 200, f'"x": "{number}"'),
            ("/nowhere", {}, 403, "Missing Authentication Token"),
        ]

    def run(number: int) -> None:
        choose, client, mine = random.Random(number), Client(gateway.cloud, api), calls(number)
        for _ in range(CALLS):
            path, headers, status, part = choose.choice(mine)
            found = client.get(path, headers)
            assert found[0] == status, (path, found)
            assert part in found[1], (path, found)
        client.close()

    together(run, CLIENTS)
    assert "Traceback" not in gateway.cloud.log.read_text()


def test_a_bucket_lets_no_more_through_than_it_may(gateway: Gateway, api: Api) -> None:
    """All clients at once on one bucket.

    A request that passed took its token between its sending and its answer. So in every span of time, of the requests
    that lie inside it from sending to answer no more than burst and rate allow may have passed.
    """
    passed: list[tuple[float, float]] = []
    statuses: Counter[int] = Counter()
    lock = threading.Lock()
    began = time.monotonic()

    def run(_number: int) -> None:
        client = Client(gateway.cloud, api)
        for _ in range(CALLS):
            sent = time.monotonic()
            status, body = client.get("/limited", {})
            answered = time.monotonic()
            with lock:
                statuses[status] += 1
                if status == 200:
                    passed.append((sent, answered))
                else:
                    assert json.loads(body) == {"message": "Too Many Requests"}
        client.close()

    together(run, CLIENTS)
    spent = time.monotonic() - began
    assert set(statuses) == {200, 429}
    for first, _answered in passed:
        for _sent, last in passed:
            inside = sum(first <= sent and answered <= last for sent, answered in passed)
            assert inside <= BURST + RATE * max(0.0, last - first) + 1e-6
    # And no fewer: there was always somebody who would have taken a token.
    assert len(passed) >= min(BURST, statuses.total())
    assert len(passed) <= BURST + RATE * spent + 1


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts processes in /proc")
def test_many_calls_of_a_function_are_a_bounded_number_of_processes(
    gateway: Gateway, api: Api
) -> None:
    def run(number: int) -> None:
        client = Client(gateway.cloud, api)
        for _ in range(5):
            assert client.get(f"/function/{number}", {})[0] == 200
        client.close()

    together(run, 4 * CLIENTS)
    children = [
        child
        for task in Path(f"/proc/{gateway.cloud.pid}/task").glob("*/children")
        for child in task.read_text().split()
    ]
    assert len(children) <= 8 * len(gateway.cloud.client("lambda").list_functions()["Functions"])
