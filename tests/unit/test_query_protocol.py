"""A form says what botocore put into it, and whatever else comes is read without an error."""

from __future__ import annotations

from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel as BotocoreModel
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.json_protocol import ServiceModel
from labkit.local.query_protocol import read_form

IAM = ServiceModel("iam")
OPERATIONS = BotocoreModel(Loader().load_service_model("iam", "service-2"))
TEXTS = st.text(st.characters(codec="latin-1"), max_size=20)
TAGS = st.lists(st.fixed_dictionaries({"Key": TEXTS, "Value": TEXTS}), min_size=1, max_size=12)
ROLES = st.fixed_dictionaries(
    {"RoleName": TEXTS, "AssumeRolePolicyDocument": TEXTS},
    optional={"MaxSessionDuration": st.integers(-(10**9), 10**9), "Tags": TAGS},
)
FIELDS = st.sampled_from(
    [
        "Action",
        "RoleName",
        "MaxSessionDuration",
        "Tags",
        "Tags.member.1",
        "Tags.member.2.Key",
        "Tags.member.0.Key",
        "Tags.member.99999999.Key",
        "Tags.member.x.Value",
        "AssumeRolePolicyDocument.member.1",
    ]
)


def form_of(operation: str, parameters: dict[str, Any]) -> dict[str, str]:
    model = OPERATIONS.operation_model(operation)
    sent = create_serializer("query", False).serialize_to_request(parameters, model)
    return {name: str(value) for name, value in sent["body"].items()}


@given(ROLES)
def test_it_is_read_as_it_was_written(role: dict[str, Any]) -> None:
    assert read_form(IAM, "CreateRole", form_of("CreateRole", role)) == role


@given(st.dictionaries(FIELDS, TEXTS))
def test_any_form_is_read(form: dict[str, str]) -> None:
    assert isinstance(read_form(IAM, "CreateRole", form), dict)


def test_an_operation_without_parameters() -> None:
    assert read_form(IAM, "GetAccountSummary", {"Action": "GetAccountSummary"}) == {}
