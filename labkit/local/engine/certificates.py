"""Which names a certificate covers."""

from __future__ import annotations

from labkit.local.engine import names
from labkit.local.engine.ministack import MiniStack


class Certificates:
    """The certificates of ACM.

    Args:
        ministack: holds them.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack

    def names_of(self, arn: str) -> list[str] | None:
        """The names that an issued certificate of this account covers; None without one."""
        if not self._ministack.is_imported(names.CERTIFICATES):
            return None
        with self._ministack.scope(arn.split(":")[3]):
            found = self._ministack[names.CERTIFICATES].get(arn)
        if found is None or found.get("Status") != "ISSUED":
            return None
        return [str(found["DomainName"]), *map(str, found.get("SubjectAlternativeNames") or ())]
