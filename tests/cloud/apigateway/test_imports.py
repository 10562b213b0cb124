"""Files as tools and people write them are imported, deployed and served as they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.gateway import STAGE, Gateway

FILES = Path(__file__).parents[2] / "support" / "openapi"


def local(gateway: Gateway, name: str) -> str:
    """A file that names this cloud's function, user pool and app client."""
    cloud, pool = gateway.cloud, gateway.pool
    made_for = {
        "arn:aws:lambda:us-east-1:123456789012:function:echo": gateway.function_arn("echo"),
        "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_POOL": pool.arn,
        "us-east-1_POOL": pool.id,
        '"client"': f'"{pool.clients["app"]}"',
        "us-east-1": cloud.region,
    }
    text = (FILES / name).read_text()
    for written, meant in made_for.items():
        text = text.replace(written, meant)
    return text


def statuses(
    gateway: Gateway, api_id: str, *requests: tuple[str, str, dict[str, str]]
) -> list[int]:
    return [
        gateway.cloud.send(api_id, path, method=method, headers=headers).status_code
        for method, path, headers in requests
    ]


def served(gateway: Gateway, body: str) -> str:
    """A REST API that is imported, deployed, and may call its function."""
    aws, cloud = gateway.cloud.client("apigateway"), gateway.cloud
    api_id = str(aws.import_rest_api(body=body.encode(), failOnWarnings=True)["id"])
    aws.create_deployment(restApiId=api_id, stageName=STAGE)
    source = f"arn:aws:execute-api:{cloud.region}:{cloud.account_id}:{api_id}/*"
    gateway.allow("echo", source)
    return api_id


def test_the_body_that_sam_makes_of_a_rest_api(gateway: Gateway) -> None:
    api_id = served(gateway, local(gateway, "sam_rest.json"))
    token = {"Authorization": gateway.token("access")}
    assert statuses(
        gateway,
        api_id,
        ("OPTIONS", f"/{STAGE}/orders", {}),
        ("GET", f"/{STAGE}/orders", {}),
        ("GET", f"/{STAGE}/orders", token),
        ("GET", f"/{STAGE}/orders/1", {}),
        ("GET", f"/{STAGE}/key", {}),
        ("GET", f"/{STAGE}/signed", {}),
        ("GET", f"/{STAGE}/asked", {}),
        ("GET", f"/{STAGE}/open/a/b", {}),
    ) == [200, 401, 401, 401, 403, 403, 401, 200]  # fmt: skip
    unauthorized = gateway.cloud.send(api_id, f"/{STAGE}/orders")
    assert unauthorized.headers["Access-Control-Allow-Origin"] == "*"


def test_a_file_of_a_cognito_protected_api(gateway: Gateway) -> None:
    api_id = served(gateway, local(gateway, "cognito.yaml"))
    path, token = f"/{STAGE}/notes", {"Authorization": gateway.token("id")}
    assert statuses(
        gateway,
        api_id,
        ("GET", path, {}),
        ("GET", path, token),
        ("POST", path, token),
        ("GET", f"{path}/1", token),
        ("GET", f"{path}/1", {"Authorization": gateway.token("access")}),
        ("GET", f"/{STAGE}/health", {}),
    ) == [401, 200, 400, 401, 200, 200]  # fmt: skip


@pytest.mark.parametrize("name", ["sam_rest.json", "cognito.yaml"])
@pytest.mark.parametrize("kind", ["oas30", "swagger"])
def test_what_is_exported_is_served_the_same(gateway: Gateway, name: str, kind: str) -> None:
    api_id = served(gateway, local(gateway, name))
    aws = gateway.cloud.client("apigateway")
    where = {"stageName": STAGE, "exportType": kind, "parameters": {"extensions": "apigateway"}}
    file = aws.get_export(restApiId=api_id, accepts="application/yaml", **where)
    assert file["contentType"] == "application/octet-stream"
    assert file["contentDisposition"] == f'attachment; filename="{kind}_1.0.yaml"'
    body = file["body"].read().decode()
    again = served(gateway, body)
    second = aws.get_export(restApiId=again, accepts="application/yaml", **where)
    assert second["body"].read().decode().replace(again, api_id) == body


def test_an_overwritten_api_serves_the_old_deployment_until_the_next(gateway: Gateway) -> None:
    api_id = served(gateway, local(gateway, "cognito.yaml"))
    aws, document = gateway.cloud.client("apigateway"), _open_document()
    aws.put_rest_api(restApiId=api_id, mode="overwrite", body=json.dumps(document).encode())
    request = ("GET", f"/{STAGE}/notes", {})
    assert statuses(gateway, api_id, request) == [401]
    aws.create_deployment(restApiId=api_id, stageName=STAGE)
    assert statuses(gateway, api_id, request) == [200]


def _open_document() -> dict[str, Any]:
    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}},
    }
    method = {"responses": {"200": {}}, "x-amazon-apigateway-integration": mock}
    info = {"title": "Notes", "version": "2"}
    return {"openapi": "3.0.1", "info": info, "paths": {"/notes": {"get": method}}}


def test_a_broken_file_makes_no_api(gateway: Gateway) -> None:
    aws = gateway.cloud.client("apigateway")
    before = aws.get_rest_apis(limit=500)["items"]
    with pytest.raises(ClientError, match=r"\(BadRequestException\).*Invalid OpenAPI input\."):
        aws.import_rest_api(body=b"{")
    assert aws.get_rest_apis(limit=500)["items"] == before


def test_the_body_that_sam_makes_of_an_http_api(gateway: Gateway) -> None:
    aws, cloud = gateway.cloud.client("apigatewayv2"), gateway.cloud
    made = aws.import_api(Body=local(gateway, "sam_http.json"))
    api_id = made["ApiId"]
    assert made["Warnings"] == [
        "Parse issue: attribute paths. Resource $default should start with /"
    ]
    aws.create_stage(ApiId=api_id, StageName=STAGE, AutoDeploy=True)
    source = f"arn:aws:execute-api:{cloud.region}:{cloud.account_id}:{api_id}/*"
    gateway.allow("echo", source)
    token = {"Authorization": gateway.token("access")}
    requests = (
        ("GET", f"/{STAGE}/orders", {}),
        ("GET", f"/{STAGE}/orders", token),
        ("GET", f"/{STAGE}/elsewhere", {}),
        ("POST", f"/{STAGE}/asked", {}),
        ("GET", f"/{STAGE}/open", {}),
    )
    assert statuses(gateway, api_id, *requests) == [401, 403, 401, 401, 200]
    allowed = gateway.cloud.send(
        api_id, f"/{STAGE}/open", headers={"Origin": "https://example.com"}
    )
    assert allowed.headers["access-control-allow-origin"] == "https://example.com"

    file = aws.export_api(ApiId=api_id, Specification="OAS30", OutputType="YAML", StageName=STAGE)
    body = file["body"].read().decode()
    aws.reimport_api(ApiId=api_id, Body=body, FailOnWarnings=True)
    assert statuses(gateway, api_id, *requests) == [401, 403, 401, 401, 200]
