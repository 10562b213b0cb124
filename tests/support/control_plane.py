"""API Gateway's control planes in this process, called as SDKs call them: serialized and parsed by botocore."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import botocore.session
from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from labkit.local.apigateway.composition import ApiGateway, compose_api_gateway
from labkit.local.messages import Request, Response
from labkit.service_models import extra_search_paths

ACCOUNT, REGION = "123456789012", "us-east-1"
LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:echo"
FUNCTION_URI = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{LAMBDA}/invocations"
POOL = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_ABC123"
NOW = 1_709_251_199.9
"""2024-02-29T23:59:59Z."""


@dataclass
class Certificates:
    """A certificate for whoever wants one."""

    def names_of(self, arn: str) -> list[str] | None:
        return ["api.example.com", "*.example.com"] if arn.endswith("/good") else None


class WebAcls:
    def web_acl_of(self, arn: str) -> str | None:
        return None


class UserPools:
    def client_ids(self, pool_id: str) -> set[str] | None:
        return {"client"} if pool_id == f"{REGION}_ABC123" else None


class Objects:
    """S3 without a bucket."""

    def read(self, bucket: str, key: str, version: str = "") -> bytes | None:
        return None


@dataclass
class Engine:
    """What the control planes ask of the engine."""

    refusal: Response | None = None
    certificates: Certificates = field(default_factory=Certificates)
    web_acl_associations: WebAcls = field(default_factory=WebAcls)
    user_pools: UserPools = field(default_factory=UserPools)
    objects: Objects = field(default_factory=Objects)
    functions: Any = None
    iam: Any = None

    def permission_error(
        self, request: Request, action: str, resource: str, region: str
    ) -> str | None:
        return "may not" if "forbidden" in resource else None

    async def authorize(self, request: Request) -> Response | None:
        return self.refusal


@dataclass(frozen=True)
class Answer:
    """What a client gets.

    Attributes:
        status: the HTTP status.
        error: the error code; empty for a success.
        message: its text.
        result: the parsed answer, without metadata.
        body: as it came.
    """

    status: int
    error: str
    message: str
    result: dict[str, Any]
    body: bytes


class ControlPlane:
    """Both control planes, and clients of them.

    Args:
        service: whose operations :meth:`__call__` takes.
    """

    def __init__(self, service: str = "apigateway", engine: Engine | None = None) -> None:
        self.engine = engine or Engine()
        everything: Any = self.engine
        self.gateway: ApiGateway = compose_api_gateway(
            everything, ACCOUNT, clock=lambda: NOW, numbers=random.Random(1)
        )
        self.service = service

    def of(self, service: str) -> ControlPlane:
        """The same records, by the operations of another service."""
        other = object.__new__(ControlPlane)
        other.__dict__.update({**self.__dict__, "service": service})
        return other

    def __call__(self, operation: str, **parameters: Any) -> Answer:
        """Call an operation under the API reference's name."""
        model = operation_model(self.service, operation)
        sent = create_serializer("rest-json", include_validation=False).serialize_to_request(
            parameters, model
        )
        response = self.send(
            sent["method"], sent["url_path"], sent["query_string"], sent["body"], sent["headers"]
        )
        parsed = create_parser("rest-json").parse(
            {
                "status_code": response.status,
                "headers": {k.lower(): v for k, v in response.headers},
                "body": response.body,
            },
            model.output_shape,
        )
        error = parsed.pop("Error", {})
        parsed.pop("ResponseMetadata", None)
        return Answer(
            response.status,
            error.get("Code", ""),
            error.get("Message", ""),
            {} if error else parsed,
            response.body,
        )

    def made(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The result of a call that succeeds."""
        answer = self(operation, **parameters)
        assert not answer.error, (operation, answer.status, answer.error, answer.message)
        return answer.result

    def send(
        self,
        method: str,
        path: str,
        query: Any = "",
        body: Any = b"",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        """Send a request as it is."""
        if isinstance(query, dict | list):
            query = urlencode(query, doseq=True)
        path, _mark, of_path = path.partition("?")
        query = "&".join(part for part in (of_path, query) if part)
        data = body.encode() if isinstance(body, str) else bytes(body or b"")
        request = Request(method, path, query, list(headers.items()), data)
        return asyncio.run(self.gateway.control.handle(request, REGION))

    def rest_api(self, *paths: str, **settings: Any) -> RestApi:
        """A new REST API with resources."""
        return RestApi(self, paths, settings)


class RestApi:
    """A REST API of a :class:`ControlPlane`.

    Attributes:
        id: its id.
        resources: path → id.
    """

    def __init__(self, plane: ControlPlane, paths: Iterable[str], settings: Any) -> None:
        self.plane = plane
        self.id = plane.made("CreateRestApi", **{"name": "a", **settings})["id"]
        [root] = plane.made("GetResources", restApiId=self.id)["items"]
        self.resources = {"/": root["id"]}
        for path in paths:
            self.resource(path)

    def resource(self, path: str) -> str:
        if path not in self.resources:
            parent, _slash, part = path.rpartition("/")
            made = self("CreateResource", parentId=self.resource(parent or "/"), pathPart=part)
            self.resources[path] = made.result["id"]
        return self.resources[path]

    def __call__(self, operation: str, **parameters: Any) -> Answer:
        return self.plane(operation, restApiId=self.id, **parameters)

    def mock(self, path: str = "/", verb: str = "GET", **settings: Any) -> dict[str, str]:
        """A method with a MOCK integration."""
        where = {"resourceId": self.resource(path), "httpMethod": verb}
        assert not self("PutMethod", **where, **{"authorizationType": "NONE", **settings}).error
        assert not self("PutIntegration", **where, type="MOCK").error
        return where

    def deploy(self, stage: str = "dev") -> str:
        made = self("CreateDeployment", stageName=stage)
        assert not made.error, made
        return str(made.result["id"])


def operation_model(service: str, operation: str) -> OperationModel:
    """botocore's description of an operation."""
    return _MODELS[service].operation_model(operation)


def operation_names(service: str) -> list[str]:
    """The operations of a service."""
    return list(_MODELS[service].operation_names)


_SESSION = botocore.session.Session()
_SESSION.get_component("data_loader").search_paths.extend(extra_search_paths())
_MODELS = {name: _SESSION.get_service_model(name) for name in ("apigateway", "apigatewayv2")}
