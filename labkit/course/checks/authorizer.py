"""Task 4: the authorizer, the method that asks it, and the stage that serves that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from labkit import names
from labkit.course import build
from labkit.course.checks import found
from labkit.course.checks.missing import Look, Missing
from labkit.course.resources import client, listed

_TYPE = "COGNITO_USER_POOLS"
_SOURCE = "method.request.header.Authorization"
_PATH = f"/{names.RESOURCE}"
_GET = f"GET {_PATH}"
_NO_ROUTE = "Missing Authentication Token"


def is_made(_look: Look) -> str:
    """Task 4.1: the API has an authorizer that asks the lab's user pool.

    Raises:
        Missing: it hasn't.
    """
    _authorizer(found.rest_api())
    return (
        f"{names.AUTHORIZER} reads the header Authorization and takes tokens of {names.USER_POOL}."
    )


def _authorizer(api: dict[str, Any]) -> dict[str, Any]:
    there = listed(client("apigateway"), "get_authorizers", restApiId=api["id"])
    named = [each for each in there if each.get("name") == names.AUTHORIZER]
    if not named:
        others = ", ".join(sorted(str(each.get("name")) for each in there))
        raise Missing(
            f"The API has no authorizer named {names.AUTHORIZER}."
            + (f" It has {others}." if others else ""),
            "Create it with apigateway.create_authorizer.",
        )
    [one] = named
    if one.get("type") != _TYPE:
        raise Missing(
            f"The authorizer's type is {one.get('type')}: it calls a Lambda function.",
            f"Delete it, and create one of the type {_TYPE}.",
        )
    pool, providers = found.user_pool(), one.get("providerARNs") or []
    if pool["Arn"] not in providers:
        raise Missing(
            "The authorizer asks another user pool: the tokens of your users mean nothing to it.",
            f"Put the ARN of {names.USER_POOL} into providerARNs.",
        )
    if len(providers) > 1:
        raise Missing(
            f"The authorizer asks {len(providers)} user pools: the users of each of them come in.",
            f"Leave the ARN of {names.USER_POOL} alone in providerARNs.",
        )
    source = one.get("identitySource") or ""
    if source.casefold() != _SOURCE.casefold():
        raise Missing(
            f"The token source is {source or 'empty'}: callers send their token in the header Authorization.",
            f"Set identitySource to {_SOURCE}.",
        )
    if pattern := one.get("identityValidationExpression"):
        raise Missing(
            f"The authorizer refuses each token that doesn't match {pattern} (its token validation).",
            "Set identityValidationExpression to an empty text.",
        )
    return dict(one)


def is_attached(_look: Look) -> str:
    """Task 4.2: the draft of GET /demo asks that authorizer, and wants the scope.

    Raises:
        Missing: it doesn't.
    """
    check_attached(found.rest_api())
    return f"In the draft {_GET} asks {names.AUTHORIZER}, and takes access tokens with the scope {names.SCOPE}."


def check_attached(api: dict[str, Any]) -> str:
    """See that the draft of ``GET /demo`` asks the lab's authorizer, and for one scope.

    Returns:
        The authorizer's id.

    Raises:
        Missing: it doesn't.
    """
    authorizer = _authorizer(api)
    method = (found.resource(api, _PATH).get("resourceMethods") or {}).get("GET")
    if method is None:
        raise Missing(
            f"The API has no method {_GET}.", "Do task 3 first, or run lab.start_task(4)."
        )
    kind = method.get("authorizationType", "NONE")
    if kind == "NONE":
        elsewhere = ", ".join(_asking(api, authorizer["id"]))
        if elsewhere:
            raise Missing(
                f"{elsewhere} asks the authorizer, and {_GET} doesn't: {_GET} is open.",
                f"An authorizer guards the method that names it. Edit {_GET}.",
            )
        raise Missing(
            f"{_GET} is open: its authorizationType is NONE.",
            f"Set it to {_TYPE}, and name the authorizer in authorizerId.",
        )
    if kind != _TYPE:
        raise Missing(
            f"The authorizationType of {_GET} is {kind}.",
            f"For a Cognito authorizer it is {_TYPE}.",
        )
    if method.get("authorizerId") != authorizer["id"]:
        raise Missing(
            f"{_GET} asks another authorizer, not {names.AUTHORIZER}.",
            "Set authorizerId to the id of yours: authorizer['id'].",
        )
    scopes = method.get("authorizationScopes") or []
    if not scopes:
        raise Missing(
            f"{_GET} has no scope, so it takes ID tokens and refuses access tokens.",
            f"Add {names.SCOPE} to authorizationScopes.",
        )
    if names.SCOPE not in scopes:
        raise Missing(
            f"{_GET} wants the scope {' or '.join(scopes)}: your users' access tokens don't have it.",
            f"The scope is {names.SCOPE}: compare letter by letter.",
        )
    if len(scopes) > 1:
        others = " or ".join(sorted(set(scopes) - {names.SCOPE}))
        raise Missing(
            f"{_GET} also takes tokens with the scope {others}: one scope of the list is enough.",
            'Take the other away: a patch operation with "op": "remove" does it.',
        )
    return str(authorizer["id"])


def _asking(api: dict[str, Any], authorizer_id: str) -> Iterator[str]:
    """The methods of an API that ask an authorizer."""
    for item in found.resources(api):
        for verb, method in (item.get("resourceMethods") or {}).items():
            if method.get("authorizerId") == authorizer_id:
                yield f"{verb} {item['path']}"


def is_deployed(look: Look) -> str:
    """Task 4.3: the stage dev serves the closed method.

    Raises:
        Missing: it doesn't.
    """
    api = found.rest_api()
    stages = [
        s["stageName"] for s in client("apigateway").get_stages(restApiId=api["id"]).get("item", [])
    ]
    if names.STAGE not in stages:
        have = f" It has {', '.join(sorted(stages))}." if stages else " Nothing is deployed."
        raise Missing(
            f"The API has no stage named {names.STAGE}.{have}",
            f"Deploy with create_deployment, and give it stageName={names.STAGE!r}.",
        )
    answer = look.get(f"{build.invoke_url(api['id'])}{_PATH}")
    if answer.status_code == HTTPStatus.OK:
        check_attached(api)
        raise Missing(
            "The deployed copy is older than your edit: a call without a token still gets 200.",
            f"Deploy once more to the stage {names.STAGE}.",
            late=True,
        )
    if answer.status_code == HTTPStatus.FORBIDDEN and _NO_ROUTE in answer.text:
        raise Missing(
            f"The deployed copy has no {_GET}: a call gets 403.",
            f"Deploy once more to the stage {names.STAGE}.",
            late=True,
        )
    if answer.status_code != HTTPStatus.UNAUTHORIZED:
        raise Missing(
            f"A call without a token gets {answer.status_code}, not 401.",
            "lab.explain(response) says what such an answer means.",
            late=True,
        )
    check_attached(api)
    scopes = _deployed_scopes(api)
    if scopes != [names.SCOPE]:
        have = f"wants the scope {' or '.join(scopes)}" if scopes else "has no scope"
        raise Missing(
            f"In the deployed copy {_GET} {have}: it is older than your edit.",
            f"Deploy once more to the stage {names.STAGE}.",
        )
    return f"The stage {names.STAGE} serves the closed method: a call without a token gets 401."


def _deployed_scopes(api: dict[str, Any]) -> list[str]:
    """The scopes that the method has in the copy that the stage serves: its export shows that copy."""
    export = client("apigateway").get_export(
        restApiId=api["id"], stageName=names.STAGE, exportType="oas30"
    )
    method = json.load(export["body"])["paths"].get(_PATH, {}).get("get", {})
    asked = method.get("security", [])
    return [scope for one in asked for scopes in one.values() for scope in scopes]
