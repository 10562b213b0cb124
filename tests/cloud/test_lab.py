"""labkit.start(): the right cloud, an environment for boto3 and nothing more, and a session that stays inside."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.exceptions import EndpointConnectionError
from urllib3.util import parse_url

import labkit
from labkit import service_models
from labkit.course import build
from labkit.course.tasks import Demo
from labkit.errors import (
    CloudUnavailableError,
    ForeignHostError,
    JourneyUnknownError,
    SetupError,
)
from labkit.lab.aws_cloud import AwsCloud
from labkit.lab.inbox import AskingInbox
from labkit.lab.local_cloud import LocalCloudAdapter
from labkit.lab.session import Lab
from tests.support.attached_cloud import attached_cloud, cloud_settings, environment
from tests.support.patience import PATIENCE


def run(program: str, **variables: str) -> str:
    """What a Python of its own prints; it must end well and say nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


# -- imports -------------------------------------------------------------------------------------


def test_importing_labkit_imports_nothing_heavy() -> None:
    names = run(
        """
        import sys, labkit
        labkit.__all__, dir(labkit), labkit.__version__
        print(*sys.modules)
        """
    ).split()
    roots = {name.partition(".")[0] for name in names}
    assert not roots & {"boto3", "botocore", "requests", "ministack", "hypercorn", "IPython"}
    assert not [name for name in names if name.startswith("labkit.")]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        labkit.nothing  # noqa: B018


# -- AWS -------------------------------------------------------------------------------------------


class FakeSts(BaseHTTPRequestHandler):
    """AWS's STS, as far as labkit asks it; it keeps the requests."""

    requests: list[tuple[str, dict[str, str], bytes]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, dict(self.headers), body))
        good = (
            '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            "<GetCallerIdentityResult><Arn>arn:aws:iam::999988887777:user/me</Arn><UserId>A</UserId>"
            "<Account>999988887777</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
        bad = (
            "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>"
            "<Message>The security token included in the request is expired</Message></Error></ErrorResponse>"
        )
        answer = (good if self.status == 200 else bad).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def sts() -> Iterator[tuple[str, type[FakeSts]]]:
    handler = type("Sts", (FakeSts,), {"requests": []})
    with listening(handler) as endpoint:
        yield endpoint, handler


def aws(endpoint: str) -> dict[str, str]:
    return {
        "LABKIT_CLOUD": "aws",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "mine",
        "AWS_ENDPOINT_URL_STS": endpoint,
    }


def test_on_aws_nothing_of_the_local_cloud_is_imported(sts: tuple[str, type[FakeSts]]) -> None:
    endpoint, handler = sts
    program = """
        import sys, labkit
        lab = labkit.start()
        print(type(lab.http), lab.account_id, lab.region)
        print(*[name for name in sys.modules if name.startswith(("labkit.local", "ministack"))])
    """
    *status, session, local = run(program, **aws(endpoint)).split("\n")[:-1]
    assert session == "<class 'requests.sessions.Session'> 999988887777 us-east-1"
    assert local == ""
    assert status[0] == "cloud    AWS, a real account"
    assert b"Action=GetCallerIdentity" in handler.requests[0][2]
    assert "AKIAIOSFODNN7EXAMPLE" in handler.requests[0][1]["Authorization"]


def test_on_aws_the_session_is_plain_and_the_code_is_asked_for(
    sts: tuple[str, type[FakeSts]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda _prompt: "12345678")
    with environment(**aws(sts[0]), AWS_DEFAULT_REGION="eu-central-1"):
        lab = labkit.start()
        assert lab.region == "eu-central-1"
        assert lab.account_id == "999988887777"
        assert type(lab.http.get_adapter("https://x")) is requests.adapters.HTTPAdapter
        assert lab.http.trust_env
        assert isinstance(lab.inbox, AskingInbox)
        assert lab.inbox.wait_for_code("me@example.org") == "12345678"
        response = requests.Response()
        response.status_code = 401
        response.headers["x-amzn-RequestId"] = "the id"
        response.request = requests.Request("GET", "https://x/dev/demo?a=1").prepare()
        journey = lab.journey(response)
        assert (journey.request_id, journey.status, journey.steps) == ("the id", 401, [])
        assert journey.path == "/dev/demo?a=1"
        assert "AWS doesn't tell" in str(journey)


def test_from_local_to_aws_nothing_of_the_local_cloud_stays(
    sts: tuple[str, type[FakeSts]], tmp_path: Path
) -> None:
    own = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "mine",
        "AWS_SESSION_TOKEN": "token",
        "AWS_PROFILE": None,
        "AWS_ENDPOINT_URL_STS": sts[0],
        "AWS_CREDENTIAL_EXPIRATION": "2999-01-01T00:00:00Z",
        "NO_PROXY": "example.org",
        "LABKIT_STATE_DIR": str(tmp_path),
    }
    with environment(**own):
        before = dict(os.environ)
        local = labkit.start()
        try:
            assert os.environ["AWS_ACCESS_KEY_ID"] != own["AWS_ACCESS_KEY_ID"]
            assert "AWS_ENDPOINT_URL_STS" not in os.environ
            assert "AWS_CREDENTIAL_EXPIRATION" not in os.environ
            assert os.environ["NO_PROXY"] == "example.org,127.0.0.1,localhost"
            assert boto3.client("sts").get_caller_identity()["Account"] == local.account_id
            model = boto3.client("apigateway").meta.service_model
            assert "jwtConfiguration" in model.shape_for("CreateAuthorizerRequest").members
            labkit.start()  # a second time must not take the first one's variables for the learner's
            os.environ["LABKIT_CLOUD"] = "aws"
            lab = labkit.start()
            assert os.environ == before | {
                "LABKIT_CLOUD": "aws",
                "AWS_DEFAULT_REGION": "us-east-1",
                **service_models.environment(),
            }
            assert lab.account_id == "999988887777"
            assert boto3.client("sts").get_caller_identity()["Account"] == "999988887777"
            # … and back.
            os.environ["LABKIT_CLOUD"] = "local"
            labkit.start()
            assert boto3.client("sts").get_caller_identity()["Account"] == local.account_id
        finally:
            labkit.stop()


def test_a_default_session_of_before_is_forgotten(
    sts: tuple[str, type[FakeSts]], tmp_path: Path
) -> None:
    with environment(**aws(sts[0])):
        boto3.setup_default_session(region_name="ap-southeast-2")
        labkit.start()
        assert boto3.DEFAULT_SESSION is None


def one_sentence(error: BaseException) -> bool:
    text = str(error)
    return "\n" not in text and text.endswith(".") and text.count(". ") == 0


def test_postman_gets_the_genuine_addresses_of_aws(
    sts: tuple[str, type[FakeSts]], tmp_path: Path
) -> None:
    demo = Demo(rest_api_id="a1b2c3d4e5", client_id="client", email="me@example.org")
    with environment(**aws(sts[0])), contextlib.chdir(tmp_path):
        labkit.start().postman_environment(demo)
    [written] = tmp_path.iterdir()
    values = {one["key"]: one["value"] for one in json.loads(written.read_text())["values"]}
    region = values["cognito_endpoint"].split(".")[1]
    assert values == {
        "cognito_endpoint": f"https://cognito-idp.{region}.amazonaws.com/",
        "invoke_url": f"https://a1b2c3d4e5.execute-api.{region}.amazonaws.com/dev",
        "client_id": "client",
        "username": "me@example.org",
    }


def test_on_aws_without_credentials_there_is_one_sentence() -> None:
    with environment(LABKIT_CLOUD="aws", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None):
        before = dict(os.environ)
        with pytest.raises(SetupError, match="Unable to locate credentials") as refused:
            labkit.start()
        assert one_sentence(refused.value)
        assert "aws configure" in str(refused.value)
        assert os.environ == before


def test_a_jupyterlab_that_hides_the_credentials_says_so() -> None:
    with (
        environment(LABKIT_CLOUD="aws", AWS_SHARED_CREDENTIALS_FILE=os.devnull),
        environment(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None),
        pytest.raises(SetupError, match="set LABKIT_CLOUD=aws, and start it again") as refused,
    ):
        labkit.start()
    assert "\n" not in str(refused.value)


def test_on_aws_with_expired_credentials_too(sts: tuple[str, type[FakeSts]]) -> None:
    sts[1].status = 403
    with environment(**aws(sts[0])), pytest.raises(SetupError, match="is expired") as refused:
        labkit.start()
    assert "\n" not in str(refused.value)


def test_on_aws_with_a_profile_that_isn_t_there_too() -> None:
    with (
        environment(LABKIT_CLOUD="aws", AWS_PROFILE="nobody"),
        pytest.raises(SetupError, match="nobody"),
    ):
        labkit.start()


@pytest.mark.parametrize("value", ["gcp", "aws!", "aws,local", "0"])
def test_another_cloud_is_refused(value: str) -> None:
    with environment(LABKIT_CLOUD=value), pytest.raises(SetupError, match=value) as refused:
        labkit.start()
    assert one_sentence(refused.value)


def test_only_aws_waits(sts: tuple[str, type[FakeSts]]) -> None:
    waits: list[float] = []
    with environment(**aws(sts[0])):
        AwsCloud(waits.append).wait_for_role()
    assert waits
    assert waits[0] > 5


# -- local -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(lab: Lab) -> Demo:
    return lab.start_task(7)


def test_postman_before_there_is_an_api_gets_one_sentence(lab: Lab) -> None:
    with pytest.raises(SetupError, match=r"demo = lab\.start_task\(6\)"):
        lab.postman_environment(Demo())


@pytest.fixture
def url(demo: Demo) -> str:
    return f"{demo.invoke_url}/demo"


def test_what_is_printed_holds_no_secret(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    again = labkit.start()
    settings = cloud_settings()
    printed = capsys.readouterr().out + repr(again)
    assert printed.startswith("cloud    local, on this machine\naccount  123456789012 ")
    assert settings.secret_access_key not in printed
    assert settings.admin_token not in printed


def test_the_journey_of_a_response(lab: Lab, url: str) -> None:
    response = lab.http.get(url)
    journey = lab.journey(response)
    assert (journey.status, journey.path) == (401, "/dev/demo")
    assert journey.stopped_at is not None
    assert journey.stopped_at.gate == "authorizer"
    for name in ("none", "unknown"):
        foreign = requests.Response()
        if name == "unknown":
            foreign.headers["x-amzn-RequestId"] = "../health"
        with pytest.raises(JourneyUnknownError):
            lab.journey(foreign)


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "amazonaws.com",
        "api.execute-api.us-east-1.amazonaws.com.evil.example",
        "evilamazonaws.com",
        "api.execute-api.us-east-1.amazonaws.com.cn",
        "127.0.0.1:1",
        "localhost",
        "[::1]",
        "169.254.169.254",
        "x.cloudfront.net.evil.example",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_is_sent_to_a_foreign_host(
    lab: Lab, host: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, addresses = socket.socket.connect, []

    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        addresses.append(address)
        own(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(ForeignHostError) as refused:
        lab.http.get(f"{scheme}://{host}/_labkit/health", headers={"Authorization": "secret"})
    assert repr(urlsplit(f"//{host}").hostname) in str(refused.value)
    port = urlsplit(os.environ["AWS_ENDPOINT_URL"]).port
    assert set(addresses) <= {("127.0.0.1", port)}


def test_an_api_that_isn_t_there_has_no_address(lab: Lab) -> None:
    host = "abcdefghij.execute-api.us-east-1.amazonaws.com"
    with pytest.raises(requests.exceptions.ConnectionError, match=host):
        lab.http.get(f"https://{host}/dev/demo")


def test_a_dead_cloud_is_one_sentence(tmp_path: Path) -> None:
    with attached_cloud(tmp_path) as lab:
        answered = requests.Response()
        answered.headers["x-amzn-RequestId"] = "00000000-0000-0000-0000-000000000000"
        labkit.stop()
        with pytest.raises(CloudUnavailableError, match=r"run `lab = labkit.start\(\)` again"):
            lab.http.get("https://abcdefghij.execute-api.us-east-1.amazonaws.com/dev")
        for ask in (
            lambda: lab.inbox.messages("learner@example.com"),
            lambda: lab.start_task(3),
            lambda: lab.start_notebook("throttling"),
            lambda: lab.journey(answered),
            lab.clean_up,
            lab.finish,
        ):
            with pytest.raises(CloudUnavailableError, match="doesn't answer"):
                ask()
        before = time.monotonic()
        with pytest.raises(EndpointConnectionError):
            build.rest_api("d-throttling-api")
        assert time.monotonic() - before < 30, "nobody tries a cloud that is gone for a minute"


class Echo(BaseHTTPRequestHandler):
    """Keeps the request lines and headers; answers as its path says."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str]]]
    to = ""

    def do_GET(self) -> None:
        self.seen.append((self.path, dict(self.headers)))
        if "redirect" in self.path:
            self.send_response(302)
            self.send_header("Location", self.to)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif "slow" in self.path:
            threading.Event().wait(2)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in (b"first\n", b"second\n"):
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


API = "https://api.execute-api.us-east-1.amazonaws.com"


@pytest.fixture
def echo() -> Iterator[tuple[requests.Session, type[Echo]]]:
    """A session as the lab's, in front of a server that keeps what it gets."""
    handler = type("Kept", (Echo,), {"seen": []})
    with listening(handler) as endpoint, requests.Session() as session:
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, LocalCloudAdapter(endpoint))
        yield session, handler


@pytest.mark.parametrize(
    "target",
    [
        "/dev/demo",
        "/dev/a%2Fb",
        "/dev/a%2fb/%C3%A9",
        "/dev//demo/",
        "/dev/a+b?q=a+b&q=a%20b&q=%2B",
        "/dev/demo?b=2&a=1&b=1",
        "/dev/demo?x",
        "/dev/demo?x=",
        "/dev/a;b=1,c?d=e;f",
        "/dev/demo?q=a:b/c?d@e",
    ],
)
def test_path_and_query_arrive_as_they_were_asked(
    echo: tuple[requests.Session, type[Echo]], target: str
) -> None:
    session, handler = echo
    response = session.get(API + target)
    [(path, headers)] = handler.seen
    plain = requests.Request("GET", API + target).prepare()
    # As plain requests sends it: urllib3 writes the hex digits of an escape in capitals.
    assert path == parse_url(plain.url).request_uri
    assert path == re.sub("%..", lambda escape: escape[0].upper(), target)
    assert headers["Host"] == "api.execute-api.us-east-1.amazonaws.com"
    assert response.url == response.request.url == plain.url
    assert "Host" not in response.request.headers


def test_a_host_in_capitals_or_with_a_port_is_the_same(
    echo: tuple[requests.Session, type[Echo]],
) -> None:
    session, handler = echo
    session.get("https://API.Execute-API.us-east-1.amazonaws.com:443/dev")
    assert handler.seen[0][1]["Host"].lower().startswith("api.execute-api.us-east-1.amazonaws.com")


def test_a_redirect_stays_inside(echo: tuple[requests.Session, type[Echo]]) -> None:
    session, handler = echo
    handler.to = "https://evil.example/dev"
    session.get(API + "/redirect", headers={"Authorization": "secret"})
    # It came to the local cloud too, which knows whether this is a custom domain name of an API.
    assert handler.seen[-1][1]["Host"] == "evil.example"
    assert "Authorization" not in handler.seen[-1][1]
    handler.to = "http://localhost/dev"
    with pytest.raises(ForeignHostError):
        session.get(API + "/redirect")
    handler.to = "/dev/there?a=%2F"
    answer = session.get(API + "/redirect")
    assert (answer.status_code, answer.url) == (200, API + "/dev/there?a=%2F")
    assert handler.seen[-1][1]["Host"] == "api.execute-api.us-east-1.amazonaws.com"


def test_a_redirect_to_another_api_has_that_one_s_host(
    echo: tuple[requests.Session, type[Echo]],
) -> None:
    session, handler = echo
    handler.to = "https://other.execute-api.us-east-1.amazonaws.com/dev"
    session.get(API + "/redirect")
    assert handler.seen[-1][1]["Host"] == "other.execute-api.us-east-1.amazonaws.com"


def test_streams_and_timeouts(echo: tuple[requests.Session, type[Echo]]) -> None:
    session, _handler = echo
    with session.get(API + "/dev", stream=True) as response:
        assert list(response.iter_lines()) == [b"first", b"second"]
    with pytest.raises(requests.exceptions.Timeout):
        session.get(API + "/slow", timeout=0.2)


def test_the_machine_s_netrc_is_not_read(
    lab: Lab, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert "Authorization" not in lab.http.get(url).request.headers


def test_own_headers_are_kept(echo: tuple[requests.Session, type[Echo]]) -> None:
    session, handler = echo
    session.get(API + "/dev", headers={"Host": "sts.amazonaws.com", "X-Api-Key": "k"})
    assert handler.seen[0][1]["Host"] == "sts.amazonaws.com"
    assert handler.seen[0][1]["X-Api-Key"] == "k"


def test_the_local_endpoint_itself_may_be_called(lab: Lab, demo: Demo) -> None:
    path = f"/_aws/execute-api/{demo.rest_api_id}/dev/demo"
    response = lab.http.get(os.environ["AWS_ENDPOINT_URL"] + path)
    assert (response.status_code, response.json()) == (401, {"message": "Unauthorized"})


def test_a_sign_in_from_the_first_call_to_the_200(lab: Lab, demo: Demo, url: str) -> None:
    def cognito(operation: str, **body: Any) -> Any:
        response = lab.http.post(
            "https://cognito-idp.us-east-1.amazonaws.com/",
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
            },
            data=json.dumps(body),
        )
        assert response.status_code == 200, response.text
        return response.json()

    asked = cognito(
        "InitiateAuth",
        ClientId=demo.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": demo.email, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
    )
    assert demo.email is not None
    answered = cognito(
        "RespondToAuthChallenge",
        ClientId=demo.client_id,
        ChallengeName="EMAIL_OTP",
        Session=asked["Session"],
        ChallengeResponses={
            "USERNAME": demo.email,
            "EMAIL_OTP_CODE": lab.inbox.wait_for_code(demo.email),
        },
    )["AuthenticationResult"]
    response = lab.http.get(url, headers={"Authorization": answered["AccessToken"]})
    assert (response.status_code, response.text) == (200, '"Hello from Lambda!"')
    wrong = lab.http.get(url, headers={"Authorization": answered["IdToken"]})
    assert wrong.status_code == 401
