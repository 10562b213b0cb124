"""An API with a MOCK integration: only the gateway answers, and its throttle is what a burst meets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3


@dataclass(frozen=True)
class MockApi:
    """One `GET /` on the stage `dev`."""

    api_id: str

    @property
    def url(self) -> str:
        return f"https://{self.api_id}.execute-api.us-east-1.amazonaws.com/dev"

    def limit(self, rate: float, burst: int) -> None:
        """Set the stage's limit for all methods; its bucket is a new, full one when a number changes."""
        throttling = {"rateLimit": rate, "burstLimit": burst}
        boto3.client("apigateway").update_stage(
            restApiId=self.api_id,
            stageName="dev",
            patchOperations=[
                {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
                for name, value in throttling.items()
            ],
        )

    def key(self, **plan: Any) -> str:
        """The value of a new API key in a new usage plan of the stage."""
        gateway = boto3.client("apigateway")
        key = gateway.create_api_key(name="burst", enabled=True)
        stages = [{"apiId": self.api_id, "stage": "dev"}]
        made = gateway.create_usage_plan(name="burst", apiStages=stages, **plan)
        gateway.create_usage_plan_key(usagePlanId=made["id"], keyId=key["id"], keyType="API_KEY")
        return str(key["value"])


def mock_api(*, key_required: bool = False, tags: dict[str, str] | None = None) -> MockApi:
    """A new, deployed API, through the boto3 of this process."""
    gateway = boto3.client("apigateway")
    api_id = gateway.create_rest_api(name="burst", tags=tags or {})["id"]
    root_id = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    method = {"restApiId": api_id, "resourceId": root_id, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE", apiKeyRequired=key_required)
    gateway.put_integration(
        **method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    gateway.put_method_response(**method, statusCode="200")
    gateway.put_integration_response(
        **method, statusCode="200", responseTemplates={"application/json": '{"answer":"mock"}'}
    )
    gateway.create_deployment(restApiId=api_id, stageName="dev")
    return MockApi(api_id)
