"""What MiniStack evaluates otherwise than IAM, corrected inside of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from labkit.local.engine.ministack import JsonObject, MiniStack
from labkit.local.iam.dynamodb_tables import table_arns
from labkit.local.iam.leading_keys import UNKNOWN, leading_keys
from labkit.local.iam.policy import wildcard_pattern
from labkit.local.iam.policy_variables import VERSION, Parts, filled_policy

_KEPT_POLICIES = 256


class PolicyCorrections(MiniStack):
    """Corrections of MiniStack's policy language."""

    def correct_policies(self) -> None:
        """Correct what is imported; once a process."""
        self._deny_unknown_operations()
        self._name_principals_as_aws()
        self._core("iam_evaluator")._fnmatch_compile = wildcard_pattern
        self._fill_policy_variables()
        self._name_leading_keys()
        self._name_tables()

    def _deny_unknown_operations(self) -> None:
        """Have a policy decide on every call: MiniStack lets a call through whose operation it can't name."""
        actions = self._core("iam_actions")
        own = actions.extract_iam_action

        def name(service: str, *request: Any) -> str:
            return own(service, *request) or f"{service}:UnknownOperation"

        actions.extract_iam_action = name

    def _name_principals_as_aws(self) -> None:
        """``aws:PrincipalArn`` of a session is its role's ARN; an anonymous caller has no ARN and no account."""
        evaluator = self._core("iam_evaluator")
        own = evaluator._resolve_condition_key

        def resolve(key: str, context: Any) -> Any:
            if key.lower() == "aws:principalarn":
                return self._principal_arn(context.principal_arn)
            if key.lower() == "aws:principalaccount":
                return context.principal_account or None
            return own(key, context)

        evaluator._resolve_condition_key = resolve
        own_keys = evaluator._principal_keys

        def principal_keys(credential: Any) -> dict[str, Any]:
            session = self._module("sts")._sessions.get(credential.access_key_id) or {}
            return {**own_keys(credential), **session.get("_federated_keys", {})}

        evaluator._principal_keys = principal_keys

    def _fill_policy_variables(self) -> None:
        """``${aws:username}`` in a policy stands for a value: MiniStack compares the text as it is."""
        evaluator = self._core("iam_evaluator")
        own_parse, own_match = evaluator.parse_policy_document, evaluator._first_match

        def parsed(document: Any) -> Any:
            statements = own_parse(document)
            if not statements:
                return statements
            whole = json.loads(document) if isinstance(document, str) else document
            for statement in statements if whole.get("Version") == VERSION else ():
                if _parts(statement).have_variables:
                    statement.has_variables = True
            return statements

        parsed_text = lru_cache(_KEPT_POLICIES)(parsed)  # an identity's, asked for at each request

        def parse(document: Any) -> Any:
            return list(parsed_text(document)) if isinstance(document, str) else parsed(document)

        def first_match(context: Any, statements: Any, effect: str) -> Any:
            of_effect = (one for one in statements if one.effect == effect)
            filled = [
                self._filled_statement(one, context) if hasattr(one, "has_variables") else one
                for one in of_effect
            ]
            return own_match(context, [one for one in filled if one is not None], effect)

        evaluator.parse_policy_document = parse
        evaluator._first_match = first_match
        self._fill_policies_with_principals()

    def _fill_policies_with_principals(self) -> None:
        """The same for the policies of resources and roles, which MiniStack evaluates without their version."""
        evaluator = self._core("iam_evaluator")
        own_resource = evaluator.evaluate_resource_policy
        own_trust = evaluator.evaluate_trust_policy

        def resource_policy(document: Any, context: Any, *more: Any, **named: Any) -> Any:
            return own_resource(self._filled_policy(document, context), context, *more, **named)

        def trust_policy(document: Any, caller_arn: str, context: Any = None) -> Any:
            return own_trust(self._filled_policy(document, context), caller_arn, context)

        evaluator.evaluate_resource_policy = resource_policy
        evaluator.evaluate_trust_policy = trust_policy

    def _filled_policy(self, document: Any, context: Any) -> Any:
        evaluator = self._core("iam_evaluator")

        def value_of(key: str) -> Any:
            return None if context is None else evaluator._resolve_condition_key(key, context)

        return filled_policy(document, value_of)

    def _filled_statement(self, statement: Any, context: Any) -> Any:
        """The statement for one request; None when it can't apply to it."""
        evaluator = self._core("iam_evaluator")

        def value_of(key: str) -> Any:
            return evaluator._resolve_condition_key(key, context)

        now = _parts(statement).filled(statement.effect, value_of)
        if now is None:
            return None
        return dataclasses.replace(
            statement,
            resources=now.resources,
            not_resources=now.excluded,
            conditions=now.conditions,
        )

    def _name_leading_keys(self) -> None:
        """``dynamodb:LeadingKeys``, which MiniStack leaves out: ``ForAllValues`` of nothing would allow everything."""
        actions = self._core("iam_actions")
        own = actions.dynamodb_service_context

        def context(body: bytes) -> JsonObject:
            found: JsonObject = own(body)
            try:
                keys = leading_keys(json.loads(body or b"{}"), self._partition_key)
            except (ValueError, TypeError, AttributeError, RecursionError):
                keys = [UNKNOWN]
            return found if keys is None else {**found, "dynamodb:LeadingKeys": keys}

        actions.dynamodb_service_context = context

    def _name_tables(self) -> None:
        """The tables that an operation is about: MiniStack believes a ``TableName`` beside them, which it ignores."""
        actions = self._core("iam_actions")
        own = actions.extract_resource_arn

        def resource_arn(
            service: str,
            method: str,
            path: str,
            headers: Mapping[str, str],
            body: bytes,
            query: Any,
            region: str,
            account_id: str,
        ) -> Any:
            if service != "dynamodb":
                return own(service, method, path, headers, body, query, region, account_id)
            operation = headers.get("x-amz-target", "").rpartition(".")[2]
            return next(iter(table_arns(body, region, account_id, operation)), "*")

        actions.extract_resource_arn = resource_arn
        actions.dynamodb_resource_arns = table_arns

    def _partition_key(self, table: str, index: str | None) -> str | None:
        """The name of the partition key of a table of this account, or of an index that has one such key."""
        tables = self._module("dynamodb")._tables
        region = self._core("responses").get_region()
        found = tables.get_scoped(self.settings.account_id, region, table)
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

    def _principal_arn(self, arn: str) -> str | None:
        if ":assumed-role/" not in arn:
            return None if arn == "*" else arn
        account_id, name = arn.split(":")[4], arn.split("/")[1]
        role = self._module("iam")._roles.get_scoped(account_id, None, name) or {}
        return str(role.get("Arn") or f"arn:aws:iam::{account_id}:role/{name}")


def _parts(statement: Any) -> Parts:
    """What a statement of MiniStack's is about."""
    return Parts(statement.resources, statement.not_resources, statement.conditions)
