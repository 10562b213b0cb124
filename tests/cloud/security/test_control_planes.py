"""API Gateway's control planes: no other spelling goes round a check, and no odd setting that would open is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.attacker import JSON, Answer, Attacker

THROTTLE = {"rateLimit": 1.0, "burstLimit": 1}
DEEP = b"[" * 100_000


@dataclass
class Plan:
    """A usage plan, a disabled key in it, and an HTTP API."""

    cloud: Attacker
    id: str
    key: str
    http_api: str

    def send(self, method: str, path: str, body: Any) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        for name in ("plan", "key", "http_api"):
            path = path.replace(f"{{{name}}}", getattr(self, "id" if name == "plan" else name))
        return self.cloud.signed("apigateway", method, path, headers=headers, body=raw)

    def state(self) -> tuple[Any, ...]:
        gateway = self.cloud.client("apigateway")
        plan = gateway.get_usage_plan(usagePlanId=self.id)
        key = gateway.get_api_key(apiKey=self.key, includeValue=True)
        routes = self.cloud.client("apigatewayv2").get_routes(ApiId=self.http_api)["Items"]
        plans = len(gateway.get_usage_plans()["items"])
        return plan["throttle"], plan["quota"], key["enabled"], key["value"], routes, plans


@pytest.fixture(scope="module")
def plan(cloud: Attacker) -> Iterator[Plan]:
    gateway, http_apis = cloud.client("apigateway"), cloud.client("apigatewayv2")
    quota = {"limit": 5, "period": "WEEK"}
    plan_id = gateway.create_usage_plan(name="victim", throttle=THROTTLE, quota=quota)["id"]
    key_id = gateway.create_api_key(name="victim", enabled=False)["id"]
    gateway.create_usage_plan_key(usagePlanId=plan_id, keyId=key_id, keyType="API_KEY")
    http_api = http_apis.create_api(Name="victim", ProtocolType="HTTP")["ApiId"]
    yield Plan(cloud, plan_id, key_id, http_api)
    http_apis.delete_api(ApiId=http_api)
    gateway.delete_usage_plan_key(usagePlanId=plan_id, keyId=key_id)
    gateway.delete_usage_plan(usagePlanId=plan_id)
    gateway.delete_api_key(apiKey=key_id)


@pytest.fixture(autouse=True)
def _nothing_changed(plan: Plan) -> Iterator[None]:
    before = plan.state()
    yield
    assert plan.state() == before


def replaced(path: str, value: Any) -> dict[str, Any]:
    return {"patchOperations": [{"op": "replace", "path": path, "value": value}]}


HALF = "half \ud83d, whole \U0001f600"


@pytest.mark.parametrize(
    ("service", "path", "name", "listed"),
    [
        ("apigateway", "/restapis", "name", "/restapis"),
        ("apigateway", "/v2/apis", "name", "/v2/apis"),
        ("lambda", "/2015-03-31/functions", "FunctionName", "/2015-03-31/functions/"),
    ],
)
def test_what_no_answer_can_carry_is_not_kept(
    cloud: Attacker, service: str, path: str, name: str, listed: str
) -> None:
    body = json.dumps({name: "half", "description": HALF, "protocolType": "HTTP"}).encode()
    refused = cloud.signed(service, "POST", path, headers=JSON, body=body)
    assert refused.status == 400
    assert json.loads(refused.body)["__type"] == "SerializationException"
    assert cloud.signed(service, "GET", listed).status == 200


def test_a_whole_character_may_be_escaped(cloud: Attacker) -> None:
    body = json.dumps({"name": HALF.replace("\ud83d", "\\\\ud83d")}).encode()
    made = cloud.signed("apigateway", "POST", "/restapis", headers=JSON, body=body)
    assert made.status == 201
    cloud.client("apigateway").delete_rest_api(restApiId=json.loads(made.body)["id"])


RATE = replaced("/throttle/rateLimit", "-7")
ENABLED = replaced("/enabled", "nope")
ROUTE = {"routeKey": "GET /x", "authorizationType": "JWT", "authorizerId": "none"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/usageplans/{plan}/", RATE),
        ("PATCH", "//usageplans/{plan}", RATE),
        ("PATCH", "/usageplans//{plan}", RATE),
        ("PATCH", "/%75sageplans/{plan}", RATE),
        ("PATCH", "/usageplans%2F{plan}", RATE),
        ("PATCH", "/usageplans%2f{plan}", RATE),
        ("PATCH", "/%2e/usageplans/{plan}", RATE),
        ("PATCH", "/x/../usageplans/{plan}", RATE),
        ("PATCH", "/apikeys/{key}/", ENABLED),
        ("PATCH", "/apikey%73/{key}", ENABLED),
        ("PATCH", "/apikeys%2F{key}", ENABLED),
        ("POST", "/restapis/", {"name": "x", "policy": "nonsense"}),
        ("POST", "/%72estapis", {"name": "x", "policy": "nonsense"}),
        ("POST", "/v2/apis/{http_api}/routes/", ROUTE),
        ("POST", "/v2/apis/{http_api}%2Froutes", ROUTE),
        ("POST", "/v2/apis/{http_api}/%72outes", ROUTE),
        ("POST", "/v2/%61pis/{http_api}/routes", ROUTE),
        ("POST", "/v2/tags/..%2Fapis%2F{http_api}%2Froutes", ROUTE),
        ("POST", "/v2/tags/%61rn", {"tags": {}}),
        ("DELETE", "/v2/apis/{http_api}/stages/x/routesettings/..%2F..%2F..%2Fx", {}),
    ],
)
def test_no_spelling_of_a_path_goes_round_a_check(
    plan: Plan, method: str, path: str, body: Any
) -> None:
    assert plan.send(method, path, body).status in (403, 404)


def test_a_path_may_hold_what_an_sdk_encodes(plan: Plan) -> None:
    """An ARN's colons and slashes, a route key's blank and dollar."""
    http_apis = plan.cloud.client("apigatewayv2")
    arn = f"arn:aws:apigateway:us-east-1::/apis/{plan.http_api}"
    http_apis.tag_resource(ResourceArn=arn, Tags={"a key": "one", "two": "2"})
    assert http_apis.get_tags(ResourceArn=arn)["Tags"] == {"a key": "one", "two": "2"}
    http_apis.untag_resource(ResourceArn=arn, TagKeys=["a key", "two"])
    assert http_apis.get_tags(ResourceArn=arn)["Tags"] == {}
    http_apis.create_stage(ApiId=plan.http_api, StageName="$default")
    for key in ("GET /pets", "$default"):
        with pytest.raises(ClientError, match="Unable to find RouteSettings"):
            http_apis.delete_route_settings(ApiId=plan.http_api, StageName="$default", RouteKey=key)
    assert http_apis.get_stage(ApiId=plan.http_api, StageName="$default")
    http_apis.delete_stage(ApiId=plan.http_api, StageName="$default")


@pytest.mark.parametrize(
    "settings",
    [
        {"throttle": {"rateLimit": "abc"}},
        {"throttle": {"rateLimit": float("nan"), "burstLimit": 1}},
        {"throttle": {"rateLimit": float("inf"), "burstLimit": 1}},
        {"throttle": {"rateLimit": -1, "burstLimit": 1}},
        {"throttle": {"rateLimit": 1, "burstLimit": 1.5}},
        {"throttle": {"rateLimit": True}},
        {"throttle": "x"},
        {"quota": {"limit": "abc", "period": "DAY"}},
        {"quota": {"limit": -3, "period": "DAY"}},
        {"quota": {"limit": 10**400, "period": "DAY"}},
        {"quota": {"limit": 1, "period": "YEAR"}},
        {"quota": {"limit": 1, "period": "DAY", "offset": -5}},
        {"quota": []},
        {"apiStages": "x"},
        {"apiStages": [1]},
        {"apiStages": [{"apiId": "a", "stage": "b", "throttle": {"/x/GET": {"rateLimit": -1}}}]},
        {"name": None},
    ],
)
def test_no_odd_limit_is_kept(plan: Plan, settings: dict[str, Any]) -> None:
    answer = plan.send("POST", "/usageplans", {"name": "odd", **settings})
    assert answer.status == 400, answer.text


@pytest.mark.parametrize("body", [b"[1]", b"{", b"\\xff", DEEP, b'"x"', b"7"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/usageplans"),
        ("POST", "/apikeys"),
        ("PATCH", "/usageplans/{plan}"),
        ("PATCH", "/usageplans/{plan}/keys/{key}/usage"),
        ("PATCH", "/apikeys/{key}"),
    ],
)
def test_what_isnt_an_object_is_refused(plan: Plan, method: str, path: str, body: bytes) -> None:
    assert plan.send(method, path, body).status == 400


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/throttle/rateLimit", "nan"),
        ("/throttle/rateLimit", "1e9"),
        ("/throttle/rateLimit", "\u00b2"),
        ("/throttle/burstLimit", "1.5"),
        ("/throttle", "x"),
        ("/throttle", {"rateLimit": "x"}),
        ("/quota", "x"),
        ("/quota/limit", None),
        ("/quota/limit", "9" * 5000),
        ("/quota/offset", "-5"),
        ("/quota/period", "YEAR"),
        ("/apiStages", None),
        ("/apiStages", ":"),
        ("/apiStages/a:b/throttle/~1/GET/rateLimit", "nan"),
        ("/id", "mine"),
        ("/", "x"),
        (None, "x"),
    ],
)
def test_no_odd_patch_of_a_plan(plan: Plan, path: Any, value: Any) -> None:
    assert plan.send("PATCH", "/usageplans/{plan}", replaced(path, value)).status == 400


@pytest.mark.parametrize("value", ["nan", "inf", "-5", "1e5", "", "abc", None, {}])
@pytest.mark.parametrize("limit", ["rateLimit", "burstLimit"])
def test_no_odd_limit_of_a_stage(plan: Plan, limit: str, value: Any) -> None:
    api_id = plan.cloud.demo.rest_api_id
    stage = f"/restapis/{api_id}/stages/dev"
    operations = replaced(f"/*/*/throttling/{limit}", value)
    answer = plan.send("PATCH", stage, operations)
    assert answer.status == 400, answer.text


@pytest.mark.parametrize("operations", [5, "x", [1], {"a": 1}, [[]], [{"op": "burn"}]])
def test_patches_are_a_list_of_operations(plan: Plan, operations: Any) -> None:
    for path in ("/usageplans/{plan}", "/usageplans/{plan}/keys/{key}/usage", "/apikeys/{key}"):
        assert plan.send("PATCH", path, {"patchOperations": operations}).status == 400


@pytest.mark.parametrize("value", ["\u00b2", "9" * 5000, "-1", -1, None, "1.5", "", " 1"])
def test_what_remains_is_a_number(plan: Plan, value: Any) -> None:
    path = "/usageplans/{plan}/keys/{key}/usage"
    assert plan.send("PATCH", path, replaced("/remaining", value)).status == 400


@pytest.mark.parametrize(
    ("path", "value"),
    [("/enabled", v) for v in ("nope", "", 1, True, None, [])]
    + [("/value", "x" * 30), ("/id", "mine")],
)
def test_no_odd_patch_of_a_key(plan: Plan, path: str, value: Any) -> None:
    assert plan.send("PATCH", "/apikeys/{key}", replaced(path, value)).status == 400


def test_a_key_is_enabled_by_true_alone(plan: Plan) -> None:
    for enabled in ("false", "no", 1, [], {}):
        body = {"name": "odd", "enabled": enabled}
        assert plan.send("POST", "/apikeys", body).status == 400


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-W01-1", "2026-W01-2"), ("20260101", "20260102"), ("x", "y"), ("2026-02-30", "")],
)
def test_dates_are_dates(plan: Plan, first: str, last: str) -> None:
    path = f"/usageplans/{{plan}}/usage?startDate={first}&endDate={last}"
    assert plan.send("GET", path, b"").status == 400


def test_the_calendars_first_week(plan: Plan) -> None:
    path = "/usageplans/{plan}/usage?startDate=0001-01-01&endDate=0001-01-06"
    assert plan.send("GET", path, b"").status == 200
