"""Gates of both doors, and the sign-in, made wrong on purpose: a ledger that can't tell would prove nothing.

Each is applied in a cloud that a test started for it (``steered_cloud.py``), by private names: the product names its
gates and pipelines (``ApiGateway``), and has no other hook for it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from labkit.local.apigateway import call as calls
from labkit.local.apigateway import canonical_request as canonical_requests
from labkit.local.apigateway import event_parts, limits
from labkit.local.apigateway import lambda_authorizer as lambda_authorizers
from labkit.local.apigateway.authorizer_results import AuthorizerResult
from labkit.local.apigateway.control.openapi.report import ImportReport
from labkit.local.apigateway.control.openapi.security import SecurityRequirements
from labkit.local.apigateway.control.rest import authorizers as control_authorizers
from labkit.local.apigateway.control.rest import methods as control_methods
from labkit.local.apigateway.control.rest import rest_apis as control_rest_apis
from labkit.local.apigateway.control.rest.imported_methods import MethodImport
from labkit.local.apigateway.http import jwt_authorizer
from labkit.local.apigateway.outcomes import Answer, Pass, Skip
from labkit.local.apigateway.rest import (
    cognito_authorizer,
    data_plane,
    function_backend,
    http_integration,
    lambda_integration,
    lambda_proxy,
    mapping,
    pipeline,
    routing,
    template_data,
    validation,
)
from labkit.local.apigateway.rest import jwt_authorizer as rest_jwt_authorizer
from labkit.local.apigateway.rest import resource_policy as resource_policies
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.jwt_configuration import JwtConfiguration
from labkit.local.cognito import (
    attribute_changes,
    attribute_schema,
    confirmation_codes,
    password_reset,
    sign_in_names,
    sign_up,
    signin,
    triggers,
    user_descriptions,
    user_pool_settings,
)
from labkit.local.cognito.attribute_changes import AttributeChanges
from labkit.local.cognito.new_users import NewUsers
from labkit.local.cognito.user_accounts import UserAccounts
from labkit.local.engine import iam as engine_iam
from labkit.local.engine import (
    iam_quotas,
    lambda_requests,
    names,
    policy_evaluation,
    user_directory,
    user_filters,
)
from labkit.local.front import resource_policies as front_policies
from labkit.local.iam import evaluation
from labkit.local.iam.condition import PolicyCondition
from labkit.local.iam.evaluation import EVERYTHING
from labkit.local.iam.policy import Statement
from labkit.local.iam.question import ANONYMOUS, PolicyQuestion
from labkit.local.iam.truth import Truth
from labkit.local.messages import Response
from labkit.tokens import authorizer_rules, signed

Apply = Callable[[ExitStack, Any], None]


@dataclass(frozen=True)
class Mutation:
    """One gate, made wrong.

    Attributes:
        gate: its name in the journey, the authorizer's with its type; behind ``http``, if it is an HTTP API's, or
            ``sign-in``.
        rows: ids of ledger rows, each of which must fail on it.
        apply: makes the gate wrong until the stack is closed.
    """

    gate: str
    rows: tuple[str, ...]
    apply: Apply

    @contextmanager
    def applied_to(self, cloud: Any) -> Iterator[None]:
        with ExitStack() as stack:
            self.apply(stack, cloud)
            yield


MUTATIONS: dict[str, Mutation] = {}


def mutation(gate: str, *rows: str) -> Callable[[Apply], Apply]:
    def register(apply: Apply) -> Apply:
        name = apply.__name__.replace("_", " ")
        MUTATIONS[f"{gate}: {name}"] = Mutation(gate, rows, apply)
        return apply

    return register


def replaced(stack: ExitStack, owner: Any, name: str, new: Any) -> None:
    stack.enter_context(patch.object(owner, name, new))


def of(cloud: Any) -> Any:
    """The cloud's API Gateway."""
    return cloud.cloud.parts.gateway


def without_gate(stack: ExitStack, pipeline: Any, gate: str) -> None:
    """A pipeline, a gate of which lets everybody pass."""
    gates = tuple(
        (name, (lambda _: Skip("wrong")) if name == gate else check)
        for name, check in pipeline.gates
    )
    assert gates != pipeline.gates, gate
    replaced(stack, pipeline, "gates", gates)


def with_gate(stack: ExitStack, pipeline: Any, number: int, new: Any) -> None:
    """A pipeline, one gate of which is another one."""
    gates = list(pipeline.gates)
    gates[number] = gates[number][0], new
    replaced(stack, pipeline, "gates", tuple(gates))


def with_door(stack: ExitStack, authorizer: Any, **words: Any) -> None:
    """A Lambda authorizer, of which something that the door brings is wrong."""
    replaced(stack, authorizer, "_door", replace(authorizer._door, **words))


class Indulgent:
    """Lets everybody do everything."""

    def identity(self, *_: Any) -> Any:
        return ANONYMOUS, EVERYTHING


class AnyKey:
    """Issuers that have a key under any name."""

    async def key_at(self, *_: Any) -> Any:
        return object()


def authorizers_of(cloud: Any) -> Any:
    """The operations on authorizers of REST APIs."""
    kind, parts = control_authorizers.AuthorizerOperations, of(cloud).control._parts
    return next(part for part in parts["apigateway"] if isinstance(part, kind))


async def anywhere(issuer: str) -> str:
    """Where keys are, without asking."""
    return f"{issuer}/keys"


# -- stage, waf, route -----------------------------------------------------------------------------


@mutation("stage", "gateway-8.4")
def takes_an_unknown_stage_for_one_without_a_deployment(stack: ExitStack, cloud: Any) -> None:
    own = data_plane._not_deployed
    replaced(stack, data_plane, "_not_deployed", lambda name, _: own(name, {"stageName": name}))


@mutation("stage", "limits-10.9")
def wants_no_client_certificate(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).rest_apis, "_refuse_certificate", lambda *_: None)


@mutation("waf", "authorization-11.5")
def lets_everybody_pass(stack: ExitStack, cloud: Any) -> None:
    without_gate(stack, of(cloud).rest_pipeline, "waf")


@mutation("route", "gateway-8.2-verb", "gateway-8.10-other-verb", "limits-cors-none")
def takes_any_verb(stack: ExitStack, cloud: Any) -> None:
    def find(deployment: Any, _verb: str, raw_path: str) -> Any:
        found = (own(deployment, verb, raw_path) for verb in ("GET", "POST", "OPTIONS", "PUT"))
        return next((route for route in found if route is not None), None)

    own = pipeline.find_route
    replaced(stack, pipeline, "find_route", find)


@mutation(
    "route",
    "limits-10.8-default",
    "authorization-10.5",
    "gateway-10.8",
    "authorization-10.1-made-other",
)
def forgets_that_the_endpoint_is_closed(stack: ExitStack, cloud: Any) -> None:
    with_gate(stack, of(cloud).rest_pipeline, 1, lambda _: None)


@mutation("route", "gateway-8.16-guard", "gateway-8.16-event")
def takes_a_leading_slash_for_a_segment(stack: ExitStack, cloud: Any) -> None:
    own = routing.segments_of
    replaced(
        stack,
        routing,
        "segments_of",
        lambda path: ["", *own(path)] if path.startswith("//") else own(path),
    )


# -- resource policy ----------------------------------------------------------------------------------


@mutation("resource policy", "authorization-5.1-silent", "authorization-5.2-deny-first")
def is_not_asked(stack: ExitStack, cloud: Any) -> None:
    with_gate(stack, of(cloud).rest_pipeline, 3, lambda _: Skip("wrong"))


@mutation(
    "resource policy",
    "authorization-5B-foreign-allowed-silent",
    "authorization-5B-foreign-silent-allowed",
)
def takes_every_account_for_its_own(stack: ExitStack, cloud: Any) -> None:
    own = resource_policies.combine
    replaced(stack, resource_policies, "combine", lambda i, r, **_: own(i, r, same_account=True))


@mutation(
    "resource policy",
    "authorization-5A-iam-allowed-denied",
    "authorization-5B-foreign-allowed-denied",
)
def lets_an_allow_beat_a_deny(stack: ExitStack, cloud: Any) -> None:
    def combine(identity: str, resource: str, **_: bool) -> str:
        return "Allow" if "Allow" in (identity, resource) else "ImplicitDeny"

    replaced(stack, resource_policies, "combine", combine)


@mutation("resource policy", "authorization-5.4-silent", "authorization-5.4-deny")
def is_content_with_a_cognito_token(stack: ExitStack, cloud: Any) -> None:
    with_gate(stack, of(cloud).rest_pipeline, 5, lambda _: None)


@mutation(
    "authorizer (AWS_IAM)",
    "authorization-4.26-as-it-stands",
    "authorization-4.26-encoded",
    "authorization-4.26-plus",
    "authorization-4.26-unreserved",
)
def signs_a_query_as_it_stands(stack: ExitStack, cloud: Any) -> None:
    def query(sent: str) -> str:
        pairs = sorted(pair.partition("=")[::2] for pair in sent.split("&") if pair)
        return "&".join(f"{name}={value}" for name, value in pairs)

    replaced(stack, canonical_requests, "canonical_query", query)


@mutation("authorizer (AWS_IAM)", "authorization-4-encoded-path", "authorization-4.28-once")
def encodes_a_path_once(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, canonical_requests, "canonical_path", lambda sent: sent)


# -- what policies say --------------------------------------------------------------------------------


@mutation(
    "resource policy",
    "authorization-5.9-explicit",
    "authorization-5.2-deny-first",
    "authorization-3.15",
    "authorization-4.19-explicit",
)
def overlooks_denies(stack: ExitStack, cloud: Any) -> None:
    own = evaluation.applies

    def applies(statement: Statement, question: PolicyQuestion) -> Truth:
        return statement.effect == "Allow" and own(statement, question)

    replaced(stack, evaluation, "applies", applies)


@mutation(
    "resource policy",
    "authorization-8.18-letter",
    "authorization-8.18-slash",
    "authorization-8.18-slashes",
    "authorization-8.18-blank",
    "authorization-8.18-not-resource",
    "authorization-8.18-lambda",
    "authorization-8.18-iam",
)
def knows_one_spelling_of_a_path(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, calls, "other_spellings", lambda _: [])


@mutation("resource policy", "authorization-5.1-silent", "authorization-3.16", "authorization-3.9")
def overlooks_resources(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, evaluation, "_is_about_resource", lambda *_: True)


@mutation("resource policy", "authorization-5.14-open", "authorization-5.14-other-user")
def overlooks_principals(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, evaluation, "_is_about_principal", lambda *_: True)


@mutation(
    "resource policy",
    "authorization-5.11-no-referer",
    "authorization-5.11-other-address",
    "authorization-5.11-not-address",
    "authorization-5.11-after",
    "authorization-5.11-both",
    "authorization-5.11-other-username",
)
def overlooks_conditions(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, PolicyCondition, "holds", lambda *_: True)


@mutation(
    "resource policy",
    "authorization-5.11-referer",
    "authorization-5.11-agent",
    "authorization-5.11-before",
    "authorization-5.11-epoch",
    "authorization-5.11-tls",
    "authorization-5.11-role-arn",
    "authorization-5.11-account",
    "authorization-5.11-role-type",
)
def knows_no_condition_keys(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, PolicyQuestion, "value_of", lambda *_: None)


# -- authorizer: Cognito ---------------------------------------------------------------------------------


@mutation("authorizer (COGNITO_USER_POOLS)", "gateway-2.1-access", "gateway-2.2-id", "gateway-2.3")
def takes_any_kind_of_token(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizer_rules, "_check_use", lambda *_: None)


@mutation("authorizer (COGNITO_USER_POOLS)", "gateway-2.4-signature", "gateway-2.4-claims")
def believes_every_signature(stack: ExitStack, cloud: Any) -> None:
    def content(token: str, *_: Any) -> dict[str, Any]:
        return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))

    replaced(stack, signed, "signed_claims", content)


# -- authorizer: JWT ---------------------------------------------------------------------------------------


@mutation("authorizer (JWT)", "rest-jwt-16.38-signature", "rest-jwt-16.38-key")
def believes_every_signature_of_a_listed_issuer(stack: ExitStack, cloud: Any) -> None:
    believes_every_signature(stack, cloud)


@mutation("authorizer (JWT)", "rest-jwt-16.38-kid")
def takes_any_key_for_an_unknown_one(stack: ExitStack, cloud: Any) -> None:
    believes_every_signature(stack, cloud)
    replaced(stack, of(cloud).rest_gates.jwt, "_issuers", AnyKey())


@mutation("authorizer (JWT)", "rest-jwt-16.21-not-listed")
def takes_any_algorithm(stack: ExitStack, cloud: Any) -> None:
    own = rest_jwt_authorizer.algorithm_and_key_id
    every = lambda token, _: own(token, signed.ALGORITHMS)  # noqa: E731
    replaced(stack, rest_jwt_authorizer, "algorithm_and_key_id", every)


@mutation("authorizer (JWT)", "rest-jwt-16.20-iss", "rest-jwt-16.20-iss-slash")
def takes_any_issuer(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, JwtConfiguration, "issuer", lambda configuration, _: configuration.issuers[0])
    replaced(stack, signed, "check_issuer", lambda *_: None)


@mutation("authorizer (JWT)", "rest-jwt-16.20-iss-slash")
def overlooks_a_slash(stack: ExitStack, cloud: Any) -> None:
    own = JwtConfiguration.issuer
    bare = lambda configuration, name: own(configuration, str(name).rstrip("/"))  # noqa: E731
    replaced(stack, JwtConfiguration, "issuer", bare)
    replaced(stack, signed, "check_issuer", lambda *_: None)


@mutation(
    "authorizer (JWT)",
    "rest-jwt-16.29-other",
    "rest-jwt-16.29-other-app",
    "rest-jwt-16.29-none",
    "rest-jwt-16.30-aud-first",
)
def takes_any_audience(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizer_rules, "check_audience", lambda *_: None)


@mutation("authorizer (JWT)", "rest-jwt-16.30-aud-first")
def looks_at_client_id_first(stack: ExitStack, cloud: Any) -> None:
    def check(claims: Any, _name: str, wanted: Any, reason: str) -> None:
        own(claims, "client_id" if "client_id" in claims else "aud", wanted, reason)

    own = authorizer_rules.check_audience
    replaced(stack, authorizer_rules, "check_audience", check)


@mutation("authorizer (JWT)", "rest-jwt-16.39", "rest-jwt-16.40-exp", "rest-jwt-16.51-first")
def takes_an_expired_jwt(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizer_rules, "check_expiry", lambda *_: None)


@mutation("authorizer (JWT)", "rest-jwt-16.40-nbf", "rest-jwt-16.40-iat")
def takes_a_jwt_for_later(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizer_rules, "check_begun", lambda *_: None)


@mutation(
    "authorizer (JWT)",
    "rest-jwt-16.25",
    "rest-jwt-16.24",
    "rest-jwt-16.24-case",
    "rest-jwt-16.23",
    "rest-jwt-16.23-any",
    "rest-jwt-16.26",
)
def checks_no_additional_claim(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizer_rules, "_check_additional_claim", lambda *_: None)


@mutation("authorizer (JWT)", "rest-jwt-16.25", "rest-jwt-16.26")
def lets_an_additional_claim_be_absent(stack: ExitStack, cloud: Any) -> None:
    own = authorizer_rules._check_additional_claim
    check = lambda claims, wanted: wanted.name in claims and own(claims, wanted)  # noqa: E731
    replaced(stack, authorizer_rules, "_check_additional_claim", check)


@mutation("authorizer (JWT)", "rest-jwt-16.24", "rest-jwt-16.24-case")
def wants_additional_claims_to_be_there_only(stack: ExitStack, cloud: Any) -> None:
    own = authorizer_rules._check_additional_claim
    check = lambda claims, wanted: own(claims, wanted._replace(expected=()))  # noqa: E731
    replaced(stack, authorizer_rules, "_check_additional_claim", check)


@mutation("authorizer (JWT)", "rest-jwt-16.27")
def demands_of_all_issuers_what_it_demands_of_the_first(stack: ExitStack, cloud: Any) -> None:
    def issuer(configuration: Any, name: object) -> Any:
        found, first = own(configuration, name), configuration.issuers[0]
        return found and replace(found, additional_claims=first.additional_claims)

    own = JwtConfiguration.issuer
    replaced(stack, JwtConfiguration, "issuer", issuer)


@mutation(
    "authorizer (JWT)",
    "rest-jwt-16.36",
    "rest-jwt-16.36-prefix",
    "rest-jwt-16.36-id",
    "rest-jwt-16.43-scope",
)
def wants_no_scope_of_a_method(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, rest_jwt_authorizer, "check_scopes", lambda *_: None)


@mutation("authorizer (JWT)", "rest-jwt-16.31", "rest-jwt-16.31-scp")
def wants_every_scope(stack: ExitStack, cloud: Any) -> None:
    def check(claims: Any, scopes: Any, of: str) -> None:
        for scope in scopes:
            own(claims, [scope], of)

    own = rest_jwt_authorizer.check_scopes
    replaced(stack, rest_jwt_authorizer, "check_scopes", check)


@mutation("authorizer (JWT)", "rest-jwt-16.44-lower")
def knows_bearer_in_any_case_before_a_jwt(stack: ExitStack, cloud: Any) -> None:
    def bare_token(value: str | None) -> str:
        return value[7:] if value and value[:7].lower() == "bearer " else value or ""

    replaced(stack, rest_jwt_authorizer, "bare_token", bare_token)


@mutation("authorizer (JWT)", "rest-jwt-16.33", "rest-jwt-16.33-before")
def asks_for_the_address_of_the_keys_each_time(stack: ExitStack, cloud: Any) -> None:
    async def key_at(_address: str, issuer: str, key_id: str, algorithm: str) -> Any:
        return await own(await issuers.jwks_uri(issuer), issuer, key_id, algorithm)

    issuers = of(cloud).rest_gates.jwt._issuers
    own = issuers.key_at
    replaced(stack, issuers, "key_at", key_at)


@mutation("authorizer (JWT)", "rest-jwt-16.45")
def hands_claims_over_as_text(stack: ExitStack, cloud: Any) -> None:
    as_text = property(lambda call: {"claims": call.claims})
    replaced(stack, RestCall, "authorizer_context", as_text)


@mutation(
    "authorizer (JWT)",
    "rest-jwt-16.46",
    "rest-jwt-16.48",
    "rest-jwt-16.48-header",
    "rest-jwt-16.49",
)
def takes_the_quotes_off(stack: ExitStack, cloud: Any) -> None:
    as_text = lambda claims: {name: str(value) for name, value in claims.items()}  # noqa: E731
    replaced(stack, rest_jwt_authorizer, "as_json_texts", as_text)


@mutation("authorizer (JWT)", "rest-jwt-16.51-silent", "rest-jwt-16.51-deny")
def is_content_with_a_jwt(stack: ExitStack, cloud: Any) -> None:
    with_gate(stack, of(cloud).rest_pipeline, 5, lambda _: None)


@mutation(
    "authorizer (JWT)",
    "rest-jwt-16.20-query",
    "rest-jwt-16.20-twice",
    "rest-jwt-16.22-exp",
    "rest-jwt-16.22-empty",
    "rest-jwt-16.22-twice",
    "rest-jwt-16.24-empty",
    "rest-jwt-16.24-two",
    "rest-jwt-16.29-empty",
    "rest-jwt-16.29-blank",
    "rest-jwt-16.11-jwks-uri",
)
def takes_any_configuration(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, control_authorizers, "check_configuration", lambda _: None)
    replaced(stack, authorizers_of(cloud), "_find_keys_address", anywhere)


@mutation(
    "authorizer (JWT)",
    "rest-jwt-16.11-discovery",
    "rest-jwt-16.20-slash",
    "rest-jwt-16.34",
    "rest-jwt-16.34-pool",
    "rest-jwt-16.34-far",
)
def asks_no_issuer(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizers_of(cloud), "_find_keys_address", anywhere)


@mutation("authorizer (JWT)", "rest-jwt-16.15", "rest-jwt-16.15-cognito", "rest-jwt-16.15-jwt")
def lets_a_method_name_any_authorizer(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, control_methods, "checked_method", lambda _api, record: record)


# -- authorizer: AWS_IAM -----------------------------------------------------------------------------------


@mutation(
    "authorizer (AWS_IAM)",
    "authorization-4.3",
    "authorization-4.3-body",
    "authorization-4.3-verb",
    "authorization-4.3-query",
    "authorization-4.12-missing",
)
def believes_every_signature_v4(stack: ExitStack, cloud: Any) -> None:
    signatures = of(cloud).rest_gates.iam._signatures
    check = lambda _, presented: signatures._keys.caller(presented.access_key_id)  # noqa: E731
    replaced(stack, signatures, "_check_signature", check)


@mutation(
    "authorizer (AWS_IAM)", "authorization-4.7", "authorization-4.8", "authorization-4.7-query"
)
def doesn_t_look_at_the_time(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).rest_gates.iam._signatures, "_check_time", lambda *_: None)


@mutation("authorizer (AWS_IAM)", "authorization-4.5", "authorization-4.6", "authorization-4.10")
def takes_a_signature_for_another_place(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).rest_gates.iam._signatures, "_check_scope", lambda *_: None)


@mutation("authorizer (AWS_IAM)", "authorization-4.19-implicit", "authorization-4.19-explicit")
def lets_every_signed_caller_pass(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).rest_gates.iam, "_identities", Indulgent())


# -- authorizer: TOKEN and REQUEST -----------------------------------------------------------------------------


@mutation("authorizer (TOKEN)", "authorization-3.9")
def caches_the_verdict(stack: ExitStack, cloud: Any) -> None:
    authorizer = of(cloud).rest_gates.lambda_authorizer
    own = authorizer._hold_against

    def hold(call: Any, result: Any, *, from_cache: bool) -> Any:
        return Pass("wrong") if from_cache else own(call, result, from_cache=from_cache)

    replaced(stack, authorizer, "_hold_against", hold)


@mutation("authorizer (TOKEN)", "authorization-3.4-missing", "authorization-3.4-expression")
def asks_without_a_token(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).rest_gates.lambda_authorizer, "refuse_identity", lambda *_: None)


@mutation("authorizer (TOKEN)", "authorization-3.7-default", "authorization-3.8-method")
def caches_nothing(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).rest_gates.lambda_authorizer._cache, "find", lambda *_: None)


@mutation("authorizer (TOKEN)", "authorization-3.7-expired", "authorization-3.7-set")
def caches_for_ever(stack: ExitStack, cloud: Any) -> None:
    cache = of(cloud).rest_gates.lambda_authorizer._cache
    own = cache.keep
    replaced(stack, cache, "keep", lambda key, _, result: own(key, 1e9, result))


@mutation(
    "authorizer (TOKEN)",
    "authorization-3.19-null",
    "authorization-3.20",
    "authorization-3.21-object",
    "authorization-3.24",
)
def takes_any_result(stack: ExitStack, cloud: Any) -> None:
    anything = AuthorizerResult(EVERYTHING.granted[0], None, "x", {})
    authorizer = of(cloud).rest_gates.lambda_authorizer
    with_door(stack, authorizer, read_result=lambda *_: anything)


@mutation("authorizer (REQUEST)", "authorization-3.8-request", "authorization-3.4-request-query")
def looks_at_one_identity_source(stack: ExitStack, cloud: Any) -> None:
    authorizer = of(cloud).rest_gates.lambda_authorizer
    own = authorizer.identity_values

    def values(call: Any, record: Any) -> Any:
        return own(call, replace(record, identity_sources=record.identity_sources[:1]))

    replaced(stack, authorizer, "identity_values", values)
    replaced(stack, authorizer, "refuse_identity", lambda _, values: None)


@mutation("authorizer (REQUEST)", "authorization-3.5")
def wants_identity_sources_without_a_cache(stack: ExitStack, cloud: Any) -> None:
    authorizer = of(cloud).rest_gates.lambda_authorizer
    own = authorizer.refuse_identity
    replaced(stack, authorizer, "refuse_identity", lambda record, v: own(replace(record, ttl=1), v))


@mutation("authorizer (COGNITO_USER_POOLS)", "authorization-5.4-expired")
def takes_an_expired_token(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizer_rules, "check_expiry", lambda *_: None)


@mutation("authorizer (COGNITO_USER_POOLS)", "gateway-2.21-lower-case")
def knows_bearer_in_any_case(stack: ExitStack, cloud: Any) -> None:
    def bare_token(value: str | None) -> str:
        return value[7:] if value and value[:7].lower() == "bearer " else value or ""

    replaced(stack, cognito_authorizer, "bare_token", bare_token)


@mutation("authorizer (COGNITO_USER_POOLS)", "gateway-2.13-client")
def takes_any_app_client(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizer_rules, "_check_client", lambda *_: None)


@mutation("authorizer (COGNITO_USER_POOLS)", "gateway-2.8-access", "gateway-2.8-other-app")
def validates_no_audience(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizer_rules, "_matches", lambda *_: True)


@mutation("authorizer (AWS_IAM)", "authorization-4.20", "authorization-5.9-table-b")
def lets_a_foreign_caller_in(stack: ExitStack, cloud: Any) -> None:
    signatures = of(cloud).rest_gates.iam._signatures
    own, account_id = signatures.verify, cloud.settings.account_id
    verify = lambda *request: replace(own(*request), account_id=account_id)  # noqa: E731
    replaced(stack, signatures, "verify", verify)


@mutation("authorizer (TOKEN)", "authorization-3.22")
def asks_without_the_permission(stack: ExitStack, cloud: Any) -> None:
    invoker = of(cloud).rest_gates.lambda_authorizer._invoker
    replaced(stack, invoker, "may_invoke", lambda *_: True)


@mutation(
    "authorizer (TOKEN)", "authorization-3.15", "authorization-3.16", "authorization-3.9-deny"
)
def lets_any_policy_allow(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, lambda_authorizers, "evaluate", lambda *_: "Allow")


@mutation("authorizer (TOKEN)", "authorization-3.17")
def knows_no_word_for_401(stack: ExitStack, cloud: Any) -> None:
    authorizer = of(cloud).rest_gates.lambda_authorizer
    with_door(stack, authorizer, unauthorized_message=None)


@mutation("authorizer (TOKEN)", "authorization-3.13-uri")
def takes_an_arn_of_any_length(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, pipeline, "_too_long", lambda _: None)


@mutation("authorizer (TOKEN)", "authorization-3.18b")
def waits_for_ever(stack: ExitStack, cloud: Any) -> None:
    invoker = of(cloud).rest_gates.lambda_authorizer._invoker
    own = invoker.invoke
    replaced(stack, invoker, "invoke", lambda arn, event, _: own(arn, event, 60.0))


@mutation(
    "resource policy",
    "authorization-5.9-iam-explicit",
    "authorization-5A-lambda-silent-silent",
    "authorization-5.11-username",
)
def is_not_asked_again(stack: ExitStack, cloud: Any) -> None:
    with_gate(stack, of(cloud).rest_pipeline, 5, lambda _: None)


@mutation("integration", "gateway-1b-permission")
def invokes_without_a_permission(stack: ExitStack, cloud: Any) -> None:
    invoker = of(cloud).rest_gates.integrations["AWS_PROXY"]._backend._invoker
    replaced(stack, invoker, "may_invoke", lambda *_: True)


# -- api key and usage plan, throttle ----------------------------------------------------------------------------


@mutation("api key and usage plan", "limits-7.1-missing", "limits-7.1-unknown", "limits-7.2")
def takes_any_key(stack: ExitStack, cloud: Any) -> None:
    without_gate(stack, of(cloud).rest_pipeline, "api key and usage plan")


@mutation("api key and usage plan", "limits-7.1-disabled", "limits-7.5")
def takes_a_disabled_key(stack: ExitStack, cloud: Any) -> None:
    def api_key(value: str) -> Any:
        keys = cloud.engine.ministack[names.API_KEYS].all_values()
        return next((key for key in keys if key.get("value") == value), None)

    replaced(stack, of(cloud).rest_gates.usage_plans._api_keys, "api_key", api_key)


@mutation("api key and usage plan", "limits-6.12", "limits-6.17-offset")
def knows_no_quota(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).rest_gates.usage_plans, "remaining", lambda *_: None)


@mutation("throttle", "limits-6.1-burst", "limits-6.5-method", "limits-6.5-plan")
def never_stops(stack: ExitStack, cloud: Any) -> None:
    without_gate(stack, of(cloud).rest_pipeline, "throttle")


@mutation("throttle", "limits-6.5-plan", "limits-6.9-methods")
def forgets_the_plan(stack: ExitStack, cloud: Any) -> None:
    throttle = of(cloud).rest_gates.throttle
    own = throttle.limits_of

    def limits_of(call: Any) -> Iterator[limits.Limit]:
        return (limit for limit in own(call) if not limit.level.startswith("the usage plan"))

    replaced(stack, throttle, "limits_of", limits_of)


@mutation("throttle", "limits-6.5-plan-method-none-taken")
def takes_from_the_other_buckets(stack: ExitStack, cloud: Any) -> None:
    def take(buckets: Mapping[str, limits.TokenBucket], now: float) -> str | None:
        taken = {name: bucket.take(now) for name, bucket in buckets.items()}
        return next((name for name, passed in taken.items() if not passed), None)

    replaced(stack, limits, "take_from_all", take)


# -- validation, integration -------------------------------------------------------------------------------------


@mutation("validation", "limits-1.9", "limits-1b-body", "limits-1b-body-type", "limits-1.11")
def looks_at_nothing(stack: ExitStack, cloud: Any) -> None:
    without_gate(stack, of(cloud).rest_pipeline, "validation")


@mutation(
    "validation", "limits-1.16-nan", "limits-1.16-infinity", "limits-1.16-twice", "limits-1.16-mark"
)
def reads_json_as_python_does(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, validation, "read_strict_json", json.loads)


@mutation("validation", "limits-1.16-end", "limits-1.16-digit")
def reads_a_pattern_as_python_does(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, validation, "with_exact_patterns", lambda schema: schema)


@mutation("validation", "limits-1.9-blank-header", "limits-1.9-blank-query")
def takes_a_blank_for_a_value(stack: ExitStack, cloud: Any) -> None:
    own = validation.look_up

    def look_up(call: Any, name: str) -> str | None:
        return "blank" if own(call, name) == "" else own(call, name)

    replaced(stack, validation, "look_up", look_up)


@mutation("integration", "gateway-1.13-empty", "gateway-1.13-string", "gateway-1.13-unknown-key")
def takes_any_result_of_a_function(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, lambda_proxy, "read_result", lambda *_: Response(200))


@mutation("integration", "gateway-1b-crash", "limits-http-unreachable", "limits-http-timeout")
def hides_a_failure(stack: ExitStack, cloud: Any) -> None:
    with_gate(stack, of(cloud).rest_pipeline, -1, lambda _: Answer(Response(200), "wrong"))


@mutation("integration", "limits-http-4.24", "authorization-4.24")
def shows_the_backend_the_signature(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, event_parts, "has_signature", lambda request: False)


@mutation("integration", "limits-http-forwarded-for")
def lets_the_client_say_where_it_is(stack: ExitStack, cloud: Any) -> None:
    replaced(
        stack, http_integration, "backend_headers", lambda call, _dropped: call.request.headers
    )


@mutation("integration", "integrations-17.1", "integrations-17.7", "integrations-17.9")
def copies_a_template_as_it_stands(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, template_data, "render", lambda template, _roots: template)


@mutation("integration", "integrations-template-bomb", "integrations-gateway-14-loop")
def lets_a_template_work_without_end(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, template_data, "render", lambda *_: "made after a long time")


@mutation("integration", "integrations-template-context")
def lets_a_template_change_the_context(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, template_data, "MappingProxyType", dict)


@mutation("integration", "integrations-17.13")
def shows_a_template_every_header(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, template_data, "NEVER_FORWARDED", frozenset())


@mutation(
    "integration",
    "integrations-credentials-silent",
    "integrations-credentials-denied",
    "integrations-credentials-caller-denied",
)
def believes_every_credential(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, function_backend, "decide_identity", lambda *_: "Allow")


@mutation(
    "integration",
    "integrations-credentials-of-lambda",
    "integrations-credentials-condition",
    "integrations-credentials-missing",
)
def assumes_any_role(stack: ExitStack, cloud: Any) -> None:
    own = cloud.cloud.parts.engine.iam
    replaced(stack, own, "service_identity", lambda *_: (ANONYMOUS, EVERYTHING))


@mutation(
    "integration", "integrations-19.5-authorization", "integrations-18.19-http-content-length"
)
def maps_every_header(stack: ExitStack, cloud: Any) -> None:
    for module in (function_backend, http_integration):
        replaced(stack, module, "refuse_headers", lambda integration: None)


@mutation("integration", "integrations-19.1", "integrations-18.9")
def chooses_the_response_without_a_pattern(stack: ExitStack, cloud: Any) -> None:
    for module in (lambda_integration, http_integration):
        replaced(
            stack, module, "choose_response", lambda found, *_: mapping.default_response(found)
        )


@mutation("integration", "integrations-18.12")
def fills_a_missing_stage_variable(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, http_integration, "missing_stage_variable", lambda *_: None)


# == HTTP APIs =====================================================================================


@mutation("http route", "http-13.13", "http-13.13-verb", "http-13.13-authorization")
def takes_any_route(stack: ExitStack, cloud: Any) -> None:
    own = of(cloud).http_pipeline.gates[2][1]

    def wrong(call: Any) -> Any:
        own(call)
        call.route = call.route or call.deployment.routes[0]
        return Pass("wrong")

    with_gate(stack, of(cloud).http_pipeline, 2, wrong)


@mutation("http route", "http-10.8")
def forgets_that_the_default_endpoint_is_closed(stack: ExitStack, cloud: Any) -> None:
    with_gate(stack, of(cloud).http_pipeline, 1, lambda _: None)


@mutation("http authorizer (JWT)", "http-13.2", "http-13.3", "http-13.5", "http-cors-any")
def lets_everybody_in(stack: ExitStack, cloud: Any) -> None:
    without_gate(stack, of(cloud).http_pipeline, "authorizer")


@mutation("http authorizer (JWT)", "http-13.1-signature", "http-13.1-signature-challenge")
def believes_every_signature_of_an_issuer(stack: ExitStack, cloud: Any) -> None:
    believes_every_signature(stack, cloud)


@mutation("http authorizer (JWT)", "http-13.1-iss")
def takes_another_issuer(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, signed, "check_issuer", lambda *_: None)


@mutation("http authorizer (JWT)", "http-13.4", "http-13.1-aud-first", "http-13.1-other-app")
def takes_another_audience(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizer_rules, "check_audience", lambda *_: None)


@mutation("http authorizer (JWT)", "http-13.5", "http-13.1-nbf", "http-13.1-iat")
def doesn_t_look_at_the_token_s_time(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, authorizer_rules, "check_expiry", lambda *_: None)
    replaced(stack, authorizer_rules, "check_begun", lambda *_: None)


@mutation("http authorizer (JWT)", "http-13.6", "http-13.6-none", "http-13.7-scopes")
def wants_no_scope(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, jwt_authorizer, "check_scopes", lambda *_: None)


@mutation("http authorizer (AWS_IAM)", "http-iam-path")
def believes_every_signature_v4_of_an_http_call(stack: ExitStack, cloud: Any) -> None:
    signatures = of(cloud).http_gates.iam._signatures
    check = lambda _, presented: signatures._keys.caller(presented.access_key_id)  # noqa: E731
    replaced(stack, signatures, "_check_signature", check)


@mutation("http authorizer (AWS_IAM)", "http-iam-late")
def doesn_t_look_at_a_signature_s_time(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).http_gates.iam._signatures, "_check_time", lambda *_: None)


@mutation("http authorizer (AWS_IAM)", "http-iam-region")
def takes_a_signature_for_another_region(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).http_gates.iam._signatures, "_check_scope", lambda *_: None)


@mutation("http authorizer (AWS_IAM)", "http-iam-stranger", "http-iam-denied")
def lets_every_signed_caller_in(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).http_gates.iam, "_identities", Indulgent())


@mutation("http authorizer (AWS_IAM)", "http-iam-foreign")
def lets_another_account_in(stack: ExitStack, cloud: Any) -> None:
    signatures = of(cloud).http_gates.iam._signatures
    own, account_id = signatures.verify, cloud.settings.account_id
    verify = lambda *request: replace(own(*request), account_id=account_id)  # noqa: E731
    replaced(stack, signatures, "verify", verify)


@mutation("http authorizer (AWS_IAM)", "http-iam-condition")
def doesn_t_say_who_calls(stack: ExitStack, cloud: Any) -> None:
    iam = of(cloud).http_gates.iam
    own = iam._identities

    class Anonymous:
        def identity(self, key: str, region: str) -> Any:
            principal, policies = own.identity(key, region)
            return replace(principal, type="User"), policies

    replaced(stack, iam, "_identities", Anonymous())


@mutation("http authorizer (REQUEST)", "http-13.10-missing")
def asks_without_an_identity(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).http_gates.lambda_authorizer, "refuse_identity", lambda *_: None)


@mutation("http authorizer (REQUEST)", "http-13.10-permission")
def asks_without_a_permission(stack: ExitStack, cloud: Any) -> None:
    invoker = of(cloud).http_gates.lambda_authorizer._invoker
    replaced(stack, invoker, "may_invoke", lambda *_: True)


@mutation("http authorizer (REQUEST)", "http-13.11-policy")
def caches_a_verdict(stack: ExitStack, cloud: Any) -> None:
    authorizer = of(cloud).http_gates.lambda_authorizer
    own = authorizer._hold_against

    def hold(call: Any, result: Any, *, from_cache: bool) -> Any:
        return Pass("wrong") if from_cache else own(call, result, from_cache=from_cache)

    replaced(stack, authorizer, "_hold_against", hold)


@mutation("http authorizer (REQUEST)", "http-13.11-cached")
def keeps_nothing(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, of(cloud).http_gates.lambda_authorizer._cache, "find", lambda *_: None)


@mutation("http authorizer (REQUEST)", "http-13.11-off")
def keeps_what_it_should_not(stack: ExitStack, cloud: Any) -> None:
    authorizer = of(cloud).http_gates.lambda_authorizer
    own = authorizer._door.authorizer_of

    def authorizer_of(call: Any) -> Any:
        found = own(call)
        return found and replace(found, ttl=300)

    with_door(stack, authorizer, authorizer_of=authorizer_of)


@mutation("http authorizer (REQUEST)", "http-13.10-deny", "http-13.10-text", "http-13.10-no-policy")
def takes_any_answer(stack: ExitStack, cloud: Any) -> None:
    anything = AuthorizerResult(None, "Allow")
    authorizer = of(cloud).http_gates.lambda_authorizer
    with_door(stack, authorizer, read_result=lambda *_: anything)


@mutation("http authorizer (REQUEST)", "http-13.10-deny-policy", "http-13.10-silent-policy")
def lets_every_policy_allow(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, lambda_authorizers, "evaluate", lambda *_: "Allow")


@mutation("http authorizer (REQUEST)", "http-13.10-unauthorized")
def knows_the_word_unauthorized(stack: ExitStack, cloud: Any) -> None:
    authorizer = of(cloud).http_gates.lambda_authorizer
    with_door(stack, authorizer, unauthorized_message="Unauthorized")


@mutation("http throttle", "http-13.14-route", "http-13.14-stage")
def stops_nobody(stack: ExitStack, cloud: Any) -> None:
    without_gate(stack, of(cloud).http_pipeline, "throttle")


@mutation("http integration", "http-lambda-permission")
def calls_without_a_permission(stack: ExitStack, cloud: Any) -> None:
    invoker = of(cloud).http_gates.integrations._invoker
    replaced(stack, invoker, "may_invoke", lambda *_: True)


@mutation(
    "http integration",
    "http-lambda-crash",
    "http-lambda-late",
    "http-http-dead",
    "http-lambda-1-status",
)
def hides_every_failure(stack: ExitStack, cloud: Any) -> None:
    with_gate(stack, of(cloud).http_pipeline, -1, lambda _: Answer(Response(200), "wrong"))


@mutation("http integration", "http-cors-answer", "http-cors-answer-origin")
def leaves_the_backend_s_cors_headers(stack: ExitStack, cloud: Any) -> None:
    integrations = of(cloud).http_gates.integrations

    async def answer(call: Any, integration: Any) -> Any:
        return await integrations._invoke(call, integration)

    replaced(stack, integrations, "_answer", answer)


# == IAM, STS and Lambda =============================================================================


@mutation("iam", "iam-1.2-operator-user", "iam-1.2-operator-version", "iam-1.3", "iam-1.5")
def saves_what_isn_t_an_identity_s_policy(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, policy_evaluation, "identity_policy_error", lambda document: None)


@mutation("iam", "iam-2.1", "iam-2.2", "iam-2.4", "iam-2.9")
def saves_what_isn_t_a_trust_policy(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, engine_iam, "trust_policy_error", lambda document, exists: None)


@mutation("iam", "iam-3.1", "iam-3.4")
def saves_what_isn_t_a_bucket_policy(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, front_policies, "resource_policy_error", lambda document: None)


@mutation("iam", "iam-4.1-role", "iam-4.1-aws", "iam-4.2", "iam-4.4", "iam-4.6", "iam-4.7-user")
def has_no_quotas(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.iam_quotas, "_refusal", lambda form: None)


@mutation("iam", "iam-4.9", "iam-4.10-tags", "iam-4.10-duration")
def takes_what_iam_s_model_doesn_t_allow(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.iam_quotas, "_model_refusal", lambda form: None)


@mutation("iam", "iam-5.1", "iam-5.1-update", "iam-5.1-deny", "iam-5.3-service")
def lets_everybody_pass_every_role(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.iam, "pass_role_error", lambda *_: None)


@mutation("iam", "iam-5.4", "iam-5.4-remove", "iam-5.4-create", "iam-5.4-overwrite")
def lets_everybody_change_resource_policies(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.iam, "permission_error", lambda *_: None)


@mutation("iam", "iam-5.5")
def lets_everybody_clone_roles(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, control_rest_apis, "check_passed_role", lambda *_: None)


@mutation("iam", "iam-5.7", "iam-5.7-away")
def lets_everybody_set_web_acls(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.web_acl_associations, "_permission_error", lambda arn: None)


@mutation("iam", "iam-5.8")
def trusts_namesakes(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, iam_quotas, "replace_principal", lambda *_: None)


@mutation("iam", "iam-5.2", "iam-5.2-update")
def lets_lambda_assume_every_role(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.iam, "trusts_service", lambda *_: True)


@mutation("iam", "iam-6.1", "iam-6.2", "iam-6.3", "iam-6.4", "iam-6.8-mfa", "iam-20.5")
def begins_every_session(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.sts_operations, "_refusal", lambda form: None)


@mutation("iam", "iam-6.7", "iam-6.7-federated")
def takes_a_user_s_session_for_the_user(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.iam_quotas, "_session_refusal", lambda: None)


@mutation("iam", "iam-7.1-memory-min", "iam-7.1-sid", "iam-7.6")
def takes_every_bound_of_a_function(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.lambda_requests, "_model_refusal", lambda *_: None)


@mutation("iam", "iam-7.4", "iam-7.4-short", "iam-7.4-user")
def takes_everybody_for_a_principal(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.lambda_requests, "_is_principal", lambda name: True)


@mutation("iam", "iam-7.7", "iam-7.7-remove")
def mixes_the_policies_of_aliases(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, lambda_requests, "_is_unqualified", lambda statement: True)


@mutation("iam", "iam-waf-none", "iam-waf-api", "iam-waf-arn", "iam-waf-http")
def puts_a_web_acl_in_front_of_everything(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, cloud.engine.web_acl_associations, "_refusal", lambda arn: None)


# == sign-in: the service instead of the cloud =======================================================


@mutation("sign-in", "cognito-3.6", "cognito-3.7", "cognito-3.18")
def takes_any_code(stack: ExitStack, cognito: Any) -> None:
    sign_in = cognito.service._sign_in
    own = sign_in._respond_to_code

    async def respond(pool: Any, client: Any, challenge: Any, responses: Any, body: Any) -> Any:
        challenge.code = responses.get("EMAIL_OTP_CODE")
        return await own(pool, client, challenge, responses, body)

    replaced(stack, sign_in, "_respond_to_code", respond)


@mutation("sign-in", "cognito-3.10", "cognito-3.11")
def takes_a_session_late_and_twice(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, cognito.service._sessions, "_refuse_used_or_late", lambda _: None)


@mutation("sign-in", "cognito-3.12")
def takes_another_client_s_session(stack: ExitStack, cognito: Any) -> None:
    sessions = cognito.service._sessions
    own = sessions.find
    replaced(stack, sessions, "find", lambda session, _, name: own(session, None, name))


@mutation("sign-in", "cognito-3.13")
def takes_an_answer_in_another_name(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, cognito.service._names, "refuse_other_user", lambda *_: None)


@mutation("sign-in", "cognito-4.10", "cognito-4.11")
def lets_everybody_sign_in(stack: ExitStack, cognito: Any) -> None:
    for module in (sign_in_names, signin):
        replaced(stack, module, "refuse_inactive", lambda _: None)


@mutation("sign-in", "cognito-3.14a")
def takes_a_factor_that_is_not_offered(stack: ExitStack, cognito: Any) -> None:
    sign_in = cognito.service._sign_in
    own = sign_in._respond_to_choice

    async def respond(pool: Any, client: Any, challenge: Any, responses: Any) -> Any:
        challenge.offered = [responses["ANSWER"]]
        return await own(pool, client, challenge, responses)

    replaced(stack, sign_in, "_respond_to_choice", respond)


@mutation("sign-in", "cognito-7.8c", "cognito-7.8b")
def opens_every_refresh_token(stack: ExitStack, cognito: Any) -> None:
    refresh = cognito.service._refresh
    replaced(stack, refresh, "_opened", refresh._seal.open)


def without_trigger(stack: ExitStack, cognito: Any, left_out: str) -> None:
    own = cognito.service._ends._triggers.run

    async def run(pool: Any, trigger: str, *facts: Any, **more: Any) -> Any:
        return {} if trigger == left_out else await own(pool, trigger, *facts, **more)

    replaced(stack, cognito.service._ends._triggers, "run", run)


@mutation(
    "sign-in",
    "cognito-15.2-pre-password",
    "cognito-15.2-pre-srp",
    "cognito-15.2-pre-admin",
    "cognito-15.2-pre-code",
    "cognito-15.1-pre-first",
    "cognito-15.1-pre-nobody",
)
def overlooks_pre_authentication(stack: ExitStack, cognito: Any) -> None:
    without_trigger(stack, cognito, "PreAuthentication")


@mutation(
    "sign-in",
    "cognito-15.2-post-password",
    "cognito-15.2-post-admin",
    "cognito-15.2-post-code",
    "cognito-15.2-post-choice",
    "cognito-15.2-post-new-password",
)
def overlooks_post_authentication(stack: ExitStack, cognito: Any) -> None:
    without_trigger(stack, cognito, "PostAuthentication")


@mutation("sign-in", "cognito-15.3-pre", "cognito-15.3-post")
def runs_a_trigger_without_a_permission(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, triggers, "check_permission", lambda *_: None)


@mutation("sign-in", "cognito-15.1-pre-somebody")
def says_that_nobody_exists(stack: ExitStack, cognito: Any) -> None:
    own = cognito.service._ends._triggers.run

    async def run(*facts: Any, request: Any, **more: Any) -> Any:
        return await own(*facts, request=request | {"userNotFound": True}, **more)

    replaced(stack, cognito.service._ends._triggers, "run", run)


@mutation(
    "sign-in", "cognito-17.1", "cognito-17.1-doubled", "cognito-17.1-srp", "cognito-17.1-nobody"
)
def lets_guess_passwords(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, cognito.service._attempts, "check", lambda *_: None)


@mutation("sign-in", "cognito-17.1-doubled")
def locks_for_one_second_only(stack: ExitStack, cognito: Any) -> None:
    attempts = cognito.service._attempts
    own = attempts.count_wrong

    def count(pool_id: str, name: str) -> None:
        own(pool_id, name)
        attempts._attempts[pool_id, name].locked_until = cognito.clock() + 1

    replaced(stack, attempts, "count_wrong", count)


@mutation(
    "sign-in",
    "cognito-17.3-attribute",
    "cognito-17.3-resend",
    "cognito-17.3-confirm",
    "cognito-17.3-reset",
    "cognito-17.3-forgot",
    "cognito-17.3-nobody",
)
def counts_no_calls(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, cognito.service._limits, "count", lambda *_: None)


@mutation("sign-in", "cognito-11.9-sign-up", "cognito-17.4-late", "cognito-16.8-late")
def takes_codes_of_last_year(stack: ExitStack, cognito: Any) -> None:
    year = dict.fromkeys(confirmation_codes._LIFETIMES, 365 * 86_400.0)
    replaced(stack, confirmation_codes, "_LIFETIMES", year)


@mutation("sign-in", "cognito-16.8-wrong", "cognito-11.9-replaced")
def takes_any_confirmation_code(stack: ExitStack, cognito: Any) -> None:
    codes = cognito.service._codes

    def check(pool: Any, user: Any, purpose: Any, given: str) -> Any:
        return codes._codes[confirmation_codes._key(pool, user, purpose)]

    replaced(stack, codes, "check", check)


@mutation("sign-in", "cognito-17.9")
def keeps_temporary_passwords(stack: ExitStack, cognito: Any) -> None:
    def keep(accounts: Any, pool: Any, user: Any, password: str) -> None:
        accounts._set(pool, user, password, "FORCE_CHANGE_PASSWORD")

    replaced(stack, UserAccounts, "_set_temporary", keep)


@mutation("sign-in", "cognito-16.9", "cognito-16.9-sign-up")
def lets_users_write_everything(stack: ExitStack, cognito: Any) -> None:
    for module in (attribute_changes, sign_up):
        replaced(stack, module, "check_writable", lambda *_: None)


@mutation("sign-in", "cognito-16.5", "cognito-16.5-default")
def shows_every_attribute(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, user_descriptions, "is_readable", lambda *_: True)


@mutation("sign-in", "cognito-16.5-token", "cognito-16.5-token-default")
def puts_every_attribute_into_the_token(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, cognito.engine.token_generation, "_is_readable", lambda *_: True)


@mutation("sign-in", "cognito-16.1", "cognito-16.1-sign-up", "cognito-16.3", "cognito-16.3-admin")
def takes_unknown_attributes(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, attribute_schema, "_problems", lambda *_: [])


@mutation(
    "sign-in",
    *(
        f"cognito-16.2-{kind}{where}"
        for kind in ("long", "short", "number", "large", "small")
        for where in ("", "-update")
    ),
)
def takes_any_value(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, attribute_schema, "_value_problems", lambda *_: [])


@mutation("sign-in", "cognito-16.4", "cognito-16.4-admin")
def changes_what_is_immutable(stack: ExitStack, cognito: Any) -> None:
    own = attribute_schema._schema

    def mutable(pool: Any) -> Any:
        return {name: {**one, "Mutable": True} for name, one in own(pool).items()}

    replaced(stack, attribute_schema, "_schema", mutable)


@mutation("sign-in", "cognito-16.8-unverified", "cognito-16.8")
def keeps_a_new_address_verified(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, attribute_changes, "VERIFIED_FLAGS", {})


@mutation("sign-in", "cognito-16.8-first", "cognito-16.8-first-new")
def changes_an_address_before_its_code(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, AttributeChanges, "_is_verified_first", staticmethod(lambda *_: False))


@mutation("sign-in", "cognito-16.6", "cognito-16.6-admin", "cognito-16.7")
def gives_one_name_to_two(stack: ExitStack, cognito: Any) -> None:
    for module in (attribute_changes, sign_up):
        replaced(stack, module, "refuse_taken_aliases", lambda *_: None)


@mutation("sign-in", "cognito-16.10-minded")
def minds_no_case(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, user_directory, "ignores_case", lambda _: True)


@mutation("sign-in", "cognito-16.10", "cognito-16.10-admin", "cognito-16.10-taken")
def minds_case(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, user_directory, "ignores_case", lambda _: False)


@mutation("sign-in", "cognito-15.8-confirm", "cognito-15.8-refuse", "cognito-15.8-admin")
def overlooks_pre_sign_up(stack: ExitStack, cognito: Any) -> None:
    async def ask(*_: Any) -> Any:
        return {}

    replaced(stack, NewUsers, "ask_trigger", ask)


@mutation("sign-in", "cognito-15.8-post")
def overlooks_post_confirmation(stack: ExitStack, cognito: Any) -> None:
    without_trigger(stack, cognito, "PostConfirmation")


@mutation("sign-in", "cognito-17.7", "cognito-17.7-admin")
def resets_temporary_passwords(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, password_reset, "_refuse_state", lambda _: None)


@mutation("sign-in", "cognito-17.6", "cognito-17.6-hidden")
def mails_to_unverified_addresses(stack: ExitStack, cognito: Any) -> None:
    replaced(
        stack, password_reset, "_recovery_address", lambda _, user: user.attributes.get("email")
    )


@mutation("sign-in", "cognito-18.1", "cognito-18.1-rest", "cognito-18.1-operator", "cognito-18.2")
def lists_everybody_where_a_filter_is_none(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, user_filters, "_FILTER", re.compile("(?P<name>)(?P<how>.?)(?P<value>).*"))
    replaced(stack, user_filters, "_SEARCHABLE", {""})


@mutation(
    "sign-in",
    "cognito-16.12",
    "cognito-16.12-read",
    "cognito-16.12-update",
    "cognito-16.12-verified",
)
def takes_every_attribute_of_a_client(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, user_pool_settings, "check_lists", lambda *_: None)


@mutation("sign-in", "cognito-17.8")
def lets_users_reset_where_administrators_do(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, password_reset, "_refuse_administrators_only", lambda _: None)


@mutation("sign-in", "cognito-1.17-deleted")
def takes_any_secret_hash(stack: ExitStack, cognito: Any) -> None:
    replaced(stack, cognito.service._secrets, "check_hash", lambda *_, **__: None)


# -- imports: what a file asks for is what the gates ask for -------------------------------------------------


@mutation("authorizer (COGNITO_USER_POOLS)", "gateway-import-inherited", "gateway-import-scopes")
def imports_without_security(stack: ExitStack, cloud: Any) -> None:
    def nobody(*_: Any) -> dict[str, Any]:
        return {"authorizationType": "NONE", "apiKeyRequired": False}

    replaced(stack, SecurityRequirements, "asked_by", nobody)


@mutation("api key and usage plan", "gateway-import-key")
def imports_no_api_key(stack: ExitStack, cloud: Any) -> None:
    def without_key(requirements: Any, operation: Any) -> dict[str, Any]:
        return {**own(requirements, operation), "apiKeyRequired": False}

    own = SecurityRequirements.asked_by
    replaced(stack, SecurityRequirements, "asked_by", without_key)


@mutation("validation", "gateway-import-validator")
def imports_no_validator(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, MethodImport, "_validator", lambda *_: None)


@mutation(
    "integration",
    "gateway-import-errors",
    "gateway-import-duplicate",
    "gateway-import-scheme",
    "gateway-import-fail-on-warnings",
)
def imports_what_it_can(stack: ExitStack, cloud: Any) -> None:
    replaced(stack, ImportReport, "check", lambda *_args, **_names: None)
