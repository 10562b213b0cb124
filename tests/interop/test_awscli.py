"""AWS's command line, as it comes from PyPI, builds a protected API in the local cloud, and the API guards itself."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from labkit.course.build import deployment_package
from labkit.course.tasks import HANDLER_SOURCE
from labkit.local.instance import clean_environment
from labkit.local.settings import ACCOUNT_ID
from tests.interop.guarded_api import REGION
from tests.support.patience import PATIENCE
from tests.support.running_cloud import LabCloud

EMAIL, PASSWORD = "jane@example.com", "Correct-horse-1"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)


@dataclass(frozen=True)
class CommandLine:
    """AWS's command line, with an administrator's key.

    Attributes:
        program: its path.
        environment: where the cloud is, and the key.
        folder: for files.
    """

    program: str
    environment: dict[str, str]
    folder: Path

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *shlex.split(line)],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def __call__(self, line: str) -> Any:
        """The JSON that a command prints; None for nothing."""
        ran = self.run(line)
        assert ran.returncode == 0, (line, ran.stderr)
        return json.loads(ran.stdout) if ran.stdout.strip() else None

    def refusal(self, line: str) -> str:
        """What it says when the service refuses."""
        ran = self.run(line)
        assert ran.returncode in (254, 255), (line, ran)  # of versions 2 and 1
        return ran.stderr.strip()


@pytest.fixture(scope="module")
def aws(
    cloud: LabCloud, lacking: Callable[[str], NoReturn], tmp_path_factory: pytest.TempPathFactory
) -> CommandLine:
    program = shutil.which(os.environ.get("LABKIT_AWSCLI") or "aws")
    if program is None:
        lacking("awscli is missing: 'pip install awscli', and the path of aws in LABKIT_AWSCLI")
    folder = tmp_path_factory.mktemp("awscli")
    environment = clean_environment() | {
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": cloud.cloud.access_key_id,
        "AWS_SECRET_ACCESS_KEY": cloud.cloud.secret_access_key,
        "AWS_PAGER": "",
    }
    return CommandLine(program, environment, folder)


@pytest.fixture(scope="module")
def client(aws: CommandLine) -> tuple[str, str]:
    """The ids of a user pool with Jane in it, and of an app client."""
    made = aws("cognito-idp create-user-pool --pool-name cli --username-attributes email")
    pool = made["UserPool"]["Id"]
    made = aws(
        f"cognito-idp create-user-pool-client --user-pool-id {pool} --client-name cli"
        " --explicit-auth-flows ALLOW_USER_PASSWORD_AUTH ALLOW_REFRESH_TOKEN_AUTH"
    )
    jane = f"--user-pool-id {pool} --username {EMAIL}"
    aws(
        f"cognito-idp admin-create-user {jane} --message-action SUPPRESS"
        f" --user-attributes Name=email,Value={EMAIL} Name=email_verified,Value=true"
    )
    aws(f"cognito-idp admin-set-user-password {jane} --password {PASSWORD} --permanent")
    return pool, made["UserPoolClient"]["ClientId"]


def signing_in(client_id: str, password: str) -> str:
    return (
        f"cognito-idp initiate-auth --client-id {client_id} --auth-flow USER_PASSWORD_AUTH"
        f" --auth-parameters USERNAME={EMAIL},PASSWORD={password}"
    )


@pytest.fixture(scope="module")
def function(aws: CommandLine) -> str:
    """The ARN of a function that says hello."""
    role = aws(f"iam create-role --role-name cli --assume-role-policy-document '{TRUST}'")["Role"]
    (aws.folder / "function.zip").write_bytes(deployment_package(HANDLER_SOURCE))
    made = aws(
        f"lambda create-function --function-name cli --role {role['Arn']} --runtime python3.13"
        " --handler lambda_function.lambda_handler --zip-file fileb://function.zip"
    )
    aws("lambda wait function-active-v2 --function-name cli")
    arn: str = made["FunctionArn"]
    return arn


@pytest.fixture(scope="module")
def api_id(aws: CommandLine, client: tuple[str, str], function: str) -> str:
    """A REST API whose method GET /demo wants the pool's ID token; its stage is dev."""
    made = aws(
        "apigateway create-rest-api --name cli --endpoint-configuration types=REGIONAL"
        " --tags course=api-gateway-security"
    )
    api_id: str = made["id"]
    api = f"--rest-api-id {api_id}"
    [root] = aws(f"apigateway get-resources {api} --query items[].id")
    made = aws(f"apigateway create-resource {api} --parent-id {root} --path-part demo")
    method = f"{api} --resource-id {made['id']} --http-method GET"
    pool = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT_ID}:userpool/{client[0]}"
    made = aws(
        f"apigateway create-authorizer {api} --name pool --type COGNITO_USER_POOLS"
        f" --provider-arns {pool} --identity-source method.request.header.Authorization"
    )
    aws(
        f"apigateway put-method {method} --authorization-type COGNITO_USER_POOLS"
        f" --authorizer-id {made['id']}"
    )
    aws(
        f"apigateway put-integration {method} --type AWS_PROXY --integration-http-method POST --uri"
        f" arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    )
    aws(
        "lambda add-permission --function-name cli --statement-id api"
        " --action lambda:InvokeFunction --principal apigateway.amazonaws.com"
        f" --source-arn 'arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{api_id}/*/GET/demo'"
    )
    aws(f"apigateway create-deployment {api} --stage-name dev")
    return api_id


def test_who_it_is(aws: CommandLine) -> None:
    found = aws("sts get-caller-identity")
    assert (found["Account"], found["Arn"]) == (ACCOUNT_ID, f"arn:aws:iam::{ACCOUNT_ID}:root")


def test_the_api_guards_itself(
    aws: CommandLine, cloud: LabCloud, api_id: str, client: tuple[str, str]
) -> None:
    token = aws(signing_in(client[1], PASSWORD))["AuthenticationResult"]["IdToken"]

    def status(**headers: str) -> int:
        return cloud.cloud.send(api_id, "/dev/demo", headers=headers).status_code

    assert status() == 401
    assert status(Authorization=f"{token[:-4]}AAAA") == 401
    assert status(Authorization=token) == 200


def test_a_function_is_invoked(aws: CommandLine, function: str) -> None:
    answer = aws(f"lambda invoke --function-name {function} answer.json")
    assert answer["StatusCode"] == 200
    assert json.loads((aws.folder / "answer.json").read_text())["statusCode"] == 200


def test_patch_operations(aws: CommandLine, api_id: str) -> None:
    stage = f"--rest-api-id {api_id} --stage-name dev"
    changed = aws(
        f"apigateway update-stage {stage} --patch-operations op=replace,path=/variables/colour,value=blue"
        " 'op=replace,path=/*/*/throttling/rateLimit,value=5'"
    )
    assert changed["methodSettings"]["*/*"]["throttlingRateLimit"] == 5
    assert changed["variables"] == {"colour": "blue"}
    assert aws(f"apigateway get-stage {stage}") == changed


def test_a_list_comes_page_by_page(aws: CommandLine, api_id: str, cloud: LabCloud) -> None:
    found = aws("apigateway get-rest-apis --page-size 1 --query items[].id")
    assert {api_id, cloud.lab["rest_api_id"]} <= set(found)
    assert len(found) == len(set(found))


def test_an_export_is_imported(aws: CommandLine, api_id: str) -> None:
    aws(
        f"apigateway get-export --rest-api-id {api_id} --stage-name dev --export-type oas30"
        " --parameters extensions=apigateway exported.json"
    )
    made = aws("apigateway import-rest-api --body fileb://exported.json")
    found = aws(
        f"apigateway get-resources --rest-api-id {made['id']} --embed methods"
        " --query items[].[path,resourceMethods.GET.authorizationType]"
    )
    assert sorted(found) == [["/", None], ["/demo", "COGNITO_USER_POOLS"]]


def test_what_is_refused(aws: CommandLine, api_id: str, client: tuple[str, str]) -> None:
    assert aws.refusal("apigateway get-rest-api --rest-api-id nothing123") == (
        "An error occurred (NotFoundException) when calling the GetRestApi operation: "
        f"Invalid API identifier specified {ACCOUNT_ID}:nothing123"
    )
    assert aws.refusal(signing_in(client[1], "Wrong-horse-1")) == (
        "An error occurred (NotAuthorizedException) when calling the InitiateAuth operation: "
        "Incorrect username or password."
    )
    assert aws.refusal(
        f"apigateway update-stage --rest-api-id {api_id} --stage-name dev"
        " --patch-operations op=replace,path=/colour,value=blue"
    ).startswith("An error occurred (BadRequestException) when calling the UpdateStage operation: ")
