"""The lists' paths of patch operations, held against the tables by which API Gateway's control plane goes."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from labkit.local.apigateway.control import account
from labkit.local.apigateway.control.patches import ANY, PatchPath
from labkit.local.apigateway.control.rest import (
    api_keys,
    authorizers,
    deployments,
    domain_names,
    gateway_responses,
    integrations,
    methods,
    models,
    request_validators,
    resources,
    rest_apis,
    stages,
    usage_plans,
)
from labkit.local.json_protocol import ServiceModel
from labkit.local.offered import PATCHES, fits, offer_of
from tests.support.control_plane import ControlPlane

TABLES: dict[str, Iterable[PatchPath]] = {
    "UpdateAccount": account.PATCHES.paths,
    "UpdateApiKey": api_keys.PATCHES.paths,
    "UpdateAuthorizer": authorizers.PATCHES.paths,
    "UpdateBasePathMapping": domain_names.MAPPING_PATCHES.paths,
    "UpdateDeployment": deployments.PATCHES.paths,
    "UpdateDomainName": domain_names.PATCHES.paths,
    "UpdateGatewayResponse": gateway_responses.PATCHES.paths,
    "UpdateIntegration": integrations.PATCHES.paths,
    "UpdateIntegrationResponse": integrations.RESPONSE_PATCHES.paths,
    "UpdateMethod": methods.PATCHES.paths,
    "UpdateMethodResponse": methods.RESPONSE_PATCHES.paths,
    "UpdateModel": models.PATCHES.paths,
    "UpdateRequestValidator": request_validators.PATCHES.paths,
    "UpdateResource": resources.PATCHES.paths,
    "UpdateRestApi": rest_apis.PATCHES.paths,
    "UpdateStage": stages.PATCH_PATHS,
    "UpdateUsage": [PatchPath("/remaining")],  # the only one
    "UpdateUsagePlan": usage_plans.PATCHES.paths,
}
REFUSED = [
    (operation, path)
    for operation, members in offer_of("apigateway").settings.items()
    for path, setting in members.items()
    if path.startswith("/") and setting.verdict == "refused"
]


def test_every_operation_that_patches_has_a_table() -> None:
    model = ServiceModel("apigateway").description
    patching = {
        name
        for name in offer_of("apigateway").settings
        if PATCHES in model["shapes"][model["operations"][name]["input"]["shape"]]["members"]
    }
    assert patching == set(TABLES)


@pytest.mark.parametrize("operation", TABLES)
def test_a_list_has_the_paths_of_its_table(operation: str) -> None:
    listed = {
        path
        for path, setting in offer_of("apigateway").settings[operation].items()
        if path.startswith("/") and setting.verdict != "refused"
    }
    assert listed == {path.template.replace(ANY, "*") for path in TABLES[operation]}


@pytest.mark.parametrize(("operation", "path"), REFUSED)
def test_what_is_refused_is_in_no_table(operation: str, path: str) -> None:
    assert not any(fits(one.template.replace(ANY, "*"), path) for one in TABLES[operation])


@pytest.mark.parametrize(("operation", "path"), REFUSED)
@pytest.mark.parametrize("op", ["add", "remove", "replace"])
def test_what_is_refused_is_refused_by_its_name(operation: str, path: str, op: str) -> None:
    plane = ControlPlane()
    model = ServiceModel("apigateway").description
    shape = model["shapes"][model["operations"][operation].get("input", {})["shape"]]
    names = dict.fromkeys(shape["required"], "x") if "required" in shape else {}
    patch = {"op": op, "path": path, "value": "true"}
    answer = plane(operation, **{**names, PATCHES: [patch]})
    assert (answer.status, answer.error) == (400, "BadRequestException")
    assert answer.message == f"The local cloud doesn't offer {path}."


@pytest.mark.parametrize("operation", TABLES)
def test_a_path_that_aws_does_not_have_is_refused_in_its_words(operation: str) -> None:
    plane = ControlPlane()
    shape = ServiceModel("apigateway").description["shapes"][f"{operation}Request"]
    names = dict.fromkeys(shape.get("required", ()), "x")
    answer = plane(operation, **{**names, PATCHES: [{"op": "replace", "path": "/unknown"}]})
    assert answer.error
    assert "doesn't offer" not in answer.message
