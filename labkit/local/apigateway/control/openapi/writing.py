"""Writes an API definition as YAML."""

from __future__ import annotations

from typing import Any

import yaml

from labkit.local.apigateway.control.openapi.reading import NUMBER


class _Dumper(yaml.SafeDumper):
    """SafeDumper without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """A part that comes twice is written twice."""
        return True


# PyYAML takes 1e3 for text, other readers for a number: as text it needs quotes.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, list("-0123456789"))


def as_yaml(document: dict[str, Any]) -> str:
    """A definition as YAML, its members in their order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
