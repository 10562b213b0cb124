"""What a request about usage plans and API keys may say: the engine keeps whatever it gets.

A limit that is no number or a key that is enabled by the text "false" would open what they close.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from labkit.local.json_protocol import ApiError, ServiceModel, body_of
from labkit.local.messages import Request

JsonObject = dict[str, Any]

MAX_NUMBER = 2**31 - 1
"""Of an integer, and far above any rate."""
PERIODS = ("DAY", "WEEK", "MONTH")

_MODEL = ServiceModel("apigateway", "BadRequestException")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_WHOLE_NUMBER = re.compile("[0-9]{1,9}")
_RATE = re.compile("/throttle/rateLimit")
_WHOLE = re.compile("/throttle/burstLimit|/quota/(limit|offset)")
_PLAN_PATHS = re.compile(
    "/name|/description|/productCode|/apiStages(/.*)?|/throttle(/(rateLimit|burstLimit))?"
    "|/quota(/(limit|offset|period))?"
)
_KEY_PATHS = re.compile("/name|/description|/enabled|/customerId|/stages(/.*)?|/labels")
_GROUPS = ("/throttle", "/quota")


def checked_body(request: Request, operation: str, **of_the_path: str) -> JsonObject:
    """The body of a request, if it is one for the operation.

    Args:
        request: as received.
        operation: AWS's name.
        of_the_path: what the path says, under the API reference's names.

    Raises:
        ApiError: ``SerializationException`` or ``BadRequestException``.
    """
    body = body_of(request)
    _MODEL.check(operation, {**body, **of_the_path})
    for problem in _problems(operation, body):
        raise ApiError("BadRequestException", problem)
    return body


def operations_in(body: Mapping[str, Any]) -> list[JsonObject]:
    """The patch operations of a checked body."""
    return list(body.get("patchOperations") or [])


def _problems(operation: str, body: JsonObject) -> Iterator[str]:
    if operation == "CreateUsagePlan":
        by_method = [
            (stage.get("throttle") or {}).values() for stage in body.get("apiStages") or ()
        ]
        for limits in (body.get("throttle"), body.get("quota"), *chain(*by_method)):
            for name in ("rateLimit", "burstLimit", "limit", "offset"):
                value = (limits or {}).get(name)
                if value is not None and not _is_limit(value):
                    yield f"Invalid value for {name}: it is a number from 0 to {MAX_NUMBER}"
    check = {"UpdateUsagePlan": _plan_problem, "UpdateApiKey": _key_problem}.get(operation)
    for one in operations_in(body) if check else ():
        path, value = str(one.get("path")), one.get("value")
        problem = check(path, None if one.get("op") == "remove" else str(value)) if check else None
        if problem is not None:
            yield problem


def _is_limit(value: float) -> bool:
    return 0 <= value <= MAX_NUMBER


def _plan_problem(path: str, value: str | None) -> str | None:
    """What is wrong with a patch operation on a usage plan; ``value`` is None for a removal."""
    if not _PLAN_PATHS.fullmatch(path) or (value is not None and path in _GROUPS):
        return f"Invalid patch path {path}"
    if value is None:
        return None
    fits = (
        not (_RATE.fullmatch(path) and not _NUMBER.fullmatch(value))
        and not (_WHOLE.fullmatch(path) and not _WHOLE_NUMBER.fullmatch(value))
        and not (path == "/quota/period" and value not in PERIODS)
    )
    return None if fits else f"Invalid value {value} for {path}"


def _key_problem(path: str, value: str | None) -> str | None:
    """The same for an API key; AWS lets nobody change its value."""
    if not _KEY_PATHS.fullmatch(path):
        return f"Invalid patch path {path}"
    if path == "/enabled" and str(value).lower() not in ("true", "false"):
        return f"Invalid value {value} for {path}"
    return None


def is_number(text: str) -> bool:
    """Whether a patch value is a limit.

    >>> is_number("2.5"), is_number("nan"), is_number("-1")
    (True, False, False)
    """
    return _NUMBER.fullmatch(text) is not None
