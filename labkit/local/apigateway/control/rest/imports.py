"""``ImportRestApi`` and ``PutRestApi``: an API made of an OpenAPI file, in one step or not at all."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any

from labkit.local.apigateway.control.openapi.document import base_path_option, read_document
from labkit.local.apigateway.control.operations import Call
from labkit.local.apigateway.control.refusals import conflict, not_offered
from labkit.local.apigateway.control.rest.draft import RestApiDraft
from labkit.local.apigateway.control.rest.imported_api import RestImport
from labkit.local.apigateway.control.rest.lookup import rest_api
from labkit.local.apigateway.control.rest.rest_apis import shown_api
from labkit.local.apigateway.control.store import GatewayStore

JsonObject = dict[str, Any]

_PARTS = (
    "settings",
    "resources",
    "authorizers",
    "models",
    "request_validators",
    "gateway_responses",
)
"""What an import changes; deployments and stages stay as they are."""
_OPTIONS = ("basepath", "endpointConfigurationTypes", "ignore")


class ImportOperations:
    """The operations that import a file.

    Args:
        store: the records.
        clock: seconds since the epoch.
    """

    def __init__(self, store: GatewayStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def import_rest_api(self, call: Call) -> JsonObject:
        """Make an API of a file (recorded 22.1-22.4, 22.9-22.21)."""
        types = _options(call).get("endpointConfigurationTypes")
        draft = self._draft(call)
        await asyncio.to_thread(
            _import, draft, call, lambda found: found.create([types] if types else None)
        )
        self._store.region(call.region).rest_apis[draft.api.settings["id"]] = draft.api
        return {**shown_api(draft.api), **_warnings(draft)}

    async def put_rest_api(self, call: Call) -> JsonObject:
        """Merge a file into an API, or overwrite it with the file (recorded 22.5-22.8, 22.22)."""
        api, draft = rest_api(self._store, call), self._draft(call)
        types = _options(call).get("endpointConfigurationTypes")
        before, present = api.configuration, copy.deepcopy(api)
        overwrite = call.text("mode") == "overwrite"
        await asyncio.to_thread(
            _import, draft, call, lambda found: found.update(present, types, overwrite=overwrite)
        )
        if rest_api(self._store, call) is not api or api.configuration != before:
            raise conflict(
                "Unable to complete operation due to concurrent modification. Please try again later."
            )
        for part in _PARTS:
            setattr(api, part, getattr(draft.api, part))
        return {**shown_api(api, with_tags=True), **_warnings(draft)}

    def _draft(self, call: Call) -> RestApiDraft:
        return RestApiDraft(self._store.draft(), call.region, self._clock)


def _import(draft: RestApiDraft, call: Call, change: Callable[[RestImport], None]) -> None:
    """Read the file and change the draft: aside, while other requests are answered."""
    options = _options(call)
    base_path = base_path_option(options.get("basepath", ""))
    document = read_document(call.parameters["body"])
    change(RestImport(draft, document, base_path, ignores_documentation="ignore" in options))
    draft.report.check(fail_on_warnings=bool(call.parameters.get("failOnWarnings")))


def _options(call: Call) -> dict[str, str]:
    """``parameters``, which are what is left of the query string."""
    options: dict[str, str] = call.parameters.get("parameters") or {}
    for name, value in options.items():
        if name not in _OPTIONS or (name == "ignore" and value != "documentation"):
            raise not_offered(f"the import option {name}={value}")
    return options


def _warnings(draft: RestApiDraft) -> JsonObject:
    return {"warnings": draft.report.warnings} if draft.report.warnings else {}
