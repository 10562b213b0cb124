"""The APIs of the rows about integrations: mapping templates, HTTP backends, functions behind ``AWS``."""

from __future__ import annotations

import json
from typing import Any

from tests.support.rest_api import Api, situation

JSON = "application/json"
OK = '{"statusCode": 200}'


def templates(text: str) -> dict[str, str]:
    return {JSON: text}


# -- recorded 17: MOCK and its templates ---------------------------------------------------------


@situation
def mock_templates(api: Api) -> None:
    params = '{"statusCode": 200, "id": $input.params().path.id}'
    for path, verb, behavior in (
        ("/no-match/{id}", "POST", "WHEN_NO_MATCH"),
        ("/never/{id}", "GET", "NEVER"),
        ("/no-templates/{id}", "ANY", "WHEN_NO_TEMPLATES"),
    ):
        settings = {"passthroughBehavior": behavior, "requestTemplates": templates(params)}
        api.mock(verb, path, params, settings)
    mock(api, "/pets/{petId}", OK, '{"petId": "$input.params(\'petId\')"}')
    mock(api, "/bare", "{statusCode: 200}", "")
    mock(api, "/data", OK, "$input.params('data')")
    mock(
        api,
        "/message/{data}",
        "#set($body = $util.base64Decode($input.params('data')))\n"
        "#set($context.requestOverride.path.body = $body)\n"
        '{"statusCode": 200}',
        "#set($body = $util.parseJson($context.requestOverride.path.body))\n"
        '#if($body.message == "path1")\nwas path one\n'
        '#elseif($body.message == "path2")\nwas path two\n'
        "#else\nthe else clause\n#end\n",
    )
    override = (
        "#set($context.responseOverride.status = 444)\n"
        '#set($context.responseOverride.header.foo = "bar")\n'
        '#set($context.responseOverride.custom = "of one\'s own")\n'
        '{"statusCode": 200}'
    )
    mock(api, "/override", override, "")
    shown = '{"status": "$context.responseOverride.status", "custom": "$context.responseOverride.custom"}'
    mock(api, "/override/shown", override, shown)
    mock(
        api,
        "/assigned",
        '#set($name = "foo")\n'
        '#set($context.requestOverride.querystring[$name] = "bar")\n'
        '$context.requestOverride.querystring.put("put", "it")\n'
        '#set($context["requestOverride"].querystring["nested"] = "in")\n'
        '{"statusCode": 200}',
        '{"foo": "$context.requestOverride.querystring["foo"]",'
        ' "put": "$context.requestOverride.querystring["put"]",'
        ' "nested": "$context.requestOverride.querystring["nested"]"}',
    )
    names = ("Accept", "Max-Forwards", "Proxy-Authenticate", "Server", "WWW-Authenticate", "Warn")
    mock(api, "/headers", OK, ",".join(f"$input.params('{name}')" for name in names))
    mock(
        api,
        "/claims",
        OK,
        "#foreach($name in $input.params().querystring.keySet())"
        "$name=$input.params().querystring.get($name)#if($foreach.hasNext)&#end"
        "#end",
    )
    mock(api, "/body", '{"statusCode": $input.json("$.status")}', "", verb="POST")
    mock(api, "/escaped", OK, "$util.escapeJavaScript($input.params('q'))")
    mock(
        api,
        "/escaped/once",
        OK,
        "$util.escapeJavaScript($input.params('q')).replaceAll(\"\\\\'\", \"'\")",
    )
    mock(api, "/bomb", OK, "#set($a = 'x')#foreach($i in [1..60])#set($a = \"$a$a\")#end$a")
    mock(api, "/loop", OK, "#foreach($i in [1..1001])$i#end")
    mock(api, "/python", OK, "#set($a = 'x')$a.__class__")
    mock(api, "/truth", OK, "#if($input.params('q'))yes#else no#end")
    mock(api, "/set", OK, '#set($context.stage = "other")$context.stage')
    api.deploy()


def mock(api: Api, path: str, request: str, response: str, verb: str = "GET", **more: Any) -> None:
    """A MOCK method with a request and a response template; without the latter if it is empty."""
    where = api.method(verb, path)
    api.aws.put_method_response(**where, statusCode="200")
    api.aws.put_integration(**where, type="MOCK", requestTemplates=templates(request))
    found = {"responseTemplates": templates(response)} if response else {}
    api.aws.put_integration_response(**where, statusCode="200", **found, **more)


# -- recorded 18: servers -------------------------------------------------------------------------


@situation
def servers(api: Api) -> None:
    """``HTTP`` and ``HTTP_PROXY`` to a server that echoes what it gets."""
    url = api.gateway.backend.url  # type: ignore[attr-defined]
    for kind, name in (("HTTP", "http"), ("HTTP_PROXY", "proxy")):
        server(api, "GET", f"/{name}", f"{url}/x", kind, integrationHttpMethod="POST")
        server(api, "POST", f"/{name}", f"{url}/x", kind)
        server(api, "GET", f"/{name}/bad", f"{url}/status/400", kind)
        mapped = {
            "integration.request.header.X-Copied": "method.request.header.X-Sent",
            "integration.request.header.X-Stage": "context.stage",
            "integration.request.header.X-All": "method.request.multivalueheader.X-Many",
            "integration.request.header.X-Query": "method.request.multivaluequerystring.q",
            "integration.request.header.X-Member": "method.request.body.name",
            "integration.request.header.User-Agent": "'mine'",
            "integration.request.header.TE": "'gzip'",
            "integration.request.header.Proxy-Authenticate": "'Basic'",
            "integration.request.querystring.from": "'parameter'",
        }
        templates_ = templates('{"made": "$input.path(\'$.name\')"}')
        server(
            api,
            "POST",
            f"/{name}/mapped",
            f"{url}/mapped",
            kind,
            requestParameters=mapped,
            requestTemplates=templates_,
        )
        for header in ("Content-Length", "Transfer-Encoding"):
            parameters = {f"integration.request.header.{header}": "'0'"}
            path = f"/{name}/{header.lower()}"
            server(api, "GET", path, f"{url}/x", kind, requestParameters=parameters)
        server(api, "GET", f"/{name}/variable", f"{url}/${{stageVariables.none}}", kind)
    where = server(api, "GET", "/selected/{status}", f"{url}/status/{{status}}", "HTTP")
    api.aws.put_method_response(**where, statusCode="400")
    api.aws.put_integration_response(**where, statusCode="400", selectionPattern="4\\d{2}")
    where = server(api, "GET", "/answered", f"{url}/x", "HTTP")
    renamed = ("Authorization", "Date", "Server", "User-Agent", "WWW-Authenticate")
    kept = ("TE", "Via", "Warn", "X-Mine")
    parameters = {f"method.response.header.{name}": f"'of {name}'" for name in (*renamed, *kept)}
    parameters["method.response.header.X-Of-Server"] = "integration.response.header.X-Backend"
    parameters["method.response.header.X-Of-Body"] = "integration.response.body.method"
    declared = dict.fromkeys(parameters, False)
    api.aws.put_method_response(**where, statusCode="200", responseParameters=declared)
    api.aws.put_integration_response(**where, statusCode="200", responseParameters=parameters)
    template = (
        '#set($context.requestOverride.header.X-Over = "ridden")'
        '#set($context.requestOverride.path.place = "elsewhere")'
        '#set($context.requestOverride.querystring.q = "2")'
        "$input.body"
    )
    for name, text in (
        ("overridden/{place}", template),
        ("form", "Action=SendMessage&MessageBody=$input.body"),
        ("encoded", "EncodedBody=$util.urlEncode($input.body)"),
    ):
        path = name.partition("/")[0]
        uri = f"{url}/{path}" + ("/{place}" if "{" in name else "")
        server(api, "POST", f"/{name}", uri, "HTTP", requestTemplates=templates(text))
    api.deploy()


def server(api: Api, verb: str, path: str, uri: str, kind: str, **settings: Any) -> dict[str, str]:
    """A method with a server behind it, and an integration response without a pattern."""
    if "{" in path:
        name = path.split("{")[1].split("}")[0]
        settings["requestParameters"] = {
            f"integration.request.path.{name}": f"method.request.path.{name}"
        }
    sources = [
        source.replace(".multivalue", ".")
        for source in settings.get("requestParameters", {}).values()
        if source.startswith(("method.request.path", "method.request.q", "method.request.h"))
        or source.startswith("method.request.multi")
    ]
    where = api.method(verb, path, requestParameters=dict.fromkeys(sources, False))
    api.aws.put_integration(
        **where, **{"type": kind, "integrationHttpMethod": verb, "uri": uri, **settings}
    )
    if path != "/answered":
        api.aws.put_method_response(**where, statusCode="200")
        api.aws.put_integration_response(**where, statusCode="200")
    return where


# -- recorded 19: functions behind AWS, and credentials ---------------------------------------------


@situation
def functions_behind_aws(api: Api) -> None:
    api.allow("event", "arn:aws:execute-api:{region}:{account}:{api}/*/*/*")
    api.allow("raise", "arn:aws:execute-api:{region}:{account}:{api}/*/*/*")
    function(api, "GET", "/plain", "event")
    text = '{"q": "$input.params(\'q\')", "who": "$context.identity.sourceIp"}'
    function(api, "GET", "/made", "event", requestTemplates=templates(text))
    where = function(api, "GET", "/empty-template", "event")
    api.aws.put_integration_response(**where, statusCode="200", responseTemplates=templates(""))
    function(api, "POST", "/tested", "event")
    where = function(api, "GET", "/unmapped", "event")
    api.aws.delete_integration_response(**where, statusCode="200")
    queue = f"arn:aws:apigateway:{api.gateway.cloud.region}:sqs:path/123456789012/queue"
    role = f"arn:aws:iam::{api.gateway.cloud.account_id}:role/queue"
    function(api, "GET", "/queue", "event", uri=queue, credentials=role)
    function(api, "GET", "/not-json", "event", requestTemplates=templates("{"))
    where = function(
        api,
        "GET",
        "/fails",
        "raise",
        requestTemplates=templates('{"text": "$input.params(\'text\')"}'),
    )
    api.aws.put_method_response(**where, statusCode="405")
    api.aws.put_integration_response(
        **where,
        statusCode="405",
        selectionPattern=".*400.*",
        responseTemplates=templates('{"said": $input.json("$.errorMessage")}'),
    )
    where = function(api, "GET", "/by-variable", "event")
    api.aws.update_integration(
        **where,
        patchOperations=[
            {
                "op": "replace",
                "path": "/uri",
                "value": api.gateway.function_uri("event").replace(
                    ":function:event/", ":function:${stageVariables.name}/"
                ),
            }
        ],
    )
    for header in ("Authorization", "Connection", "Content-Length", "Expect", "TE"):
        parameters = {f"integration.request.header.{header}": "'x'"}
        path = f"/mapped/{header.lower()}"
        function(api, "GET", path, "event", requestParameters=parameters)
        api.function("GET", f"/proxy{path}", "echo", {"requestParameters": parameters})
    other = {"integration.request.header.X-Mine": "'x'"}
    api.function("GET", "/proxy/mapped/other", "echo", {"requestParameters": other})
    asynchronous = {"integration.request.header.X-Amz-Invocation-Type": "'Event'"}
    function(api, "GET", "/event", "event", requestParameters=asynchronous)
    api.deploy(variables={"name": "event"})


def function(api: Api, verb: str, path: str, name: str, **settings: Any) -> dict[str, str]:
    """A method with a function behind ``AWS``, and an integration response without a pattern."""
    where = api.method(verb, path)
    uri = api.gateway.function_uri(name)
    api.aws.put_integration(
        **where, **{"type": "AWS", "integrationHttpMethod": "POST", "uri": uri, **settings}
    )
    api.aws.put_method_response(**where, statusCode="200")
    api.aws.put_integration_response(**where, statusCode="200")
    return where


INVOKE = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}


@situation
def credentials(api: Api) -> None:
    """Functions that no function policy opens to the API."""
    name = "echo-alone"
    iam = api.gateway.cloud.client("iam")

    def role(called: str, service: str, *statements: dict[str, Any], **more: Any) -> str:
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            **more,
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        called = f"{called}-{api.id}"
        made = iam.create_role(RoleName=called, AssumeRolePolicyDocument=document)
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_role_policy(RoleName=called, PolicyName="p", PolicyDocument=policy)
        return str(made["Role"]["Arn"])

    gateway = "apigateway.amazonaws.com"
    own_account = {"StringEquals": {"aws:SourceAccount": api.gateway.cloud.account_id}}
    roles = {
        "good": role("good", gateway, INVOKE),
        "silent": role("silent", gateway),
        "denied": role("denied", gateway, INVOKE, {**INVOKE, "Effect": "Deny"}),
        "of-lambda": role("of-lambda", "lambda.amazonaws.com", INVOKE),
        "condition": role("condition", gateway, INVOKE, Condition=own_account),
        "missing": f"arn:aws:iam::{api.gateway.cloud.account_id}:role/missing",
    }
    for path, arn in roles.items():
        api.function("GET", f"/{path}", name, {"credentials": arn}, source_arn=None)
    function(api, "GET", "/aws", name, credentials=roles["good"])
    gone = api.gateway.function_uri(name).replace("echo-alone", "gone")
    api.function("GET", "/gone", name, {"credentials": roles["good"], "uri": gone}, None)
    caller = {"credentials": "arn:aws:iam::*:user/*"}
    api.function("GET", "/caller", name, caller, None, authorizationType="AWS_IAM")
    api.function("GET", "/nobody", name, caller, None)
    names = {
        "user": "userArn",
        "key": "accessKey",
        "org": "principalOrgId",
        "pool": "cognitoIdentityPoolId",
    }
    text = json.dumps({key: f"$context.identity.{name}" for key, name in names.items()})
    api.mock("GET", "/identity", text, authorizationType="AWS_IAM")
    api.gateway.caller("allowed")  # type: ignore[attr-defined]
    api.deploy()


# -- recorded 14 to 16: events, answers, validation -------------------------------------------------


@situation
def proxies(api: Api) -> None:
    api.function("ANY", "/echo")
    api.function("GET", "/{proxy+}")
    api.function("POST", "/give", "give")
    api.function("GET", "/by-get", integration={"integrationHttpMethod": "GET"})
    api.deploy()


@situation
def checked(api: Api) -> None:
    """The parameters and bodies of the recorded validation."""
    validator = api.aws.create_request_validator(
        restApiId=api.id, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    url = f"https://apigateway.amazonaws.com/restapis/{api.id}/models"
    for name, schema in {
        "Body": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        "Named": {"type": "object", "properties": {"name": {"type": "string"}}},
        "OneOf": {
            "type": "object",
            "properties": {"answer": {"oneOf": [{"type": "null"}, {"$ref": f"{url}/Named"}]}},
        },
    }.items():
        api.aws.create_model(
            restApiId=api.id, name=name, contentType=JSON, schema=json.dumps(schema)
        )
    api.mock("GET", "/body", requestValidatorId=validator, requestModels={JSON: "Body"})
    api.mock("POST", "/one-of", requestValidatorId=validator, requestModels={JSON: "OneOf"})
    required = ("header.x-header-param", "path.issuer", "querystring.qs1")
    parameters = {f"method.request.{name}": True for name in required}
    api.mock("GET", "/all/{issuer}", requestValidatorId=validator, requestParameters=parameters)
    api.deploy()


@situation
def an_edge_optimized_mock(api: Api) -> None:
    operation = {"op": "replace", "path": "/endpointConfiguration/types/REGIONAL", "value": "EDGE"}
    api.aws.update_rest_api(restApiId=api.id, patchOperations=[operation])
    api.mock("GET", "/mock")
    api.deploy()


@situation
def binary_answers(api: Api) -> None:
    made = Api(api.gateway, binaryMediaTypes=["image/png"])
    api.id, api.resources = made.id, made.resources
    api.function("POST", "/give", "give")
    api.deploy()
