"""What ``GetExport`` writes, ``ImportRestApi`` and ``PutRestApi`` read: the same API."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.local.apigateway.control.store import RestApi
from tests.support.control_plane import REGION, ControlPlane
from tests.support.generated_api import APIS, build, without_ids


def exported(plane: ControlPlane, api_id: str, kind: str, accepts: str) -> bytes:
    """What a stage that serves the API as it is now exports."""
    if not _api(plane, api_id).stages:
        plane.made("CreateDeployment", restApiId=api_id, stageName="v1")
    answer = plane(
        "GetExport",
        restApiId=api_id,
        stageName="v1",
        exportType=kind,
        accepts=accepts,
        parameters={"extensions": "apigateway"},
    )
    assert answer.status == 200
    return answer.body


def _api(plane: ControlPlane, api_id: str) -> RestApi:
    return plane.gateway.store.region(REGION).rest_apis[api_id]


@given(
    APIS,
    st.sampled_from(["oas30", "swagger"]),
    st.sampled_from(["application/json", "application/yaml"]),
)
def test_an_export_is_imported_as_the_same_api(
    plan: dict[str, Any], kind: str, accepts: str
) -> None:
    plane = ControlPlane()
    api_id = build(plane, plan)
    before = without_ids(_api(plane, api_id))
    body = exported(plane, api_id, kind, accepts)

    made = plane.made("ImportRestApi", body=body, failOnWarnings=True)
    after = without_ids(_api(plane, made["id"]))
    after["settings"]["version"] = before["settings"].get("version")
    before["settings"].setdefault("version", None)
    assert after == before

    resources = dict(_api(plane, api_id).resources)
    plane.made("PutRestApi", restApiId=api_id, mode="overwrite", body=body, failOnWarnings=True)
    assert _api(plane, api_id).resources.keys() == resources.keys()
    after = without_ids(_api(plane, api_id))
    after["settings"]["version"] = before["settings"]["version"]
    assert _without_namespaces(after) == _without_namespaces(before)


def _without_namespaces(api: dict[str, Any]) -> dict[str, Any]:
    """An overwritten API's integrations have cache namespaces of their own (recorded 22.8)."""
    for method in api["methods"].values():
        method["methodIntegration"].pop("cacheNamespace", None)
    return api


@settings(max_examples=10)
@given(APIS)
def test_both_formats_say_the_same(plan: dict[str, Any]) -> None:
    plane = ControlPlane()
    api_id = build(plane, plan)
    for kind in ("oas30", "swagger"):
        as_json = exported(plane, api_id, kind, "application/json")
        as_yaml = exported(plane, api_id, kind, "application/yaml")
        assert yaml.safe_load(as_yaml) == json.loads(as_json)
        assert list(yaml.safe_load(as_yaml)) == list(json.loads(as_json))


def test_an_authorizer_that_no_file_describes_is_not_left_out() -> None:
    plane = ControlPlane()
    api = plane.rest_api()
    api.mock("/a")
    jwt = {"id": "jwt123", "name": "jwt", "type": "JWT"}
    _api(plane, api.id).authorizers["jwt123"] = jwt
    api.deploy("v1")
    asked = {"stageName": "v1", "exportType": "oas30"}
    answer = api("GetExport", **asked, parameters={"extensions": "authorizers"})
    assert answer.message == "The local cloud doesn't offer the export of the JWT authorizer jwt."
    assert api("GetExport", **asked).status == 200


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"stageName": "v2"}, "Invalid stage identifier specified"),
        ({"exportType": "oas31"}, "Invalid export type specified. Valid options are oas30,swagger"),
        ({"accepts": "text/html"}, "Invalid Accept header specified: text/html"),
        ({"parameters": {"extensions": "postman"}}, "doesn't offer the export option extensions=p"),
        (
            {"parameters": {"format": "x"}},
            "The local cloud doesn't offer the export option format=x.",
        ),
    ],
)
def test_what_is_not_exported(asked: dict[str, Any], words: str) -> None:
    api = ControlPlane().rest_api()
    api.mock("/a")
    api.deploy("v1")
    answer = api("GetExport", **{"stageName": "v1", "exportType": "oas30", **asked})
    assert words in answer.message
