"""What the records of both doors have in common: names, lists, and what can't be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from labkit.journey import Code

VERBS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""What ``ANY`` stands for (gateway 8.10)."""
Record = Mapping[str, Any]
"""A record as the engine keeps it, under the API reference's names.

Of what a deployment freezes the gates get what the ``freeze_…`` functions made. Stages, usage plans and API
keys are live (gateway 8.1): gates read them as they are, as the control planes read everything.
"""


class Unusable(NamedTuple):
    """Why nobody gets through a route, an authorizer or an integration as it is configured."""

    code: Code
    reason: str


@dataclass(frozen=True)
class Deployment:
    """What both doors say of a deployment.

    Attributes:
        api_id: the API.
        region: its Region.
        id: the deployment's id; empty for the live configuration and for a stage without one.
    """

    api_id: str
    region: str
    id: str


class AuthorizerRecord(Protocol):
    """A Lambda authorizer, as its gate reads it."""

    @property
    def id(self) -> str:
        """The authorizer's id."""

    @property
    def identity_sources(self) -> tuple[str, ...]:
        """Where the caller's identity is, in order; together the key of the cache."""

    @property
    def identity_required(self) -> bool:
        """Whether a request without one of the sources is turned away at once."""

    @property
    def validation(self) -> str:
        """A regular expression for the first source's value; empty when there is none."""

    @property
    def ttl(self) -> int:
        """For how many seconds a result is kept; 0: it isn't."""

    @property
    def function_arn(self) -> str:
        """The function."""

    @property
    def unusable(self) -> Unusable | None:
        """Why the function can't be asked, or None."""


def text(record: Record, name: str) -> str:
    """A setting as text; empty when unset.

    >>> text({"name": "pets"}, "name"), text({"name": None}, "name")
    ('pets', '')
    """
    return str(record.get(name) or "")


def is_path_parameter(part: str) -> bool:
    """Whether a configured segment stands for any.

    >>> is_path_parameter("{petId}"), is_path_parameter("{proxy+}"), is_path_parameter("pets")
    (True, True, False)
    """
    return part.startswith("{") and part.endswith("}")


def texts(value: object) -> tuple[str, ...]:
    """A list as texts; whatever else it is has none.

    >>> texts(["a", 7]), texts("a"), texts(None)
    (('a', '7'), (), ())
    """
    return tuple(str(entry) for entry in value) if isinstance(value, list) else ()


def mapping(value: object) -> Record:
    """A mapping; whatever else it is is empty."""
    return value if isinstance(value, Mapping) else {}


def is_true(value: object) -> bool:
    """Whether a setting that may be text is true; what is neither true nor false is.

    >>> is_true("false"), is_true("True"), is_true(None)
    (False, True, False)
    """
    return str(value).lower() not in ("false", "none", "")


def number(value: object, otherwise: int) -> int:
    """A whole number of at most 18 digits that may be text.

    >>> number("60", 300), number(None, 300), number("soon", 300), number("9" * 5_000, 300)
    (60, 300, 300, 300)
    """
    digits = str(value)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else otherwise
