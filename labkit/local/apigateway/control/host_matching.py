"""Which hosts a custom domain name serves."""

from __future__ import annotations


def names_domain(domain_name: str, host: str) -> bool:
    """Whether a wildcard stands for a host: ``*`` is exactly one label (edge E9).

    >>> names_domain("*.example.com", "api.example.com")
    True
    >>> names_domain("*.example.com", "a.b.example.com")
    False
    """
    label, _dot, above = host.partition(".")
    return domain_name.startswith("*.") and bool(label) and domain_name[2:] == above
