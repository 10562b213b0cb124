"""The authorizers that an OpenAPI file describes, in a REST API."""

from __future__ import annotations

from typing import Any

from labkit.local.apigateway.control.openapi.document import Document, object_in, text_in
from labkit.local.apigateway.control.openapi.security import (
    AUTH_TYPE,
    AUTHORIZER,
    SecurityRequirements,
)
from labkit.local.apigateway.control.refusals import not_offered
from labkit.local.apigateway.control.rest.draft import RestApiDraft

JsonObject = dict[str, Any]

_MEMBERS = frozenset(
    "type authorizerUri authorizerCredentials authorizerResultTtlInSeconds identitySource "
    "identityValidationExpression providerARNs".split()
)


def import_authorizers(draft: RestApiDraft, document: Document) -> SecurityRequirements:
    """Make an authorizer of each scheme that describes one, used or not (recorded 22.15)."""
    found = SecurityRequirements(document)
    for name, scheme in found.described().items():
        with draft.report.step(f"Unable to create authorizer '{name}'"):
            made = _made(draft, name, scheme)
            kind = made["type"] if made["type"] == "COGNITO_USER_POOLS" else "CUSTOM"
            found.authorizers[name] = {"authorizationType": kind, "authorizerId": made["id"]}
    return found


def _made(draft: RestApiDraft, name: str, scheme: JsonObject) -> JsonObject:
    """The authorizer of a scheme; one of its name keeps its id."""
    asked = object_in(scheme, AUTHORIZER)
    for member in asked:
        if member not in _MEMBERS:
            raise not_offered(f"{AUTHORIZER}.{member}")
    kind = text_in(asked, "type").upper()
    if kind == "JWT":
        raise not_offered(f"{AUTHORIZER} of type jwt in a REST API")
    source = asked.get("identitySource")
    if not source and kind != "REQUEST" and scheme.get("in") == "header":
        source = f"method.request.header.{text_in(scheme, 'name')}"
    records = draft.api.authorizers
    former = next((key for key, one in records.items() if one["name"] == name), None)
    if former:
        del records[former]
    settings = {**asked, "type": kind, "identitySource": source or None}
    made: JsonObject = draft.perform(
        "CreateAuthorizer", name=name, authType=scheme.get(AUTH_TYPE), **settings
    )
    if former:
        rename(records, made["id"], former)
    return made


def rename(records: dict[str, JsonObject], key: str, wanted: str) -> None:
    """Give a new record the id of the one that it replaces."""
    record = records.pop(key)
    record["id"] = wanted
    records[wanted] = record
