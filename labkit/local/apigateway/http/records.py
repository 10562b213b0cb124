"""An HTTP API's deployment: the typed, immutable snapshot that a stage serves (gateway 13.15).

The gates read these, which :func:`freeze` made of the engine's records. What is live, such as the stage,
isn't here: they read it as the engine keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from labkit.journey import Code
from labkit.local.apigateway.invocation import FUNCTION_URI
from labkit.local.apigateway.records import (
    Deployment,
    Record,
    Unusable,
    mapping,
    number,
    text,
    texts,
)

DEFAULT = "$default"
"""The name of the catch-all route and of the stage at the root of the API's address."""
FROZEN = ("api", "routes", "integrations", "authorizers")
"""What a deployment freezes; stages and their settings are live."""
MAX_TTL_SECONDS = 3_600
"""For how long an authorizer's results are kept at most (gateway 14)."""
DEFAULT_TIMEOUT_MS = MAX_TIMEOUT_MS = 30_000
_FUNCTION_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[\w-]+:\d+:function:[\w$-]+(:[\w$-]+)?")
_FORMATS = ("1.0", "2.0")
_ONLY_FOR_WEBSOCKETS = ("apiKeyRequired", "requestModels", "requestParameters")
_NOT_DONE_HERE = ("requestParameters", "responseParameters", "requestTemplates", "credentialsArn")


@dataclass(frozen=True, slots=True)
class Cors:
    """An API's CORS configuration."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: int | None = None
    allow_credentials: bool = False


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """A route.

    Attributes:
        key: ``GET /pets/{petId}`` or ``$default``.
        verb: ``GET``, ``ANY``…; empty for ``$default``.
        path: ``/pets/{petId}``; empty for ``$default``.
        parts: the path's segments as configured.
        authorization_type: ``NONE``, ``JWT``, ``AWS_IAM`` or ``CUSTOM``.
        authorizer_id: of a JWT or Lambda authorizer; empty when unset.
        authorization_scopes: of a JWT authorizer.
        integration_id: the target; empty when unset.
        unusable: why nobody gets through it, or None.
    """

    key: str
    verb: str = ""
    path: str = ""
    parts: tuple[str, ...] = ()
    authorization_type: str = "NONE"
    authorizer_id: str = ""
    authorization_scopes: tuple[str, ...] = ()
    integration_id: str = ""
    unusable: Unusable | None = None

    @property
    def is_greedy(self) -> bool:
        """Whether the path ends in ``{proxy+}``."""
        return bool(self.parts) and self.parts[-1].endswith("+}")


@dataclass(frozen=True, slots=True)
class HttpAuthorizer:
    """An authorizer of an HTTP API.

    Attributes:
        id: its id.
        type: ``JWT`` or ``REQUEST``.
        identity_sources: ``$request.header.Authorization``…
        issuer: of a JWT authorizer.
        audience: of a JWT authorizer.
        ttl: for how many seconds a result is kept: none unless set (gateway 13.11).
        payload_version: ``1.0`` or ``2.0``.
        simple: whether the function answers with ``isAuthorized``.
        function_arn: the Lambda function.
        unusable: why the function can't be asked, or None.
    """

    id: str
    type: str
    identity_sources: tuple[str, ...]
    issuer: str
    audience: tuple[str, ...]
    ttl: int
    payload_version: str
    simple: bool
    function_arn: str
    unusable: Unusable | None

    @property
    def identity_required(self) -> bool:
        """Every source must be there (gateway 13.10); without a source everybody asks."""
        return bool(self.identity_sources)

    @property
    def validation(self) -> str:
        """An HTTP API has no token validation."""
        return ""


@dataclass(frozen=True, slots=True)
class HttpIntegration:
    """A route's backend.

    Attributes:
        type: ``AWS_PROXY`` or ``HTTP_PROXY``.
        uri: may name stage variables and path parameters.
        method: the verb towards an HTTP server.
        payload_version: of the event.
        timeout: in seconds: 30 unless set, and never more (gateway 14).
        unusable: why the local cloud doesn't call it, or None.
    """

    type: str
    uri: str
    method: str
    payload_version: str
    timeout: float
    unusable: Unusable | None


@dataclass(frozen=True)
class HttpDeployment(Deployment):
    """All that a deployment froze.

    Attributes:
        cors: the CORS configuration, or None.
        routes: in the order in which they were made.
        integrations: by id.
        authorizers: by id.
        configuration: the records themselves, to export them.
    """

    cors: Cors | None = None
    routes: tuple[HttpRoute, ...] = ()
    integrations: Mapping[str, HttpIntegration] = field(default_factory=dict)
    authorizers: Mapping[str, HttpAuthorizer] = field(default_factory=dict)
    configuration: Record = field(default_factory=dict, repr=False)


def freeze(api_id: str, region: str, deployment_id: str, configuration: Record) -> HttpDeployment:
    """The deployment of an API as its records are now.

    Args:
        api_id: the API.
        region: its Region.
        deployment_id: its id.
        configuration: what :data:`FROZEN` names; not changed afterwards.
    """
    cors = mapping(mapping(configuration.get("api")).get("corsConfiguration"))
    integrations = mapping(configuration.get("integrations"))
    authorizers = mapping(configuration.get("authorizers"))
    return HttpDeployment(
        api_id,
        region,
        deployment_id,
        cors=freeze_cors(cors) if cors else None,
        routes=tuple(_routes(mapping(configuration.get("routes")))),
        integrations={key: _integration(record) for key, record in integrations.items()},
        authorizers={key: _authorizer(key, record) for key, record in authorizers.items()},
        configuration=configuration,
    )


def freeze_cors(record: Record) -> Cors:
    """A CORS configuration."""
    age = record.get("maxAge")
    return Cors(
        texts(record.get("allowOrigins")),
        texts(record.get("allowMethods")),
        texts(record.get("allowHeaders")),
        texts(record.get("exposeHeaders")),
        None if age is None else number(age, 0),
        record.get("allowCredentials") is True,
    )


def function_arn_in(uri: str) -> str:
    """The function that an integration's URI names; empty when it names none."""
    match = FUNCTION_URI.fullmatch(uri)
    arn = match["function"] if match else uri
    return arn if _FUNCTION_ARN.fullmatch(arn) else ""


def _routes(records: Record) -> Iterator[HttpRoute]:
    """The routes; one whose key AWS would refuse is left out, so nobody gets through it."""
    for record in records.values():
        key = str(record.get("routeKey") or "")
        verb, _blank, path = key.partition(" ")
        if key == DEFAULT:
            yield _route(record, key, "", "", ())
        elif verb.isupper() and path == "/":
            yield _route(record, key, verb, path, ())
        elif verb.isupper() and path.startswith("/") and "" not in path[1:].split("/"):
            yield _route(record, key, verb, path, tuple(path[1:].split("/")))


def _route(record: Record, key: str, verb: str, path: str, parts: tuple[str, ...]) -> HttpRoute:
    kind, _slash, integration_id = text(record, "target").partition("/")
    foreign = next((name for name in _ONLY_FOR_WEBSOCKETS if record.get(name)), None)
    reason = f"the local cloud doesn't enforce {foreign} on a route of an HTTP API"
    return HttpRoute(
        key,
        verb,
        path,
        parts,
        authorization_type=text(record, "authorizationType") or "NONE",
        authorizer_id=text(record, "authorizerId"),
        authorization_scopes=texts(record.get("authorizationScopes")),
        integration_id=integration_id if kind == "integrations" else "",
        unusable=Unusable(Code.UNSUPPORTED, reason) if foreign else None,
    )


def _authorizer(key: str, record: Record) -> HttpAuthorizer:
    settings = mapping(record.get("jwtConfiguration"))
    match = FUNCTION_URI.fullmatch(text(record, "authorizerUri"))
    version = text(record, "authorizerPayloadFormatVersion")
    unusable = None
    if match is None:
        reason = "the authorizer's URI names no Lambda function"
        unusable = Unusable(Code.AUTHORIZER_SETTINGS, reason)
    elif version not in _FORMATS:
        reason = "the authorizer's payload format is neither 1.0 nor 2.0"
        unusable = Unusable(Code.AUTHORIZER_SETTINGS, reason)
    elif record.get("authorizerCredentialsArn"):
        reason = "the local cloud doesn't use an authorizer's credentials: it stops here"
        unusable = Unusable(Code.UNSUPPORTED, reason)
    return HttpAuthorizer(
        id=key,
        type=text(record, "authorizerType"),
        identity_sources=texts(record.get("identitySource")),
        issuer=text(settings, "issuer"),
        audience=texts(settings.get("audience")),
        ttl=min(number(record.get("authorizerResultTtlInSeconds"), 0), MAX_TTL_SECONDS),
        payload_version=version,
        simple=version == "2.0" and record.get("enableSimpleResponses") is True,
        function_arn=match["function"] if match else "",
        unusable=unusable,
    )


def _integration(record: Record) -> HttpIntegration:
    kind = text(record, "integrationType")
    version = text(record, "payloadFormatVersion")
    timeout = min(number(record.get("timeoutInMillis"), DEFAULT_TIMEOUT_MS), MAX_TIMEOUT_MS)
    not_done = next((name for name in _NOT_DONE_HERE if record.get(name)), None)
    unusable = None
    if not_done is not None:
        reason = f"the local cloud doesn't apply {not_done}, so it stops here"
        unusable = Unusable(Code.UNSUPPORTED, reason)
    elif (record.get("connectionType") or "INTERNET") != "INTERNET":
        unusable = Unusable(Code.UNSUPPORTED, "the local cloud has no VPC links, so it stops here")
    elif kind not in ("AWS_PROXY", "HTTP_PROXY"):
        reason = f"the local cloud has no {kind} integration for HTTP APIs"
        unusable = Unusable(Code.UNSUPPORTED, reason)
    elif kind == "AWS_PROXY" and version not in _FORMATS:
        reason = "the integration's payload format is neither 1.0 nor 2.0"
        unusable = Unusable(Code.INTEGRATION_SETTINGS, reason)
    return HttpIntegration(
        type=kind,
        uri=text(record, "integrationUri"),
        method=text(record, "integrationMethod") or "ANY",
        payload_version=version,
        timeout=timeout / 1000,
        unusable=unusable,
    )
