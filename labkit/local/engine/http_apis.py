"""The state of HTTP APIs."""

from __future__ import annotations

from labkit.local.engine.ministack import JsonObject, MiniStack


class HttpApiRecords(MiniStack):
    """The control plane's records of HTTP APIs."""

    def http_api_region(self, api_id: str) -> str | None:
        """The Region that holds an HTTP or WebSocket API, or None when there is none of that id."""
        return self._region_of(self._module("apigateway")._apis, api_id)

    def http_api(self, api_id: str, region: str) -> JsonObject | None:
        """The live records of an HTTP or WebSocket API, or None; a change in place stays.

        Returns:
            ``{"api", "routes", "integrations", "authorizers", "stages", "deployments"}``, by id (a stage by name).
        """
        apis = self._module("apigateway")
        with self._scope(region):
            if api_id not in apis._apis:
                return None
            stores = ("routes", "integrations", "authorizers", "stages", "deployments")
            found = {name: getattr(apis, f"_{name}").setdefault(api_id, {}) for name in stores}
            return {"api": apis._apis[api_id], **found}
