"""``lambda:InvokeFunction``: API Gateway invokes a function only for the source ARN that its policy names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from labkit.journey import Code
from tests.support.gateway import STAGE, Gateway
from tests.support.rest_api import Api

NUMBERS: Iterator[int] = count()
API = "arn:aws:execute-api:{region}:{account}:{api}"


@pytest.fixture
def api(gateway: Gateway) -> Api:
    """``GET /pets/{id}`` with a function of its own that nobody may invoke."""
    api = Api(gateway)
    api.extra["function"] = f"echo-{next(NUMBERS)}"
    api.function("GET", "/pets/{id}", api.extra["function"], source_arn=None)
    api.deploy()
    return api


def _status(api: Api) -> int:
    response = api.gateway.cloud.send(api.id, f"/{STAGE}/pets/7")
    if response.status_code != 200:
        step = api.gateway.cloud.journey(response)["steps"][-1]
        assert (step["gate"], step["outcome"]) == ("integration", "stop")
        assert step["code"] == Code.INTEGRATION_PERMISSION
        assert step["evidence"]["source ARN"].startswith("arn:aws:execute-api:")
        assert response.content == b'{"message": "Internal server error"}'
    return response.status_code


@pytest.mark.parametrize(
    "source_arn",
    [
        f"{API}/dev/GET/pets/{{{{id}}}}",
        f"{API}/*/GET/pets/{{{{id}}}}",
        f"{API}/*/*/pets/{{{{id}}}}",
        f"{API}/*/*/*",
        f"{API}/*/GET/pets/*",
        f"{API}/*",
    ],
)
def test_a_source_arn_that_fits(api: Api, source_arn: str) -> None:
    api.allow(api.extra["function"], source_arn)
    assert _status(api) == 200


@pytest.mark.parametrize(
    "source_arn",
    [
        "arn:aws:execute-api:{region}:{account}:zzzzzzzzzz/*/*/*",
        "arn:aws:execute-api:eu-west-1:{account}:{api}/*/*/*",
        "arn:aws:execute-api:{region}:210987654321:{api}/*/*/*",
        f"{API}/prod/GET/pets/{{{{id}}}}",
        f"{API}/*/POST/pets/{{{{id}}}}",
        f"{API}/*/GET/pets",
        f"{API}/*/GET/cats/*",
        f"{API}/*/get/pets/*",
        f"{API}",
        "arn:aws:s3:::{api}",
    ],
)
def test_a_source_arn_that_does_not_fit(api: Api, source_arn: str) -> None:
    api.allow(api.extra["function"], source_arn)
    assert _status(api) == 500


@pytest.mark.parametrize(
    "settings",
    [
        {"Principal": "s3.amazonaws.com"},
        {"Action": "lambda:GetFunction"},
        {"SourceAccount": "210987654321"},
    ],
)
def test_another_statement(api: Api, settings: dict[str, str]) -> None:
    api.allow(api.extra["function"], f"{API}/*/*/*", **settings)
    assert _status(api) == 500


def test_no_permission(api: Api) -> None:
    assert _status(api) == 500


def test_a_permission_needs_no_deployment_and_its_removal_none_either(api: Api) -> None:
    functions = api.gateway.cloud.client("lambda")
    name = api.extra["function"]
    assert _status(api) == 500
    functions.add_permission(
        FunctionName=name,
        StatementId="now",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    assert _status(api) == 200
    functions.remove_permission(FunctionName=name, StatementId="now")
    assert _status(api) == 500


def test_a_deleted_function(api: Api) -> None:
    api.allow(api.extra["function"], f"{API}/*/*/*")
    assert _status(api) == 200
    api.gateway.cloud.client("lambda").delete_function(FunctionName=api.extra["function"])
    assert _status(api) == 500
