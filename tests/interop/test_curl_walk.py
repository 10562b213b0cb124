"""Task 6 with nothing but curl: by genuine host name, and by path."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest

from tests.support.running_cloud import LabCloud

COGNITO_HOST = "cognito-idp.us-east-1.amazonaws.com"
UNAUTHORIZED = {"message": "Unauthorized"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Curl:
    """Curl, and how it finds Cognito and the API.

    Attributes:
        program: its path.
        cognito: what to say for `https://cognito-idp.us-east-1.amazonaws.com/`.
        demo: what to say for the invoke URL and `/demo`.
    """

    program: str
    cognito: list[str]
    demo: list[str]

    def run(self, *arguments: str) -> Answer:
        command = [self.program, "-q", "-sS", "-i", "--noproxy", "*", "--max-time", "20"]
        ran = subprocess.run([*command, *arguments], capture_output=True, check=True)
        head, _empty_line, body = ran.stdout.decode().partition("\r\n\r\n")
        status_line, *lines = head.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return Answer(int(status_line.split()[1]), headers, json.loads(body))

    def sign_in(self, operation: str, **body: Any) -> Answer:
        return self.run(
            *self.cognito,
            *("-H", "Content-Type: application/x-amz-json-1.1"),
            *("-H", f"X-Amz-Target: AWSCognitoIdentityProviderService.{operation}"),
            *("--data", json.dumps(body)),
        )

    def call(self, token: str | None = None) -> Answer:
        return self.run(*self.demo, *(["-H", f"Authorization: {token}"] if token else []))


@pytest.fixture(params=["Host header", "connect-to", "path"])
def curl(
    request: pytest.FixtureRequest, cloud: LabCloud, lacking: Callable[[str], NoReturn]
) -> Curl:
    program = shutil.which("curl") or lacking("curl is missing: on Debian 'apt-get install curl'")
    address = cloud.endpoint.removeprefix("http://")
    api_host = f"{cloud.lab['rest_api_id']}.execute-api.us-east-1.amazonaws.com"
    if request.param == "path":
        return Curl(program, [f"{cloud.endpoint}/"], [f"{cloud.invoke_url_by_path}/demo"])
    if request.param == "Host header":
        return Curl(
            program,
            [f"{cloud.endpoint}/", "-H", f"Host: {COGNITO_HOST}"],
            [f"{cloud.endpoint}/dev/demo", "-H", f"Host: {api_host}"],
        )
    return Curl(
        program,
        [f"http://{COGNITO_HOST}/", "--connect-to", f"{COGNITO_HOST}:80:{address}"],
        [f"http://{api_host}/dev/demo", "--connect-to", f"{api_host}:80:{address}"],
    )


def ask_for_code(curl: Curl, cloud: LabCloud) -> Answer:
    return curl.sign_in(
        "InitiateAuth",
        ClientId=cloud.lab["client_id"],
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": cloud.lab["email"], "PREFERRED_CHALLENGE": "EMAIL_OTP"},
    )


def give_code(curl: Curl, cloud: LabCloud, session: str, code: str) -> Answer:
    return curl.sign_in(
        "RespondToAuthChallenge",
        ClientId=cloud.lab["client_id"],
        ChallengeName="EMAIL_OTP",
        ChallengeResponses={"USERNAME": cloud.lab["email"], "EMAIL_OTP_CODE": code},
        Session=session,
    )


def read_code(curl: Curl, cloud: LabCloud) -> str:
    """The code of the newest mail, from the inbox and with curl too."""
    inbox = curl.run(
        f"{cloud.endpoint}/_labkit/inbox/{cloud.lab['email']}",
        *("-H", f"x-labkit-token: {cloud.admin_token}"),
    )
    assert inbox.status == 200
    return str(inbox.body[0]["code"])


@pytest.mark.slow
def test_task_6(curl: Curl, cloud: LabCloud) -> None:
    without = curl.call()
    assert (without.status, without.body) == (401, UNAUTHORIZED)
    assert without.headers["x-amzn-ErrorType"] == "UnauthorizedException"

    challenge = ask_for_code(curl, cloud)
    assert challenge.status == 200
    assert challenge.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert challenge.body["ChallengeName"] == "EMAIL_OTP"
    assert challenge.body["ChallengeParameters"]["CODE_DELIVERY_DELIVERY_MEDIUM"] == "EMAIL"

    code = read_code(curl, cloud)
    assert re.fullmatch(r"\d{8}", code)
    answer = give_code(curl, cloud, challenge.body["Session"], code)
    assert answer.status == 200
    tokens = answer.body["AuthenticationResult"]
    assert tokens["TokenType"] == "Bearer"
    assert tokens["ExpiresIn"] == 3600
    assert "RefreshToken" in tokens

    allowed = curl.call(tokens["AccessToken"])
    assert (allowed.status, allowed.body) == (200, "Hello from Lambda!")
    refused = curl.call(tokens["IdToken"])
    assert (refused.status, refused.body) == (401, UNAUTHORIZED)


@pytest.mark.slow
def test_a_wrong_code(curl: Curl, cloud: LabCloud) -> None:
    session = ask_for_code(curl, cloud).body["Session"]
    wrong = give_code(curl, cloud, session, "00000000")
    assert wrong.status == 400
    assert wrong.body == {
        "__type": "CodeMismatchException",
        "message": "Invalid code or auth state for the user.",
    }


@pytest.mark.slow
def test_the_inbox_is_closed_without_the_token(curl: Curl, cloud: LabCloud) -> None:
    answer = curl.run(f"{cloud.endpoint}/_labkit/inbox/{cloud.lab['email']}")
    assert answer.status == 403
