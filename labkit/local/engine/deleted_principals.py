"""Users and roles that are deleted stay in trust policies by their unique id: a new one of the same name isn't trusted.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from labkit.local.engine import names
from labkit.local.engine.ministack import JsonObject, MiniStack

_KINDS = {
    "DeleteUser": (names.USERS, "UserName", "UserId"),
    "DeleteRole": (names.ROLES, "RoleName", "RoleId"),
}


def principal_to_delete(ministack: MiniStack, form: Mapping[str, str]) -> tuple[str, str] | None:
    """The ARN and the unique id of whom an operation of IAM deletes; None for other operations, and for nobody."""
    kind = _KINDS.get(form.get("Action", ""))
    record = ministack[kind[0]].get(form.get(kind[1], "")) if kind else None
    return (str(record["Arn"]), str(record[kind[2]])) if kind and record else None


def replace_principal(roles: Iterable[JsonObject], arn: str, unique_id: str) -> None:
    """Write the unique id where trust policies name the ARN (iam 5.8)."""
    for role in roles:
        document = role.get("AssumeRolePolicyDocument")
        try:
            read = json.loads(document) if isinstance(document, str) else document
        except ValueError:
            continue  # it trusts nobody
        if _replace(read, arn, unique_id):
            role["AssumeRolePolicyDocument"] = (
                json.dumps(read) if isinstance(document, str) else read
            )


def _replace(document: Any, arn: str, unique_id: str) -> bool:
    found = False
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict):
            continue
        for element in ("Principal", "NotPrincipal"):
            principal = statement.get(element)
            if not isinstance(principal, dict) or "AWS" not in principal:
                continue
            listed = principal["AWS"]
            if listed == arn:
                principal["AWS"], found = unique_id, True
            elif isinstance(listed, list) and arn in listed:
                principal["AWS"] = [unique_id if one == arn else one for one in listed]
                found = True
    return found
