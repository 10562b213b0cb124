"""The extension of botocore's models: it adds AWS's shapes for JWT authorizers and nothing else, while they are new."""

from __future__ import annotations

import os
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ParamValidationError
from botocore.loaders import Loader

from labkit import service_models

NEW = {
    "JwtAdditionalClaim",
    "JwtClaimFormat",
    "JwtConfiguration",
    "JwtConfigurationInput",
    "JwtIssuer",
    "JwtIssuerInput",
    "JwtSigningAlgorithm",
    "ListOfJwtAdditionalClaim",
    "ListOfJwtIssuer",
    "ListOfJwtIssuerInput",
    "ListOfJwtSigningAlgorithm",
}
JWT = {
    "issuers": [{"issuer": "https://issuer.example.com", "audiences": ["app"]}],
    "defaultAlgorithms": ["RS256"],
}


def model(*paths: str) -> Any:
    return Loader(extra_search_paths=list(paths)).load_service_model("apigateway", "service-2")


def test_it_is_used_where_botocore_lacks_the_shapes() -> None:
    has_them = "JwtConfiguration" in model()["shapes"]
    assert (service_models.extra_search_paths() == []) == has_them
    assert (service_models.environment("before") == {}) == has_them
    for version, used in (
        ("1.43.106", True),
        ("1.44.4", True),
        ("1.44.5", False),
        ("2.0.0", False),
    ):
        assert bool(service_models.extra_search_paths(version)) == used


def test_it_adds_three_members_and_their_shapes() -> None:
    plain = model()
    if "JwtConfiguration" in plain["shapes"]:
        pytest.skip("botocore has the shapes itself")
    extended = model(*service_models.extra_search_paths())
    assert {**extended, "shapes": 0} == {**plain, "shapes": 0}
    old, now = plain["shapes"], extended["shapes"]
    assert set(now) - set(old) == NEW
    assert {name for name in old if old[name] != now[name]} == {
        "Authorizer",
        "AuthorizerType",
        "CreateAuthorizerRequest",
    }
    assert now["AuthorizerType"]["enum"] == [*old["AuthorizerType"]["enum"], "JWT"]
    for name in ("Authorizer", "CreateAuthorizerRequest"):
        assert set(now[name]["members"]) - set(old[name]["members"]) == {"jwtConfiguration"}
        del now[name]["members"]["jwtConfiguration"]
        assert now[name] == old[name]


def test_sessions_made_afterwards_know_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in service_models.environment().items():
        monkeypatch.setenv(name, value)
    client = botocore.session.Session().create_client(
        "apigateway", "us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
    )
    asked = {"restApiId": "a", "name": "n", "type": "JWT"}
    sent: list[Any] = []

    def stop(request: Any, **_: Any) -> None:
        sent.append(request.body)
        raise InterruptedError

    client.meta.events.register("before-send.apigateway", stop)
    with pytest.raises(InterruptedError):
        client.create_authorizer(**asked, jwtConfiguration=JWT)
    assert b'"jwtConfiguration": {"issuers": [{"issuer": "https://issuer.ex' in sent[0]
    lacking = {**JWT, "issuers": [{"issuer": "https://issuer.example.com"}]}
    with pytest.raises(ParamValidationError, match=r'jwtConfiguration.issuers\[0\]: "audiences"'):
        client.create_authorizer(**asked, jwtConfiguration=lacking)


def test_what_the_variable_held_stays() -> None:
    before = {"AWS_DATA_PATH": "/my/models"}
    now = before | service_models.environment(before["AWS_DATA_PATH"])
    held = now["AWS_DATA_PATH"].split(os.pathsep)
    assert held == [*service_models.extra_search_paths(), "/my/models"]
