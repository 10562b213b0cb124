"""A value of the wrong type is refused before the engine, which would stop halfway."""

from __future__ import annotations

import pytest

from labkit.local.front.body_types import refuse_wrong_types
from labkit.local.messages import Request


def refusal(target: str, body: bytes) -> str | None:
    response = refuse_wrong_types(Request("POST", "/", "", [("x-amz-target", target)], body))
    return response and response.json()["__type"]


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("AWSWAF_20190729.DeleteWebACL", b'{"Name": "a", "Scope": "REGIONAL", "Id": []}'),
        ("AWSWAF_20190729.ListWebACLs", b'{"Scope": [{}]}'),
        ("DynamoDB_20120810.ListImports", b'{"PageSize": ""}'),
        ("DynamoDB_20120810.GetItem", b'{"TableName": "a", "Key": {"owner": "jane"}}'),
        ("Logs_20140328.TagLogGroup", b'{"logGroupName": {}, "tags": {}}'),
        ("Logs_20140328.DescribeLogGroups", b"[]"),
        ("Logs_20140328.DescribeLogGroups", b"{"),
    ],
)
def test_what_no_model_allows_is_refused(target: str, body: bytes) -> None:
    assert refusal(target, body) == "SerializationException"


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("AWSWAF_20190729.ListWebACLs", b'{"Scope": "nowhere", "Limit": 2147483648}'),
        ("DynamoDB_20120810.GetItem", b'{"TableName": "a", "Key": {"owner": {"S": "jane"}}}'),
        ("DynamoDB_20120810.NoSuchOperation", b"[]"),
        ("Logs_20140328.DescribeLogGroups", b""),
        ("AWSCognitoIdentityProviderService.ListUsers", b"[]"),
    ],
)
def test_the_rest_is_left_to_its_service(target: str, body: bytes) -> None:
    assert refusal(target, body) is None
