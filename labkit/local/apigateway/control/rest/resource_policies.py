"""A REST API's resource policy as it is taken, kept and shown (gateway 5.15, 5.17)."""

from __future__ import annotations

import json
from typing import Any

from labkit.local.apigateway.control.refusals import bad_request
from labkit.local.iam.grammar import resource_policy_error

MAX_CHARACTERS = 8_192
_SHORT = "execute-api:/"


def checked_policy(text: str, arn_prefix: str) -> str:
    """A resource policy as it is saved: every short Resource expanded, a list of one as a text (recorded 1.50).

    Args:
        text: JSON, also escaped as ``GetRestApi`` returns it.
        arn_prefix: of the API, with a slash at its end.

    Raises:
        ApiError: ``BadRequestException``: it is too long, or it isn't a policy.

    >>> checked_policy('{"Statement":{"Effect":"Deny","Principal":"*","Action":"*",'
    ... '"Resource":"execute-api:/dev/*"}}', "arn:aws:execute-api:x:1:api/")
    '{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"arn:aws:execute-api:x:1:api/dev/*"}}'
    """
    if len(text) > MAX_CHARACTERS:
        raise bad_request(f"The policy is longer than {MAX_CHARACTERS} characters.")
    document = _parsed(text)
    expanded = ""
    if document is not None:
        for statement in _listed(document.get("Statement")):
            if isinstance(statement, dict):
                for name in {"Resource", "NotResource"} & set(statement):
                    found = [_expanded(one, arn_prefix) for one in _listed(statement[name])]
                    statement[name] = found[0] if len(found) == 1 else found
        expanded = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    if resource_policy_error(expanded) is not None:
        raise bad_request(
            "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."
        )
    return expanded


def shown_policy(policy: str) -> str:
    r"""A policy as answers show it: the text between the quotes of a JSON string.

    >>> shown_policy('{"Version":"2012-10-17"}')
    '{\\"Version\\":\\"2012-10-17\\"}'
    """
    return json.dumps(policy, ensure_ascii=False)[1:-1]


def _parsed(policy: str) -> dict[str, Any] | None:
    """The document, also when it comes escaped."""
    for text in (policy, f'"{policy}"'):
        try:
            data = json.loads(text)
            data = json.loads(data) if isinstance(data, str) else data
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            return data
    return None


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _expanded(resource: object, arn_prefix: str) -> object:
    if not isinstance(resource, str) or not resource.startswith(_SHORT):
        return resource
    return arn_prefix + resource.removeprefix(_SHORT)
