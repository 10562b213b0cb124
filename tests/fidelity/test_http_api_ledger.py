"""Every row of the HTTP APIs' ledger, over HTTP, against a genuine local cloud."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from labkit.journey import Code
from labkit.local.ledger import Row, rows
from tests.fidelity.http_api_fixture import (
    DEFAULT,
    HttpApi,
    HttpGateway,
    HttpRunner,
)
from tests.fidelity.runner import REQUEST_KEYS, check_form
from tests.support.patience import PATIENCE

ROWS = rows("http_api.toml")
SIGNING_KEYS = {"sign", "sign_age", "sign_path", "sign_region"}


@pytest.fixture(autouse=True)
def _running_clock(http_gateway: HttpGateway) -> None:
    http_gateway.run_clock()


def test_rows_say_what_they_stand_on() -> None:
    for row in ROWS:
        check_form(row, "http-", REQUEST_KEYS | SIGNING_KEYS | {"before", "token_query"})
        assert "gate" in row.expect or "operation" in row.request, row.id
    assert len(ROWS) >= 25


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(row: Row, http_gateway: HttpGateway) -> None:
    HttpRunner(http_gateway).run(row)


# -- what the rows don't say: the control plane, and what fails closed ---------------------------------


def _refused(
    gateway: HttpGateway, api_id: str, status: int, code: Code, gate: str = "stage", **sent: str
) -> None:
    response = gateway.cloud.send(api_id, "/pets", headers=sent)
    assert response.status_code == status, response.text
    steps = gateway.cloud.journey(response)["steps"]
    assert (steps[-1]["gate"], steps[-1]["outcome"], steps[-1]["code"]) == (gate, "stop", code)


def _open_api(gateway: HttpGateway) -> HttpApi:
    api = HttpApi(gateway)
    api.route("GET /pets", api.function())
    api.stage()
    return api


def test_an_api_has_its_address_on_aws(http_gateway: HttpGateway) -> None:
    api = _open_api(http_gateway)
    address = f"https://{api.id}.execute-api.{http_gateway.cloud.region}.amazonaws.com"
    assert api.made["ApiEndpoint"] == address
    assert api.aws.get_api(ApiId=api.id)["ApiEndpoint"] == address


def test_an_api_has_a_route_key_once(http_gateway: HttpGateway) -> None:
    api = _open_api(http_gateway)
    with pytest.raises(api.aws.exceptions.ConflictException, match="already exists"):
        api.route("GET /pets", api.function())
    assert len(api.aws.get_routes(ApiId=api.id)["Items"]) == 1


def test_caching_is_off_unless_asked_for(http_gateway: HttpGateway) -> None:
    api = HttpApi(http_gateway)
    plain = api.asking("simple", Name="plain")["AuthorizerId"]
    cached = api.asking("simple", AuthorizerResultTtlInSeconds=7)["AuthorizerId"]
    found = {a["AuthorizerId"]: a for a in api.aws.get_authorizers(ApiId=api.id)["Items"]}
    assert "AuthorizerResultTtlInSeconds" not in found[plain]
    assert found[cached]["AuthorizerResultTtlInSeconds"] == 7


def test_automatic_deployments_leave_no_others_behind(http_gateway: HttpGateway) -> None:
    api = _open_api(http_gateway)
    for number in range(3):
        api.route(f"GET /{number}", api.function())
    [made] = api.aws.get_deployments(ApiId=api.id)["Items"]
    assert made["AutoDeployed"]
    assert (
        api.aws.get_stage(ApiId=api.id, StageName=DEFAULT)["DeploymentId"] == made["DeploymentId"]
    )
    with pytest.raises(api.aws.exceptions.BadRequestException, match="Active stages"):
        api.aws.delete_deployment(ApiId=api.id, DeploymentId=made["DeploymentId"])
    assert http_gateway.cloud.send(api.id, "/pets").status_code == 200


def test_a_deployment_names_a_stage_that_is_there(http_gateway: HttpGateway) -> None:
    api = _open_api(http_gateway)
    with pytest.raises(api.aws.exceptions.NotFoundException):
        api.deploy("nowhere")
    assert len(api.aws.get_deployments(ApiId=api.id)["Items"]) == 1


def test_a_stage_goes_back_to_an_earlier_deployment(http_gateway: HttpGateway) -> None:
    api = HttpApi(http_gateway)
    api.route("GET /pets", api.function())
    api.route("GET /other", api.function())
    api.stage("test", AutoDeploy=False)
    first = api.deploy("test")
    api.aws.delete_route(ApiId=api.id, RouteId=api.routes["GET /pets"])
    second = api.deploy("test")
    assert http_gateway.cloud.send(api.id, "/test/pets").status_code == 404
    api.aws.update_stage(ApiId=api.id, StageName="test", DeploymentId=first)
    assert http_gateway.cloud.send(api.id, "/test/pets").status_code == 200
    api.aws.delete_deployment(ApiId=api.id, DeploymentId=second)
    with pytest.raises(api.aws.exceptions.NotFoundException):
        api.aws.update_stage(ApiId=api.id, StageName="test", DeploymentId=second)
    assert http_gateway.cloud.send(api.id, "/test/pets").status_code == 200


def test_a_changed_authorizer_forgets_what_it_cached(http_gateway: HttpGateway) -> None:
    api = HttpApi(http_gateway)
    guarded = api.asking("simple", EnableSimpleResponses=True, AuthorizerResultTtlInSeconds=300)
    api.route("GET /pets", api.function(), **guarded)
    api.stage()
    for name in ("X-Ask", "X-Other"):
        source = [f"$request.header.{name}"]
        api.aws.update_authorizer(
            ApiId=api.id, AuthorizerId=guarded["AuthorizerId"], IdentitySource=source
        )
        sent = {"X-Ask": "allow" if name == "X-Ask" else "deny", "X-Other": "allow"}
        status = http_gateway.cloud.send(api.id, "/pets", headers=sent).status_code
        assert status == (200 if name == "X-Ask" else 403)


def test_a_deleted_stage_or_api_answers_nobody(http_gateway: HttpGateway) -> None:
    api = _open_api(http_gateway)
    api.aws.delete_stage(ApiId=api.id, StageName=DEFAULT)
    _refused(http_gateway, api.id, 404, Code.STAGE_NOT_FOUND)
    api.aws.delete_api(ApiId=api.id)
    assert http_gateway.cloud.send(api.id, "/pets").status_code == 403  # on AWS: no such host


def test_websocket_apis_are_not_offered(http_gateway: HttpGateway) -> None:
    aws = http_gateway.cloud.client("apigatewayv2")
    with pytest.raises(
        ClientError, match=r"doesn't offer this value of ProtocolType\. It offers HTTP\."
    ):
        aws.create_api(
            Name="ws", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
        )


def test_a_far_issuer_fails_closed(http_gateway: HttpGateway) -> None:
    api_id = http_gateway.situation("an issuer far away").api_id
    token = http_gateway.issuer.token(iss="https://issuer.example.com")
    response = http_gateway.cloud.send(api_id, "/me", headers={"Authorization": token})
    assert response.status_code == 500
    assert http_gateway.cloud.journey(response)["steps"][-1]["code"] == Code.UNSUPPORTED


def test_the_path_form_of_the_address(http_gateway: HttpGateway) -> None:
    api = _open_api(http_gateway)
    base = f"{http_gateway.cloud.endpoint}/_aws/execute-api/{api.id}"
    assert http_gateway.cloud.http.get(f"{base}/pets", timeout=PATIENCE).status_code == 200
    assert http_gateway.cloud.http.get(base, timeout=PATIENCE).status_code == 404


def _domain(gateway: HttpGateway, name: str, **settings: Any) -> Any:
    aws = gateway.cloud.client("apigatewayv2")
    regional = {"EndpointType": "REGIONAL", "CertificateArn": gateway.cloud.certificate(name)}
    aws.create_domain_name(DomainName=name, DomainNameConfigurations=[regional], **settings)
    return aws


def test_a_custom_domain_maps_to_a_stage(http_gateway: HttpGateway) -> None:
    api = _open_api(http_gateway)
    api.aws.update_api(ApiId=api.id, DisableExecuteApiEndpoint=True)
    aws = _domain(http_gateway, "http.example.com")
    aws.create_api_mapping(
        ApiId=api.id, DomainName="http.example.com", Stage=DEFAULT, ApiMappingKey="v1"
    )
    host = {"Host": "http.example.com"}
    url = http_gateway.cloud.endpoint
    found = http_gateway.cloud.http.get(f"{url}/v1/pets", headers=host, timeout=PATIENCE)
    assert (found.status_code, found.json()["rawPath"]) == (200, "/pets")
    assert found.json()["requestContext"]["domainName"] == "http.example.com"
    _refused(http_gateway, api.id, 404, Code.ENDPOINT_DISABLED, "route")


def test_mutual_tls_fails_closed(http_gateway: HttpGateway) -> None:
    api = _open_api(http_gateway)
    mutual = {"TruststoreUri": "s3://bucket/truststore.pem"}
    aws = _domain(http_gateway, "mtls.example.com", MutualTlsAuthentication=mutual)
    aws.create_api_mapping(ApiId=api.id, DomainName="mtls.example.com", Stage=DEFAULT)
    _refused(http_gateway, api.id, 403, Code.TRUST_STORE, Host="mtls.example.com")


def test_http_integrations(http_gateway: HttpGateway) -> None:
    api_id = http_gateway.situation("results").api_id
    found = http_gateway.cloud.send(api_id, "/http/jwks")
    assert found.status_code == 200
    assert found.json()["keys"]
    assert http_gateway.cloud.send(api_id, "/http/nothing").status_code == 404
    far = http_gateway.cloud.send(api_id, "/far")
    assert far.status_code == 500
    assert http_gateway.cloud.journey(far)["steps"][-1]["code"] == Code.UNSUPPORTED


def test_a_body_that_is_too_large(http_gateway: HttpGateway) -> None:
    api = _open_api(http_gateway)
    response = http_gateway.cloud.send(api.id, "/pets", "POST", data=b"x" * 10_485_761)
    assert response.status_code == 413
    assert http_gateway.cloud.journey(response)["steps"][-1]["gate"] == "stage"
