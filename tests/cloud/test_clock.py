"""The movable clock with a real cloud: what expires, refills and resets, and who moves along.

Every test has a cloud of its own, since time doesn't go back; the test process is the learner's kernel.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import labkit
import labkit.lab.session
from labkit import sigv4
from labkit.clock import MOST_SECONDS, ProcessClock
from labkit.course.tasks import Demo
from labkit.errors import ClockError, SetupError
from labkit.lab import cloud_process
from labkit.lab.session import Lab
from labkit.local.instance import INSTANCE_PID, noted_offset
from tests.support.attached_cloud import attached_cloud, cloud_settings, eventually
from tests.support.patience import PATIENCE
from tests.support.start import at_real_time

SLACK = 20.0
"""Seconds that clocks which agree may be apart: a test takes its time between two looks."""


@pytest.fixture(autouse=True)
def _real_time() -> Iterator[None]:
    """These tests move the clock themselves."""
    with at_real_time():
        yield


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with attached_cloud(tmp_path / "state") as started:
        yield started


def real_time() -> float:
    """The computer's clock, as a process that nobody moves sees it."""
    return os.stat_result(os.stat(_touched())).st_mtime


def _touched() -> Path:
    path = Path(os.environ["LABKIT_STATE_DIR"]) / "touched"
    path.write_text("")
    return path


def ahead() -> float:
    """How far this process is ahead, measured."""
    return time.time() - real_time()


def python(program: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **{"stdin": subprocess.DEVNULL, **options},
    )


def output(program: str, **options: Any) -> str:
    with python(program, **options) as running:
        out, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, errors
    return out


# -- this process's clock ----------------------------------------------------------------------


def test_a_process_s_clock_moves_wherever_it_was_taken(lab: Lab) -> None:
    taken, now, monotonic = time.time, dt.datetime.now, time.monotonic()
    clock = ProcessClock()
    clock.move_to(3600)
    try:
        assert abs(taken() - real_time() - 3600) < SLACK
        assert abs(now(dt.UTC).timestamp() - real_time() - 3600) < SLACK
        assert time.monotonic() - monotonic < SLACK
        first = time.time()
        assert eventually(lambda: time.time() > first), "time runs on"
        clock.move_to(7200)
        assert abs(ahead() - 7200) < SLACK
        clock.move_to(60)
        assert abs(ahead() - 60) < SLACK
    finally:
        clock.move_to(0)
    assert abs(ahead()) < SLACK
    assert clock.offset == 0


def test_a_process_s_clock_can_be_looked_at_while_it_begins_to_move() -> None:
    clock = ProcessClock()
    failures: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        try:
            while not done.is_set():
                assert time.time() > 0
        except BaseException as failure:
            failures.append(failure)

    looking = [threading.Thread(target=look) for _ in range(4)]
    for thread in looking:
        thread.start()
    try:
        for _ in range(200):
            clock.move_to(60)
            clock.move_to(0)
    finally:
        done.set()
        for thread in looking:
            thread.join()
        clock.move_to(0)
    assert not failures


# -- sign-in and tokens ------------------------------------------------------------------------


def ask_for_code(demo: Demo) -> str:
    answer = boto3.client("cognito-idp").initiate_auth(
        ClientId=demo.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": demo.email, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
    )
    return str(answer["Session"])


def give_code(lab: Lab, demo: Demo, session: str) -> dict[str, str]:
    assert demo.email is not None
    answer = boto3.client("cognito-idp").respond_to_auth_challenge(
        ClientId=demo.client_id,
        ChallengeName="EMAIL_OTP",
        ChallengeResponses={
            "USERNAME": demo.email,
            "EMAIL_OTP_CODE": lab.inbox.wait_for_code(demo.email),
        },
        Session=session,
    )
    result: dict[str, str] = answer["AuthenticationResult"]
    return result


def refresh(demo: Demo, token: str) -> dict[str, str]:
    answer = boto3.client("cognito-idp").initiate_auth(
        ClientId=demo.client_id,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": token},
    )
    result: dict[str, str] = answer["AuthenticationResult"]
    return result


def test_tokens_expire_and_new_ones_are_good(lab: Lab) -> None:
    demo = lab.start_task(7)
    tokens = give_code(lab, demo, ask_for_code(demo))

    def call(token: str) -> tuple[int, str]:
        answer = lab.http.get(f"{demo.invoke_url}/demo", headers={"Authorization": token})
        return answer.status_code, answer.text

    hello = (200, '"Hello from Lambda!"')
    assert call(tokens["AccessToken"]) == hello
    lab.clock.advance(minutes=59)
    assert call(tokens["AccessToken"]) == hello
    lab.clock.advance(minutes=2)
    assert call(tokens["AccessToken"]) == (401, '{"message":"The incoming token has expired"}')
    assert call(refresh(demo, tokens["RefreshToken"])["AccessToken"]) == hello
    assert call(give_code(lab, demo, ask_for_code(demo))["AccessToken"]) == hello
    claims = labkit.tokens.decode(refresh(demo, tokens["RefreshToken"])["AccessToken"]).claims
    assert abs(claims["iat"] - time.time()) < SLACK
    lab.clock.advance(days=31)
    with pytest.raises(ClientError, match="Refresh Token has expired"):
        refresh(demo, tokens["RefreshToken"])


def test_the_session_of_a_sign_in_expires(lab: Lab) -> None:
    demo = lab.start_task(7)
    session = ask_for_code(demo)
    lab.clock.advance(minutes=3, seconds=5)
    with pytest.raises(ClientError, match=r"Invalid session for the user, session is expired\."):
        give_code(lab, demo, session)
    assert give_code(lab, demo, ask_for_code(demo))


# -- functions -----------------------------------------------------------------------------------

TELLS_THE_TIME = """
    import datetime as dt, importlib.util, os, time
    import boto3

    AT_IMPORT = time.time()
    taken = time.time

    def handler(event, context):
        event = event or {}
        return {
            "time": time.time(),
            "taken": taken(),
            "now": dt.datetime.now(dt.timezone.utc).timestamp(),
            "at_import": AT_IMPORT,
            "left_ms": context.get_remaining_time_in_millis(),
            "pid": os.getpid(),
            "arn": boto3.client("sts").get_caller_identity()["Arn"] if event.get("call") else None,
            "found": [name for name in ("requests", "pytest", "labkit", "IPython")
                      if importlib.util.find_spec(name)],
        }
"""

ALLOWS_ONCE = """
    calls = 0

    def handler(event, context):
        global calls
        calls += 1
        return {
            "principalId": "somebody",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Action": "execute-api:Invoke",
                        "Effect": "Allow" if calls == 1 else "Deny",
                        "Resource": event["methodArn"],
                    }
                ],
            },
        }
"""


def create_function(name: str, code: str) -> str:
    """A function with a role of its own that nothing is allowed; its ARN."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = boto3.client("iam").create_role(
        RoleName=f"{name}-role", AssumeRolePolicyDocument=json.dumps(trust)
    )
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", textwrap.dedent(code))
    created = boto3.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": package.getvalue()},
        Timeout=30,
    )
    return str(created["FunctionArn"])


def invoke(name: str, event: object = None) -> Any:
    answer = boto3.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    payload = json.load(answer["Payload"])
    assert "FunctionError" not in answer, payload
    return payload


def test_a_handler_s_clock_agrees_in_cold_and_warm_environments(lab: Lab) -> None:
    create_function("clock", TELLS_THE_TIME)

    def told() -> dict[str, Any]:
        answer: dict[str, Any] = invoke("clock", {"call": True})
        for name in ("time", "taken", "now"):
            assert abs(answer[name] - time.time()) < SLACK, name
        assert 20_000 < answer["left_ms"] <= 30_000
        assert "clock-role" in answer["arn"], "its role's credentials are good"
        assert answer["found"] == [], "what labkit has besides boto3 stays out of reach"
        return answer

    unmoved = told()
    lab.clock.advance(minutes=61)
    first = told()
    assert first["pid"] == unmoved["pid"], "a warm environment moves"
    lab.clock.advance(hours=2)
    second = told()
    assert second["pid"] == unmoved["pid"]
    assert second["time"] - first["time"] >= 7200
    lab.clock.advance(days=1)
    a_day_later = told()
    assert a_day_later["pid"] != unmoved["pid"], "credentials of a day ago aren't used"
    assert abs(a_day_later["at_import"] - time.time()) < SLACK, "a cold environment starts moved"
    lab.clock.advance(days=365)
    told()


def test_a_function_may_bring_a_module_of_the_same_name(lab: Lab) -> None:
    code = TELLS_THE_TIME.replace("    import boto3\n", "    import boto3\n    import dateutil\n")
    create_function("clock", code)
    lab.clock.advance(hours=1)
    assert abs(invoke("clock")["time"] - time.time()) < SLACK


# -- the gateway -----------------------------------------------------------------------------------


@dataclass
class Api:
    """A REST API with one MOCK method, `GET /`, deployed to the stage `dev`."""

    lab: Lab
    id: str

    @property
    def url(self) -> str:
        return f"https://{self.id}.execute-api.{self.lab.region}.amazonaws.com/dev/"

    def get(self, **headers: str) -> int:
        return self.lab.http.get(
            self.url, headers={name.replace("_", "-"): value for name, value in headers.items()}
        ).status_code


def create_api(lab: Lab, **method: Any) -> Api:
    client = boto3.client("apigateway")
    api_id = client.create_rest_api(name="clock")["id"]
    root = client.get_resources(restApiId=api_id)["items"][0]["id"]
    place = {"restApiId": api_id, "resourceId": root, "httpMethod": "GET"}
    if (function_arn := method.pop("authorizer", None)) is not None:
        authorizer = client.create_authorizer(
            restApiId=api_id,
            name="clock",
            type="TOKEN",
            identitySource="method.request.header.Authorization",
            authorizerUri=f"arn:aws:apigateway:{lab.region}:lambda:path/2015-03-31/functions/{function_arn}/invocations",
            authorizerResultTtlInSeconds=300,
        )
        method |= {"authorizationType": "CUSTOM", "authorizerId": authorizer["id"]}
        boto3.client("lambda").add_permission(
            FunctionName=function_arn,
            StatementId="gateway",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )
    client.put_method(**place, **{"authorizationType": "NONE", **method})
    client.put_integration(
        **place, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    client.put_method_response(**place, statusCode="200")
    client.put_integration_response(**place, statusCode="200")
    client.create_deployment(restApiId=api_id, stageName="dev")
    return Api(lab, api_id)


def test_a_cached_policy_is_asked_for_again_after_its_time(lab: Lab) -> None:
    api = create_api(lab, authorizer=create_function("authorizer", ALLOWS_ONCE))
    assert api.get(Authorization="token") == 200
    assert api.get(Authorization="token") == 200, "from the cache"
    lab.clock.advance(seconds=290)
    assert api.get(Authorization="token") == 200
    lab.clock.advance(seconds=11)
    assert api.get(Authorization="token") == 403, "asked again"


def with_usage_plan(api: Api, **limits: Any) -> tuple[str, str, str]:
    """The plan's id, the key's id and its value."""
    client = boto3.client("apigateway")
    plan = client.create_usage_plan(
        name="clock", apiStages=[{"apiId": api.id, "stage": "dev"}], **limits
    )["id"]
    key = client.create_api_key(name="clock", enabled=True)
    client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return plan, key["id"], key["value"]


def test_a_daily_quota_resets_and_the_usage_shows_both_days(lab: Lab) -> None:
    now = dt.datetime.now(dt.UTC)
    if (now + dt.timedelta(minutes=2)).date() != now.date():
        lab.clock.advance(minutes=3)  # midnight mustn't come in between
    api = create_api(lab, apiKeyRequired=True)
    plan, key, value = with_usage_plan(api, quota={"limit": 3, "period": "DAY"})
    assert [api.get(x_api_key=value) for _ in range(4)] == [200, 200, 200, 429]
    first_day = dt.datetime.now(dt.UTC).date()
    lab.clock.advance(days=1)
    assert api.get(x_api_key=value) == 200
    usage = boto3.client("apigateway").get_usage(
        usagePlanId=plan,
        startDate=first_day.isoformat(),
        endDate=dt.datetime.now(dt.UTC).date().isoformat(),
    )
    assert usage["items"] == {key: [[3, 0], [1, 2]]}


def test_a_token_bucket_refills(lab: Lab) -> None:
    api = create_api(lab, apiKeyRequired=True)
    *_ids, value = with_usage_plan(api, throttle={"rateLimit": 0.01, "burstLimit": 1})
    assert [api.get(x_api_key=value) for _ in range(2)] == [200, 429]
    lab.clock.advance(minutes=2)
    assert [api.get(x_api_key=value) for _ in range(2)] == [200, 429]


def test_answers_and_mails_carry_the_cloud_s_date(lab: Lab) -> None:
    demo = lab.start_task(7)
    lab.clock.advance(days=3)
    ask_for_code(demo)
    assert demo.email is not None
    sent = dt.datetime.fromisoformat(lab.inbox.newest(demo.email).sent_at)
    assert abs(sent - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=SLACK)
    answer = lab.http.get(f"{demo.invoke_url}/demo")
    date = dt.datetime.strptime(answer.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")
    assert abs(date.replace(tzinfo=dt.UTC) - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=SLACK)


# -- signatures and kernels ------------------------------------------------------------------------

UNMOVED = """
    import boto3
    from botocore.exceptions import ClientError
    try:
        print(len(boto3.client("lambda").list_functions()["Functions"]))
    except ClientError as error:
        print(error)
"""


def test_a_signature_of_the_real_time_gets_too_old(lab: Lab) -> None:
    client = boto3.client("lambda")
    lab.clock.advance(minutes=4)
    assert output(UNMOVED) == "0\n"
    lab.clock.advance(minutes=1, seconds=5)
    assert "Signature expired" in output(UNMOVED)
    assert client.list_functions()["Functions"] == [], "an old client of the moved kernel"
    assert boto3.client("lambda").list_functions()["Functions"] == []


def test_a_kernel_comes_back_with_a_cloud_that_was_started_again(lab: Lab) -> None:
    lab.clock.advance(minutes=10)
    assert cloud_process.stop()
    cloud_process.attach_or_start()
    assert boto3.client("lambda").list_functions()["Functions"] == []
    assert abs(ahead()) < SLACK


def test_the_gateway_refuses_a_signature_of_the_real_time(lab: Lab) -> None:
    api = create_api(lab, authorizationType="AWS_IAM")
    credentials = boto3.Session().get_credentials()
    assert credentials is not None

    def status(now: dt.datetime | None) -> tuple[int, str]:
        signed = sigv4.sign("GET", api.url, credentials=credentials, region=lab.region, now=now)
        answer = lab.http.get(api.url, headers=signed.headers)
        return answer.status_code, answer.text

    lab.clock.advance(minutes=6)
    assert status(None)[0] == 200
    refused, why = status(dt.datetime.fromtimestamp(real_time(), dt.UTC))
    assert refused == 403
    assert "Signature expired" in why


def test_temporary_credentials_expire(lab: Lab) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    role = boto3.client("iam").create_role(
        RoleName="tester", AssumeRolePolicyDocument=json.dumps(trust)
    )
    boto3.client("iam").create_user(UserName="tester")
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role["Role"]["Arn"]}
    boto3.client("iam").put_user_policy(
        UserName="tester",
        PolicyName="may",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]}),
    )
    key = boto3.client("iam").create_access_key(UserName="tester")["AccessKey"]
    tester = boto3.client(
        "sts",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    credentials = tester.assume_role(
        RoleArn=role["Role"]["Arn"], RoleSessionName="test", DurationSeconds=900
    )["Credentials"]
    client = boto3.client(
        "sts",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    assert client.get_caller_identity()["Account"] == "123456789012"
    lab.clock.advance(minutes=16)
    with pytest.raises(ClientError, match="ExpiredToken"):
        client.get_caller_identity()


AGREES = """
    import json, time, boto3, labkit
    lab = labkit.start()
    boto3.client("sts").get_caller_identity()
    print(json.dumps([time.time(), lab.clock.offset.total_seconds(), repr(lab.clock)]))
"""


def test_a_kernel_that_attaches_later_moves_too(lab: Lab) -> None:
    lab.clock.advance(minutes=61)
    lab.clock.advance(days=2)
    now, offset, words = json.loads(output(AGREES).splitlines()[-1])
    assert abs(now - time.time()) < SLACK
    assert offset == 176_460 == lab.clock.offset.total_seconds()
    assert words == "The lab's clock is 2 days 1 h 1 min ahead."
    assert abs(ahead() - offset) < SLACK


ADVANCES = "import labkit; labkit.start().clock.advance(hours={hours})"


def test_a_notebook_follows_another_one_before_its_next_cell(lab: Lab) -> None:
    program = f"""
        import subprocess, sys
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.run_cell("import boto3, labkit; lab = labkit.start()").raise_error()
        shell.run_cell("lab = labkit.start()").raise_error()
        assert len(shell.events.callbacks["pre_run_cell"]) == 1, "it follows once"
        subprocess.run([sys.executable, "-c", {ADVANCES.format(hours=3)!r}], check=True)
        shell.run_cell("account = boto3.client('sts').get_caller_identity()").raise_error()
        import time
        print(time.time())
        shell.run_cell("stopped = labkit.stop()").raise_error()
        assert shell.events.callbacks["pre_run_cell"] == []
        print(time.time())
    """
    ipython = {"IPYTHONDIR": os.environ["LABKIT_STATE_DIR"]}
    moved, back = output(program, env=os.environ | ipython).splitlines()[-2:]
    now = real_time()
    assert abs(float(moved) - now - 3 * 3600) < SLACK
    assert abs(float(back) - now) < SLACK


ELSEWHERE = f"""
import subprocess, sys, threading, time, boto3, ipywidgets, labkit
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import boto3, labkit; lab = labkit.start()").raise_error()
start, sts = time.time(), boto3.client("sts")
def elsewhere():
    subprocess.run([sys.executable, "-c", {ADVANCES.format(hours=3)!r}], check=True)
def ahead():
    return round((time.time() - start) / 3600)
"""


@pytest.mark.parametrize(
    ("acts", "hours"),
    [
        pytest.param(
            """
            button = ipywidgets.Button()
            button.on_click(lambda _button: print("ahead", ahead()))
            elsewhere()
            click = {"method": "custom", "content": {"event": "click"}}
            button.comm.handle_msg({"content": {"data": click}, "buffers": []})
            """,
            3,
            id="a click on a widget",
        ),
        pytest.param(
            """
            def call():
                sts.get_caller_identity()
                print("ahead", ahead())
            elsewhere()
            thread = threading.Thread(target=call)
            thread.start()
            thread.join()
            """,
            3,
            id="a thread",
        ),
        pytest.param(
            """
            elsewhere()
            key = boto3.Session().get_credentials()
            labkit.sigv4.sign("GET", "https://a.example.com/", credentials=key, region="us-east-1")
            print("ahead", ahead())
            """,
            3,
            id="a signature",
        ),
        pytest.param(
            """
            labkit.stop()
            lab = labkit.start()
            elsewhere()
            labkit.stop()
            sts.meta.events.emit("before-sign.sts.X")
            print("ahead", ahead())
            """,
            0,
            id="nothing of a lab that was left",
        ),
    ],
)
def test_whatever_signs_follows_another_notebook(lab: Lab, acts: str, hours: int) -> None:
    ipython = {"IPYTHONDIR": os.environ["LABKIT_STATE_DIR"]}
    said = output(ELSEWHERE + textwrap.dedent(acts), env=os.environ | ipython)
    assert f"ahead {hours}" in said.splitlines()


def test_the_next_cell_says_that_another_notebook_moved_the_clock(lab: Lab) -> None:
    program = ELSEWHERE + textwrap.dedent("""
        elsewhere()
        sts.get_caller_identity()
        shell.run_cell("print('first')").raise_error()
        shell.run_cell("lab.clock.advance(minutes=1); print('second')").raise_error()
        shell.run_cell("print('third')").raise_error()
    """)
    ipython = {"IPYTHONDIR": os.environ["LABKIT_STATE_DIR"]}
    said = output(program, env=os.environ | ipython).splitlines()[-5:]
    told = [line.partition(":")[0].partition(".")[0] for line in said]
    assert told == [
        "Another notebook moved the lab's clock 3 h ahead",
        "first",
        "The lab's clock moved 1 min ahead",
        "second",
        "third",
    ]


def test_kernels_that_advance_at_once_end_at_the_sum(lab: Lab) -> None:
    program = """
        import sys, labkit
        lab = labkit.start()
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(20):
            lab.clock.advance(minutes=1)
        print(labkit.start().clock.offset.total_seconds())
    """
    demo = lab.start_task(6)
    kernels = [python(program, stdin=subprocess.PIPE) for _ in range(2)]
    statuses: set[int] = set()
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            statuses.add(lab.http.get(f"{demo.invoke_url}/demo").status_code)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for kernel in kernels:
        assert kernel.stdout is not None
        while kernel.stdout.readline() != "ready\n":
            assert kernel.poll() is None
    for thread in asking:
        thread.start()
    for kernel in kernels:
        assert kernel.stdin is not None
        kernel.stdin.write("go\n")
        kernel.stdin.flush()
    threads = [threading.Thread(target=lab.clock.advance, kwargs={"minutes": 1}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = [kernel.communicate(timeout=PATIENCE) for kernel in kernels]
    done.set()
    for thread in asking:
        thread.join()
    assert statuses == {401}, "requests in flight are answered as ever"
    assert lab.clock.offset == dt.timedelta(minutes=48), answers
    assert abs(ahead() - 48 * 60) < SLACK
    assert boto3.client("sts").get_caller_identity()


# -- refused -----------------------------------------------------------------------------------------


@pytest.fixture
def settings(lab: Lab) -> Any:
    return cloud_settings()


def test_the_endpoint_tells_and_moves(lab: Lab, settings: Any) -> None:
    def post(seconds: float) -> Any:
        body = json.dumps({"advance_seconds": seconds}).encode()
        return cloud_process.exchange(settings, "POST", "/_labkit/clock", body)

    assert cloud_process.call(settings, "GET", "/_labkit/clock") == {"offset_seconds": 0}
    assert post(90) == (200, {"offset_seconds": 90})
    assert post(0.5) == (200, {"offset_seconds": 90.5})
    assert cloud_process.call(settings, "GET", "/_labkit/clock") == {"offset_seconds": 90.5}
    assert post(MOST_SECONDS)[0] == 400
    assert noted_offset(settings.work_directory) == 90.5
    object.__setattr__(settings, "admin_token", "x")
    assert post(1)[0] == 403
    assert cloud_process.exchange(settings, "GET", "/_labkit/clock")[0] == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"advance_seconds"',
        b"\xff",
        b"[" * 100_000,
        *(
            b'{"advance_seconds": %s}' % value
            for value in (
                *(b"0", b"-0.0", b"-1", b"NaN", b"Infinity", b"-Infinity", b"1e999"),
                *(b'"1"', b"true", b"null", b"[1]", b'{"a": 1}', b"315576001"),
                *(b"1" + b"0" * 400, b"-1" + b"0" * 400, b"1" + b"0" * 5000),
            )
        ),
    ],
    ids=range(23),
)
def test_the_endpoint_refuses_what_isn_t_forward(cloud_to_refuse: Any, body: bytes) -> None:
    status, answer = cloud_process.exchange(cloud_to_refuse, "POST", "/_labkit/clock", body)
    assert status == 400
    assert answer["message"]
    assert cloud_process.call(cloud_to_refuse, "GET", "/_labkit/clock") == {"offset_seconds": 0}


@pytest.fixture(scope="module")
def cloud_to_refuse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One cloud for all refusals, since none of them moves it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_STATE_DIR", str(tmp_path_factory.mktemp("refuse")))
        yield cloud_process.attach_or_start()
        cloud_process.stop()


def test_the_cloud_refuses_to_be_moved_too_far_in_two_steps(lab: Lab) -> None:
    lab.clock.advance(days=3650)
    with pytest.raises(ClockError, match="over 10 years ahead"):
        lab.clock.advance(days=3)
    assert lab.clock.offset == dt.timedelta(days=3650)
    assert boto3.client("sts").get_caller_identity(), "ten years ahead it still works"


# -- back ----------------------------------------------------------------------------------------------


def test_stop_and_start_give_a_fresh_cloud_at_the_real_time(lab: Lab) -> None:
    client = boto3.client("iam")
    lab.start_task(2)
    lab.clock.advance(days=1)
    assert client.list_roles()["Roles"]
    assert labkit.stop()
    again = labkit.start()
    assert abs(ahead()) < SLACK
    assert client.list_roles()["Roles"] == []
    assert repr(lab.clock) == repr(again.clock) == "The lab's clock shows the real time."
    lab.clock.advance(minutes=1)
    assert again.clock.offset == dt.timedelta(minutes=1)


def test_stop_takes_the_kernel_back_to_the_real_time(lab: Lab) -> None:
    lab.clock.advance(hours=5)
    assert labkit.stop()
    assert abs(ahead()) < SLACK
    assert lab.clock.offset == dt.timedelta(0)


def test_the_kernel_of_a_killed_cloud_goes_back_with_the_next(lab: Lab) -> None:
    lab.clock.advance(hours=5)
    settings = cloud_settings()
    os.kill(int((Path(settings.work_directory) / INSTANCE_PID).read_text()), signal.SIGTERM)
    assert eventually(lambda: not cloud_process.call(settings, "GET", "/_labkit/health"))
    labkit.start()
    assert abs(ahead()) < SLACK
    assert boto3.client("sts").get_caller_identity()


def test_aws_mode_is_at_the_real_time(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_CLOUD", "aws")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    lab.clock.advance(hours=5)
    with pytest.raises(SetupError, match="nobody"):  # AWS isn't asked before the time is right
        labkit.start()
    assert abs(ahead()) < SLACK
