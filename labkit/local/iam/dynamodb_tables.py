"""Which tables a DynamoDB request is about: what a policy's ``Resource`` is compared with.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_OF_A_TABLE = frozenset(
    """
    CreateBackup CreateTable DeleteItem DeleteTable DescribeContinuousBackups DescribeContributorInsights
    DescribeKinesisStreamingDestination DescribeTable DescribeTimeToLive DisableKinesisStreamingDestination
    EnableKinesisStreamingDestination GetItem PutItem Query Scan UpdateContinuousBackups UpdateContributorInsights
    UpdateItem UpdateKinesisStreamingDestination UpdateTable UpdateTimeToLive
    """.split()
)
"""The operations that ``TableName`` is the resource of; in another one it means nothing."""
_OF_AN_INDEX = frozenset("DescribeContributorInsights Query Scan UpdateContributorInsights".split())
"""Those that ``IndexName`` says more about."""
_OF_TABLES = frozenset({"BatchGetItem", "BatchWriteItem"})


def table_name(table: object) -> str:
    """A table's name: a request may give its ARN; empty for what names no table.

    >>> table_name("arn:aws:dynamodb:us-east-1:123456789012:table/notes/index/by-date")
    'notes'
    """
    if not isinstance(table, str) or not table.startswith("arn:"):
        return table if isinstance(table, str) else ""
    return table.partition(":table/")[2].partition("/")[0]


def table_arns(
    body: bytes, region: str, account_id: str, operation: str | None = None
) -> list[str]:
    """The ARNs of a request's tables, or of its index.

    Args:
        body: JSON; one that can't be read names no table.
        region: of the request.
        account_id: of the tables that are named without an ARN.
        operation: without one, everything that the body names.
    """
    try:
        data = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return []
    if not isinstance(data, dict):
        return []
    here = f"arn:aws:dynamodb:{region}:{account_id}:table/"
    return [
        f"{_beginning(table, here)}{table_name(table)}{suffix}"
        for table, suffix in _named(data, operation)
        if table_name(table)
    ]


def _named(data: dict[str, Any], operation: str | None) -> Iterator[tuple[Any, str]]:
    if operation is None or operation in _OF_A_TABLE:
        index = data.get("IndexName") if operation in _OF_AN_INDEX else None
        yield data.get("TableName"), f"/index/{index}" if index else ""
    if operation is None or operation in _OF_TABLES:
        requests = data.get("RequestItems")
        for table in requests if isinstance(requests, dict) else ():
            yield table, ""


def _beginning(table: str, here: str) -> str:
    """An ARN up to the table's name."""
    beginning, colon, _name = table.partition(":table/")
    return f"{beginning}{colon}" if table.startswith("arn:") else here
