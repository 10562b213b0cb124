"""A REST API's deployment: the typed, immutable snapshot that a stage serves (gateway 8.1).

The gates read these, which :func:`freeze` made of the engine's records. What is live, such as the stage,
isn't here: they read it as the engine keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from labkit.journey import Code
from labkit.local.apigateway.invocation import FUNCTION_URI
from labkit.local.apigateway.records import (
    VERBS,
    Deployment,
    Record,
    Unusable,
    is_true,
    mapping,
    number,
    text,
    texts,
)
from labkit.local.apigateway.rest.jwt_configuration import (
    JwtConfiguration,
    freeze_jwt_configuration,
)

DEFAULT_TTL_SECONDS = 300
DEFAULT_TIMEOUT_MS = MAX_TIMEOUT_MS = 29_000
"""Of an integration; more is only for accounts that asked for it (gateway 14)."""


@dataclass(frozen=True, slots=True)
class IntegrationResponse:
    """How a backend's status becomes the client's answer."""

    status_code: str
    selection_pattern: str
    parameters: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RestIntegration:
    """A method's backend.

    Attributes:
        type: ``MOCK``, ``AWS_PROXY``, ``HTTP``, ``HTTP_PROXY``…
        uri: may name stage variables and path parameters.
        http_method: the verb towards the backend; empty when unset.
        timeout: in seconds: 29 unless set, and never more (gateway 14).
        passthrough_behavior: ``WHEN_NO_MATCH``, ``WHEN_NO_TEMPLATES`` or ``NEVER``.
        parameters: ``integration.request.…`` → where the value comes from.
        templates: content type → request template.
        responses: by the status that they answer.
        unusable: why the local cloud doesn't ask it, or None.
        credentials: the role that API Gateway assumes, or ``arn:aws:iam::*:user/*``; empty when unset (gateway 17.10).
    """

    type: str
    uri: str
    http_method: str
    timeout: float
    passthrough_behavior: str
    parameters: Mapping[str, str]
    templates: Mapping[str, str]
    responses: Mapping[str, IntegrationResponse]
    unusable: Unusable | None
    credentials: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """What a verb of a resource asks for.

    Attributes:
        authorization_type: ``NONE``, ``AWS_IAM``, ``COGNITO_USER_POOLS``, ``JWT`` or ``CUSTOM``.
        authorizer_id: of a Cognito, JWT or Lambda authorizer; empty when unset.
        authorization_scopes: of a Cognito or JWT authorizer.
        api_key_required: whether a request needs an API key.
        validator_id: the request validator; empty when unset.
        required_parameters: ``method.request.header.x``…, those that must be there.
        models: content type → name of the body's model.
        integration: the backend, or None.
    """

    authorization_type: str
    authorizer_id: str
    authorization_scopes: tuple[str, ...] = ()
    api_key_required: bool = False
    validator_id: str = ""
    required_parameters: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    integration: RestIntegration | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the tree.

    Attributes:
        id: the resource id.
        path: ``/pets/{petId}``.
        parts: the path's segments as configured, ``("pets", "{petId}")``.
        methods: verb (or ``ANY``) → method.
    """

    id: str
    path: str
    parts: tuple[str, ...]
    methods: Mapping[str, Method]

    def method_for(self, verb: str) -> Method | None:
        """The method that serves a verb: an explicit one before ``ANY`` (gateway 8.6, 8.10)."""
        if verb not in VERBS:
            return None
        return self.methods.get(verb) or self.methods.get("ANY")


@dataclass(frozen=True, slots=True)
class RestAuthorizer:
    """An authorizer of a REST API.

    Attributes:
        id: its id.
        type: ``TOKEN``, ``REQUEST``, ``COGNITO_USER_POOLS`` or ``JWT``.
        identity_sources: ``method.request.header.Authorization``…
        validation: ``identityValidationExpression``; empty when unset.
        ttl: for how many seconds a result is kept: 300 unless set, 0 is off (gateway 3.7, 3.12).
        provider_arns: the user pools.
        function_arn: the Lambda function.
        unusable: why the function can't be asked, or None.
        jwt: the issuers of a JWT authorizer, or None.
    """

    id: str
    type: str
    identity_sources: tuple[str, ...]
    validation: str
    ttl: int
    provider_arns: tuple[str, ...]
    function_arn: str
    unusable: Unusable | None
    jwt: JwtConfiguration | None = None

    @property
    def identity_required(self) -> bool:
        """A ``REQUEST`` authorizer without a cache is always asked (gateway 3.4, 3.5)."""
        return self.type != "REQUEST" or self.ttl > 0


@dataclass(frozen=True, slots=True)
class Model:
    """A JSON schema for bodies.

    Attributes:
        name: its name.
        schema: JSON text.
    """

    name: str
    schema: str


@dataclass(frozen=True, slots=True)
class RequestValidator:
    """What is looked at before the integration."""

    validate_body: bool
    validate_parameters: bool


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """A customised gateway response.

    Attributes:
        status_code: as configured, or None.
        parameters: ``gatewayresponse.header.x`` → where the value comes from.
        templates: content type → template.
    """

    status_code: object
    parameters: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True)
class RestDeployment(Deployment):
    """All that ``CreateDeployment`` froze.

    Attributes:
        endpoint_types: ``EDGE``, ``REGIONAL`` or ``PRIVATE``.
        vpc_endpoint_ids: of a private API, those that are associated with it.
        endpoint_disabled: whether the default endpoint is closed.
        policy: the resource policy as it was saved, or None.
        api_key_source: ``HEADER`` or ``AUTHORIZER``.
        binary_media_types: lower case.
        resources: by id.
        authorizers: by id.
        models: by name.
        validators: by id.
        gateway_responses: by type.
        configuration: the records themselves, to compare deployments.
    """

    endpoint_types: tuple[str, ...] = ()
    vpc_endpoint_ids: tuple[str, ...] = ()
    endpoint_disabled: bool = False
    policy: object = None
    api_key_source: str = "HEADER"
    binary_media_types: tuple[str, ...] = ()
    resources: Mapping[str, Resource] = field(default_factory=dict)
    authorizers: Mapping[str, RestAuthorizer] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    validators: Mapping[str, RequestValidator] = field(default_factory=dict)
    gateway_responses: Mapping[str, GatewayResponse] = field(default_factory=dict)
    configuration: Record = field(default_factory=dict, repr=False)

    @property
    def is_edge_optimized(self) -> bool:
        """Whether a CloudFront that AWS runs stands in front of it."""
        return "EDGE" in self.endpoint_types

    def same_as(self, other: RestDeployment) -> bool:
        """Whether another snapshot of the API has the same configuration."""
        return self.configuration == other.configuration

    @cached_property
    def greedy_resources(self) -> tuple[Resource, ...]:
        """The ``{proxy+}`` resources."""
        return tuple(r for r in self.resources.values() if r.parts and r.parts[-1].endswith("+}"))

    @cached_property
    def children(self) -> Mapping[tuple[str, ...], tuple[Resource, ...]]:
        """Configured parent segments → its direct non-greedy children."""
        found: dict[tuple[str, ...], list[Resource]] = {}
        for resource in self.resources.values():
            if resource.parts and not resource.parts[-1].endswith("+}"):
                found.setdefault(resource.parts[:-1], []).append(resource)
        return {parent: tuple(below) for parent, below in found.items()}

    @cached_property
    def root(self) -> Resource | None:
        """The resource ``/``."""
        return next((r for r in self.resources.values() if not r.parts), None)


def freeze(api_id: str, region: str, deployment_id: str, configuration: Record) -> RestDeployment:
    """The deployment of an API as its records are now.

    Args:
        api_id: the API.
        region: its Region.
        deployment_id: empty for the live configuration.
        configuration: ``api``, ``resources``, ``authorizers``, ``models``, ``validators`` and
            ``gateway_responses``; not changed afterwards.
    """
    api = mapping(configuration.get("api"))
    models = mapping(configuration.get("models")).values()
    return RestDeployment(
        api_id,
        region,
        deployment_id,
        endpoint_types=texts(mapping(api.get("endpointConfiguration")).get("types")),
        vpc_endpoint_ids=texts(mapping(api.get("endpointConfiguration")).get("vpcEndpointIds")),
        endpoint_disabled=is_true(api.get("disableExecuteApiEndpoint")),
        policy=api.get("policy") or None,
        api_key_source=str(api.get("apiKeySource") or "HEADER"),
        binary_media_types=tuple(
            kind.replace("~1", "/").lower() for kind in texts(api.get("binaryMediaTypes"))
        ),
        resources={k: _resource(k, v) for k, v in mapping(configuration["resources"]).items()},
        authorizers={
            k: _authorizer(k, v) for k, v in mapping(configuration.get("authorizers")).items()
        },
        models={str(m["name"]): Model(str(m["name"]), text(m, "schema")) for m in models},
        validators={
            k: RequestValidator(
                is_true(v.get("validateRequestBody")), is_true(v.get("validateRequestParameters"))
            )
            for k, v in mapping(configuration.get("validators")).items()
        },
        gateway_responses={
            k: freeze_gateway_response(v)
            for k, v in mapping(configuration.get("gateway_responses")).items()
        },
        configuration=configuration,
    )


def freeze_gateway_response(record: Record) -> GatewayResponse:
    """A customised gateway response."""
    return GatewayResponse(
        record.get("statusCode"),
        _mapping_of_texts(record, "responseParameters"),
        _mapping_of_texts(record, "responseTemplates"),
    )


def freeze_integration(record: Record) -> RestIntegration:
    """A method's backend."""
    timeout = min(number(record.get("timeoutInMillis"), DEFAULT_TIMEOUT_MS), MAX_TIMEOUT_MS)
    return RestIntegration(
        type=text(record, "type"),
        uri=text(record, "uri"),
        http_method=text(record, "httpMethod"),
        timeout=timeout / 1000,
        passthrough_behavior=text(record, "passthroughBehavior") or "WHEN_NO_MATCH",
        parameters=_mapping_of_texts(record, "requestParameters"),
        templates=_templates(record, "requestTemplates"),
        responses={
            k: IntegrationResponse(
                text(v, "statusCode") or "200",
                text(v, "selectionPattern"),
                _mapping_of_texts(v, "responseParameters"),
                _templates(v, "responseTemplates"),
            )
            for k, v in mapping(record.get("integrationResponses")).items()
        },
        unusable=_unusable_integration(record),
        credentials=text(record, "credentials"),
    )


def _unusable_integration(record: Record) -> Unusable | None:
    """Why the local cloud doesn't ask a backend that AWS would ask."""
    reason = None
    if record.get("credentials") and not text(record, "type").startswith("AWS"):
        reason = "the local cloud uses credentials for functions only, so it stops here"
    elif record.get("tlsConfig"):
        reason = "the local cloud has no tlsConfig of an integration, so it stops here"
    elif not _are_patterns_readable(record):
        reason = "the local cloud can't read a selection pattern as Java does, so it stops here"
    elif _converts_content(record):
        reason = "the local cloud converts no content (contentHandling), so it stops here"
    elif (record.get("connectionType") or "INTERNET") != "INTERNET":
        reason = "the local cloud has no VPC links, so it stops here"
    return Unusable(Code.UNSUPPORTED, reason) if reason else None


def _are_patterns_readable(record: Record) -> bool:
    try:
        for response in mapping(record.get("integrationResponses")).values():
            re.compile(text(mapping(response), "selectionPattern"), re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _converts_content(record: Record) -> bool:
    """Whether ``contentHandling`` changes a body: between a function and a client all is text already."""
    held = [record, *map(mapping, mapping(record.get("integrationResponses")).values())]
    kinds = {one.get("contentHandling") for one in held} - {None, ""}
    is_text = kinds <= {"CONVERT_TO_TEXT"} and not text(record, "type").startswith("HTTP")
    return bool(kinds) and not is_text


def freeze_method(record: Record) -> Method:
    """A verb of a resource."""
    integration = record.get("methodIntegration")
    return Method(
        authorization_type=text(record, "authorizationType") or "NONE",
        authorizer_id=text(record, "authorizerId"),
        authorization_scopes=texts(record.get("authorizationScopes")),
        api_key_required=is_true(record.get("apiKeyRequired")),
        validator_id=text(record, "requestValidatorId"),
        required_parameters=tuple(
            name for name, v in mapping(record.get("requestParameters")).items() if is_true(v)
        ),
        models=_mapping_of_texts(record, "requestModels"),
        integration=freeze_integration(integration) if integration else None,
    )


def _resource(key: str, record: Record) -> Resource:
    path = str(record["path"])
    methods = mapping(record.get("resourceMethods"))
    return Resource(
        key,
        path,
        tuple(part for part in path.split("/") if part),
        {verb: freeze_method(method) for verb, method in methods.items()},
    )


def _authorizer(key: str, record: Record) -> RestAuthorizer:
    sources = text(record, "identitySource").split(",")
    kind = text(record, "type")
    match = FUNCTION_URI.fullmatch(text(record, "authorizerUri"))
    unusable = None
    if match is None:
        reason = "the authorizer's URI names no Lambda function"
        unusable = Unusable(Code.AUTHORIZER_SETTINGS, reason)
    elif record.get("authorizerCredentials"):
        reason = "the local cloud doesn't use an authorizer's credentials yet, so it stops here"
        unusable = Unusable(Code.UNSUPPORTED, reason)
    return RestAuthorizer(
        id=key,
        type=kind,
        identity_sources=tuple(source.strip() for source in sources if source.strip()),
        # A REQUEST authorizer has no token to validate.
        validation="" if kind == "REQUEST" else text(record, "identityValidationExpression"),
        ttl=number(record.get("authorizerResultTtlInSeconds"), DEFAULT_TTL_SECONDS),
        provider_arns=texts(record.get("providerARNs")),
        function_arn=match["function"] if match else "",
        unusable=unusable,
        jwt=freeze_jwt_configuration(mapping(record.get("jwtConfiguration")))
        if kind == "JWT"
        else None,
    )


def _templates(record: Record, name: str) -> dict[str, str]:
    """Content type → template; an empty one, which is kept as null, is none (gateway 17.14)."""
    return {
        str(kind).lower(): template
        for kind, template in mapping(record.get(name)).items()
        if isinstance(template, str) and template
    }


def _mapping_of_texts(record: Record, name: str) -> dict[str, str]:
    return {str(k): "" if v is None else str(v) for k, v in mapping(record.get(name)).items()}
