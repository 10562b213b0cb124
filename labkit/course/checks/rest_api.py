"""Task 3: the REST API with its resource, the method with its integration, and the permission."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

from labkit import names
from labkit.course.checks import found
from labkit.course.checks.missing import Look, Missing
from labkit.course.checks.statements import allows, conditions_of, principals_of
from labkit.course.resources import client, listed

_PATH = f"/{names.RESOURCE}"
_GET = f"GET {_PATH}"
_GATEWAY = "apigateway.amazonaws.com"
_STAGES = (names.STAGE, "test-invoke-stage")
"""The stages that call the function: the lab's, and the one of TestInvokeMethod."""


def is_made(_look: Look) -> str:
    """Task 3.1: there is a Regional API, and it has the resource.

    Raises:
        Missing: there isn't, or it hasn't.
    """
    api = found.rest_api()
    check_api(api)
    return f"{names.REST_API} is Regional, and has the resource {_PATH}.{found.remark_on(api.get('tags'))}"


def is_integrated(_look: Look) -> str:
    """Task 3.2: GET on the resource calls the function.

    Raises:
        Missing: it doesn't.
    """
    api = found.rest_api()
    check_api(api)
    check_method(api)
    return f"{_GET} hands the whole request to {names.FUNCTION}."


def may_invoke(_look: Look) -> str:
    """Task 3.3: API Gateway may invoke the function for this API, and the Test gets its answer.

    Raises:
        Missing: it may not, or the Test gets another one.
    """
    api = found.rest_api()
    check_api(api)
    method = check_method(api)
    check_permission(api)
    result = client("apigateway").test_invoke_method(
        restApiId=api["id"], resourceId=method["resourceId"], httpMethod="GET"
    )
    if result["status"] != HTTPStatus.OK:
        log = str(result.get("log")).strip().splitlines()[-2:]
        reason = log[0].partition(" : ")[2] if log else ""
        raise Missing(
            f"The Test shows the status {result['status']}. Its log says: {reason.rstrip('.')}.",
            "Read the Test's log from its end.",
            late=True,
        )
    if result.get("body") != '"Hello from Lambda!"':
        raise Missing(
            f"The Test shows the body {str(result.get('body'))[:200]}.",
            "Mend the function's code as in task 1.",
        )
    return f"API Gateway may invoke {names.FUNCTION} for {_GET}: the Test shows 200."


def check_api(api: dict[str, Any]) -> None:
    """What an API of the lab must be, and which resource it must have.

    Raises:
        Missing: it isn't, or it hasn't.
    """
    types = (api.get("endpointConfiguration") or {}).get("types") or ["EDGE"]
    if types != ["REGIONAL"]:
        why = " That is what you get without a type." if types == ["EDGE"] else ""
        raise Missing(
            f"The endpoint type of {names.REST_API} is {' and '.join(types)}.{why}",
            "Delete the API, and create a Regional one with endpointConfiguration.",
        )
    if api.get("policy") or api.get("disableExecuteApiEndpoint"):
        raise Missing(
            f"{names.REST_API} has a resource policy, or its default endpoint is disabled: callers may get 403.",
            "Take that away, and deploy.",
        )
    paths = sorted(item["path"] for item in found.resources(api))
    if _PATH in paths:
        return
    for path in paths:
        if path.casefold().endswith(_PATH):
            why = "capital letters make another path" if len(path) == len(_PATH) else "it is longer"
            raise Missing(
                f"The resource is {path}, and not {_PATH}: {why}.",
                "Create it with the root's id as its parentId, and a pathPart without a slash.",
            )
    raise Missing(
        f"The API has no resource {_PATH}. It has {', '.join(paths)}.",
        "Create it with apigateway.create_resource.",
    )


def check_method(api: dict[str, Any]) -> dict[str, Any]:
    """The method GET on the resource, open or closed by task 4, and its integration.

    Returns:
        The method, with its ``resourceId``.

    Raises:
        Missing: one of them isn't as the lab needs it.
    """
    resource = found.resource(api, _PATH)
    methods = resource.get("resourceMethods") or {}
    method = methods.get("GET")
    if method is None:
        has = f"{_PATH} has the method {' and '.join(sorted(methods))}, and not GET."
        raise Missing(
            has if methods else f"{_PATH} has no method yet.",
            "Create it with apigateway.put_method, and httpMethod='GET'.",
        )
    kind = method.get("authorizationType", "NONE")
    if kind not in ("NONE", "COGNITO_USER_POOLS"):
        raise Missing(
            f"The authorizationType of {_GET} is {kind}.",
            "In this task everybody may call the method: NONE.",
        )
    if method.get("apiKeyRequired"):
        raise Missing(f"{_GET} wants an API key.", "Set apiKeyRequired to False.")
    required = [name for name, wanted in (method.get("requestParameters") or {}).items() if wanted]
    if required and method.get("requestValidatorId"):
        raise Missing(
            f"{_GET} refuses calls without {' and '.join(sorted(required))}.",
            "Take requestValidatorId away.",
        )
    _check_integration(method.get("methodIntegration") or {})
    return {**method, "resourceId": resource["id"]}


def _check_integration(integration: dict[str, Any]) -> None:
    kind, verb = integration.get("type"), integration.get("httpMethod")
    if kind is None:
        raise Missing(
            f"{_GET} has no integration: nobody answers.",
            "Create it with apigateway.put_integration.",
        )
    if kind != "AWS_PROXY":
        why = ": the function doesn't get the whole request" if kind == "AWS" else ""
        raise Missing(
            f"The type of the integration is {kind}{why}.",
            "A Lambda proxy integration has the type AWS_PROXY.",
        )
    if verb != "POST":
        raise Missing(
            f"API Gateway would call Lambda with {verb or 'no verb'}, and Lambda takes POST alone.",
            "Set integrationHttpMethod to POST: it isn't the caller's verb.",
        )
    function = found.function()
    if not function:
        raise Missing(f"There is no function named {names.FUNCTION}.", "Do task 1 first.")
    uri, arn = str(integration.get("uri")), str(function["FunctionArn"])
    called = re.search(r":lambda:path/2015-03-31/functions/([^/]+)/invocations$", uri)
    if called is None:
        raise Missing(
            "The integration's uri isn't the one of a Lambda function.",
            "It begins with arn:aws:apigateway: and ends with /invocations.",
        )
    if called[1] != arn:
        other = "a version or an alias" if called[1].startswith(f"{arn}:") else "another function"
        raise Missing(f"The integration calls {other}: {called[1]}.", f"Call {names.FUNCTION}.")


def check_permission(api: dict[str, Any]) -> None:
    """The function's policy must let API Gateway invoke it for this API's method, and for no other API.

    Raises:
        Missing: it doesn't, or it lets other APIs too.
    """
    arn = str(found.function()["FunctionArn"])
    statements = [each for each in found.permissions() if each.get("Resource") == arn]
    if not statements:
        for alias in listed(client("lambda"), "list_aliases", FunctionName=names.FUNCTION):
            if found.permissions(Qualifier=alias["Name"]):
                raise Missing(
                    f"The permission is for the alias {alias['Name']}, and the integration calls the function itself.",
                    "Give add_permission no Qualifier.",
                )
        raise Missing(
            "The function's resource-based policy has no statement: API Gateway may not invoke it.",
            "Add one with lambda_.add_permission.",
        )
    complaints = [_complaint(api, arn, each) for each in statements]
    if any(_is_too_broad(each, api["id"]) for each in statements):
        raise Missing(
            "The permission lets each API invoke the function: its SourceArn doesn't name yours.",
            f"Remove it with remove_permission. In the SourceArn of the next one name {api['id']}.",
        )
    if None not in complaints and (newest := complaints[-1]):
        raise newest


def _parts_of_source(statement: dict[str, Any]) -> tuple[str, str, str]:
    """What a statement's SourceArn says: where, an API's id, and stage, verb and path; ``*`` where nothing is said."""
    source = conditions_of(statement).get("aws:sourcearn", ["*"])[0]
    where, _, what = source.rpartition(":")
    api_id, _, call = what.partition("/")
    return where or "*", api_id, call or "*"


def _is_too_broad(statement: dict[str, Any], api_id: str) -> bool:
    _where, named, _call = _parts_of_source(statement)
    trusted = {_GATEWAY, "*"} & set(principals_of(statement))
    return bool(trusted) and named != api_id and fnmatchcase(api_id, named)


def _complaint(api: dict[str, Any], arn: str, statement: dict[str, Any]) -> Missing | None:
    """What keeps a statement from being the one that is wanted; None when nothing does."""
    principals = set(principals_of(statement))
    if not principals & {_GATEWAY, "*"}:
        return Missing(
            f"The permission is for {' and '.join(sorted(principals))}, not for API Gateway.",
            f"The Principal is {_GATEWAY}.",
        )
    if not allows(statement, "lambda:InvokeFunction"):
        return Missing(
            f"The permission is for the action {statement.get('Action')}.",
            "The Action is lambda:InvokeFunction.",
        )
    where, named, call = _parts_of_source(statement)
    if named != api["id"]:
        return Missing(f"The SourceArn names another API: {named}.", f"Yours is {api['id']}.")
    mine = ":".join(["arn:aws:execute-api", *arn.split(":")[3:5]])
    if not fnmatchcase(mine, where):
        return Missing(f"The SourceArn begins with {where}.", f"Yours begins with {mine}.")
    served = [fnmatchcase(f"{stage}/GET{_PATH}", call) for stage in _STAGES]
    if any(served) and not all(served):
        return Missing(
            f"The SourceArn names the stage {call.partition('/')[0]}: the Test has a stage of its own.",
            "Write * for the stage.",
        )
    if not any(served):
        return Missing(
            f"The SourceArn allows the calls {call}, and {_GET} isn't one of them.",
            "After the API's id come the stage, the verb, and the path without a slash in front.",
        )
    conditions = conditions_of(statement)
    others = {key: conditions[key] for key in conditions if key != "aws:sourcearn"}
    if others not in ({}, {"aws:sourceaccount": [arn.split(":")[4]]}):
        return Missing(
            f"The permission has a further condition: {others}.", "Add it again without that."
        )
    return None
