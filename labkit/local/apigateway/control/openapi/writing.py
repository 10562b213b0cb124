"""Writes an API definition as YAML."""

from __future__ import annotations

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """SafeDumper without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """A part that comes twice is written twice."""
        return True


def as_yaml(document: dict[str, Any]) -> str:
    """A definition as YAML, its members in their order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
