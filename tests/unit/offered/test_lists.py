"""The lists of what is offered, held against AWS's own models and against the ledger."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from labkit.local.front.services import API_GATEWAY
from labkit.local.json_protocol import ServiceModel
from labkit.local.ledger import rows
from labkit.local.offered import PATCHES, VERDICTS, offer_of, services
from labkit.local.offered.inventory import count_table, leaves, members_of

SERVICES = sorted(services())
ROWS = {row.id for row in rows()}
README = Path(__file__).resolve().parents[3] / "README.md"
READS = re.compile(
    r"(Admin)?(Check|Delete|Describe|Detach|Disassociate|Export|Flush|Get|List|Lookup|Remove|Reset|Simulate|Untag)"
    r"|(Admin(User)?|)(GlobalSignOut|DisableUser|EnableUser)|RevokeToken"
)
"""How operations begin that set nothing."""
NOT_IN_A_BODY = {"header", "querystring", "uri"}


def model_of(service: str) -> dict[str, Any]:
    return ServiceModel(service).description


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_one_of_the_model(service: str) -> None:
    offer, known = offer_of(service), set(model_of(service)["operations"])
    assert set(offer.settings) <= known, set(offer.settings) - known
    assert offer.reads <= known, offer.reads - known
    assert not offer.reads & set(offer.settings)
    assert all(READS.match(name) for name in offer.reads), offer.reads


@pytest.mark.parametrize("service", SERVICES)
def test_every_member_is_one_of_the_model_and_has_one_verdict(service: str) -> None:
    model, offer = model_of(service), offer_of(service)
    for operation, known in offer.settings.items():
        shape = model["operations"][operation].get("input", {}).get("shape")
        paths = set(leaves(model, shape)) if shape else set()
        for member in (one for one in known if not one.startswith("/")):
            below = {path for path in paths if path == member or path.startswith(f"{member}.")}
            assert below, f"{service}: {operation} has no {member}"
        doubled = [one for one in known if any(two.startswith(f"{one}.") for two in known)]
        assert not doubled, f"{service}: {operation}: {doubled} and what is in it have verdicts"


@pytest.mark.parametrize(
    "service",
    [
        one
        for one in SERVICES
        if not one.startswith(API_GATEWAY) and model_of(one)["metadata"]["protocol"] == "rest-json"
    ],
)
def test_a_body_has_the_names_of_the_model(service: str) -> None:
    """What reads a request goes by the model's names: no body may have others. API Gateway looks for itself."""
    model = model_of(service)
    for operation in offer_of(service).settings:
        shape = model["shapes"][model["operations"][operation]["input"]["shape"]]
        for name, target in shape["members"].items():
            if target.get("location") not in NOT_IN_A_BODY:
                assert target.get("locationName", name) == name, (operation, name)


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_said_of_a_setting(service: str) -> None:
    for member in members_of(service):
        where = f"{service} {member.operation}.{member.path}"
        if member.setting.verdict == "enforced":
            assert member.setting.why, where
            assert set(member.setting.why) <= ROWS, (where, set(member.setting.why) - ROWS)
        elif member.setting.verdict in VERDICTS and member.setting.why:
            (sentence,) = member.setting.why
            assert re.fullmatch(r"[A-Z].{10,160}\.", sentence), (where, sentence)


@pytest.mark.parametrize("service", SERVICES)
def test_what_the_model_requires_is_offered(service: str) -> None:
    model = model_of(service)
    for operation, known in offer_of(service).settings.items():
        shape = model["shapes"][model["operations"][operation]["input"]["shape"]]
        for name in shape.get("required", ()):
            if name == PATCHES:
                continue
            assert any(one == name or one.startswith(f"{name}.") for one in known), (
                f"{service}: nobody can call {operation} without {name}"
            )


def test_the_readme_counts_the_settings() -> None:
    table = count_table()
    assert table in README.read_text(encoding="utf-8"), f"the README's table must be:\n{table}"
