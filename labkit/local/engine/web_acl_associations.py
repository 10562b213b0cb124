"""Which stages WAF puts a web ACL in front of: MiniStack takes any text for one (edge E6.10, E6.42)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.local.engine import names
from labkit.local.engine.ministack import JsonObject, MiniStack

Answer = tuple[int, dict[str, str], bytes]
"""MiniStack's (status, headers, body)."""
StageLookup = Callable[[str, str, str], JsonObject | None]
"""A stage of a REST API by (API id, Region, name); None when there is none."""

_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")
_STAGE = re.compile(r"arn:aws:apigateway:([a-z0-9-]+)::/restapis/([^/]+)/stages/([^/]+)")


class WebAclAssociations:
    """What comes in front of ``AssociateWebACL``.

    Args:
        ministack: holds the associations.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack
        self._stage: StageLookup = lambda *_: None

    def look_up_stages_with(self, lookup: StageLookup) -> None:
        """Tell it who knows the stages; nobody knows one until then."""
        self._stage = lookup

    def associate(self, own: Callable[[JsonObject], Answer]) -> Callable[[JsonObject], Answer]:
        """What comes in the place of MiniStack's association."""

        def associate(data: JsonObject) -> Answer:
            refusal = self._refusal(data.get("ResourceArn"))
            if refusal is None:
                return own(data)
            answer: Answer = self._ministack[names.WAF_ERROR](*refusal)
            return answer

        return associate

    def _refusal(self, arn: Any) -> tuple[str, str] | None:
        """Error code and message."""
        if not isinstance(arn, str) or not _ARN.fullmatch(arn):
            return "WAFInvalidParameterException", (
                "Error reason: The ARN isn't valid. A valid ARN begins with arn: and includes other information "
                f"separated by colons or slashes., field: RESOURCE_ARN, parameter: {arn}"
            )
        match = _STAGE.fullmatch(arn)
        if match is None:
            return "WAFInvalidOperationException", (
                "The local cloud doesn't offer a web ACL in front of this resource, only of a REST API's stage."
            )
        region, api_id, stage_name = match.groups()
        if self._stage(api_id, region, stage_name) is None:
            return "WAFNonexistentItemException", (
                "AWS WAF couldn’t perform the operation because your resource doesn’t exist."
            )
        return None
