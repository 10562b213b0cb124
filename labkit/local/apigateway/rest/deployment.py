"""A deployment: the immutable snapshot of an API's configuration that a stage serves (gateway.md 8.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Record = Mapping[str, Any]

VERBS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""What ``ANY`` stands for (8.10)."""


@dataclass(frozen=True)
class Resource:
    """A resource of the tree.

    Attributes:
        id: the resource id.
        path: ``/pets/{petId}``.
        parts: the path's segments as configured, ``("pets", "{petId}")``.
        methods: verb (or ``ANY``) → method record, with its ``methodIntegration``.
    """

    id: str
    path: str
    parts: tuple[str, ...]
    methods: Mapping[str, Record]

    def method_for(self, verb: str) -> Record | None:
        """The method that serves a verb: an explicit one before ``ANY`` (8.6), which isn't any verb (8.10)."""
        if verb not in VERBS:
            return None
        return self.methods.get(verb) or self.methods.get("ANY")


class Deployment:
    """All that ``CreateDeployment`` froze.

    Args:
        api_id: the REST API's id.
        region: its Region.
        deployment_id: the deployment's id; empty for the live configuration (``TestInvokeMethod``).
        configuration: what :meth:`Engine.rest_api_configuration` returned; not changed afterwards.
    """

    def __init__(self, api_id: str, region: str, deployment_id: str, configuration: Record) -> None:
        self.api_id = api_id
        self.region = region
        self.id = deployment_id
        self.api: Record = configuration["api"]
        self.authorizers: Mapping[str, Record] = configuration["authorizers"]
        self.gateway_responses: Mapping[str, Record] = configuration["gateway_responses"]
        self.models: Mapping[str, Record] = configuration.get("models") or {}
        self.validators: Mapping[str, Record] = configuration.get("validators") or {}
        self.resources: Mapping[str, Resource] = {
            key: Resource(
                id=key,
                path=record["path"],
                parts=tuple(part for part in record["path"].split("/") if part),
                methods=record["resourceMethods"],
            )
            for key, record in configuration["resources"].items()
        }

    def same_as(self, other: Deployment) -> bool:
        """Whether another snapshot of the API has the same configuration."""
        names = ("api", "resources", "authorizers", "gateway_responses", "models", "validators")
        return all(getattr(self, name) == getattr(other, name) for name in names)

    @cached_property
    def greedy_resources(self) -> tuple[Resource, ...]:
        """The ``{proxy+}`` resources."""
        return tuple(r for r in self.resources.values() if r.parts and r.parts[-1].endswith("+}"))

    @cached_property
    def children(self) -> Mapping[tuple[str, ...], tuple[Resource, ...]]:
        """Configured parent segments → its direct non-greedy children."""
        found: dict[tuple[str, ...], list[Resource]] = {}
        for resource in self.resources.values():
            if resource.parts and not resource.parts[-1].endswith("+}"):
                found.setdefault(resource.parts[:-1], []).append(resource)
        return {parent: tuple(below) for parent, below in found.items()}

    @cached_property
    def root(self) -> Resource | None:
        """The resource ``/``."""
        return next((r for r in self.resources.values() if not r.parts), None)
