"""Every member of every operation that is offered, with its verdict: ``python -m labkit.local ledger --settings``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from labkit.local.offered import PATCHES, VERDICTS, Offer, Setting, offer_of, services
from labkit.service_models import extra_search_paths

REFUSED = Setting("refused", ())


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an operation, a leaf of its input.

    Attributes:
        service: by botocore's name.
        operation: whose member it is.
        path: ``Policies.PasswordPolicy.MinimumLength``, or the path of a patch operation.
        setting: its verdict.
    """

    service: str
    operation: str
    path: str
    setting: Setting


@cache
def members_of(service: str) -> tuple[Member, ...]:
    """All members of the operations of a service that take settings, as botocore's model has them."""
    offer = offer_of(service)
    return tuple(
        Member(service, operation, path, _setting_of(offer, operation, path))
        for operation in offer.settings
        for path in _paths(service, operation)
    )


def _paths(service: str, operation: str) -> Iterator[str]:
    """The members of an operation; in place of those of patch operations the paths that the list names."""
    model = _model(service)
    for path in leaves(model, model["operations"][operation]["input"]["shape"]):
        if not path.startswith(f"{PATCHES}."):
            yield path
    yield from (one for one in offer_of(service).settings[operation] if one.startswith("/"))


def leaves(
    model: dict[str, Any], shape_name: str, path: str = "", inside: tuple[str, ...] = ()
) -> Iterator[str]:
    """The paths of the members below a shape that hold no further members; a shape within itself ends there."""
    shape = model["shapes"][shape_name]
    kind = shape["type"]
    if kind == "structure" and shape["members"] and shape_name not in inside:
        for name, target in shape["members"].items():
            here = f"{path}.{name}" if path else name
            yield from leaves(model, target["shape"], here, (*inside, shape_name))
    elif kind == "list":
        yield from leaves(model, shape["member"]["shape"], path, inside)
    elif kind == "map" and _holds_members(model, shape["value"]["shape"]):
        yield from leaves(model, shape["value"]["shape"], f"{path}.*", inside)
    else:
        yield path


def counts(service: str) -> dict[str, int]:
    """How many members of a service have each verdict."""
    found = Counter(member.setting.verdict for member in members_of(service))
    return {verdict: found[verdict] for verdict in VERDICTS}


def count_table() -> str:
    """The counts of all services, as a table of Markdown."""
    lines = ["| Service | Operations | " + " | ".join(map(str.capitalize, VERDICTS)) + " |"]
    lines.append("| --- |" + " --- |" * (1 + len(VERDICTS)))
    for service in sorted(services()):
        offer = offer_of(service)
        numbers = [len(offer.reads) + len(offer.settings), *counts(service).values()]
        lines.append(f"| {service} | " + " | ".join(map(str, numbers)) + " |")
    return "\n".join(lines)


def table() -> str:
    """All members as text, one line each, then the counts."""
    lines = [
        f"{member.service} {member.operation}.{member.path}  {member.setting.verdict}"
        f"{_shown(member.setting)}"
        for service in sorted(services())
        for member in members_of(service)
    ]
    return "\n".join([*lines, "", count_table()])


def _shown(setting: Setting) -> str:
    only = "" if setting.only is None else f"  only: {', '.join(map(str, setting.only)) or '-'}"
    return only + (f"  {', '.join(setting.why)}" if setting.why else "")


def _setting_of(offer: Offer, operation: str, path: str) -> Setting:
    known = offer.settings[operation]
    parts = path.split(".")
    above = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((known[one] for one in above if one in known), REFUSED)


def _holds_members(model: dict[str, Any], shape_name: str) -> bool:
    shape = model["shapes"][shape_name]
    if shape["type"] == "list":
        return _holds_members(model, shape["member"]["shape"])
    return bool(shape["type"] == "structure")


@cache
def _model(service: str) -> dict[str, Any]:
    from botocore.loaders import Loader

    loader = Loader(extra_search_paths=extra_search_paths())
    model: dict[str, Any] = loader.load_service_model(service, "service-2")
    return model
