"""Which web ACL stands in front of a stage."""

from __future__ import annotations

from labkit.local.engine import names
from labkit.local.engine.ministack import MiniStack


class WebAcls:
    """The associations of WAF.

    Args:
        ministack: holds them.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack

    def web_acl_of(self, arn: str) -> str | None:
        """The ARN of the web ACL in front of a resource, by the resource's ARN; None without one."""
        if not self._ministack.is_imported(names.WEB_ACL_ASSOCIATIONS):
            return None
        with self._ministack.scope(arn.split(":")[3]):
            found: str | None = self._ministack[names.WEB_ACL_ASSOCIATIONS].get(arn)
        return found
