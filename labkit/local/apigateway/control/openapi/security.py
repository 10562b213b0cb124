"""Who may call an operation of an OpenAPI file: its security requirements, as methods and routes say it."""

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

JsonObject = dict[str, Any]

AUTHORIZER, AUTH_TYPE = f"{EXTENSION}authorizer", f"{EXTENSION}authtype"
_AUTH = f"{EXTENSION}auth"
_NOBODY = "NONE"
"""A requirement that the AWS SAM writes to say that an operation is open; no scheme has this name."""


class SecurityRequirements:
    """The security schemes of a file, and what its operations ask for.

    Args:
        document: the file.

    Attributes:
        authorizers: by the scheme's name what an operation has that asks for it: ``authorizationType`` and
            ``authorizerId``. Filled by who makes the authorizers.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._schemes = document.security_schemes
        self.authorizers: dict[str, JsonObject] = {}

    def described(self) -> dict[str, JsonObject]:
        """The schemes that describe an authorizer, by name."""
        found = {name: self._document.resolved(one) for name, one in self._schemes.items()}
        return {name: scheme for name, scheme in found.items() if AUTHORIZER in scheme}

    def asked_by(self, operation: JsonObject) -> JsonObject:
        """What an operation asks for: members of ``PutMethod`` and ``CreateRoute`` (recorded 22.16-22.18).

        What an operation says replaces what the file says. Several requirements are all asked for, as on AWS.

        Raises:
            ApiError: a scheme isn't there, or says nothing that API Gateway enforces.
        """
        owner = operation if operation.get("security") is not None else self._document.data
        found: JsonObject = {"authorizationType": "NONE", "apiKeyRequired": False}
        for requirement in list_in(owner, "security"):
            if not isinstance(requirement, dict):
                raise invalid_input()
            for name in requirement:
                if name != _NOBODY or name in self._schemes:
                    scopes = [str(one) for one in list_in(requirement, name)]
                    _join(found, self._asked_by_scheme(name, scopes))
        extension = object_in(operation, _AUTH)
        for member in extension:
            if member != "type":
                raise not_offered(f"{_AUTH}.{member}")
        match text_in(extension, "type").upper():
            case "" | "NONE":
                pass
            case "AWS_IAM":
                _join(found, {"authorizationType": "AWS_IAM"})
            case other:
                raise not_offered(f"{_AUTH} of type {other}")
        return found

    def _asked_by_scheme(self, name: str, scopes: list[str]) -> JsonObject:
        if name not in self._schemes:
            raise not_offered(f"the security requirement {name}, of which there is no scheme")
        if name in self.authorizers:
            more = {"authorizationScopes": scopes} if scopes else {}
            return {**self.authorizers[name], **more}
        scheme = self._document.resolved(self._schemes[name])
        if text_in(scheme, AUTH_TYPE).lower() == "awssigv4":
            return {"authorizationType": "AWS_IAM"}
        if scheme.get("type") == "apiKey" and AUTHORIZER not in scheme:
            return {"apiKeyRequired": True}
        raise not_offered(f"the security scheme {name} without an {AUTHORIZER}")


def _join(found: JsonObject, more: JsonObject) -> None:
    """Ask for more; two authorizers aren't offered."""
    kind, authorizer = more.get("authorizationType"), more.get("authorizerId")
    same = found["authorizationType"] == kind and found.get("authorizerId") == authorizer
    if kind and found["authorizationType"] != "NONE" and not same:
        raise not_offered("two authorizers of one method")
    scopes = [*found.get("authorizationScopes", ()), *more.get("authorizationScopes", ())]
    found.update(more)
    if scopes:
        found["authorizationScopes"] = list(dict.fromkeys(scopes))
