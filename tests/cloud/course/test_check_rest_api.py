"""Task 3's checks: each wrong state that people make gets its own sentence, and the right one passes."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from labkit import names
from labkit.course import build
from labkit.course.tasks import HANDLER_SOURCE, Demo
from labkit.lab.session import Lab
from tests.cloud.course.wrong_states import WrongState, cases, prove, sentences_of

CALLS = "arn:aws:execute-api:us-east-1:123456789012:"


def gateway() -> Any:
    return boto3.client("apigateway")


def make_api(name: str = names.REST_API, **changes: Any) -> str:
    parameters = {
        "name": name,
        "endpointConfiguration": {"types": ["REGIONAL"]},
        "tags": names.TAGS,
    } | changes
    wanted = {key: value for key, value in parameters.items() if value is not None}
    return str(gateway().create_rest_api(**wanted)["id"])


def make_method(demo: Demo, *, verb: str = "GET", **changes: Any) -> str:
    """An API whose method has an integration, but no permission."""
    api_id = make_api()
    integrate(api_id, demo, build.put_method(api_id, "/demo", verb, **open_to_all(changes)))
    return api_id


def open_to_all(changes: dict[str, Any]) -> dict[str, Any]:
    return {"authorizationType": "NONE"} | changes


def integrate(_api_id: str, demo: Demo, where: dict[str, str], **changes: Any) -> None:
    parameters = {
        "type": "AWS_PROXY",
        "integrationHttpMethod": "POST",
        "uri": build.invocation_uri(demo.function_arn or ""),
    } | changes
    gateway().put_integration(**where, **parameters)


def integrated(demo: Demo, **changes: Any) -> str:
    """An API whose integration is another one."""
    api_id = make_api()
    where = build.put_method(api_id, "/demo", "GET", authorizationType="NONE")
    integrate(api_id, demo, where, **changes)
    return api_id


def permit(call: str | None, api_id: str, **changes: Any) -> None:
    parameters = {
        "FunctionName": names.FUNCTION,
        "StatementId": f"apigateway-{api_id}",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
    } | changes
    source = {} if call is None else {"SourceArn": f"{CALLS}{call}"}
    boto3.client("lambda").add_permission(**parameters, **source)


# -- 3.1 --


def no_api(_lab: Lab, _demo: Demo) -> None:
    pass


def another_name(_lab: Lab, _demo: Demo) -> None:
    make_api("mine")


def two_apis(_lab: Lab, _demo: Demo) -> None:
    make_api()
    make_api()


def no_type(_lab: Lab, _demo: Demo) -> None:
    make_api(endpointConfiguration=None)


def a_private_api(_lab: Lab, _demo: Demo) -> None:
    make_api(endpointConfiguration={"types": ["PRIVATE"]})


def no_resource(_lab: Lab, _demo: Demo) -> None:
    make_api()


def a_nested_resource(_lab: Lab, _demo: Demo) -> None:
    build.put_method(make_api(), "/api/demo", "GET", authorizationType="NONE")


def a_capital_letter(_lab: Lab, _demo: Demo) -> None:
    build.put_method(make_api(), "/Demo", "GET", authorizationType="NONE")


def a_policy_that_denies(_lab: Lab, _demo: Demo) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}
    make_api(policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))


def no_default_endpoint(_lab: Lab, demo: Demo) -> None:
    api_id = make_method(demo)
    operation = {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}
    gateway().update_rest_api(restApiId=api_id, patchOperations=[operation])


# -- 3.2 --


def no_method(_lab: Lab, _demo: Demo) -> None:
    api_id = make_api()
    root = gateway().get_rest_api(restApiId=api_id)["rootResourceId"]
    gateway().create_resource(restApiId=api_id, parentId=root, pathPart="demo")


def the_verb_any(_lab: Lab, demo: Demo) -> None:
    make_method(demo, verb="ANY")


def the_verb_post(_lab: Lab, demo: Demo) -> None:
    make_method(demo, verb="POST")


def iam_wanted(_lab: Lab, demo: Demo) -> None:
    make_method(demo, authorizationType="AWS_IAM")


def an_api_key_wanted(_lab: Lab, demo: Demo) -> None:
    make_method(demo, apiKeyRequired=True)


def a_required_parameter(_lab: Lab, demo: Demo) -> None:
    api_id = make_api()
    validator = gateway().create_request_validator(
        restApiId=api_id, name="all", validateRequestParameters=True
    )
    where = build.put_method(
        api_id,
        "/demo",
        "GET",
        authorizationType="NONE",
        requestValidatorId=validator["id"],
        requestParameters={"method.request.querystring.page": True},
    )
    integrate(api_id, demo, where)


def no_integration(_lab: Lab, _demo: Demo) -> None:
    build.put_method(make_api(), "/demo", "GET", authorizationType="NONE")


def not_a_proxy(_lab: Lab, demo: Demo) -> None:
    integrated(demo, type="AWS")


def a_mock(_lab: Lab, _demo: Demo) -> None:
    build.mock(make_api(), "/demo", authorizationType="NONE")


def lambda_called_with_get(_lab: Lab, demo: Demo) -> None:
    integrated(demo, integrationHttpMethod="GET")


def a_stream_as_uri(_lab: Lab, demo: Demo) -> None:
    integrated(demo, uri="arn:aws:apigateway:us-east-1:firehose:action/PutRecord")


def another_function(_lab: Lab, demo: Demo) -> None:
    integrated(demo, uri=build.invocation_uri(f"{demo.function_arn}-2"))


def an_alias_called(_lab: Lab, demo: Demo) -> None:
    integrated(demo, uri=build.invocation_uri(f"{demo.function_arn}:live"))


# -- 3.3 --


def no_permission(_lab: Lab, demo: Demo) -> None:
    make_method(demo)


def the_alias_permitted(_lab: Lab, demo: Demo) -> None:
    api_id, lambda_ = make_method(demo), boto3.client("lambda")
    version = lambda_.publish_version(FunctionName=names.FUNCTION)["Version"]
    lambda_.create_alias(FunctionName=names.FUNCTION, Name="live", FunctionVersion=version)
    permit(f"{api_id}/*/GET/demo", api_id, Qualifier="live")


def another_principal(_lab: Lab, demo: Demo) -> None:
    api_id = make_method(demo)
    permit(f"{api_id}/*/GET/demo", api_id, Principal="lambda.amazonaws.com")


def another_action(_lab: Lab, demo: Demo) -> None:
    api_id = make_method(demo)
    permit(f"{api_id}/*/GET/demo", api_id, Action="lambda:GetFunction")


def no_source(_lab: Lab, demo: Demo) -> None:
    permit(None, make_method(demo))


def any_source(_lab: Lab, demo: Demo) -> None:
    permit("*", make_method(demo))


def another_api(_lab: Lab, demo: Demo) -> None:
    permit("abcdefghij/*/GET/demo", make_method(demo))


def another_region(_lab: Lab, demo: Demo) -> None:
    api_id = make_method(demo)
    source = f"arn:aws:execute-api:eu-west-1:123456789012:{api_id}/*/GET/demo"
    permit(None, api_id, SourceArn=source)


def another_verb(_lab: Lab, demo: Demo) -> None:
    api_id = make_method(demo)
    permit(f"{api_id}/*/POST/demo", api_id)


def a_slash_too_many(_lab: Lab, demo: Demo) -> None:
    api_id = make_method(demo)
    permit(f"{api_id}/*/GET//demo", api_id)


def one_stage(_lab: Lab, demo: Demo) -> None:
    api_id = make_method(demo)
    permit(f"{api_id}/dev/GET/demo", api_id)


def one_too_broad_beside_the_right_one(_lab: Lab, demo: Demo) -> None:
    api_id = make_method(demo)
    permit(f"{api_id}/*/GET/demo", api_id)
    permit(None, api_id, StatementId="more")


def another_account(_lab: Lab, demo: Demo) -> None:
    api_id = make_method(demo)
    permit(f"{api_id}/*/GET/demo", api_id, SourceAccount="999999999999")


def a_handler_that_doesnt_exist(_lab: Lab, demo: Demo) -> None:
    api_id, lambda_ = make_method(demo), boto3.client("lambda")
    permit(f"{api_id}/*/GET/demo", api_id)
    lambda_.update_function_configuration(FunctionName=names.FUNCTION, Handler="index.handler")
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=names.FUNCTION)


def another_answer(_lab: Lab, demo: Demo) -> None:
    api_id = make_method(demo)
    permit(f"{api_id}/*/GET/demo", api_id)
    package = build.deployment_package(HANDLER_SOURCE.replace("Lambda!", "me!"))
    boto3.client("lambda").update_function_code(FunctionName=names.FUNCTION, ZipFile=package)
    boto3.client("lambda").get_waiter("function_updated_v2").wait(FunctionName=names.FUNCTION)


WRONG = [
    WrongState("3.1", 3, no_api, "There is no REST API named d-apigw-cmp-demo. Create"),
    WrongState("3.1", 3, another_name, "There is mine."),
    WrongState("3.1", 3, two_apis, "There are 2 REST APIs named"),
    WrongState("3.1", 3, no_type, "is EDGE. That is what you get without a type."),
    WrongState("3.1", 3, a_private_api, "is PRIVATE."),
    WrongState("3.1", 3, no_resource, "The API has no resource /demo. It has /."),
    WrongState("3.1", 3, a_nested_resource, "The resource is /api/demo, and not /demo"),
    WrongState("3.1", 3, a_capital_letter, "The resource is /Demo, and not /demo: capital letters"),
    WrongState("3.1", 3, a_policy_that_denies, "has a resource policy"),
    WrongState("3.2", 3, no_default_endpoint, "or its default endpoint is disabled"),
    WrongState("3.2", 3, no_method, "/demo has no method yet"),
    WrongState("3.2", 3, the_verb_any, "/demo has the method ANY"),
    WrongState("3.2", 3, the_verb_post, "/demo has the method POST"),
    WrongState("3.2", 3, iam_wanted, "The authorizationType of GET /demo is AWS_IAM"),
    WrongState("3.2", 3, an_api_key_wanted, "GET /demo wants an API key"),
    WrongState("3.2", 3, a_required_parameter, "without method.request.querystring.page"),
    WrongState("3.2", 3, no_integration, "GET /demo has no integration"),
    WrongState("3.2", 3, not_a_proxy, "is AWS: the function doesn't get the whole request"),
    WrongState("3.2", 3, a_mock, "The type of the integration is MOCK"),
    WrongState("3.2", 3, lambda_called_with_get, "would call Lambda with GET"),
    WrongState("3.2", 3, a_stream_as_uri, "uri isn't the one of a Lambda function"),
    WrongState("3.2", 3, another_function, "calls another function: arn"),
    WrongState("3.2", 3, an_alias_called, "calls a version or an alias: arn"),
    WrongState("3.3", 3, no_permission, "resource-based policy has no statement"),
    WrongState("3.3", 3, the_alias_permitted, "The permission is for the alias live"),
    WrongState("3.3", 3, another_principal, "is for lambda.amazonaws.com, not for API Gateway"),
    WrongState("3.3", 3, another_action, "is for the action lambda:GetFunction"),
    WrongState("3.3", 3, no_source, "The permission lets each API"),
    WrongState("3.3", 3, any_source, "The permission lets each API"),
    WrongState("3.3", 3, another_api, "The SourceArn names another API: abcdefghij"),
    WrongState("3.3", 3, another_region, "The SourceArn begins with arn:aws:execute-api:eu-west-1"),
    WrongState("3.3", 3, another_verb, "allows the calls */POST/demo"),
    WrongState("3.3", 3, a_slash_too_many, "allows the calls */GET//demo"),
    WrongState("3.3", 3, one_stage, "The SourceArn names the stage dev"),
    WrongState("3.3", 3, one_too_broad_beside_the_right_one, "The permission lets each API"),
    WrongState("3.3", 3, another_account, "a further condition: {'aws:sourceaccount'"),
    WrongState(
        "3.3", 3, a_handler_that_doesnt_exist, "The Test shows the status 502. Its log says: "
    ),
    WrongState("3.3", 3, another_answer, 'The Test shows the body "Hello from me!"'),
]


@pytest.fixture(autouse=True)
def nothing_else(lab: Lab) -> Iterator[None]:
    yield
    with suppress(ClientError):
        boto3.client("lambda").delete_alias(FunctionName=names.FUNCTION, Name="live")
    for api in gateway().get_rest_apis()["items"]:
        if api["name"] != names.REST_API:
            gateway().delete_rest_api(restApiId=api["id"])


@cases(*WRONG)
def test_a_wrong_state_gets_its_sentence_and_start_task_mends_it(
    lab: Lab, state: WrongState
) -> None:
    prove(lab, state, WRONG)
    lab.start_task(4)
    assert lab.check("3.3").task == "3.3"


def test_each_state_has_a_sentence_of_its_own() -> None:
    the_same = {any_source, one_too_broad_beside_the_right_one}
    said = [state for state in WRONG if state.make not in the_same]
    assert len(sentences_of(said)) == len(said)


@pytest.mark.parametrize("number", [4, 5])
@pytest.mark.parametrize("task", ["3.1", "3.2", "3.3"])
def test_the_lab_as_it_ends_passes_open_and_closed(lab: Lab, task: str, number: int) -> None:
    lab.start_task(number)
    assert str(lab.check(task)).startswith(f"✓ Task {task} is done. ")


@pytest.mark.parametrize("call", ["*/GET/demo", "*/*/demo", "*"])
def test_an_api_made_in_the_console_passes(lab: Lab, call: str) -> None:
    """The console tags nothing, names its permission with a UUID, and says more."""
    demo = lab.start_task(3)
    api_id = make_api(tags={}, description="the lab", apiKeySource="HEADER")
    build.put_method(api_id, "/other", "POST", authorizationType="AWS_IAM")
    where = build.put_method(api_id, "/demo", "GET", authorizationType="NONE")
    integrate(api_id, demo, where, timeoutInMillis=29000, passthroughBehavior="WHEN_NO_MATCH")
    permit(f"{api_id}/{call}", api_id, StatementId="0f1e2d3c-1111-4222-8333-444455556666")
    assert "lacks the tag" in str(lab.check("3.1"))
    assert lab.check("3.2").task == "3.2"
    assert lab.check("3.3").task == "3.3"
    gateway().delete_rest_api(restApiId=api_id)
