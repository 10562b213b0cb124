"""An API definition as OpenAPI 3.0 and Swagger 2.0 both say it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from labkit.local.apigateway.control.openapi.reading import invalid_input, read_definition
from labkit.local.apigateway.control.refusals import bad_request, not_offered

JsonObject = dict[str, Any]

EXTENSION = "x-amazon-apigateway-"
ANY_METHOD = f"{EXTENSION}any-method"
ENDPOINT = f"{EXTENSION}endpoint-configuration"
VERBS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MAX_REFERENCES = 20
_VARIABLE = re.compile(r"\{([^{}]+)\}")
_MEDIA_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Document:
    """An API definition.

    Attributes:
        data: the whole file.
        is_swagger: version 2.0, not 3.0.
    """

    data: JsonObject
    is_swagger: bool

    @property
    def info(self) -> JsonObject:
        """Title, version, description."""
        return object_in(self.data, "info")

    @property
    def components(self) -> JsonObject:
        """Of version 3; version 2 has its parts at the top."""
        return object_in(self.data, "components")

    @property
    def schemas(self) -> JsonObject:
        """The schemas by name."""
        if self.is_swagger:
            return object_in(self.data, "definitions")
        return object_in(self.components, "schemas")

    @property
    def security_schemes(self) -> JsonObject:
        """The ways to identify a caller, by name."""
        if self.is_swagger:
            return object_in(self.data, "securityDefinitions")
        return object_in(self.components, "securitySchemes")

    @property
    def paths(self) -> JsonObject:
        """Path items by path."""
        return object_in(self.data, "paths")

    def extension(self, name: str) -> Any:
        """An extension at the top, without the start of its name; None when it is absent."""
        return self.data.get(f"{EXTENSION}{name}")

    def endpoint_configuration(self) -> JsonObject:
        """The settings of the default endpoint: of the servers in version 3, at the top in version 2.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/
        api-gateway-swagger-extensions-endpoint-configuration.html

        Raises:
            ApiError: two of them say different things, or a server has another extension.
        """
        owners = [self.data]
        if not self.is_swagger:
            owners += [one for one in list_in(self.data, "servers") if isinstance(one, dict)]
        found: JsonObject = {}
        for owner in owners:
            if owner is not self.data:
                for name in owner:
                    if name.startswith(EXTENSION) and name != ENDPOINT:
                        raise not_offered(f"{name} of a server")
            for member, value in object_in(owner, ENDPOINT).items():
                if found.setdefault(member, value) != value:
                    raise not_offered(f"two different values of {ENDPOINT}.{member}")
        return found

    def base_path(self) -> str:
        """``basePath``, or the path of the first server."""
        if self.is_swagger:
            return text_in(self.data, "basePath")
        servers = list_in(self.data, "servers")
        server = servers[0] if servers and isinstance(servers[0], dict) else {}
        variables = object_in(server, "variables")

        def value(match: re.Match[str]) -> str:
            return str(object_in(variables, match[1]).get("default", ""))

        try:
            return urlsplit(_VARIABLE.sub(value, text_in(server, "url"))).path
        except ValueError:
            raise invalid_input() from None

    def resolved(self, value: Any) -> JsonObject:
        """An object, or the one that its ``$ref`` names in this file.

        Raises:
            ApiError: ``Invalid OpenAPI input.``, or the reference goes to another file.
        """
        for _hop in range(MAX_REFERENCES):
            if not isinstance(value, dict):
                break
            reference = value.get("$ref")
            if reference is None:
                return value
            if not isinstance(reference, str) or not reference.startswith("#/"):
                raise not_offered(f"references to other files: {reference}")
            value = self.data
            for name in reference[2:].split("/"):
                name = name.replace("~1", "/").replace("~0", "~")
                value = value.get(name) if isinstance(value, dict) else None
        raise invalid_input()

    def parameters(self, path_item: JsonObject, operation: JsonObject) -> list[JsonObject]:
        """The parameters of an operation: its own, then those of its path that it doesn't have."""
        found: dict[tuple[str, str], JsonObject] = {}
        for owner in (operation, path_item):
            for one in list_in(owner, "parameters"):
                parameter = self.resolved(one)
                place, name = text_in(parameter, "in"), text_in(parameter, "name")
                found.setdefault((place, name if place != "body" else ""), parameter)
        return list(found.values())

    def request_schemas(
        self, path_item: JsonObject, operation: JsonObject
    ) -> dict[str, JsonObject]:
        """The schemas of an operation's body, by media type."""
        if not self.is_swagger:
            if operation.get("requestBody") is None:
                return {}
            return self._content(self.resolved(operation["requestBody"]))
        for parameter in self.parameters(path_item, operation):
            if parameter.get("in") == "body" and "schema" in parameter:
                schema = object_in(parameter, "schema")
                return dict.fromkeys(self._media_types(operation, "consumes"), schema)
        return {}

    def response_schemas(
        self, operation: JsonObject, response: JsonObject
    ) -> dict[str, JsonObject]:
        """The schemas of a response, by media type."""
        if not self.is_swagger:
            return self._content(response)
        if "schema" not in response:
            return {}
        schema = object_in(response, "schema")
        return dict.fromkeys(self._media_types(operation, "produces"), schema)

    def integration(self, operation: JsonObject) -> JsonObject:
        """An operation's integration, or the one of ``x-amazon-apigateway-integrations`` that it names."""
        value = object_in(operation, f"{EXTENSION}integration")
        return self.resolved(value) if "$ref" in value else value

    def _content(self, owner: JsonObject) -> dict[str, JsonObject]:
        content = object_in(owner, "content")
        return {
            kind: object_in(media, "schema")
            for kind in content
            if "schema" in (media := object_in(content, kind))
        }

    def _media_types(self, operation: JsonObject, name: str) -> list[str]:
        """``consumes`` and ``produces``; SAM writes a text where a list belongs."""
        for owner in (operation, self.data):
            if isinstance(owner.get(name), str):
                return [owner[name]]
            found = [one for one in list_in(owner, name) if isinstance(one, str)]
            if found:
                return found
        return [_MEDIA_TYPE]


def read_document(body: bytes) -> Document:
    """The definition in a file.

    Raises:
        ApiError: ``Invalid OpenAPI input.``: it is broken, of another version, or has no title or no paths.
    """
    data = read_definition(body)
    is_swagger = "swagger" in data
    version = data.get("swagger" if is_swagger else "openapi")
    fits = version in ("2.0", 2, 2.0) if is_swagger else str(version).startswith("3.0")
    document = Document(data, is_swagger)
    if not fits or not document.info.get("title") or not isinstance(data.get("paths"), dict):
        raise invalid_input()
    return document


def object_in(owner: JsonObject, name: str) -> JsonObject:
    """A member that is an object; empty when it is absent.

    Raises:
        ApiError: ``Invalid OpenAPI input.``: it is something else.
    """
    value = owner.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_input()
    return value


def list_in(owner: JsonObject, name: str) -> list[Any]:
    """A member that is a list; empty when it is absent.

    Raises:
        ApiError: ``Invalid OpenAPI input.``: it is something else.
    """
    value = owner.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid_input()
    return value


def text_in(owner: JsonObject, name: str) -> str:
    """A member that is text, or a number or a boolean in its place; empty when it is absent.

    Raises:
        ApiError: ``Invalid OpenAPI input.``: it is something else.
    """
    value = owner.get(name)
    if isinstance(value, dict | list):
        raise invalid_input()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def placed_path(path: str, base_path: str, how: str) -> tuple[str, ...]:
    """The parts of a path below an API's root.

    Args:
        path: as the definition has it.
        base_path: of the definition.
        how: ``ignore``; ``prepend``: the base path comes first; ``split``: so it does, without its first part
            (recorded 22.9).

    >>> placed_path("/test", "/base-url/part/", "split")
    ('part', 'test')
    """
    above = [part for part in base_path.split("/") if part]
    if how == "ignore":
        above = []
    elif how == "split":
        above = above[1:]
    below = path.removeprefix("/").removesuffix("/")
    return (*above, *(below.split("/") if below else ()))


def base_path_option(value: str) -> str:
    """The import option ``basepath``.

    Raises:
        ApiError: ``BadRequestException``; AWS's words aren't known.
    """
    if value not in ("", "ignore", "prepend", "split"):
        raise bad_request("Invalid basepath specified. Valid options are ignore,prepend,split")
    return value or "ignore"
