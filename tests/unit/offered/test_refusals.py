"""What of a call isn't offered: by operation, member, value and path of a patch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.local import offered
from labkit.local.offered import Setting, _Look, _parents_of, refusal_of

KNOWN = {
    "Name": Setting("enforced", ("a row",)),
    "Mode": Setting("kept", ("It is the default.",), ("OFF",)),
    "Layers": Setting("kept", ("Only none.",), ()),
    "Policies.Password.Length": Setting("enforced", ("a row",)),
    "Rules.*.Type": Setting("enforced", ("a row",)),
    "/variables/*": Setting("enforced", ("a row",)),
    "/cacheClusterEnabled": Setting("kept", ("It is the default.",), ("false",)),
    "/clientCertificateId": Setting("refused", ("There is none.",)),
}
LOOK = _Look(KNOWN, frozenset(_parents_of(KNOWN)))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("member", "value", "refused"),
    [
        ("Name", "n", None),
        ("Name", {"anything": ["in", "it"]}, None),
        ("Other", "x", "Other"),
        ("Other", None, None),
        ("Other", [], "Other"),
        ("Mode", "OFF", None),
        ("Layers", [], None),
        ("Layers", ["one"], "Layers"),
        ("Policies", {}, None),
        ("Policies", {"Password": {"Length": 8}}, None),
        ("Policies", {"Password": {"Length": 8, "History": 4}}, "Policies.Password.History"),
        ("Policies", {"Password": {"History": None}}, None),
        ("Policies", {"SignIn": {}}, "Policies.SignIn"),
        ("Policies", [{"Password": {"Length": 8}}, {"SignIn": 1}], "Policies.SignIn"),
        ("Rules", {"any.key": {"Type": "Token"}}, None),
        ("Rules", {"any.key": {"Type": "Token", "More": 1}}, "Rules.*.More"),
        ("Rules", {"Type": 1}, None),
    ],
)
def test_members(member: str, value: Any, refused: str | None) -> None:
    sentence = None if refused is None else f"The local cloud doesn't offer {refused}."
    assert LOOK.at(member, value) == sentence


@pytest.mark.parametrize("value", ["ON", True, 0, ["OFF", "ON"], {"OFF": 1}])
def test_another_value_names_those_that_are_offered(value: Any) -> None:
    assert (
        LOOK.at("Mode", value) == "The local cloud doesn't offer this value of Mode. It offers OFF."
    )


@pytest.mark.parametrize(
    ("operation", "refused"),
    [
        ({"op": "replace", "path": "/variables/colour", "value": "red"}, None),
        ({"op": "replace", "path": "/variables/a~1b", "value": "red"}, None),
        ({"op": "replace", "path": "/clientCertificateId", "value": "x"}, "/clientCertificateId"),
        ({"op": "remove", "path": "/clientCertificateId"}, "/clientCertificateId"),
        ({"op": "replace", "path": "/cacheClusterEnabled", "value": "false"}, None),
        ({"op": "replace", "path": "/variables/a/b", "value": "red"}, None),
        ({"op": "replace", "path": "/unknown", "value": "true"}, None),
        ({"op": "replace"}, None),
        ("no object", None),
    ],
)
def test_patch_operations(operation: Any, refused: str | None) -> None:
    """A path that isn't in the list is left to the tables of patch operations, which have AWS's words."""
    sentence = None if refused is None else f"The local cloud doesn't offer {refused}."
    assert LOOK.at_patches([operation]) == sentence


def test_a_patch_may_set_offered_values_only() -> None:
    refusal = LOOK.at_patches([{"op": "replace", "path": "/cacheClusterEnabled", "value": "true"}])
    assert refusal is not None
    assert refusal.endswith("this value of /cacheClusterEnabled. It offers false.")


@given(st.dictionaries(st.text(), JSON))
def test_no_call_is_too_strange(params: dict[str, Any]) -> None:
    for service in offered.services():
        for operation in ("CreateRole", "CreateFunction", "AssumeRole", "nothing"):
            refusal = refusal_of(service, operation, params)
            assert refusal is None or refusal.startswith("The local cloud doesn't offer ")


def test_an_operation_without_a_list_is_refused() -> None:
    assert refusal_of("iam", "CreateSAMLProvider", {}) == (
        "The local cloud doesn't offer CreateSAMLProvider."
    )
    assert refusal_of("iam", "ListUsers", {"Anything": 1}) is None
