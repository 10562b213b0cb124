"""What policies are asked about a call: its operation, its tables, its condition keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from labkit.local.engine import names
from labkit.local.engine.ministack import JsonObject, MiniStack
from labkit.local.iam.dynamodb_tables import table_arns
from labkit.local.iam.leading_keys import UNKNOWN, leading_keys


def denial_with_resource(own: Callable[..., Any]) -> Callable[..., Any]:
    """What comes in the place of MiniStack's refusals: one of an identity's policies names the resource (iam 5.6)."""

    def refuse(service: str, action: str, principal_arn: str, request_id: str, **more: Any) -> Any:
        by_identity = not more.get("error_code") and not more.get("resource_policy_arn")
        if by_identity and not more.get("message"):
            arn = more.get("resource_arn") or "*"
            on_resource = f" on resource: {_quoted(arn) if service == 's3' else arn}"
            if service == "s3" and arn == "*":
                on_resource = ""
            reason = (
                "with an explicit deny in an identity-based policy"
                if more.get("explicit_deny")
                else f"because no identity-based policy allows the {action} action"
            )
            more["message"] = (
                f"User: {principal_arn} is not authorized to perform: {action}{on_resource} {reason}"
            )
        return own(service, action, principal_arn, request_id, **more)

    return refuse


def _quoted(arn: str) -> str:
    return f'"{arn}"'


class PolicyQuestions:
    """What comes in the place of MiniStack's reading of a call.

    Args:
        ministack: holds the tables.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack

    def action(self, own: Callable[..., str | None]) -> Callable[..., str]:
        """The action of every call: MiniStack lets one through whose operation it can't name."""

        def action(
            service: str,
            method: str,
            path: str,
            headers: Mapping[str, str],
            body: bytes,
            query_params: Any,
        ) -> str:
            found = own(service, method, path, headers, body, query_params)
            return found or f"{service}:UnknownOperation"

        return action

    def resource_arn(self, own: Callable[..., str]) -> Callable[..., str]:
        """The resource of a call: MiniStack believes a ``TableName`` beside the tables, which DynamoDB ignores."""

        def resource_arn(
            service: str,
            method: str,
            path: str,
            headers: Mapping[str, str],
            body: bytes,
            query_params: Any,
            region: str,
            account_id: str,
        ) -> str:
            if service != "dynamodb":
                return own(service, method, path, headers, body, query_params, region, account_id)
            operation = headers.get("x-amz-target", "").rpartition(".")[2]
            return next(iter(table_arns(body, region, account_id, operation)), "*")

        return resource_arn

    def dynamodb_keys(self, own: Callable[[bytes], JsonObject]) -> Callable[[bytes], JsonObject]:
        """DynamoDB's condition keys, with ``dynamodb:LeadingKeys``.

        Without it ``ForAllValues`` of nothing would allow everything.
        """

        def keys(body: bytes) -> JsonObject:
            found = own(body)
            try:
                leading = leading_keys(json.loads(body or b"{}"), self._partition_key)
            except (ValueError, TypeError, AttributeError, RecursionError):
                leading = [UNKNOWN]
            return found if leading is None else {**found, "dynamodb:LeadingKeys": leading}

        return keys

    def _partition_key(self, table: str, index: str | None) -> str | None:
        """The name of the partition key of a table of this account, or of an index that has one such key."""
        account_id = self._ministack.settings.account_id
        region = self._ministack[names.GET_REGION]()
        found = self._ministack[names.TABLES].get_scoped(account_id, region, table)
        if found is None:
            return None
        if index is None:
            return str(found["pk_name"])
        indexes = [*found["GlobalSecondaryIndexes"], *found["LocalSecondaryIndexes"]]
        for one in indexes:
            if one["IndexName"] == index:
                hash_keys = [k["AttributeName"] for k in one["KeySchema"] if k["KeyType"] == "HASH"]
                return str(hash_keys[0]) if len(hash_keys) == 1 else None
        return None
