"""The condition key ``dynamodb:LeadingKeys``: the partition keys of the items that a request is about.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from labkit.local.iam.dynamodb_tables import table_name

JsonObject = dict[str, Any]

UNKNOWN: Final = None
"""A key that can't be read from the request: nobody can say whether a condition on it holds."""

PartitionKeyOf = Callable[[str, str | None], str | None]
"""The name of the partition key of (table, index or None); None for an unknown one."""

_EQUALS = re.compile(r"(#?[\w.-]+)\s*=\s*(:\w+)")
_WORD = re.compile(r"[#:]?[\w.-]+")
_NO_KEY_CONDITION = frozenset({"or", "not", "in"})


def leading_keys(body: JsonObject, partition_key_of: PartitionKeyOf) -> list[str | None] | None:
    """The values of the partition keys in a request.

    Args:
        body: of the request.
        partition_key_of: looks a table up.

    Returns:
        The values as text, UNKNOWN among them; None for a request that names no items, such as ``Scan``: it has no
        such key.

    >>> leading_keys({"TableName": "notes", "Key": {"id": {"S": "ana"}}}, lambda table, index: "id")
    ['ana']
    >>> leading_keys({"TableName": "notes"}, lambda table, index: "id") is None
    True
    """
    found = list(_keys(body, partition_key_of))
    return found or None


def _keys(body: JsonObject, partition_key_of: PartitionKeyOf) -> Iterator[str | None]:
    if "Statement" in body or "Statements" in body or "TransactStatements" in body:
        yield UNKNOWN  # PartiQL
    yield from _of_one(body, partition_key_of)
    requests = body.get("RequestItems")
    for table, asked in requests.items() if isinstance(requests, dict) else ():
        items = asked if isinstance(asked, list) else [asked]
        for item in items:
            yield from _of_batch(table, item, partition_key_of)
    for item in body.get("TransactItems") or ():
        for part in item.values() if isinstance(item, dict) else ():
            if isinstance(part, dict):
                yield from _of_one(part, partition_key_of)


def _of_batch(table: str, item: Any, partition_key_of: PartitionKeyOf) -> Iterator[str | None]:
    if not isinstance(item, dict):
        yield UNKNOWN
        return
    name = partition_key_of(table_name(table), None)
    for key in item.get("Keys") or ():
        yield _value(key, name)
    for kind, member in (("PutRequest", "Item"), ("DeleteRequest", "Key")):
        if kind in item:
            request = item[kind]
            yield _value(request.get(member) if isinstance(request, dict) else None, name)


def _of_one(body: JsonObject, partition_key_of: PartitionKeyOf) -> Iterator[str | None]:
    table = body.get("TableName")
    if not isinstance(table, str):
        return
    for member in ("Key", "Item"):
        if member in body:
            yield _value(body[member], partition_key_of(table_name(table), None))
    if "KeyConditionExpression" in body or "KeyConditions" in body:
        index = body.get("IndexName")
        yield _of_query(body, partition_key_of(table_name(table), index if index else None))


def _of_query(body: JsonObject, name: str | None) -> str | None:
    """The partition key that a ``Query`` asks for: always one value, with ``=``."""
    values = body.get("ExpressionAttributeValues") or {}
    names = body.get("ExpressionAttributeNames") or {}
    expression = body.get("KeyConditionExpression")
    if isinstance(expression, str):

        def is_key(word: str) -> bool:
            return (names.get(word) if word.startswith("#") else word) == name

        words = _WORD.findall(expression)
        once = sum(map(is_key, words)) == 1
        found = [
            {name: values.get(placeholder)}
            for path, placeholder in _EQUALS.findall(expression)
            if is_key(path)
        ]
        if len(found) != 1 or not once or _NO_KEY_CONDITION & {word.lower() for word in words}:
            return UNKNOWN
        return _value(found[0], name)
    condition = (body.get("KeyConditions") or {}).get(name) or {}
    listed = condition.get("AttributeValueList") or []
    if condition.get("ComparisonOperator") != "EQ" or len(listed) != 1:
        return UNKNOWN
    return _value({name: listed[0]}, name)


def _value(attributes: Any, name: str | None) -> str | None:
    attribute = attributes.get(name) if isinstance(attributes, dict) and name else None
    if not isinstance(attribute, dict) or len(attribute) != 1:
        return UNKNOWN
    (value,) = attribute.values()
    return value if isinstance(value, str) and value else UNKNOWN
