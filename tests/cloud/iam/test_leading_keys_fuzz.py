"""Whose items a DynamoDB call is about: what is said to be Ana's alone shows and changes nothing of Ben's.

The engine's own DynamoDB answers, so whatever it reads otherwise than the condition key shows up here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labkit.local.engine.patches import PATCHES
from labkit.local.iam.leading_keys import UNKNOWN, leading_keys
from tests.support.in_process_cloud import cloud
from tests.support.ministack_names import DYNAMODB

MANY = settings(max_examples=300)
TABLE = "fuzzed-notes"
TREASURE = "the treasure"
HERE = f"arn:aws:dynamodb:us-east-1:123456789012:table/{TABLE}"
BEN = {"owner": {"S": "ben"}, "note": {"S": "ana"}, "what": {"S": TREASURE}}


def ask(operation: str, body: Any) -> tuple[int, str]:
    """What DynamoDB answers, whoever asks; an exception is no answer."""
    engine = cloud().engine
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
    with engine.ministack.scope():
        try:
            status, _headers, answer = asyncio.run(
                engine.ministack[DYNAMODB]("POST", "/", headers, json.dumps(body).encode(), {})
            )
        except Exception:
            return 500, ""
    return status, answer.decode() if isinstance(answer, bytes) else str(answer)


def keys_of(body: Any) -> list[str | None] | None:
    """As the engine asks for them: a body that can't be read is about somebody unknown."""
    engine = cloud().engine
    [context] = [patch for patch in PATCHES if patch.name == "dynamodb_service_context"]
    with engine.ministack.scope():
        found: list[str | None] | None = engine.ministack[context](json.dumps(body).encode()).get(
            "dynamodb:LeadingKeys"
        )
    return found


@pytest.fixture(scope="module", autouse=True)
def _table() -> Iterator[None]:
    names = {"AttributeType": "S"}
    with cloud().in_use():
        made = ask(
            "CreateTable",
            {
                "TableName": TABLE,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    {"AttributeName": name, **names} for name in ("owner", "note")
                ],
                "KeySchema": [
                    {"AttributeName": "owner", "KeyType": "HASH"},
                    {"AttributeName": "note", "KeyType": "RANGE"},
                ],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by-note",
                        "KeySchema": [{"AttributeName": "note", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                ],
            },
        )
        assert made[0] == 200, made
        yield
        assert ask("DeleteTable", {"TableName": TABLE})[0] == 200


# -- requests ------------------------------------------------------------------------------------

NAMES = st.sampled_from(["ana", "ben"])
ODD = st.sampled_from([{"S": ""}, {"N": "1"}, {"S": "ana", "N": "1"}, {}, None, "ana", ["ana"]])
VALUES = st.integers(0, 9).flatmap(
    lambda dice: st.builds(lambda name: {"S": name}, NAMES) if dice else ODD
)
ATTRIBUTES = st.fixed_dictionaries({"owner": VALUES, "note": VALUES})
TABLES = st.sampled_from([TABLE] * 5 + [HERE, f"{HERE}/index/by-note", "other", None])
OPERANDS = ["owner", "note", "#o", "#n", "#x", ":a", ":b", ":c", "x.owner", "owner.x", "OWNER"]
CLAUSES = st.builds(
    " ".join,
    st.tuples(
        st.sampled_from(OPERANDS),
        st.sampled_from(["=", "=", "=", "<>", "<", "BETWEEN", ""]),
        st.sampled_from(OPERANDS),
    ),
) | st.sampled_from(["begins_with(note, :a)", "(owner = :a)", "owner=:a", "owner = :b-:a", ""])
EXPRESSIONS = st.builds(
    lambda clauses, words: "".join(
        f"{word}{clause}" for clause, word in zip(clauses, ["", *words], strict=False)
    ),
    st.lists(CLAUSES, min_size=1, max_size=3),
    st.lists(
        st.sampled_from([" AND ", " and ", " OR ", " NOT ", ",", " "]), min_size=2, max_size=2
    ),
)
QUERIES = st.fixed_dictionaries(
    {"TableName": TABLES},
    optional={
        "KeyConditionExpression": EXPRESSIONS,
        "ExpressionAttributeNames": st.dictionaries(
            st.sampled_from(["#o", "#n", "#x", "owner", "note"]),
            st.sampled_from(["owner", "note", "what"]),
            max_size=3,
        ),
        "ExpressionAttributeValues": st.dictionaries(
            st.sampled_from([":a", ":b", ":c"]), VALUES, max_size=3
        ),
        "KeyConditions": st.dictionaries(
            st.sampled_from(["owner", "note"]),
            st.fixed_dictionaries(
                {
                    "ComparisonOperator": st.sampled_from(["EQ", "EQ", "LT", "NE", "eq"]),
                    "AttributeValueList": st.lists(VALUES, max_size=2),
                }
            ),
            max_size=2,
        ),
        "IndexName": st.sampled_from(["by-note", "other", "", None]),
    },
)
ITEMS = st.fixed_dictionaries(
    {"TableName": TABLES},
    optional={
        "Key": ATTRIBUTES,
        "Item": ATTRIBUTES,
        "IndexName": st.sampled_from(["by-note", "by-note", "other"]),
        "RequestItems": st.dictionaries(st.just(TABLE), st.just({"Keys": []})),
    },
)
WRITES = st.dictionaries(
    st.sampled_from(["PutRequest", "DeleteRequest"]),
    st.dictionaries(st.sampled_from(["Item", "Key"]), ATTRIBUTES) | st.none(),
    max_size=2,
)
BATCHES = st.fixed_dictionaries(
    {
        "RequestItems": st.dictionaries(
            st.sampled_from([TABLE, HERE, f"{HERE}/index/by-note"]),
            st.lists(WRITES, max_size=3)
            | st.fixed_dictionaries({"Keys": st.lists(ATTRIBUTES, max_size=2)}),
            max_size=2,
        )
    },
    optional={"TableName": TABLES, "Key": ATTRIBUTES},
)
PARTS = st.dictionaries(
    st.sampled_from(["Put", "Update", "Delete", "ConditionCheck", "Get"]), ITEMS, max_size=2
)
TRANSACTIONS = st.fixed_dictionaries({"TransactItems": st.lists(PARTS, max_size=3)})
STATEMENTS = st.fixed_dictionaries(
    {"Statement": st.just(f"SELECT * FROM \"{TABLE}\" WHERE owner = 'ben'")},  # noqa: S608
    optional={"TableName": TABLES, "Key": ATTRIBUTES},
)
CALLS = st.one_of(
    st.tuples(st.sampled_from(["GetItem", "PutItem", "UpdateItem", "DeleteItem"]), ITEMS),
    st.tuples(st.just("Query"), QUERIES),
    st.tuples(st.sampled_from(["BatchGetItem", "BatchWriteItem"]), BATCHES),
    st.tuples(st.sampled_from(["TransactGetItems", "TransactWriteItems"]), TRANSACTIONS),
    st.tuples(st.just("ExecuteStatement"), STATEMENTS),
)


BARE = {name: BEN[name] for name in ("owner", "note")}
BOTH = {"Key": BARE, "Item": {"owner": {"S": "ana"}, "note": {"S": "ana"}}}


def reset() -> None:
    assert ask("PutItem", {"TableName": TABLE, "Item": BEN})[0] == 200


@MANY
@given(CALLS)
@example(("PutItem", {"TableName": TABLE, "IndexName": "by-note", "Item": BARE}))
@example(("BatchWriteItem", {"RequestItems": {TABLE: [{"DeleteRequest": BOTH}]}}))
def test_what_is_anas_alone_is_nobody_elses(call: tuple[str, Any]) -> None:
    operation, body = call
    found = keys_of(body)
    reset()
    _status, text = ask(operation, body)
    whole = ask("GetItem", {"TableName": TABLE, "Key": BARE})
    if found is not None and set(found) == {"ana"}:
        assert TREASURE not in text
        assert json.loads(whole[1]).get("Item") == BEN
    elif found is None:
        assert TREASURE not in text  # a call about no item shows and changes none
        assert json.loads(whole[1]).get("Item") == BEN


MEMBERS = f"""
    {TABLE} ExpressionAttributeValues Item Key KeyConditionExpression KeyConditions Keys Put PutRequest RequestItems S
    TableName TransactItems owner
""".split()


@MANY
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["ana", TABLE, "owner = :a"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(MEMBERS),
                inner,
                max_size=4,
            )
        ),
        max_leaves=15,
    )
)
def test_any_body_is_read(body: Any) -> None:
    found = keys_of(body)
    assert found is None or (found and all(key is UNKNOWN or isinstance(key, str) for key in found))


def test_the_model_knows_its_table() -> None:
    body = {"TableName": TABLE, "Key": {"owner": {"S": "ana"}, "note": {"S": "1"}}}
    assert keys_of(body) == ["ana"]
    assert leading_keys(body, lambda _table, _index: None) == [UNKNOWN]
