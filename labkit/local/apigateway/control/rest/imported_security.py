"""Security schemes and authorizers of an OpenAPI file as a REST API has them."""

from __future__ import annotations

from typing import Any

from labkit.local.apigateway.control.openapi.document import (
    EXTENSION,
    Document,
    list_in,
    object_in,
    text_in,
)
from labkit.local.apigateway.control.openapi.reading import invalid_input
from labkit.local.apigateway.control.refusals import not_offered
from labkit.local.apigateway.control.rest.draft import RestApiDraft

JsonObject = dict[str, Any]

_AUTHORIZER, _AUTH_TYPE = f"{EXTENSION}authorizer", f"{EXTENSION}authtype"
_MEMBERS = frozenset(
    "type authorizerUri authorizerCredentials authorizerResultTtlInSeconds identitySource "
    "identityValidationExpression providerARNs".split()
)
_NOBODY = "NONE"
"""A requirement that the AWS SAM writes to say that a method is open; no scheme has this name."""


class SecurityImport:
    """The import of authorizers, and what a method asks for.

    Args:
        draft: the API.
        document: the file.
    """

    def __init__(self, draft: RestApiDraft, document: Document) -> None:
        self._draft = draft
        self._document = document
        self._schemes = document.security_schemes
        self._authorizers: dict[str, JsonObject] = {}

    def import_authorizers(self) -> None:
        """Make an authorizer of each scheme that describes one, used or not (recorded 22.15)."""
        for name in self._schemes:
            scheme = self._document.resolved(self._schemes[name])
            if _AUTHORIZER in scheme:
                with self._draft.report.step(f"Unable to create authorizer '{name}'"):
                    self._create(name, scheme)

    def _create(self, name: str, scheme: JsonObject) -> None:
        asked = object_in(scheme, _AUTHORIZER)
        for member in asked:
            if member not in _MEMBERS:
                raise not_offered(f"{_AUTHORIZER}.{member}")
        kind = text_in(asked, "type").upper()
        if kind == "JWT":
            raise not_offered(f"{_AUTHORIZER} of type jwt in a REST API")
        source = asked.get("identitySource")
        if not source and kind != "REQUEST" and scheme.get("in") == "header":
            source = f"method.request.header.{text_in(scheme, 'name')}"
        records = self._draft.api.authorizers
        former = next((key for key, one in records.items() if one["name"] == name), None)
        if former:
            del records[former]
        made = self._draft.perform(
            "CreateAuthorizer",
            name=name,
            authType=scheme.get(_AUTH_TYPE),
            **{**asked, "type": kind, "identitySource": source or None},
        )
        if former:
            made["id"] = former
            records[former] = records.pop(next(k for k, one in records.items() if one is made))
        self._authorizers[name] = made

    def of_method(self, operation: JsonObject) -> JsonObject:
        """Who may call a method: members of ``PutMethod`` (recorded 22.16, 22.17).

        What an operation says replaces what the file says. Several requirements are all asked for, as on AWS.

        Raises:
            ApiError: a scheme isn't there, or says nothing that API Gateway enforces.
        """
        owner = operation if "security" in operation else self._document.data
        found: JsonObject = {"authorizationType": "NONE", "apiKeyRequired": False}
        for requirement in list_in(owner, "security"):
            if not isinstance(requirement, dict):
                raise invalid_input()
            for name in requirement:
                if name != _NOBODY or name in self._schemes:
                    scopes = [str(one) for one in list_in(requirement, name)]
                    _join(found, self._asked_by(name, scopes))
        extension = object_in(operation, f"{EXTENSION}auth")
        for member in extension:
            if member != "type":
                raise not_offered(f"{EXTENSION}auth.{member}")
        match text_in(extension, "type").upper():
            case "" | "NONE":
                pass
            case "AWS_IAM":
                _join(found, {"authorizationType": "AWS_IAM"})
            case other:
                raise not_offered(f"{EXTENSION}auth of type {other}")
        return found

    def _asked_by(self, name: str, scopes: list[str]) -> JsonObject:
        if name not in self._schemes:
            raise not_offered(f"the security requirement {name}, of which there is no scheme")
        if name in self._authorizers:
            authorizer = self._authorizers[name]
            is_cognito = authorizer["type"] == "COGNITO_USER_POOLS"
            return {
                "authorizationType": authorizer["type"] if is_cognito else "CUSTOM",
                "authorizerId": authorizer["id"],
                **({"authorizationScopes": scopes} if scopes else {}),
            }
        scheme = self._document.resolved(self._schemes[name])
        if text_in(scheme, _AUTH_TYPE).lower() == "awssigv4":
            return {"authorizationType": "AWS_IAM"}
        if scheme.get("type") == "apiKey" and _AUTHORIZER not in scheme:
            return {"apiKeyRequired": True}
        raise not_offered(f"the security scheme {name} without an {_AUTHORIZER}")


def _join(found: JsonObject, more: JsonObject) -> None:
    """Ask for more; two authorizers aren't offered."""
    kind = more.get("authorizationType")
    same = found["authorizationType"] == kind and found.get("authorizerId") == more.get(
        "authorizerId"
    )
    if kind and found["authorizationType"] != "NONE" and not same:
        raise not_offered("two authorizers of one method")
    scopes = [*found.get("authorizationScopes", ()), *more.get("authorizationScopes", ())]
    found.update(more)
    if scopes:
        found["authorizationScopes"] = list(dict.fromkeys(scopes))
