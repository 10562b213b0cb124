"""Puts API Gateway together: both data planes, both control planes, and what they share."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from labkit.journey import Code
from labkit.local.apigateway.addresses import Addresses
from labkit.local.apigateway.control.account import AccountOperations
from labkit.local.apigateway.control.control_plane import ApiGatewayControlPlane
from labkit.local.apigateway.control.domain_names import Certificate
from labkit.local.apigateway.control.http.apis import HttpApiOperations
from labkit.local.apigateway.control.http.authorizers import HttpAuthorizerOperations
from labkit.local.apigateway.control.http.deployments import HttpDeploymentOperations
from labkit.local.apigateway.control.http.domain_names import HttpDomainNameOperations
from labkit.local.apigateway.control.http.exports import HttpExportOperations
from labkit.local.apigateway.control.http.imports import HttpImportOperations
from labkit.local.apigateway.control.http.integrations import HttpIntegrationOperations
from labkit.local.apigateway.control.http.routes import RouteOperations
from labkit.local.apigateway.control.http.stages import HttpStageOperations
from labkit.local.apigateway.control.rest.api_keys import ApiKeyOperations
from labkit.local.apigateway.control.rest.authorizers import AuthorizerOperations
from labkit.local.apigateway.control.rest.deployments import DeploymentOperations
from labkit.local.apigateway.control.rest.domain_names import DomainNameOperations
from labkit.local.apigateway.control.rest.exports import ExportOperations
from labkit.local.apigateway.control.rest.gateway_responses import GatewayResponseOperations
from labkit.local.apigateway.control.rest.imports import ImportOperations
from labkit.local.apigateway.control.rest.integrations import IntegrationOperations
from labkit.local.apigateway.control.rest.methods import MethodOperations
from labkit.local.apigateway.control.rest.models import ModelOperations
from labkit.local.apigateway.control.rest.request_validators import RequestValidatorOperations
from labkit.local.apigateway.control.rest.resources import ResourceOperations
from labkit.local.apigateway.control.rest.rest_apis import RestApiOperations
from labkit.local.apigateway.control.rest.stages import StageOperations
from labkit.local.apigateway.control.rest.testinvoke import TestCalls, TestInvokeMethod
from labkit.local.apigateway.control.rest.testinvoke_authorizer import TestInvokeAuthorizer
from labkit.local.apigateway.control.rest.usage import UsageOperations
from labkit.local.apigateway.control.rest.usage_plans import UsagePlanOperations
from labkit.local.apigateway.control.store import GatewayStore
from labkit.local.apigateway.control.tags import TagOperations
from labkit.local.apigateway.http import lambda_authorizer as http_lambda_authorizer
from labkit.local.apigateway.http import throttling as http_throttling
from labkit.local.apigateway.http.call import HttpCall
from labkit.local.apigateway.http.data_plane import HttpApiDataPlane
from labkit.local.apigateway.http.integrations import HttpIntegrations
from labkit.local.apigateway.http.jwt_authorizer import JwtAuthorizer
from labkit.local.apigateway.http.pipeline import HttpGates, http_pipeline
from labkit.local.apigateway.http.responses import FORBIDDEN, HttpError
from labkit.local.apigateway.http.responses import THROTTLED as HTTP_THROTTLED
from labkit.local.apigateway.iam_authorizer import IamAuthorizer, Identities
from labkit.local.apigateway.invocation import LambdaFunctions
from labkit.local.apigateway.issuers import Issuers
from labkit.local.apigateway.journeys import Journeys
from labkit.local.apigateway.lambda_authorizer import LambdaAuthorizer
from labkit.local.apigateway.limits import Buckets, Throttle
from labkit.local.apigateway.mutual_tls import MutualTls
from labkit.local.apigateway.pipeline import Pipeline
from labkit.local.apigateway.rest import lambda_authorizer as rest_lambda_authorizer
from labkit.local.apigateway.rest import throttling as rest_throttling
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.cognito_authorizer import CognitoAuthorizer
from labkit.local.apigateway.rest.data_plane import RestApiDataPlane
from labkit.local.apigateway.rest.function_backend import FunctionBackend, RoleDirectory
from labkit.local.apigateway.rest.http_integration import HttpServerIntegration
from labkit.local.apigateway.rest.jwt_authorizer import RestJwtAuthorizer
from labkit.local.apigateway.rest.lambda_integration import LambdaIntegration
from labkit.local.apigateway.rest.lambda_proxy import LambdaProxyIntegration
from labkit.local.apigateway.rest.mock_integration import mock_integration
from labkit.local.apigateway.rest.pipeline import RestGates, RestIntegrations, rest_pipeline
from labkit.local.apigateway.rest.resource_policy import ResourcePolicy
from labkit.local.apigateway.rest.responses import THROTTLED, GatewayError
from labkit.local.apigateway.rest.usage_plans import ApiKeys, UsagePlans
from labkit.local.apigateway.rest.words import deny_caller, refuse_signature
from labkit.local.apigateway.signature import Keys, SignatureVerifier
from labkit.local.cognito.pool_keys import PoolDirectory
from labkit.local.engine import Engine

Clock = Callable[[], float]
"""The time in seconds since the epoch."""


class Callers(Keys, Identities, RoleDirectory, Protocol):
    """What the IAM authorizers and the integrations ask of IAM and STS."""


@dataclass(frozen=True)
class ApiGateway:
    """The service. Its buckets, gates and pipelines are named for tests, which reset them and make one wrong.

    Attributes:
        addresses: which API a request is for.
        mutual_tls: whose client certificates are good.
        rest_apis: serves REST APIs.
        http_apis: serves HTTP APIs.
        store: the records.
        control: the control planes.
        journeys: those of the last requests.
        buckets: the account's token buckets.
        rest_gates: the parts of the REST APIs' pipeline.
        rest_pipeline: what a request to a REST API goes through.
        http_gates: the parts of the HTTP APIs' pipeline.
        http_pipeline: what a request to an HTTP API goes through.
    """

    addresses: Addresses
    mutual_tls: MutualTls
    rest_apis: RestApiDataPlane
    http_apis: HttpApiDataPlane
    store: GatewayStore
    control: ApiGatewayControlPlane
    journeys: Journeys
    buckets: Buckets
    rest_gates: RestGates
    rest_pipeline: Pipeline[RestCall, GatewayError]
    http_gates: HttpGates
    http_pipeline: Pipeline[HttpCall, HttpError]


def compose_api_gateway(
    engine: Engine, account_id: str, *, clock: Clock, numbers: random.Random
) -> ApiGateway:
    """API Gateway over the engine's records, functions, user pools and identities.

    Args:
        engine: the seam to the control planes.
        account_id: the owner of the APIs.
        clock: seconds since the epoch.
        numbers: for the ids of requests, invocations and deployments.
    """
    buckets, journeys = Buckets(clock), Journeys()
    store = GatewayStore(account_id, engine.web_acl_associations.web_acl_of, numbers)
    rest_gates = compose_rest_gates(
        functions=engine.functions,
        callers=engine.iam,
        user_pools=engine.user_pools,
        api_keys=store,
        buckets=buckets,
        clock=clock,
        numbers=numbers,
    )
    http_gates = compose_http_gates(
        functions=engine.functions,
        callers=engine.iam,
        user_pools=engine.user_pools,
        buckets=buckets,
        clock=clock,
    )
    for_rest, for_http = rest_pipeline(rest_gates), http_pipeline(http_gates)
    mutual_tls = MutualTls(store.mutual_tls, engine.objects.read, clock)
    rest_apis = RestApiDataPlane(
        store, for_rest, account_id, journeys, mutual_tls.refusal, clock, numbers
    )
    http_apis = HttpApiDataPlane(
        store,
        for_http,
        account_id,
        journeys,
        mutual_tls.refusal,
        http_gates.lambda_authorizer.forget,
        clock,
        numbers,
    )
    issuers = Issuers(engine.user_pools)
    control = ApiGatewayControlPlane(
        engine.authorize,
        engine.permission_error,
        {
            "apigateway": _rest_parts(
                store, rest_apis, rest_gates, issuers, engine.certificates.names_of, clock, numbers
            ),
            "apigatewayv2": _http_parts(
                store,
                http_apis,
                issuers,
                http_gates.lambda_authorizer.forget,
                engine.certificates.names_of,
                clock,
            ),
        },
    )
    return ApiGateway(
        addresses=Addresses(store),
        mutual_tls=mutual_tls,
        rest_apis=rest_apis,
        http_apis=http_apis,
        store=store,
        control=control,
        journeys=journeys,
        buckets=buckets,
        rest_gates=rest_gates,
        rest_pipeline=for_rest,
        http_gates=http_gates,
        http_pipeline=for_http,
    )


def _rest_parts(
    store: GatewayStore,
    data_plane: RestApiDataPlane,
    gates: RestGates,
    issuers: Issuers,
    certificate: Certificate,
    clock: Clock,
    numbers: random.Random,
) -> list[object]:
    """Who answers which operations of ``apigateway``."""
    test_calls = TestCalls(store.account_id, clock, numbers)
    return [
        RestApiOperations(store, clock, data_plane.forget_deployment),
        ImportOperations(store, clock),
        ExportOperations(store, data_plane),
        ResourceOperations(store),
        MethodOperations(store),
        IntegrationOperations(store),
        ModelOperations(store),
        RequestValidatorOperations(store),
        AuthorizerOperations(store, issuers.jwks_uri),
        GatewayResponseOperations(store),
        DeploymentOperations(store, data_plane, clock),
        StageOperations(store, clock, gates.lambda_authorizer.forget),
        ApiKeyOperations(store, clock),
        UsagePlanOperations(store, gates.usage_plans.begin),
        UsageOperations(store, gates.usage_plans),
        DomainNameOperations(store, certificate, clock),
        AccountOperations(store),
        TagOperations(store),
        TestInvokeMethod(store, RestIntegrations(gates.integrations), test_calls),
        TestInvokeAuthorizer(store, gates, test_calls),
    ]


def _http_parts(
    store: GatewayStore,
    data_plane: HttpApiDataPlane,
    issuers: Issuers,
    forget_authorizers: Callable[[str], None],
    certificate: Certificate,
    clock: Clock,
) -> list[object]:
    """Who answers which operations of ``apigatewayv2``."""
    deployments = HttpDeploymentOperations(store, data_plane, clock)
    changed = deployments.deploy_automatically
    return [
        HttpApiOperations(store, clock, changed, data_plane.forget_deployment),
        HttpImportOperations(store, clock, issuers.has_discovery, changed, forget_authorizers),
        HttpExportOperations(store, data_plane),
        RouteOperations(store, changed),
        HttpIntegrationOperations(store, changed),
        HttpAuthorizerOperations(store, issuers.has_discovery, changed, forget_authorizers),
        HttpStageOperations(store, clock, changed),
        deployments,
        HttpDomainNameOperations(store, certificate, clock),
        TagOperations(store),
    ]


def compose_rest_gates(
    *,
    functions: LambdaFunctions,
    callers: Callers,
    user_pools: PoolDirectory,
    api_keys: ApiKeys,
    buckets: Buckets,
    clock: Clock,
    numbers: random.Random,
) -> RestGates:
    """The gates of REST APIs over the services that they ask."""
    usage_plans, http_server = UsagePlans(api_keys, clock), HttpServerIntegration()
    function_backend = FunctionBackend(functions, callers, numbers)
    return RestGates(
        resource_policy=ResourcePolicy(),
        cognito=CognitoAuthorizer(user_pools, clock),
        jwt=RestJwtAuthorizer(Issuers(user_pools), clock),
        iam=IamAuthorizer(
            SignatureVerifier(callers, clock),
            callers,
            refuse_signature,
            deny_caller,
            Code.RESOURCE_POLICY_MISSING,
        ),
        lambda_authorizer=LambdaAuthorizer(rest_lambda_authorizer.DOOR, functions, clock),
        usage_plans=usage_plans,
        throttle=Throttle(
            buckets, rest_throttling.limits_of, GatewayError(THROTTLED), usage_plans.count_call
        ),
        integrations={
            "MOCK": mock_integration,
            "AWS": LambdaIntegration(function_backend),
            "AWS_PROXY": LambdaProxyIntegration(function_backend),
            "HTTP": http_server,
            "HTTP_PROXY": http_server,
        },
    )


def compose_http_gates(
    *,
    functions: LambdaFunctions,
    callers: Callers,
    user_pools: PoolDirectory,
    buckets: Buckets,
    clock: Clock,
) -> HttpGates:
    """The gates of HTTP APIs over the services that they ask."""
    return HttpGates(
        jwt=JwtAuthorizer(Issuers(user_pools), clock),
        iam=IamAuthorizer(
            SignatureVerifier(callers, clock),
            callers,
            lambda refused: FORBIDDEN,
            http_lambda_authorizer.deny_caller,
            Code.OTHER_ACCOUNT,
        ),
        lambda_authorizer=LambdaAuthorizer(http_lambda_authorizer.DOOR, functions, clock),
        throttle=Throttle(buckets, http_throttling.limits_of, HTTP_THROTTLED),
        integrations=HttpIntegrations(functions),
    )
