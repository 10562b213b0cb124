"""OpenAPI files that Hypothesis makes: whole ones, and some of which one part is wrong or gone."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.support.control_plane import FUNCTION_URI, REGION
from tests.support.populated_planes import POLICY

JsonObject = dict[str, Any]

WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, 10**30, "", [], {}, [None], {"a": None}, [[]], {"a": [{}]}]
)
"""Values of another JSON type than most members want."""
_SCHEME = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "custom",
    "x-amazon-apigateway-authorizer": {
        "type": "request",
        "authorizerUri": FUNCTION_URI,
        "identitySource": "method.request.header.Authorization",
        "authorizerResultTtlInSeconds": 0,
    },
}
_PROXY = {
    "type": "aws_proxy",
    "httpMethod": "POST",
    "uri": FUNCTION_URI,
    "payloadFormatVersion": "1.0",
}
_MOCK = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {"default": {"statusCode": "200", "responseTemplates": {"text/plain": "a"}}},
}
_REST: list[JsonObject] = [
    {
        "openapi": "3.0.1",
        "info": {"title": "a", "version": "1"},
        "servers": [{"url": "https://example.com/{b}", "variables": {"b": {"default": "v1"}}}],
        "security": [{"mine": []}],
        "paths": {
            "/a/{b}": {
                "parameters": [{"name": "b", "in": "path", "required": True, "schema": {}}],
                "get": {
                    "operationId": "read",
                    "responses": {"200": {"description": "so", "headers": {"X": {"schema": {}}}}},
                    "x-amazon-apigateway-integration": _PROXY,
                },
                "post": {
                    "security": [],
                    "requestBody": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/M"}}
                        }
                    },
                    "x-amazon-apigateway-integration": _PROXY,
                },
            }
        },
        "components": {"schemas": {"M": {"type": "object"}}, "securitySchemes": {"mine": _SCHEME}},
    },
    {
        "swagger": "2.0",
        "info": {"title": "a", "version": 1},
        "basePath": "/v1",
        "paths": {
            "/": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": _MOCK}}
        },
        "definitions": {"M": {"type": "array", "items": {"$ref": "#/definitions/M"}}},
        "securityDefinitions": {"mine": _SCHEME},
        "x-amazon-apigateway-policy": json.loads(POLICY),
        "x-amazon-apigateway-gateway-responses": {"UNAUTHORIZED": {"statusCode": 401}},
        "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": True}},
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-binary-media-types": ["*/*"],
        "x-amazon-apigateway-api-key-source": "HEADER",
    },
]

_HTTP: list[JsonObject] = [
    {
        "openapi": "3.0.1",
        "info": {"title": "a", "version": "1"},
        "security": [{"jwt": ["read"]}],
        "paths": {
            "/a/{b}": {
                "get": {
                    "x-amazon-apigateway-integration": {**_PROXY, "payloadFormatVersion": "2.0"}
                },
                "post": {"security": [], "x-amazon-apigateway-integration": _PROXY},
            }
        },
        "components": {
            "securitySchemes": {
                "jwt": {
                    "type": "oauth2",
                    "x-amazon-apigateway-authorizer": {
                        "type": "jwt",
                        "identitySource": "$request.header.Authorization",
                        "jwtConfiguration": {
                            "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_ABC123",
                            "audience": ["client"],
                        },
                    },
                }
            }
        },
        "x-amazon-apigateway-cors": {"allowOrigins": ["*"], "maxAge": 300},
    }
]


def rest_documents() -> st.SearchStrategy[str]:
    """OpenAPI files for REST APIs, one part of which may be wrong or gone."""
    return _documents(_REST)


def http_documents() -> st.SearchStrategy[str]:
    """OpenAPI files for HTTP APIs, one part of which may be wrong or gone."""
    return _documents(_HTTP)


def _documents(whole: list[JsonObject]) -> st.SearchStrategy[str]:
    return st.tuples(
        st.sampled_from(whole), st.integers(0, 200), WRONG | st.just("gone"), st.booleans()
    ).map(lambda made: json.dumps(_spoiled(*made)))


def _spoiled(document: Any, number: int, wrong: Any, is_whole: bool) -> Any:
    document = json.loads(json.dumps(document))
    places: list[tuple[Any, Any]] = []

    def visit(node: Any) -> None:
        keys = node if isinstance(node, dict) else range(len(node))
        for key in list(keys):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                visit(node[key])

    visit(document)
    holder, key = places[number % len(places)]
    if not is_whole and wrong == "gone":
        del holder[key]
    elif not is_whole:
        holder[key] = wrong
    return document
