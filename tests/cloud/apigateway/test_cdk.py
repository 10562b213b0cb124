"""What the CDK makes of an app is taken as it is, read as it was written, and served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cloudformation import Made, make_all
from tests.support.gateway import Gateway

FILE = Path(__file__).parents[2] / "support" / "cdk" / "shop.json"


@pytest.fixture(scope="module")
def shop(gateway: Gateway) -> dict[str, Made]:
    """What was made, by logical id, with this cloud's function, user pool and app client."""
    cloud, pool, text = gateway.cloud, gateway.pool, FILE.read_text()
    made_for = {
        "arn:aws:lambda:us-east-1:123456789012:function:echo": gateway.function_arn("echo"),
        "us-east-1_POOL": pool.id,
        '"client"': f'"{pool.clients["app"]}"',
    }
    for written, meant in made_for.items():
        text = text.replace(written, meant)
    return make_all(json.loads(text), cloud.client)


def _of(made: dict[str, Made], start: str) -> str:
    """The id of the first resource whose logical id begins so."""
    return next(one["Ref"] for name, one in made.items() if name.startswith(start))


def test_the_rest_api_is_served(gateway: Gateway, shop: dict[str, Made]) -> None:
    api_id = _of(shop, "Rest9065")
    identity, access = ({"Authorization": gateway.token(use)} for use in ("id", "access"))

    def status(method: str, path: str, **headers: str) -> int:
        return gateway.cloud.send(api_id, f"/dev{path}", method, headers).status_code

    assert status("GET", "/orders") == 401
    assert status("GET", "/orders", **identity) == 200
    assert status("POST", "/orders", **identity) == 400
    assert status("GET", "/orders/1", **identity) == 401
    assert status("GET", "/orders/1", **access) == 401
    assert status("GET", "/signed") == 403
    assert status("GET", "/asked") == 401
    assert status("GET", "/key") == 403
    assert status("GET", "/key", **{"x-api-key": "a-key-of-twenty-characters"}) == 200
    assert status("PUT", "/open/a/b") == 200
    health = gateway.cloud.send(api_id, "/dev/health")
    assert (health.status_code, health.json()) == (200, {"up": True})
    refused = gateway.cloud.send(api_id, "/dev/orders")
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert refused.json() == {"wrong": "Unauthorized"}
    preflight = gateway.cloud.send(api_id, "/dev/orders", "OPTIONS")
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://example.com"


def test_the_http_api_is_served(gateway: Gateway, shop: dict[str, Made]) -> None:
    api_id = _of(shop, "Web3C89")
    token = {"Authorization": gateway.token("access")}

    def status(path: str, **headers: str) -> int:
        return gateway.cloud.send(api_id, path, headers=headers).status_code

    assert status("/orders") == 401
    assert status("/orders", **token) == 200
    assert status("/scoped", **token) == 403
    assert status("/signed") == 403
    assert status("/asked") == 401
    assert status("/open") == 200
    allowed = gateway.cloud.send(api_id, "/open", headers={"Origin": "https://example.com"})
    assert allowed.headers["access-control-allow-origin"] == "https://example.com"
