"""The paths of an OpenAPI file as resources, methods and integrations of a REST API."""

from __future__ import annotations

from typing import Any

from labkit.local.apigateway.control.openapi.document import (
    ANY_METHOD,
    EXTENSION,
    VERBS,
    Document,
    object_in,
    placed_path,
    text_in,
)
from labkit.local.apigateway.control.openapi.security import SecurityRequirements
from labkit.local.apigateway.control.refusals import bad_request, not_offered
from labkit.local.apigateway.control.rest.draft import RestApiDraft
from labkit.local.apigateway.control.rest.imported_models import ModelImport

JsonObject = dict[str, Any]

_PLACES = {"query": "querystring", "header": "header", "path": "path"}
_OPERATION_EXTENSIONS = frozenset(
    f"{EXTENSION}{name}" for name in ("auth", "integration", "request-validator", "tag-value")
)
_VALIDATOR = f"{EXTENSION}request-validator"
_INTEGRATION_MEMBERS = (
    "cacheKeyParameters",
    "cacheNamespace",
    "connectionId",
    "contentHandling",
    "credentials",
    "integrationTarget",
    "requestParameters",
    "requestTemplates",
    "responseTransferMode",
    "timeoutInMillis",
    "tlsConfig",
    "uri",
)
_ELSEWHERE = (
    "type",
    "httpMethod",
    "connectionType",
    "passthroughBehavior",
    "responses",
    "payloadFormatVersion",  # of HTTP APIs: passed over without a warning (recorded 22.11)
)
_RESPONSE_MEMBERS = ("contentHandling", "responseParameters", "responseTemplates", "statusCode")


class MethodImport:
    """The import of resources with all that is below them.

    Args:
        draft: the API.
        document: the file.
        models: names the models of bodies.
        security: who may call a method.
        validators: the ids of the request validators by name.
        base_path: ``ignore``, ``prepend`` or ``split``.
    """

    def __init__(
        self,
        draft: RestApiDraft,
        document: Document,
        models: ModelImport,
        security: SecurityRequirements,
        validators: dict[str, str],
        base_path: str,
    ) -> None:
        self._draft = draft
        self._document = document
        self._models = models
        self._security = security
        self._validators = validators
        self._base_path = base_path
        self._resources = {one["path"]: key for key, one in draft.api.resources.items()}
        self._done: set[tuple[str, str]] = set()

    def import_all(self) -> None:
        """Make all resources and methods, in the file's order."""
        for path in self._document.paths:
            if path.startswith("x-"):
                continue
            item = object_in(self._document.paths, path)
            if "$ref" in item:
                raise not_offered("$ref of a path")
            resource = ""
            with self._draft.report.step(f"Unable to create resource at path '{path}'"):
                resource = self._resource(path)
            if not resource:
                continue
            for name in item:
                if name in VERBS or name == ANY_METHOD:
                    verb = "ANY" if name == ANY_METHOD else name.upper()
                    self._method(resource, verb, item, object_in(item, name))
                elif name.startswith(EXTENSION):
                    raise not_offered(f"{name} of a path")

    def _resource(self, path: str) -> str:
        """The path below the API's root, whose resources there are now."""
        if not path.startswith("/"):
            raise bad_request("A path begins with a slash")
        found = ""
        for part in placed_path(path, self._document.base_path(), self._base_path):
            parent = self._resources[found or "/"]
            found = f"{found}/{part}"
            if found not in self._resources:
                made = self._draft.perform("CreateResource", parentId=parent, pathPart=part)
                self._resources[found] = made["id"]
        return found or "/"

    def _method(self, path: str, verb: str, item: JsonObject, operation: JsonObject) -> None:
        report, place = self._draft.report, f"resource at path '{path}'"
        if (path, verb) in self._done:  # a public report: aws/serverless-application-model#3385
            report.errors.append(f"Duplicate method '{verb}' on {place}")
            return
        self._done.add((path, verb))
        resource_id = self._resources[path]
        names = {"resourceId": resource_id, "httpMethod": verb}
        errors = len(report.errors)
        attribute = f"paths.'{path}'({verb.lower()})"
        with report.step(f"Unable to put method '{verb}' on {place}"):
            if verb in self._draft.api.resources[resource_id].get("resourceMethods", {}):
                self._draft.perform("DeleteMethod", **names)
            asked = self._asked(item, operation, attribute)
            self._draft.perform("PutMethod", **names, **asked)
        if len(report.errors) > errors:
            return
        with report.step(f"Unable to put method response on '{verb}' for {place}"):
            self._responses(names, operation, attribute)
        if operation.get(f"{EXTENSION}integration") is not None:
            with report.step(f"Unable to put integration on '{verb}' for {place}"):
                self._integration(names, path, self._document.integration(operation))

    def _asked(self, item: JsonObject, operation: JsonObject, attribute: str) -> JsonObject:
        """The members of ``PutMethod`` (recorded 22.12)."""
        for name in operation:
            if name.startswith(EXTENSION) and name not in _OPERATION_EXTENSIONS:
                raise not_offered(name)
        parameters = {}
        for one in self._document.parameters(item, operation):
            place = _PLACES.get(text_in(one, "in"))
            if place:
                name = f"method.request.{place}.{text_in(one, 'name')}"
                parameters[name] = one.get("required") is True
        schemas = self._document.request_schemas(item, operation)
        return {
            **self._security.asked_by(operation),
            "operationName": text_in(operation, "operationId") or None,
            "requestParameters": parameters or None,
            "requestModels": self._models.names(schemas, f"{attribute}.requestBody"),
            "requestValidatorId": self._validator(operation),
        }

    def _validator(self, operation: JsonObject) -> str | None:
        owner = operation if _VALIDATOR in operation else self._document.data
        name = text_in(owner, _VALIDATOR)
        if name and name not in self._validators:
            raise bad_request(f"Invalid Request Validator specified: {name}")
        return self._validators[name] if name else None

    def _responses(self, names: JsonObject, operation: JsonObject, attribute: str) -> None:
        responses = object_in(operation, "responses")
        for status, value in responses.items():
            if status == "default" or status.startswith("x-"):
                continue  # a method has no default response
            response = self._document.resolved(value)
            headers = object_in(response, "headers")
            parameters = {f"method.response.header.{name}": False for name in headers}
            schemas = self._document.response_schemas(operation, response)
            where = f"{attribute}.responses.{status}"
            self._draft.perform(
                "PutMethodResponse",
                **names,
                statusCode=status,
                responseParameters=parameters or None,
                responseModels=self._models.names(schemas, where),
            )

    def _integration(self, names: JsonObject, path: str, asked: JsonObject) -> None:
        for name in asked:
            if name not in (*_INTEGRATION_MEMBERS, *_ELSEWHERE):
                raise not_offered(f"{EXTENSION}integration.{name}")
        members = {name: asked.get(name) for name in _INTEGRATION_MEMBERS}
        for name in ("requestParameters", "requestTemplates"):
            members[name] = self._texts(asked, name, path, names["httpMethod"])
        self._draft.perform(
            "PutIntegration",
            **names,
            **members,
            type=text_in(asked, "type").upper() or None,
            integrationHttpMethod=text_in(asked, "httpMethod").upper() or None,
            connectionType=text_in(asked, "connectionType").upper() or None,
            passthroughBehavior=text_in(asked, "passthroughBehavior").upper() or None,
        )
        responses = object_in(asked, "responses")
        for pattern in responses:
            response = object_in(responses, pattern)
            for name in response:
                if name not in _RESPONSE_MEMBERS:
                    raise not_offered(f"{EXTENSION}integration.responses.{name}")
            self._draft.perform(
                "PutIntegrationResponse",
                **names,
                statusCode=text_in(response, "statusCode") or None,
                selectionPattern=None if pattern == "default" else pattern,
                contentHandling=response.get("contentHandling"),
                responseParameters=response.get("responseParameters"),
                responseTemplates=_templates(response),
            )

    def _texts(self, asked: JsonObject, name: str, path: str, verb: str) -> dict[str, str] | None:
        """The texts of a map; what is no text is left out with a warning (recorded 22.10)."""
        found = {}
        for key, value in object_in(asked, name).items():
            if isinstance(value, str):
                found[key] = value
                continue
            shown = str(value).lower() if isinstance(value, bool) else value
            self._draft.report.warnings.append(
                f"Invalid format for '{name}'. Expected type string for property '{key}' of resource '{path}' and "
                f"method '{verb}' but got '{shown}'"
            )
        return found or None


def _templates(response: JsonObject) -> JsonObject | None:
    """Null and an empty template are the same (recorded 8.15)."""
    if response.get("responseTemplates") is None:
        return None
    templates = object_in(response, "responseTemplates")
    return {kind: "" if value is None else value for kind, value in templates.items()}
