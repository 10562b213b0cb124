"""What the notebooks build with: it answers, it can be changed and deployed again, and the clean-up finds all of it."""

from collections.abc import Iterator

import boto3
import pytest

from labkit import expect_status
from labkit.course import build
from labkit.course.clean_up import clean_up
from labkit.lab.session import Lab

NAME = "d-lambda-authorizer-"
GREETS = """import os

def lambda_handler(event, context):
    return {"statusCode": 200, "body": os.environ["GREETING"]}
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def api_id(lab: Lab) -> Iterator[str]:
    yield build.rest_api(NAME + "api")
    clean_up()


def test_a_mock_fills_in_what_its_template_names(lab: Lab, api_id: str) -> None:
    build.mock(
        api_id, "/who/am/i", authorizationType="NONE", answer='{"ip": "$context.identity.sourceIp"}'
    )
    build.mock(api_id, "/who", verb="POST", authorizationType="NONE")
    build.mock(api_id, "/", authorizationType="AWS_IAM")
    url = build.deploy(api_id, lab.http)
    expect_status(lab.http.get(url + "/who/am/i"), 200, '{"ip": "127.0.0.1"}')
    expect_status(lab.http.post(url + "/who"), 200, '{"ok": true}')
    expect_status(lab.http.get(url + "/who"), 403)
    expect_status(lab.http.get(url + "/"), 403)


def test_a_function_answers_and_authorizes(lab: Lab, api_id: str) -> None:
    function = build.function(NAME + "greets", GREETS, {"GREETING": "good morning"})
    build.proxy(api_id, "/greet", function, authorizationType="NONE")
    authorizer = boto3.client("apigateway").create_authorizer(
        restApiId=api_id,
        name="no-policy",
        type="TOKEN",
        authorizerUri=build.invocation_uri(function),
        identitySource="method.request.header.Authorization",
    )
    build.permit(api_id, function)
    build.mock(api_id, "/closed", authorizationType="CUSTOM", authorizerId=authorizer["id"])
    url = build.deploy(api_id, lab.http)
    expect_status(lab.http.get(url + "/greet"), 200, "good morning")
    expect_status(lab.http.get(url + "/closed"), 401)
    asked = lab.http.get(url + "/closed", headers={"Authorization": "x"})
    expect_status(asked, 500, '{"message":null}')  # invoked: it returned no policy
    assert len(clean_up().deleted) == 4  # the API, the function, its role, its log


def test_deploy_returns_when_the_stage_serves_the_new_deployment(lab: Lab, api_id: str) -> None:
    build.mock(api_id, "/one", authorizationType="NONE")
    url = build.deploy(api_id, lab.http)
    build.mock(api_id, "/two", authorizationType="NONE")
    unknown = lab.http.get(url + "/two")
    expect_status(unknown, 403, '{"message":"Missing Authentication Token"}')
    assert build.deploy(api_id, lab.http) == url
    expect_status(lab.http.get(url + "/two"), 200)
    assert lab.http.get(url + "/x").headers["x-deployment"] != unknown.headers["x-deployment"]
