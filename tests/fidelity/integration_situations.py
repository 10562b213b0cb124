"""The APIs of the rows about integrations: mapping templates, HTTP backends, functions behind ``AWS``."""

from __future__ import annotations

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
