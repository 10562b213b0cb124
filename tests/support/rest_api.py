"""REST APIs, built by AWS's own operations on a running cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.gateway import SITUATIONS, STAGE, Gateway, Pool, Situation


class Api:
    """A REST API under construction."""

    def __init__(self, gateway: Gateway, **settings: Any) -> None:
        self.gateway = gateway
        self.aws = gateway.cloud.client("apigateway")
        settings = {"endpointConfiguration": {"types": ["REGIONAL"]}, **settings}
        self.id = str(self.aws.create_rest_api(name="ledger", **settings)["id"])
        items = self.aws.get_resources(restApiId=self.id)["items"]
        self.resources: dict[str, str] = {"/": items[0]["id"]}
        self.extra: dict[str, str] = {}

    def resource(self, path: str) -> str:
        """The id of a resource, made with its parents when missing."""
        if path not in self.resources:
            parent, _slash, part = path.rpartition("/")
            made = self.aws.create_resource(
                restApiId=self.id, parentId=self.resource(parent or "/"), pathPart=part
            )
            self.resources[path] = made["id"]
        return self.resources[path]

    def method(self, verb: str, path: str, **settings: Any) -> dict[str, str]:
        where = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        self.aws.put_method(**where, **{"authorizationType": "NONE", **settings})
        return where

    def mock(
        self,
        verb: str,
        path: str,
        body: str | None = None,
        integration: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """A method that answers by itself: with its own verb and path, unless told otherwise."""
        where = self.method(verb, path, **settings)
        template = json.dumps({"route": f"{verb} {path}"}) if body is None else body
        self.aws.put_method_response(**where, statusCode="200")
        self.aws.put_integration(
            **where,
            **{
                "type": "MOCK",
                "requestTemplates": {"application/json": '{"statusCode": 200}'},
                **(integration or {}),
            },
        )
        self.aws.put_integration_response(
            **where, statusCode="200", responseTemplates={"application/json": template}
        )

    def function(
        self,
        verb: str,
        path: str,
        name: str = "echo",
        integration: Mapping[str, Any] | None = None,
        source_arn: str | None = "arn:aws:execute-api:{region}:{account}:{api}/*/*/*",
        **settings: Any,
    ) -> None:
        """A method with a Lambda proxy integration, and the permission that it needs."""
        where = self.method(verb, path, **settings)
        self.aws.put_integration(
            **where,
            **{
                "type": "AWS_PROXY",
                "integrationHttpMethod": "POST",
                "uri": self.gateway.function_uri(name),
                **(integration or {}),
            },
        )
        if source_arn is not None:
            self.allow(name, source_arn)

    def allow(self, name: str, source_arn: str, **settings: str) -> None:
        """Let API Gateway invoke a function."""
        cloud = self.gateway.cloud
        source = source_arn.format(region=cloud.region, account=cloud.account_id, api=self.id)
        self.gateway.allow(name, source, **settings)

    def authorizer(self, *pools: Pool, **settings: Any) -> dict[str, Any]:
        """The settings of a method that a Cognito authorizer guards."""
        made = self.aws.create_authorizer(
            restApiId=self.id,
            **{
                "name": f"pools-{len(self.aws.get_authorizers(restApiId=self.id)['items'])}",
                "type": "COGNITO_USER_POOLS",
                "providerARNs": [pool.arn for pool in pools],
                "identitySource": "method.request.header.Authorization",
                **settings,
            },
        )
        self.extra["authorizer"] = made["id"]
        return {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": made["id"]}

    def respond(self, kind: str, **settings: Any) -> None:
        self.aws.put_gateway_response(restApiId=self.id, responseType=kind, **settings)

    def patch(self, verb: str, path: str, *operations: Mapping[str, str]) -> None:
        self.aws.update_method(
            restApiId=self.id,
            resourceId=self.resource(path),
            httpMethod=verb,
            patchOperations=list(operations),
        )

    def guard(self, verb: str, path: str, guarded: Mapping[str, str]) -> None:
        """Give a method that is there an authorizer."""
        paths = {"authorizerId": "/authorizerId", "authorizationType": "/authorizationType"}
        patches = [{"op": "replace", "path": paths[k], "value": v} for k, v in guarded.items()]
        self.patch(verb, path, *patches)

    def deploy(self, stage: str = STAGE, **settings: Any) -> str:
        made = self.aws.create_deployment(restApiId=self.id, stageName=stage, **settings)
        self.extra["deployment"] = made["id"]
        return str(made["id"])

    def situation(self) -> Situation:
        return Situation(self.api_id, self.resources, self.extra)

    @property
    def api_id(self) -> str:
        return self.id


def situation(build: Callable[[Api], None]) -> Callable[[Api], None]:
    """Register a builder of an API under its name, with blanks for underscores."""

    def make(gateway: Gateway) -> Situation:
        api = Api(gateway)
        build(api)
        return api.situation()

    SITUATIONS[build.__name__.replace("_", " ")] = make
    return build
