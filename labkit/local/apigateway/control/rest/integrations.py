"""Integrations of REST APIs and their responses: ``PutIntegration``, ``PutIntegrationResponse`` and the like."""

from __future__ import annotations

import copy
import re
from typing import Any

from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import (
    PatchPath,
    PatchTable,
    invalid_path,
    one_of_operations,
    patches_of,
)
from labkit.local.apigateway.control.permissions import CALLER_S_OWN, check_passed_role
from labkit.local.apigateway.control.refusals import bad_request, not_found
from labkit.local.apigateway.control.rest.lookup import integration, method
from labkit.local.apigateway.control.rest.methods import (
    VERBS,
    check_is_there,
    invalid_mapping,
    invalid_parameter,
)
from labkit.local.apigateway.control.store import GatewayStore

JsonObject = dict[str, Any]

TIMEOUT_MS = (50, 29_000)
"""At least, and at most (gateway 14)."""
_EVERY = ("add", "remove", "replace")
PATCHES = PatchTable(
    (
        PatchPath("/cacheNamespace"),
        PatchPath("/cacheKeyParameters/{}", ("add", "remove"), "list"),
        PatchPath("/connectionType"),
        PatchPath("/contentHandling"),
        PatchPath("/credentials"),
        PatchPath("/httpMethod"),
        PatchPath("/passthroughBehavior"),
        PatchPath("/requestParameters/{}", _EVERY),
        PatchPath("/requestTemplates/{}", _EVERY),
        PatchPath("/timeoutInMillis", ("replace",), "integer"),
        PatchPath("/uri"),
    ),
    invalid_path,
    one_of_operations,
)
RESPONSE_PATCHES = PatchTable(
    (
        PatchPath("/contentHandling"),
        PatchPath("/responseParameters/{}", _EVERY),
        PatchPath("/responseTemplates/{}", _EVERY),
        PatchPath("/selectionPattern"),
    ),
    invalid_path,
    one_of_operations,
)
_ONLY_LAMBDA = (
    "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
    "invocations."
)
_HTTP = re.compile(r"https?://\S+", re.IGNORECASE)
_AWS_ARN = re.compile(
    r"arn:aws[a-z-]*:apigateway:(?P<region>[^:]+):(?P<service>[^:]+):(?P<rest>.+)", re.DOTALL
)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/.+")
_LAMBDA_PATH = re.compile(
    r"path/2015-03-31/functions/.+/(?:invocations|response-streaming-invocations)"
)
_TO = re.compile(r"integration\.request\.(?:header|path|querystring)\.\S+")
_FROM_METHOD = re.compile(
    r"method\.request\.(?:header|path|querystring|multivalueheader|multivaluequerystring)\.\S+"
)
_FROM_ELSEWHERE = re.compile(
    r"'.*'|context\.\S+|stageVariables\.\S+|method\.request\.body(?:\..+)?", re.DOTALL
)
_RESPONSE_TO = re.compile(r"method\.response\.header\.\S+")
_RESPONSE_FROM = re.compile(
    r"'.*'|integration\.response\.(?:header|multivalueheader)\.\S+|integration\.response\.body(?:\..+)?"
    r"|context\.\S+|stageVariables\.\S+",
    re.DOTALL,
)
_CONTENT_TYPE = re.compile(r"[^\s/]+/[^\s/]+.*|\$default")
_CONTENT_HANDLING = ("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")


class IntegrationOperations:
    """The operations on integrations and integration responses.

    Args:
        store: the records.
    """

    def __init__(self, store: GatewayStore) -> None:
        self._store = store

    def put_integration(self, call: Call) -> JsonObject:
        """Make a method's integration, or another one in its place (recorded 8.1–8.9)."""
        of_method = method(self._store, call)
        made = new_integration(call.parameters, call.text("resourceId"), of_method)
        self._check_role(made.get("credentials"))
        of_method["methodIntegration"] = made
        return made

    def get_integration(self, call: Call) -> JsonObject:
        """A method's integration (recorded 8.10–8.13)."""
        return integration(self._store, call)

    def update_integration(self, call: Call) -> JsonObject:
        """Change a method's integration."""
        found = integration(self._store, call)
        changed = PATCHES.apply(found, patches_of(call.patches))
        changed = {"cacheNamespace": call.text("resourceId"), "cacheKeyParameters": [], **changed}
        of_method = method(self._store, call)
        check_integration(changed, of_method)
        if changed.get("credentials") != found.get("credentials"):
            self._check_role(changed.get("credentials"))
        of_method["methodIntegration"] = changed
        return changed

    def _check_role(self, credentials: str | None) -> None:
        """Refuse a role of another account (recorded 8.57), and one that the caller may not pass."""
        if credentials and credentials != CALLER_S_OWN:
            check_passed_role(credentials, self._store.account_id)

    def delete_integration(self, call: Call) -> None:
        """Delete a method's integration."""
        integration(self._store, call)
        del method(self._store, call)["methodIntegration"]

    # -- integration responses ----------------------------------------------------------

    def put_integration_response(self, call: Call) -> JsonObject:
        """Make a response of an integration, or another one in its place (recorded 8.15)."""
        found = integration(self._store, call)
        made = new_integration_response(call.parameters)
        check_integration_response(made, method(self._store, call))
        found.setdefault("integrationResponses", {})[made["statusCode"]] = made
        return made

    def get_integration_response(self, call: Call) -> JsonObject:
        """One response of an integration (recorded 8.17)."""
        return self._response(call)

    def update_integration_response(self, call: Call) -> JsonObject:
        """Change a response of an integration (recorded 8.16)."""
        found = self._response(call)
        patches = patches_of(call.patches)
        for patch in patches:
            path = RESPONSE_PATCHES.find(patch)
            if patch.op != "add":
                check_is_there(found, path, patch)
        changed = RESPONSE_PATCHES.apply(found, patches)
        check_integration_response(changed, method(self._store, call))
        integration(self._store, call)["integrationResponses"][found["statusCode"]] = changed
        return changed

    def delete_integration_response(self, call: Call) -> None:
        """Delete a response of an integration (recorded 8.18–8.20)."""
        try:
            method(self._store, call)
        except Exception as error:
            if "Method" in str(error):
                raise not_found("Invalid Integration identifier specified") from None
            raise
        status = self._response(call)["statusCode"]
        found = integration(self._store, call)
        del found["integrationResponses"][status]
        if not found["integrationResponses"]:  # recorded 3.40
            del found["integrationResponses"]

    def _response(self, call: Call) -> JsonObject:
        found: JsonObject | None = (
            integration(self._store, call)
            .get("integrationResponses", {})
            .get(call.text("statusCode"))
        )
        if found is None:
            raise not_found("Invalid Response status code specified")
        return found


def new_integration(asked: JsonObject, resource_id: str, of_method: JsonObject) -> JsonObject:
    """An integration as it is kept.

    Args:
        asked: the members of ``PutIntegration``.
        resource_id: the default of ``cacheNamespace``.
        of_method: the method, whose parameters it may read.

    Raises:
        ApiError: ``BadRequestException``.
    """
    kind = asked["type"]
    made = {
        "type": kind,
        "passthroughBehavior": asked.get("passthroughBehavior") or "WHEN_NO_MATCH",
        "timeoutInMillis": asked.get("timeoutInMillis", TIMEOUT_MS[1]),
        "cacheNamespace": asked.get("cacheNamespace") or resource_id,
        "cacheKeyParameters": list(asked.get("cacheKeyParameters") or ()),
    }
    for name in (
        "connectionType",
        "contentHandling",
        "credentials",
        "requestParameters",
        "requestTemplates",
    ):
        if asked.get(name) not in (None, "", {}):
            made[name] = copy.deepcopy(asked[name])
    if kind in ("HTTP", "HTTP_PROXY"):
        made.setdefault("connectionType", "INTERNET")  # recorded 3.38
    if kind != "MOCK":
        if asked.get("integrationHttpMethod"):
            made["httpMethod"] = asked["integrationHttpMethod"]
        if asked.get("uri"):
            made["uri"] = asked["uri"]
    check_integration(made, of_method)
    return made


def check_integration(record: JsonObject, of_method: JsonObject) -> None:
    """Refuse an integration that AWS refuses, and what isn't offered.

    Raises:
        ApiError: ``BadRequestException``.
    """
    kind = record["type"]
    if (record.get("connectionType") or "INTERNET") not in ("INTERNET", "VPC_LINK"):
        raise bad_request("Invalid ConnectionType specified. Valid options are INTERNET,VPC_LINK")
    if kind != "MOCK":
        if not record.get("httpMethod"):
            raise bad_request("Enumeration value for HttpMethod must be non-empty")
        if record["httpMethod"] not in VERBS:
            raise bad_request(f"Invalid HttpMethod specified. Valid options are {','.join(VERBS)}")
        _check_uri(kind, str(record.get("uri") or ""))
        of_lambda = (match := _AWS_ARN.match(record["uri"])) and match["service"] == "lambda"
        if kind == "AWS" and not of_lambda and not record.get("credentials"):  # recorded 8.56
            raise bad_request("Role ARN must be specified for AWS integrations")
    if record.get("passthroughBehavior") not in ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"):
        raise bad_request(
            "Invalid PassthroughBehavior specified. Valid options are WHEN_NO_MATCH,WHEN_NO_TEMPLATES,NEVER"
        )
    if record.get("contentHandling") not in (None, *_CONTENT_HANDLING):
        raise bad_request(
            f"Invalid ContentHandling specified. Valid options are {','.join(_CONTENT_HANDLING)}"
        )
    least, most = TIMEOUT_MS
    if not least <= record["timeoutInMillis"] <= most:
        raise bad_request(f"Timeout should be between {least} ms and {most} ms")
    declared = of_method.get("requestParameters") or {}
    for name, source in (record.get("requestParameters") or {}).items():
        if not _TO.fullmatch(name):
            raise invalid_parameter(name)
        if _FROM_METHOD.fullmatch(str(source)):
            if str(source).replace(".multivalue", ".") not in declared:
                raise invalid_parameter(source)
        elif not _FROM_ELSEWHERE.fullmatch(str(source)):
            raise invalid_mapping(f"Invalid mapping expression specified: {source}")
    _check_content_types(record.get("requestTemplates") or {})


def _check_uri(kind: str, uri: str) -> None:
    if kind in ("HTTP", "HTTP_PROXY"):
        if not _HTTP.fullmatch(uri) and not uri.startswith("${stageVariables."):
            raise bad_request("Invalid HTTP endpoint specified for URI")
        return
    if not uri.startswith("arn:"):
        raise bad_request("Invalid ARN specified in the request")
    match = _AWS_ARN.fullmatch(uri)
    if match is None or not re.search("(?:path|action)/", match["rest"]):
        raise bad_request("AWS ARN for integration must contain path or action")
    if kind == "AWS_PROXY":
        service, rest = match["service"], match["rest"]
        is_lambda = service == "lambda" and _LAMBDA_PATH.fullmatch(rest)
        if not is_lambda and not (service == "firehose" and rest.startswith("action/")):
            raise bad_request(_ONLY_LAMBDA)


def new_integration_response(asked: JsonObject) -> JsonObject:
    """A response of an integration as it is kept; an empty template is null."""
    made: JsonObject = {"statusCode": asked["statusCode"]}
    if asked.get("selectionPattern") is not None:
        made["selectionPattern"] = asked["selectionPattern"]
    if asked.get("responseParameters"):
        made["responseParameters"] = dict(asked["responseParameters"])
    if asked.get("responseTemplates") is not None:
        made["responseTemplates"] = {
            kind: template or None for kind, template in asked["responseTemplates"].items()
        }
    if asked.get("contentHandling"):
        made["contentHandling"] = asked["contentHandling"]
    return made


def check_integration_response(record: JsonObject, of_method: JsonObject) -> None:
    """Refuse a response that sets a header which the method's response doesn't declare, and the like.

    Raises:
        ApiError: ``BadRequestException``.
    """
    answer = (of_method.get("methodResponses") or {}).get(record["statusCode"]) or {}
    declared = answer.get("responseParameters") or {}
    for name, source in (record.get("responseParameters") or {}).items():
        if not _RESPONSE_TO.fullmatch(name) or name not in declared:
            raise invalid_parameter(name)
        if not _RESPONSE_FROM.fullmatch(str(source)):
            raise invalid_mapping(f"Invalid mapping expression specified: {source}")
    if record.get("contentHandling") not in (None, *_CONTENT_HANDLING):
        raise bad_request(
            f"Invalid ContentHandling specified. Valid options are {','.join(_CONTENT_HANDLING)}"
        )
    _check_content_types(record.get("responseTemplates") or {})


def _check_content_types(templates: JsonObject) -> None:
    for kind in templates:
        if not _CONTENT_TYPE.fullmatch(kind):
            raise bad_request(
                f"Validation Result: warnings : [], errors : [Invalid content type specified: {kind}]"
            )
