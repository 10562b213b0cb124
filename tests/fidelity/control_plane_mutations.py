"""Refusals of the control planes made wrong on purpose, and what rows of their ledger must turn red."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from labkit.local.apigateway.control import constraints
from labkit.local.apigateway.control.http import domain_names as http_domain_names
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.patches import PatchPath, PatchTable
from labkit.local.apigateway.control.rest import (
    api_keys,
    authorizers,
    deployments,
    gateway_responses,
    integrations,
    methods,
    models,
    resource_policies,
    resources,
    rest_apis,
    stages,
    usage_plans,
)
from labkit.local.apigateway.control.store import Region, RestApi
from tests.fidelity.mutations import mutation, replaced

GATE = "control plane"


def without_check(stack: ExitStack, *names: str) -> None:
    """A method is checked as if it hadn't some of its members."""
    own = methods.checked_method

    def checked(api: Any, record: dict[str, Any]) -> dict[str, Any]:
        set_aside = {name: record[name] for name in names if name in record}
        rest = {name: value for name, value in record.items() if name not in names}
        return {**own(api, rest), **set_aside}

    replaced(stack, methods, "checked_method", checked)


@mutation(GATE, "control-3.21", "control-3.33", "control-3.34")
def needs_no_authorizer(stack: ExitStack, _plane: Any) -> None:
    own: Callable[..., Any] = methods.checked_method
    replaced(
        stack,
        methods,
        "checked_method",
        lambda api, record: (
            record if record.get("authorizationType") == "CUSTOM" else own(api, record)
        ),
    )


@mutation(GATE, "control-3.35")
def keeps_an_unknown_authorizer(stack: ExitStack, _plane: Any) -> None:
    without_check(stack, "authorizerId")


@mutation(GATE, "control-3.15", "control-3.22")
def takes_an_unknown_validator(stack: ExitStack, _plane: Any) -> None:
    without_check(stack, "requestValidatorId")


@mutation(GATE, "control-3.20", "control-3.36")
def takes_any_parameter(stack: ExitStack, _plane: Any) -> None:
    without_check(stack, "requestParameters")


@mutation(GATE, "control-3.4")
def takes_an_unknown_model(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, methods, "_check_models", lambda *_: None)


@mutation(GATE, "control-3.16", "control-4.6", "control-6.11")
def deletes_what_methods_use(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, RestApi, "methods", lambda _: iter(()))


@mutation(GATE, "control-6.7")
def takes_any_authorizer(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, authorizers, "check_form", lambda _: None)


@mutation(GATE, "control-4.4", "control-4.5", "control-4.13")
def takes_any_schema(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, models, "_check_schema", lambda _: None)


@mutation(GATE, "control-2.15", "control-2.19")
def sees_no_descent(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, resources, "_line", lambda _, resource_id: [resource_id])


@mutation(GATE, "control-2.7", "control-2.11", "control-2.12", "control-2.13", "control-2.26")
def takes_any_path_part(stack: ExitStack, _plane: Any) -> None:
    for name in ("_check_form", "_check_siblings"):
        replaced(stack, resources, name, lambda *_: None)


@mutation(GATE, "control-9.20", "control-9.21")
def deploys_anything(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, deployments, "_check_deployable", lambda _: None)


@mutation(GATE, "control-9.38")
def needs_no_role_for_logs(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, stages, "_check_logging", lambda *_: None)


@mutation(GATE, "control-11.8", "control-11.11", "control-11.12", "control-11.35")
def enables_every_key(stack: ExitStack, _plane: Any) -> None:
    own = api_keys.ApiKeyOperations.create_api_key

    def create(self: Any, call: Call) -> Any:
        return own(self, replace(call, parameters={"enabled": True, **call.parameters}))

    replaced(stack, api_keys.ApiKeyOperations, "create_api_key", create)


@mutation(GATE, "control-11.12", "control-11.17", "control-11.18", "control-11.23")
def shows_the_keys_values(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, api_keys, "_shown", lambda record, _: record)


@mutation(GATE, "control-11.9", "control-11.34")
def takes_a_key_of_any_length(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, api_keys, "VALUE_LENGTH", range(1_000))


@mutation(GATE, "control-11.4", "control-11.5", "control-11.6", "control-11.7")
def takes_any_stage_of_a_plan(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, usage_plans, "_patch_stages", lambda *_: None)


@mutation(GATE, "control-9.39")
def leaves_deleted_stages_in_plans(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, Region, "leave_usage_plans", lambda *_: None)


@mutation(GATE, "control-1.6", "control-1.10", "control-1.30")
def takes_any_endpoint_type(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, rest_apis, "_endpoint", lambda asked: {"ipAddressType": "ipv4", **asked})


@mutation(GATE, "control-1.50")
def leaves_a_short_resource(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, resource_policies, "_expanded", lambda resource, _: resource)


@mutation(GATE, "control-1.7", "control-1.8", "control-1.19", "control-8.21", "control-8.35")
def ignores_what_the_model_forbids(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, constraints, "_broken", lambda *_: iter(()))


@mutation(GATE, "control-8.14", "control-8.50")
def takes_any_type(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, constraints, "_check_type", lambda *_: None)


@mutation(GATE, "control-1.15", "control-1.48", "control-3.11", "control-3.12", "control-5.5")
def takes_any_patch_operation(stack: ExitStack, _plane: Any) -> None:
    def find(self: PatchTable, patch: Any) -> PatchPath:
        return next(path for path in self.paths if path.fits(patch.names))

    replaced(stack, PatchTable, "find", find)


@mutation(GATE, "control-8.6", "control-8.7", "control-8.8", "control-8.9", "control-8.41")
def takes_any_uri(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, integrations, "_check_uri", lambda *_: None)


@mutation(GATE, "control-8.57")
def passes_any_role(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, integrations.IntegrationOperations, "_check_role", lambda *_: None)


@mutation(GATE, "control-8.51")
def takes_any_integration_response(stack: ExitStack, _plane: Any) -> None:
    replaced(stack, integrations, "check_integration_response", lambda *_: None)


@mutation(GATE, "control-7.16")
def inherits_nothing(stack: ExitStack, _plane: Any) -> None:
    own = gateway_responses.shown_response
    replaced(
        stack,
        gateway_responses,
        "shown_response",
        lambda customised, kind: own({k: v for k, v in customised.items() if k == kind}, kind),
    )


@mutation(GATE, "control-26.10", "control-26.11", "control-26.12", "control-26.14")
def maps_anything(stack: ExitStack, _plane: Any) -> None:
    replaced(
        stack,
        http_domain_names.HttpDomainNameOperations,
        "_checked_target",
        lambda _self, call, _api_id, _stage: call.text("apiMappingKey"),
    )
