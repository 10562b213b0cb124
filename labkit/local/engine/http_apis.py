"""The state of HTTP APIs."""

from __future__ import annotations

from labkit.local.engine import names
from labkit.local.engine.ministack import JsonObject, MiniStack


class HttpApiRecords:
    """The control plane's records of HTTP APIs.

    Args:
        ministack: holds the records.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._ministack = ministack

    def http_api_region(self, api_id: str) -> str | None:
        """The Region that holds an HTTP or WebSocket API, or None when there is none of that id."""
        return self._ministack.region_of(names.HTTP_APIS, api_id)

    def http_api(self, api_id: str, region: str) -> JsonObject | None:
        """The live records of an HTTP or WebSocket API, or None; a change in place stays.

        Returns:
            ``{"api", "routes", "integrations", "authorizers", "stages", "deployments"}``, by id (a stage by name).
        """
        ministack = self._ministack
        with ministack.scope(region):
            api = ministack[names.HTTP_APIS].get(api_id)
            if api is None:
                return None
            parts = {
                part: ministack[name].setdefault(api_id, {})
                for part, name in names.HTTP_API_PARTS.items()
            }
        return {"api": api, **parts}

    def wants_client_certificate(self, host: str) -> bool:
        """Whether a custom domain name asks for client certificates (mutual TLS)."""
        with self._ministack.scope():
            scope = self._ministack[names.FIND_DOMAIN_SCOPE](host)
        domains = self._ministack[names.DOMAIN_NAMES]
        record = None if scope is None else domains.get_scoped(*scope, None)
        return bool(record and (record.get("mutualTlsAuthentication") or {}).get("truststoreUri"))
