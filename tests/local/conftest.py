"""One engine for all tests of the local cloud: MiniStack's state belongs to the process."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader

from labkit.local.engine import Engine
from labkit.local.mailbox import Mailbox
from labkit.local.messages import Request, Response
from labkit.local.settings import CloudSettings
from labkit.local.user_pools import TARGET_PREFIX, UserPoolService

T = TypeVar("T")

_MODEL = Loader().load_service_model("cognito-idp", "service-2")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> CloudSettings:
    return CloudSettings.new(4566, Path(tmp_path_factory.mktemp("cloud")))


@pytest.fixture(scope="session")
def engine(settings: CloudSettings) -> Iterator[Engine]:
    environment = dict(os.environ)
    started = Engine(settings)
    started.start()
    yield started
    os.environ.clear()
    os.environ.update(environment)


class Loop:
    """An event loop in a thread of its own: MiniStack's workers call back into the one that serves."""

    def __init__(self, engine: Engine) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self._bind(engine))

    async def _bind(self, engine: Engine) -> None:
        engine.bind_to_running_loop()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="session")
def loop(engine: Engine) -> Iterator[Loop]:
    loop = Loop(engine)
    yield loop
    loop.stop()


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

    def __init__(self, engine: Engine, settings: CloudSettings, loop: Loop) -> None:
        self.engine = engine
        self.settings = settings
        self.loop = loop
        self.clock = Clock()
        self.mailbox = Mailbox(clock=self.clock)
        self.service = UserPoolService(engine, self.mailbox, clock=self.clock)

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


@pytest.fixture
def cognito(engine: Engine, settings: CloudSettings, loop: Loop) -> Cognito:
    return Cognito(engine, settings, loop)


@pytest.fixture
def new_cognito(engine: Engine, settings: CloudSettings, loop: Loop) -> Callable[[], Cognito]:
    return lambda: Cognito(engine, settings, loop)
