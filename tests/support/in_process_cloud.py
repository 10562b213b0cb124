"""MiniStack in the test process, and a client for its user pools.

One engine for all tests: MiniStack's state belongs to the process. Its environment variables are there only while a
test uses it, because the other tests must not see them.
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import json
import os
import random
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader

from labkit.local.cognito.mailbox import Mailbox
from labkit.local.cognito.user_pools import TARGET_PREFIX, UserPoolService, draw_digits
from labkit.local.engine import Engine
from labkit.local.messages import Request, Response
from labkit.local.settings import CloudSettings

T = TypeVar("T")

_FOR_LAMBDA = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
_MODEL = Loader().load_service_model("cognito-idp", "service-2")


class Loop:
    """An event loop in a thread of its own: MiniStack's workers call back into the one that serves."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


class InProcessCloud:
    """A started engine, its loop, and the environment that it wants."""

    def __init__(self, work_directory: Path) -> None:
        self.settings = CloudSettings.new(4566, work_directory)
        before = dict(os.environ)
        self.engine = Engine(self.settings, time.time, random.Random())
        self.loop = Loop()
        self.loop.run(self.engine.start())
        self.environment = dict(os.environ)
        self._set(before)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        before = dict(os.environ)
        self._set(self.environment)
        yield
        self._set(before)

    @staticmethod
    def _set(environment: dict[str, str]) -> None:
        os.environ.clear()
        os.environ.update(environment)


@cache
def cloud() -> InProcessCloud:
    directory = Path(tempfile.mkdtemp(prefix="labkit-engine-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return InProcessCloud(directory)


class Clock:
    """Stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Answer:
    """A response, as the tests look at it."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self.status = response.status
        self.body: Any = response.json()

    @property
    def error(self) -> tuple[str | None, str | None]:
        return self.body.get("__type"), self.body.get("message")


class Cognito:
    """A user pool service and how a client calls it; signed unless the operation takes no signature."""

    def __init__(self, cloud: InProcessCloud) -> None:
        self.engine = engine = cloud.engine
        self.settings = cloud.settings
        self.loop = cloud.loop
        self.clock = Clock()
        self.mailbox = Mailbox(clock=self.clock)
        self.service = UserPoolService(
            engine,
            self.mailbox,
            clock=self.clock,
            numbers=random.Random(),
            draw_digits=draw_digits,
        )

    def request(
        self,
        operation: str,
        body: bytes,
        signed: bool | None = None,
        key: Credentials | None = None,
    ) -> Request:
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "Host": "127.0.0.1:4566",
            "X-Amz-Target": TARGET_PREFIX + operation,
        }
        if signed is None:
            signed = _MODEL["operations"].get(operation, {}).get("authtype") != "none"
        if signed:
            key = key or Credentials(self.settings.access_key_id, self.settings.secret_access_key)
            to_sign = AWSRequest("POST", "http://127.0.0.1:4566/", headers=headers, data=body)
            SigV4Auth(key, "cognito-idp", self.settings.region).add_auth(to_sign)
            headers = dict(to_sign.headers.items())
        return Request("POST", "/", "", list(headers.items()), body)

    def send(self, request: Request) -> Answer:
        return Answer(self.loop.run(self.service.handle(request)))

    def call(self, operation: str, **body: Any) -> Answer:
        return self.send(self.request(operation, json.dumps(body).encode()))

    def raw(self, operation: str, body: bytes) -> Answer:
        return self.send(self.request(operation, body))

    def together(self, *requests: Request) -> list[Answer]:
        async def all_at_once() -> list[Response]:
            return list(await asyncio.gather(*(self.service.handle(one) for one in requests)))

        return [Answer(response) for response in self.loop.run(all_at_once())]

    def function(self, answer: Callable[[Any], Any], for_pool: str | None) -> str:
        """The one Lambda function, which answers so; its ARN.

        Args:
            answer: from the event to the result; raises what the function would raise.
            for_pool: which user pool may invoke it; None for nobody.
        """

        def run(_config: Any, _code: bytes, event: Any, _request: str, _version: str) -> Any:
            try:
                return {"body": answer(event), "log": ""}
            except Exception as error:
                return {"body": {"errorMessage": str(error)}, "error": True, "log": ""}

        name = f"function-{uuid.uuid4()}"
        made = self._lambda(
            "",
            FunctionName=name,
            Runtime="python3.12",
            Handler="index.handler",
            Role=self.role(name),
            Code={"ZipFile": base64.b64encode(_EMPTY_ZIP).decode()},
        )
        self.engine.functions.run_with(run)
        if for_pool is not None:
            pool = self.call("DescribeUserPool", UserPoolId=for_pool).body["UserPool"]
            self._lambda(
                f"/{name}/policy",
                StatementId="cognito",
                Action="lambda:InvokeFunction",
                Principal="cognito-idp.amazonaws.com",
                SourceArn=pool["Arn"],
            )
        return str(made["FunctionArn"])

    def role(self, name: str) -> str:
        """The ARN of a role that Lambda may assume; it may be there already."""
        role = {"RoleName": name, "AssumeRolePolicyDocument": _FOR_LAMBDA}
        body = urlencode({"Action": "CreateRole", "Version": "2010-05-08"} | role)
        self._aws("iam", "/", body, 200, 409)
        return f"arn:aws:iam::{self.settings.account_id}:role/{name}"

    def _lambda(self, path: str, **body: Any) -> dict[str, Any]:
        response = self._aws("lambda", f"/2015-03-31/functions{path}", json.dumps(body))
        return dict(response.json())

    def _aws(self, service: str, path: str, body: str, *expected: int) -> Response:
        headers = {"Host": "127.0.0.1:4566"}
        if service == "iam":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        to_sign = AWSRequest("POST", f"http://127.0.0.1:4566{path}", headers=headers, data=body)
        key = Credentials(self.settings.access_key_id, self.settings.secret_access_key)
        SigV4Auth(key, service, self.settings.region).add_auth(to_sign)
        request = Request("POST", path, "", list(to_sign.headers.items()), body.encode())
        response = self.loop.run(self.engine.forward(request))
        assert response.status in (expected or (200, 201)), response.body
        return response

    # -- the things that most tests begin with ----------------------------------------

    def pool(self, *factors: str, **settings: Any) -> str:
        policies = {"SignInPolicy": {"AllowedFirstAuthFactors": list(factors)}} if factors else {}
        answer = self.call(
            "CreateUserPool",
            **{
                "PoolName": "lab",
                "Policies": policies,
                "UsernameAttributes": ["email"],
                "AutoVerifiedAttributes": ["email"],
                "UsernameConfiguration": {"CaseSensitive": False},
                **settings,
            },
        )
        assert answer.status == 200, answer.body
        return str(answer.body["UserPool"]["Id"])

    def client(self, pool_id: str, **settings: Any) -> str:
        answer = self.call(
            "CreateUserPoolClient",
            **{
                "UserPoolId": pool_id,
                "ClientName": "app",
                "ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
                "PreventUserExistenceErrors": "ENABLED",
                **settings,
            },
        )
        assert answer.status == 200, answer.body
        return str(answer.body["UserPoolClient"]["ClientId"])

    def user(self, pool_id: str, email: str = "jane@example.com", **settings: Any) -> Answer:
        answer = self.call(
            "AdminCreateUser",
            **{
                "UserPoolId": pool_id,
                "Username": email,
                "UserAttributes": [
                    {"Name": "email", "Value": email},
                    {"Name": "email_verified", "Value": "true"},
                ],
                "MessageAction": "SUPPRESS",
                **settings,
            },
        )
        assert answer.status == 200, answer.body
        return answer

    def set_password(self, pool_id: str, password: str, username: str = "jane@example.com") -> None:
        answer = self.call(
            "AdminSetUserPassword",
            UserPoolId=pool_id,
            Username=username,
            Password=password,
            Permanent=True,
        )
        assert answer.status == 200, answer.body

    def code(self, email: str = "jane@example.com") -> str:
        code = self.mailbox.messages(email)[0]["code"]
        assert code is not None
        return code

    def ask_for_code(self, client_id: str, email: str = "jane@example.com") -> Answer:
        return self.call(
            "InitiateAuth",
            AuthFlow="USER_AUTH",
            ClientId=client_id,
            AuthParameters={"USERNAME": email, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
        )

    def give_code(
        self, client_id: str, session: str, code: str, email: str = "jane@example.com"
    ) -> Answer:
        return self.call(
            "RespondToAuthChallenge",
            ClientId=client_id,
            ChallengeName="EMAIL_OTP",
            Session=session,
            ChallengeResponses={"USERNAME": email, "EMAIL_OTP_CODE": code},
        )

    def sign_in(self, client_id: str, email: str = "jane@example.com") -> dict[str, Any]:
        session = self.ask_for_code(client_id, email).body["Session"]
        answer = self.give_code(client_id, session, self.code(email), email)
        assert answer.status == 200, answer.body
        return dict(answer.body["AuthenticationResult"])


@contextmanager
def cognito_in_use() -> Iterator[Cognito]:
    """A user pool service of one's own, on the engine that all share."""
    with cloud().in_use():
        yield Cognito(cloud())
