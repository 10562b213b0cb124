"""``dynamodb:LeadingKeys``: whose items a request is about, and what can't be read stays closed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labkit.local.iam.dynamodb_tables import table_arns
from labkit.local.iam.leading_keys import UNKNOWN, leading_keys

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
        # What an operation doesn't read must not decide.
        ({**NOTES, "IndexName": "by-note", "Item": BEN}, ["ben"]),
        ({**NOTES, "IndexName": "by-note", "Key": BEN}, ["ben"]),
        ({"RequestItems": {"notes": [{"DeleteRequest": {"Item": ANA, "Key": BEN}}]}}, ["ben"]),
        ({"RequestItems": {"notes": [{"PutRequest": {"Item": BEN, "Key": ANA}}]}}, ["ben"]),
        ({"RequestItems": {"notes": [{"PutRequest": {}}, {"DeleteRequest": 1}]}}, [UNKNOWN] * 2),
        (
            query(
                "owner = :b AND #o = :o", ExpressionAttributeNames={"owner": "note", "#o": "owner"}
            ),
            [UNKNOWN],
        ),
        (query("owner = :o", ExpressionAttributeNames={"owner": "note"}), ["ana"]),
        ({"TableName": "arn:aws:dynamodb:us-east-1:1:table/other/notes", "Item": ANA}, [UNKNOWN]),
        (
            {"TableName": "arn:aws:dynamodb:us-east-1:1:table/notes/index/by-note", "Item": BEN},
            ["ben"],
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


HERE = "arn:aws:dynamodb:us-east-1:123456789012:table/"


@pytest.mark.parametrize(
    ("operation", "body", "tables"),
    [
        ("GetItem", NOTES, ["notes"]),
        ("GetItem", {**NOTES, "IndexName": "by-note"}, ["notes"]),
        ("Query", {**NOTES, "IndexName": "by-note"}, ["notes/index/by-note"]),
        ("Query", {"TableName": f"{HERE}notes"}, ["notes"]),
        ("Query", {"TableName": f"{HERE}notes/index/mine"}, ["notes"]),
        ("BatchGetItem", {**NOTES, "RequestItems": {"a": {}, "b": {}}}, ["a", "b"]),
        ("BatchWriteItem", {**NOTES, "RequestItems": []}, []),
        ("PutItem", {**NOTES, "RequestItems": {"a": {}}}, ["notes"]),
        ("ExecuteStatement", {**NOTES, "Statement": "SELECT * FROM secret"}, []),
        ("ExecuteTransaction", NOTES, []),
        ("TransactWriteItems", NOTES, []),
        ("ListTables", NOTES, []),
        ("PutItem", {"TableName": 7}, []),
        ("PutItem", {"TableName": "arn:aws:s3:::bucket"}, []),
        ("PutItem", [], []),
        (None, {**NOTES, "IndexName": "x", "RequestItems": {"a": {}}}, ["notes", "a"]),
    ],
)
def test_which_tables(operation: str | None, body: Any, tables: list[str]) -> None:
    found = table_arns(json.dumps(body).encode(), "us-east-1", "123456789012", operation)
    assert found == [HERE + table for table in tables]


def test_a_body_that_cant_be_read_names_no_table() -> None:
    for body in (b"{", b"\xff", b"[" * 100_000, b""):
        assert table_arns(body, "us-east-1", "123456789012", "PutItem") == []
