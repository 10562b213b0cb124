"""REST APIs made by chance, through the operations that an author calls, and what they are without their ids."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from labkit.local.apigateway.control.store import RestApi
from tests.support.control_plane import FUNCTION_URI, POOL, ControlPlane

PATHS = ("/", "/pets", "/pets/{petId}", "/pets/{petId}/photos", "/files/{path+}", "/a.b_c-d")
VERBS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY")
JSON = "application/json"
TEXTS = st.text("aäé \"'\\$\n{}<>%#&01e.-+:~", min_size=1, max_size=12)
LAMBDA_AUTHORIZER = {"authorizerUri": FUNCTION_URI}
AUTHORIZERS: dict[str, dict[str, Any]] = {
    "pool": {
        "type": "COGNITO_USER_POOLS",
        "providerARNs": [POOL],
        "identitySource": "method.request.header.Authorization",
    },
    "api_key": {
        "type": "TOKEN",
        **LAMBDA_AUTHORIZER,
        "identitySource": "method.request.header.X-Token",
        "identityValidationExpression": "^Bearer .+$",
        "authorizerResultTtlInSeconds": 0,
    },
    "asked": {
        "type": "REQUEST",
        **LAMBDA_AUTHORIZER,
        "identitySource": "method.request.header.A, method.request.querystring.q",
        "authorizerResultTtlInSeconds": 60,
        "authType": "oauth2",
    },
    "always": {"type": "REQUEST", **LAMBDA_AUTHORIZER, "authorizerResultTtlInSeconds": 0},
}
MODELS = {
    "Pet": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
    "Pets": {"type": "array", "items": {"$ref": "{models}Pet"}},
    "Anything": {},
}
VALIDATORS = {
    "all": {"validateRequestBody": True, "validateRequestParameters": True},
    "body": {"validateRequestBody": True, "validateRequestParameters": False},
}
INTEGRATIONS: dict[str, dict[str, Any]] = {
    "mock": {"type": "MOCK", "requestTemplates": {JSON: '{"statusCode": 200}'}},
    "aws": {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": FUNCTION_URI,
        "credentials": "arn:aws:iam::123456789012:role/caller",
        "requestTemplates": {JSON: "$input.json('$')"},
    },
    "proxy": {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": FUNCTION_URI},
    "http": {
        "type": "HTTP",
        "integrationHttpMethod": "GET",
        "uri": "https://example.com/{id}",
        "requestParameters": {"integration.request.header.X-Fixed": "'a, b'"},
        "passthroughBehavior": "NEVER",
        "timeoutInMillis": 1_000,
    },
    "http proxy": {
        "type": "HTTP_PROXY",
        "integrationHttpMethod": "ANY",
        "uri": "http://${stageVariables.host}/",
        "cacheKeyParameters": ["method.request.path.id"],
        "cacheNamespace": "mine",
    },
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}
    ],
}

_METHODS = st.fixed_dictionaries(
    {
        "guard": st.sampled_from(["NONE", "AWS_IAM", *AUTHORIZERS]),
        "scopes": st.lists(st.sampled_from(["email", "a/b", "openid"]), unique=True),
        "apiKeyRequired": st.booleans(),
        "operationName": st.none() | st.from_regex(r"[A-Za-z]\w{0,8}", fullmatch=True),
        "requestParameters": st.dictionaries(
            st.sampled_from(
                [f"method.request.{p}" for p in ("path.id", "querystring.q", "header.X-Y")]
            ),
            st.booleans(),
        ),
        "model": st.none() | st.sampled_from([*MODELS, "Empty"]),
        "validator": st.none() | st.sampled_from(list(VALIDATORS)),
        "responses": st.dictionaries(
            st.sampled_from(["200", "201", "404"]),
            st.tuples(st.none() | st.sampled_from([*MODELS, "Error"]), st.booleans()),
        ),
        "integration": st.sampled_from(list(INTEGRATIONS)),
        "answers": st.dictionaries(
            st.sampled_from(["200", "404"]),
            st.tuples(st.none() | TEXTS, st.none() | TEXTS, st.booleans()),
        ),
    }
)
APIS = st.fixed_dictionaries(
    {
        "description": st.none() | TEXTS,
        "version": st.none() | TEXTS,
        "apiKeySource": st.sampled_from(["HEADER", "AUTHORIZER"]),
        "disableExecuteApiEndpoint": st.booleans(),
        "binaryMediaTypes": st.lists(st.sampled_from(["image/png", "*/*", "a~/b"]), unique=True),
        "policy": st.none() | st.just(json.dumps(POLICY)),
        "gateway_responses": st.dictionaries(
            st.sampled_from(["UNAUTHORIZED", "DEFAULT_4XX", "THROTTLED"]),
            st.fixed_dictionaries(
                {},
                optional={
                    "statusCode": st.sampled_from(["401", "418"]),
                    "responseParameters": st.just({"gatewayresponse.header.X": "'*'"}),
                    "responseTemplates": st.dictionaries(st.just("text/html"), TEXTS, min_size=1),
                },
            ),
        ),
        "methods": st.dictionaries(
            st.tuples(st.sampled_from(PATHS), st.sampled_from(VERBS)),
            _METHODS,
            min_size=1,
            max_size=6,
        ),
    }
)


def make(plane: ControlPlane, operation: str, **parameters: Any) -> dict[str, Any]:
    """Call an operation without the parameters that are None."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return plane.made(operation, **given)


def build(plane: ControlPlane, plan: dict[str, Any]) -> str:
    """Make an API as a plan says; its id."""
    members = (
        "description version apiKeySource disableExecuteApiEndpoint binaryMediaTypes policy"
    ).split()
    made = make(plane, "CreateRestApi", name="made", **{name: plan[name] for name in members})
    api = {"restApiId": made["id"]}
    models = f"https://apigateway.amazonaws.com/restapis/{made['id']}/models/"
    for name, schema in MODELS.items():
        text = json.dumps(schema).replace("{models}", models)
        make(plane, "CreateModel", **api, name=name, contentType=JSON, schema=text)
    authorizers = {
        name: make(plane, "CreateAuthorizer", **api, name=name, **settings)["id"]
        for name, settings in AUTHORIZERS.items()
    }
    validators = {
        name: make(plane, "CreateRequestValidator", **api, name=name, **settings)["id"]
        for name, settings in VALIDATORS.items()
    }
    for kind, settings in plan["gateway_responses"].items():
        make(plane, "PutGatewayResponse", **api, responseType=kind, **settings)
    resources = {"/": made["rootResourceId"]}
    for (path, verb), method in plan["methods"].items():
        where = {**api, "resourceId": _resource(plane, api, resources, path), "httpMethod": verb}
        _build_method(plane, where, method, authorizers, validators)
    return str(made["id"])


def _resource(
    plane: ControlPlane, api: dict[str, str], resources: dict[str, str], path: str
) -> str:
    if path not in resources:
        parent, _slash, part = path.rpartition("/")
        parent_id = _resource(plane, api, resources, parent or "/")
        made = make(plane, "CreateResource", **api, parentId=parent_id, pathPart=part)
        resources[path] = made["id"]
    return resources[path]


def _build_method(
    plane: ControlPlane,
    where: dict[str, str],
    plan: dict[str, Any],
    authorizers: dict[str, str],
    validators: dict[str, str],
) -> None:
    guard = plan["guard"]
    settings: dict[str, Any] = {"authorizationType": guard}
    if guard in authorizers:
        is_pool = guard == "pool"
        settings = {
            "authorizationType": "COGNITO_USER_POOLS" if is_pool else "CUSTOM",
            "authorizerId": authorizers[guard],
            **({"authorizationScopes": plan["scopes"]} if is_pool else {}),
        }
    make(
        plane,
        "PutMethod",
        **where,
        **settings,
        apiKeyRequired=plan["apiKeyRequired"],
        operationName=plan["operationName"],
        requestParameters=plan["requestParameters"],
        requestModels={JSON: plan["model"]} if plan["model"] else None,
        requestValidatorId=validators.get(plan["validator"]),
    )
    for status, (model, has_header) in plan["responses"].items():
        make(
            plane,
            "PutMethodResponse",
            **where,
            statusCode=status,
            responseParameters={"method.response.header.X": False} if has_header else None,
            responseModels={JSON: model} if model else None,
        )
    make(plane, "PutIntegration", **where, **INTEGRATIONS[plan["integration"]])
    taken: set[str | None] = set()
    for status, (pattern, template, has_header) in plan["answers"].items():
        if pattern in taken or pattern == "default":
            continue
        taken.add(pattern)
        declared = plan["responses"].get(status, (None, False))[1]
        make(
            plane,
            "PutIntegrationResponse",
            **where,
            statusCode=status,
            selectionPattern=pattern,
            responseParameters={"method.response.header.X": "'x'"}
            if has_header and declared
            else None,
            responseTemplates={JSON: template} if template else None,
        )


def without_ids(api: RestApi) -> dict[str, Any]:
    """What an API is: its parts under their names and paths, without what has no use or isn't in a file."""
    settings = {
        name: value
        for name, value in api.settings.items()
        if name not in ("id", "createdDate", "rootResourceId", "endpointConfiguration", "tags")
    }
    names = {key: one.get("name") for key, one in api.authorizers.items()}
    validators = {key: one.get("name") for key, one in api.request_validators.items()}
    methods: dict[str, Any] = {}
    for resource, verb, method in api.methods():
        shown = json.loads(json.dumps(method))
        shown["authorizerId"] = names.get(shown.get("authorizerId"))
        shown["requestValidatorId"] = validators.get(shown.get("requestValidatorId"))
        integration = shown.get("methodIntegration", {})
        if integration.get("cacheNamespace") == resource["id"]:
            del integration["cacheNamespace"]
        methods[f"{verb} {resource['path']}"] = shown
    found = {
        "settings": settings,
        "paths": sorted(one["path"] for one in api.resources.values()),
        "methods": methods,
        "authorizers": {one["name"]: _without_id(one) for one in api.authorizers.values()},
        "validators": {one["name"]: _without_id(one) for one in api.request_validators.values()},
        "models": {
            name: {**_without_id(one), "schema": json.loads(one["schema"])}
            for name, one in api.models.items()
            if name not in ("Empty", "Error")
        },
        "gateway responses": api.gateway_responses,
    }
    text = json.dumps(found, sort_keys=True).replace(api.settings["id"], "{api}")
    return dict(json.loads(text))


def _without_id(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "id"}
