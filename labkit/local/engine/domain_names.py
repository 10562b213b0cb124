"""Custom domain names of API Gateway."""

from __future__ import annotations

from labkit.local.engine import names
from labkit.local.engine.ministack import MiniStack


class DomainNameRecords:
    """The control plane's records of custom domain names and their mappings.

    Args:
        ministack: holds the records.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack

    def is_custom_domain(self, host: str) -> bool:
        """Whether an API Gateway custom domain name has this name."""
        with self._ministack.scope():
            return self._ministack[names.FIND_DOMAIN_SCOPE](host) is not None

    def base_path_mapping(self, host: str, raw_path: str) -> tuple[str, str, str] | None:
        """The API's id, the stage (empty if the path names it) and the rest of the path; None without a mapping."""
        with self._ministack.scope():
            found: tuple[str, str, str] | None = self._ministack[names.RESOLVE_BASE_PATH_MAPPING](
                host, raw_path
            )
        return found
