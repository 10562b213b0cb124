"""What the engine keeps of ``CreateRestApi`` and ``UpdateRestApi`` otherwise than AWS does, put right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from labkit.local.apigateway.records import number
from labkit.local.apigateway.rest.records import MAX_TIMEOUT_MS

MAX_POLICY_CHARACTERS = 8_192
MIN_TIMEOUT_MS = 50
_CHANGES = {
    "EDGE": {"REGIONAL", "PRIVATE"},
    "REGIONAL": {"EDGE", "PRIVATE"},
    "PRIVATE": {"REGIONAL"},
}
"""Which endpoint type may become which (gateway 10.7)."""
_TYPES_PATH = "/endpointConfiguration/types/"
_LIMITS = {
    "/throttling/rateLimit": re.compile(r"-1(\.0)?|[0-9]{1,9}(\.[0-9]{1,9})?"),
    "/throttling/burstLimit": re.compile("-1|[0-9]{1,9}"),
}


class InvalidSettingError(ValueError):
    """AWS refuses the setting with 400."""


def check_policy(text: object) -> None:
    """Refuse a resource policy that is too long (gateway 5.17).

    Raises:
        InvalidSettingError: it has more than 8192 characters.
    """
    if isinstance(text, str) and len(text) > MAX_POLICY_CHARACTERS:
        raise InvalidSettingError(f"The policy is longer than {MAX_POLICY_CHARACTERS} characters.")


def check_stage(operations: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a limit of a stage that is no number; ``-1`` takes it away.

    Raises:
        InvalidSettingError: it isn't a number.

    >>> check_stage([{"path": "/*/*/throttling/rateLimit", "value": "nan"}])
    ... # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    InvalidSettingError: Invalid value nan for /*/*/throttling/rateLimit
    """
    for operation in operations:
        path, value = str(operation.get("path")), str(operation.get("value"))
        wanted = next((p for end, p in _LIMITS.items() if path.endswith(end)), None)
        if wanted and operation.get("op") != "remove" and not wanted.fullmatch(value):
            raise InvalidSettingError(f"Invalid value {value} for {path}")


def check_timeout(value: object) -> None:
    """Refuse an integration's timeout that is too short or too long (gateway 14).

    Args:
        value: milliseconds, in a patch as text; None: unset.

    Raises:
        InvalidSettingError: it isn't a number from 50 to 29,000.

    >>> check_timeout(29_001)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    InvalidSettingError: Timeout should be between 50 ms and 29000 ms
    """
    if value is not None and not MIN_TIMEOUT_MS <= number(value, 0) <= MAX_TIMEOUT_MS:
        raise InvalidSettingError(
            f"Timeout should be between {MIN_TIMEOUT_MS} ms and {MAX_TIMEOUT_MS} ms"
        )


def patched_types(types: Iterable[str], operations: Iterable[Mapping[str, Any]]) -> list[str]:
    """The endpoint types after some patch operations, whose path ends with the present type (gateway 10.7).

    Raises:
        InvalidSettingError: an operation names no type, or a change that isn't possible.

    >>> operation = {"path": "/endpointConfiguration/types/EDGE", "value": "REGIONAL"}
    >>> patched_types(["EDGE"], [operation])
    ['REGIONAL']
    """
    result = list(types)
    for operation in operations:
        path, wanted = str(operation.get("path")), str(operation.get("value"))
        if not path.startswith(_TYPES_PATH):
            continue
        present = path.removeprefix(_TYPES_PATH)
        if present.isdigit() and int(present) < len(result):
            present = result[int(present)]
        if present not in result:
            raise InvalidSettingError(f"Invalid patch path {path}")
        if wanted != present and wanted not in _CHANGES.get(present, ()):
            raise InvalidSettingError(f"The endpoint type {present} can't become {wanted}.")
        result[result.index(present)] = wanted
    return result


def saved_policy(policy: object, arn_prefix: str) -> object:
    """A resource policy as it is saved: unescaped, with every short Resource expanded (gateway 5.15).

    Args:
        policy: as given; what isn't JSON is left as it is, and nobody gets past it.
        arn_prefix: of the API, with a slash at its end.

    >>> saved_policy('{"Statement":[{"Resource":"execute-api:/dev/*"}]}', "arn:x:api/")
    '{"Statement":[{"Resource":"arn:x:api/dev/*"}]}'
    """
    document = _parsed(policy)
    if document is None:
        return policy
    for statement in _listed(document.get("Statement")):
        if isinstance(statement, dict):
            for name in {"Resource", "NotResource"} & set(statement):
                found = [_expanded(resource, arn_prefix) for resource in _listed(statement[name])]
                statement[name] = found if isinstance(statement[name], list) else found[0]
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _parsed(policy: object) -> dict[str, Any] | None:
    """The document, also when it comes escaped, as GetRestApi returns it."""
    for text in (policy, f'"{policy}"'):
        try:
            data = json.loads(str(text))
            data = json.loads(data) if isinstance(data, str) else data
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            return data
    return None


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _expanded(resource: object, arn_prefix: str) -> object:
    short = "execute-api:/"
    if not isinstance(resource, str) or not resource.startswith(short):
        return resource
    return arn_prefix + resource.removeprefix(short)
