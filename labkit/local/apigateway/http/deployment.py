"""A deployment of an HTTP API: the snapshot of its configuration that a stage serves (gateway.md 13.15)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]

DEFAULT = "$default"
"""The name of the catch-all route and of the stage at the root of the API's address."""
FROZEN = ("api", "routes", "integrations", "authorizers")
"""What a deployment freezes; stages and their settings are live."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route.

    Attributes:
        key: ``GET /pets/{petId}`` or ``$default``.
        verb: ``GET``, ``ANY``…; empty for ``$default``.
        path: ``/pets/{petId}``; empty for ``$default``.
        parts: the path's segments as configured.
        record: the settings.
    """

    key: str
    verb: str
    path: str
    parts: tuple[str, ...]
    record: Record

    @property
    def is_greedy(self) -> bool:
        """Whether the path ends in ``{proxy+}``."""
        return bool(self.parts) and self.parts[-1].endswith("+}")


class Deployment:
    """All that a deployment froze.

    Args:
        api_id: the API's id.
        region: its Region.
        deployment_id: the deployment's id; empty when nothing is deployed.
        configuration: what :data:`FROZEN` names; not changed afterwards.
    """

    def __init__(
        self, api_id: str, region: str, deployment_id: str, configuration: Mapping[str, Record]
    ) -> None:
        self.api_id = api_id
        self.region = region
        self.id = deployment_id
        self.api: Record = configuration.get("api") or {}
        self.integrations: Mapping[str, Record] = configuration.get("integrations") or {}
        self.authorizers: Mapping[str, Record] = configuration.get("authorizers") or {}
        self.routes: tuple[Route, ...] = tuple(_routes(configuration.get("routes") or {}))

    @property
    def cors(self) -> Record:
        """The CORS configuration; empty when there is none."""
        found: Record = self.api.get("corsConfiguration") or {}
        return found

    def integration_of(self, route: Route) -> Record | None:
        """The integration that a route's target names, or None."""
        kind, _slash, key = str(route.record.get("target") or "").partition("/")
        return self.integrations.get(key) if kind == "integrations" else None


def _routes(records: Mapping[str, Record]) -> Iterator[Route]:
    """The routes; one whose key AWS would refuse is left out, so nobody gets through it."""
    for record in records.values():
        key = str(record.get("routeKey") or "")
        verb, _blank, path = key.partition(" ")
        if key == DEFAULT:
            yield Route(key, "", "", (), record)
        elif verb.isupper() and path == "/":
            yield Route(key, verb, path, (), record)
        elif verb.isupper() and path.startswith("/") and "" not in path[1:].split("/"):
            yield Route(key, verb, path, tuple(path[1:].split("/")), record)
