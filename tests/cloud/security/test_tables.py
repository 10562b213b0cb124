"""DynamoDB with a policy for one table, or for one's own items: what a request names beside them opens nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.credentials import Credentials

from tests.support.attacker import Attacker

MINE, SECRET = "mine", "secret"
HERE = "arn:aws:dynamodb:us-east-1:{account}:table/"
KEY = {"id": {"S": "ben"}, "sort": {"S": "1"}}
TREASURE = "the treasure"


@dataclass
class Tables:
    """Two tables, an attacker who may do everything with the one, and one who may touch "her" items only."""

    cloud: Attacker
    one_table: Credentials
    own_items: Credentials

    def send(self, key: Credentials, operation: str, **body: Any) -> tuple[int, str]:
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        }
        raw = json.dumps(body).encode()
        answer = self.cloud.signed("dynamodb", "POST", "/", headers=headers, body=raw, key=key)
        return answer.status, answer.text

    def refuses(self, key: Credentials, operation: str, **body: Any) -> None:
        status, text = self.send(key, operation, **body)
        assert status in (400, 403), text
        assert "AccessDenied" in text, text
        assert TREASURE not in text


@pytest.fixture(scope="module")
def tables(cloud: Attacker) -> Iterator[Tables]:
    dynamodb, iam = cloud.client("dynamodb"), cloud.client("iam")
    for name in (MINE, SECRET):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": "S"} for attribute in ("id", "sort")
            ],
            KeySchema=[
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "sort", "KeyType": "RANGE"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-sort",
                    "KeySchema": [{"AttributeName": "sort", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
    dynamodb.put_item(TableName=SECRET, Item={**KEY, "what": {"S": TREASURE}})
    account = cloud.settings.account_id
    mine = HERE.format(account=account) + MINE
    statements = {
        "one-table": {"Effect": "Allow", "Action": "dynamodb:*", "Resource": [mine, f"{mine}/*"]},
        "own-items": {
            "Effect": "Allow",
            "Action": "dynamodb:*",
            "Resource": "arn:aws:dynamodb:*:*:table/*",
            "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "${aws:username}"}},
        },
    }
    keys = {name: cloud.user(name) for name in statements}
    for name, statement in statements.items():
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="given", PolicyDocument=document)
    yield Tables(cloud, keys["one-table"], keys["own-items"])
    for name, key in keys.items():
        iam.delete_access_key(UserName=name, AccessKeyId=key.access_key)
        iam.delete_user_policy(UserName=name, PolicyName="given")
        iam.delete_user(UserName=name)
    for name in (MINE, SECRET):
        dynamodb.delete_table(TableName=name)


def test_the_policies_open_what_they_say(tables: Tables) -> None:
    assert tables.send(tables.one_table, "GetItem", TableName=MINE, Key=KEY)[0] == 200
    own = {"id": {"S": "own-items"}, "sort": {"S": "1"}}
    assert tables.send(tables.own_items, "PutItem", TableName=MINE, Item=own)[0] == 200
    assert tables.send(tables.own_items, "GetItem", TableName=MINE, Key=own)[0] == 200


STATEMENT = "SELECT * FROM secret"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("GetItem", {"TableName": SECRET, "Key": KEY}),
        ("Scan", {"TableName": f"{HERE}{SECRET}"}),
        ("Scan", {"TableName": f"{HERE}{SECRET}/index/{MINE}"}),
        ("BatchGetItem", {"TableName": MINE, "RequestItems": {SECRET: {"Keys": [KEY]}}}),
        ("BatchGetItem", {"RequestItems": {MINE: {"Keys": [KEY]}, SECRET: {"Keys": [KEY]}}}),
        (
            "BatchWriteItem",
            {"TableName": MINE, "RequestItems": {SECRET: [{"DeleteRequest": {"Key": KEY}}]}},
        ),
        (
            "TransactGetItems",
            {"TableName": MINE, "TransactItems": [{"Get": {"TableName": SECRET, "Key": KEY}}]},
        ),
        ("ExecuteStatement", {"TableName": MINE, "Statement": STATEMENT}),
        ("BatchExecuteStatement", {"TableName": MINE, "Statements": [{"Statement": STATEMENT}]}),
        ("ExecuteTransaction", {"TableName": MINE, "TransactStatements": [{"Statement": "x"}]}),
        (
            "TagResource",
            {"TableName": MINE, "ResourceArn": f"{HERE}{SECRET}", "Tags": []},
        ),
        (
            "RestoreTableToPointInTime",
            {"TableName": MINE, "SourceTableName": SECRET, "TargetTableName": "mine2"},
        ),
    ],
)
def test_one_table_is_one_table(tables: Tables, operation: str, body: dict[str, Any]) -> None:
    account = tables.cloud.settings.account_id
    sent = json.loads(json.dumps(body).replace("{account}", account))
    tables.refuses(tables.one_table, operation, **sent)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("GetItem", {"Key": KEY}),
        # The index has another key; GetItem doesn't look at it.
        (
            "PutItem",
            {"IndexName": "by-sort", "Item": {"id": {"S": "ben"}, "sort": {"S": "own-items"}}},
        ),
        (
            "DeleteItem",
            {"IndexName": "by-sort", "Key": {"id": {"S": "ben"}, "sort": {"S": "own-items"}}},
        ),
        (
            "BatchWriteItem",
            {
                "RequestItems": {
                    SECRET: [{"DeleteRequest": {"Item": {"id": {"S": "own-items"}}, "Key": KEY}}]
                }
            },
        ),
        ("ExecuteStatement", {"Statement": STATEMENT}),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": SECRET, "Item": {**KEY, "id": {"S": "own-items"}}}},
                    {"Delete": {"TableName": SECRET, "Key": KEY}},
                ]
            },
        ),
        (
            "Query",
            {
                "KeyConditionExpression": "id = :b AND sort = :me",
                "ExpressionAttributeValues": {":b": {"S": "ben"}, ":me": {"S": "own-items"}},
            },
        ),
        (
            "Query",
            {
                "KeyConditionExpression": ":b = id",
                "ExpressionAttributeValues": {":b": {"S": "ben"}},
            },
        ),
    ],
)
def test_ones_own_items_are_no_others(tables: Tables, operation: str, body: dict[str, Any]) -> None:
    tables.refuses(tables.own_items, operation, **{"TableName": SECRET, **body})


def test_the_treasure_is_still_there(tables: Tables) -> None:
    item = tables.cloud.client("dynamodb").get_item(TableName=SECRET, Key=KEY)["Item"]
    assert item["what"] == {"S": TREASURE}
