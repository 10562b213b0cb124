"""``dynamodb:LeadingKeys``: whose items a request is about, and what can't be read stays closed."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.local.leading_keys import UNKNOWN, leading_keys

ANA = {"owner": {"S": "ana"}, "note": {"S": "1"}}
BEN = {"owner": {"S": "ben"}, "note": {"S": "1"}}
NOTES = {"TableName": "notes"}
A = {":o": {"S": "ana"}, ":n": {"S": "1"}, ":b": {"S": "ben"}}


def partition_key(table: str, index: str | None) -> str | None:
    if table != "notes":
        return None
    return {None: "owner", "by-note": "note"}.get(index)


def query(expression: str, **more: Any) -> dict[str, Any]:
    return {
        **NOTES,
        "KeyConditionExpression": expression,
        "ExpressionAttributeValues": A,
        **more,
    }


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ({**NOTES, "Key": ANA}, ["ana"]),
        ({**NOTES, "Item": BEN}, ["ben"]),
        ({"TableName": "arn:aws:dynamodb:us-east-1:123456789012:table/notes", "Key": ANA}, ["ana"]),
        (NOTES, None),
        ({}, None),
        (query("owner = :o"), ["ana"]),
        (query("owner = :o AND note = :n"), ["ana"]),
        (query("note = :n and #o = :o", ExpressionAttributeNames={"#o": "owner"}), ["ana"]),
        (query("(owner = :o) AND (begins_with(note, :n))"), ["ana"]),
        (query("note = :n", IndexName="by-note"), ["1"]),
        (query("owner = :o OR owner = :b"), [UNKNOWN]),
        (query("owner = :o OR note = :n"), [UNKNOWN]),
        (query("NOT owner = :o"), [UNKNOWN]),
        (query("owner <> :o"), [UNKNOWN]),
        (query("owner = :missing"), [UNKNOWN]),
        (query("note = :n"), [UNKNOWN]),
        (query("owner = :o", IndexName="unknown"), [UNKNOWN]),
        (
            {
                **NOTES,
                "KeyConditions": {
                    "owner": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "ana"}]}
                },
            },
            ["ana"],
        ),
        (
            {
                **NOTES,
                "KeyConditions": {
                    "owner": {"ComparisonOperator": "NE", "AttributeValueList": [{"S": "ana"}]}
                },
            },
            [UNKNOWN],
        ),
        ({"RequestItems": {"notes": {"Keys": [ANA, BEN]}}}, ["ana", "ben"]),
        (
            {
                "RequestItems": {
                    "notes": [{"PutRequest": {"Item": ANA}}, {"DeleteRequest": {"Key": BEN}}]
                }
            },
            ["ana", "ben"],
        ),
        (
            {
                "TransactItems": [
                    {"Put": {**NOTES, "Item": ANA}},
                    {"ConditionCheck": {**NOTES, "Key": BEN}},
                ]
            },
            ["ana", "ben"],
        ),
        ({"Statement": 'SELECT * FROM "notes"'}, [UNKNOWN]),
        ({"TransactStatements": [{"Statement": "x"}]}, [UNKNOWN]),
        ({"TableName": "other", "Key": ANA}, [UNKNOWN]),
        ({**NOTES, "Key": {"note": {"S": "1"}}}, [UNKNOWN]),
        ({**NOTES, "Key": {"owner": {"S": "ana", "N": "1"}}}, [UNKNOWN]),
        ({**NOTES, "Key": []}, [UNKNOWN]),
    ],
)
def test_whose_items(body: dict[str, Any], keys: list[str] | None) -> None:
    assert leading_keys(body, partition_key) == keys
