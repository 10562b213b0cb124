"""Which stages WAF puts a web ACL in front of: MiniStack takes any text for one (edge E6.10, E6.42)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.local.engine import names
from labkit.local.engine.iam import Iam
from labkit.local.engine.ministack import JsonObject, MiniStack

Answer = tuple[int, dict[str, str], bytes]
"""MiniStack's (status, headers, body)."""
StageLookup = Callable[[str, str, str], JsonObject | None]
"""A stage of a REST API by (API id, Region, name); None when there is none."""

_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")
_STAGE = re.compile(r"arn:aws:apigateway:([a-z0-9-]+)::/restapis/([^/]+)/stages/([^/]+)")


class WebAclAssociations:
    """What comes in front of ``AssociateWebACL`` and ``DisassociateWebACL``.

    Args:
        ministack: holds the associations.
        iam: who may change a stage's web ACL.
    """

    def __init__(self, ministack: MiniStack, iam: Iam) -> None:
        self._ministack = ministack
        self._iam = iam
        self._stage: StageLookup = lambda *_: None

    def web_acl_of(self, arn: str) -> str | None:
        """The ARN of the web ACL in front of a resource, by the resource's ARN; None without one."""
        if not self._ministack.is_imported(names.WEB_ACL_ASSOCIATIONS):
            return None
        with self._ministack.scope(arn.split(":")[3]):
            found: str | None = self._ministack[names.WEB_ACL_ASSOCIATIONS].get(arn)
        return found

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

    def disassociate(self, own: Callable[[JsonObject], Answer]) -> Callable[[JsonObject], Answer]:
        """What comes in the place of its end."""

        def disassociate(data: JsonObject) -> Answer:
            refusal = self._permission_error(data.get("ResourceArn"))
            if refusal is None:
                return own(data)
            answer: Answer = self._ministack[names.WAF_ERROR](*refusal)
            return answer

        return disassociate

    def _permission_error(self, arn: Any) -> tuple[str, str] | None:
        """Beside WAF's own permission who changes a stage's web ACL needs API Gateway's (iam 5.7)."""
        match = _STAGE.fullmatch(arn) if isinstance(arn, str) else None
        if match is None:
            return None
        words = self._iam.permission_error("apigateway:SetWebACL", match[0], match[1])
        return ("AccessDeniedException", words) if words else None

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
        return self._permission_error(arn)
