"""Patch operations of REST APIs: for each kind of record a table of paths with the operations that they take.

A path is a JSON pointer: ``~1`` stands for a slash in a name, ``~0`` for a tilde. Values are text.
Source: https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html, and the refusals as recorded.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labkit.local.apigateway.control.refusals import bad_request
from labkit.local.json_protocol import ApiError

JsonObject = dict[str, Any]
ANY = "{}"
"""Stands in a template for one name: the key of a map, or a member of a list."""
_WHOLE = re.compile("-?[0-9]{1,9}")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class PatchOperation:
    """A patch operation.

    Attributes:
        op: ``add``, ``remove``, ``replace``, ``copy``…
        path: as given.
        value: text, or None.
        source: ``from``, of a copy.
    """

    op: str
    path: str
    value: str | None
    source: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the path, unescaped."""
        return names_in(self.path)


@dataclass(frozen=True, slots=True)
class PatchPath:
    """A path that takes patch operations.

    Attributes:
        template: ``/name``, ``/requestParameters/{}``.
        operations: those that it takes.
        kind: ``text``, ``boolean``, ``integer`` or ``number``; ``list``: the last name is a member.
    """

    template: str
    operations: tuple[str, ...] = ("replace",)
    kind: str = "text"

    def fits(self, names: tuple[str, ...]) -> bool:
        """Whether a path is one of these."""
        wanted = names_in(self.template)
        return len(wanted) == len(names) and all(
            w in (ANY, n) for w, n in zip(wanted, names, strict=True)
        )


RefusePath = Callable[[PatchOperation], ApiError]
RefuseOperation = Callable[[PatchOperation, PatchPath], ApiError]


@dataclass(frozen=True, slots=True)
class PatchTable:
    """The paths of one kind of record.

    Attributes:
        paths: all.
        refuse_path: the refusal of a path that isn't there.
        refuse_operation: the refusal of an operation that its path doesn't take.
    """

    paths: tuple[PatchPath, ...]
    refuse_path: RefusePath
    refuse_operation: RefuseOperation

    def find(self, patch: PatchOperation) -> PatchPath:
        """The path of a patch operation.

        Raises:
            ApiError: it has none, or it doesn't take the operation.
        """
        names = patch.names
        found = next((path for path in self.paths if path.fits(names)), None)
        if found is None or not patch.path.startswith("/"):
            raise self.refuse_path(patch)
        if patch.op not in found.operations:
            raise self.refuse_operation(patch, found)
        return found

    def apply(self, record: Mapping[str, Any], patches: Iterable[PatchOperation]) -> JsonObject:
        """A changed copy of a record.

        Raises:
            ApiError: a patch is refused; the record is as it was.
        """
        changed = copy.deepcopy(dict(record))
        for patch in patches:
            apply_patch(changed, patch, self.find(patch))
        return changed


def patches_of(operations: Iterable[Mapping[str, Any]]) -> list[PatchOperation]:
    """The patch operations of a request, which the model has been held against."""
    return [
        PatchOperation(
            str(one.get("op")), str(one.get("path") or ""), one.get("value"), one.get("from")
        )
        for one in operations
    ]


def names_in(path: str) -> tuple[str, ...]:
    """The names in a JSON pointer.

    >>> names_in("/requestModels/application~1json")
    ('requestModels', 'application/json')
    """
    return tuple(
        name.replace("~1", "/").replace("~0", "~") for name in path.removeprefix("/").split("/")
    )


def apply_patch(record: JsonObject, patch: PatchOperation, path: PatchPath) -> None:
    """Change a record in place. Empty text takes a member away (recorded 4.15), and a template is null (recorded 8.44).

    Raises:
        ApiError: the value isn't of the path's kind.
    """
    *above, last = patch.names
    if path.kind == "list":
        _patch_list(record, above, last, patch)
        return
    parents = [record]
    for name in above:
        parent = parents[-1].get(name)
        if not isinstance(parent, dict):
            parent = {}
            if patch.op != "remove":
                parents[-1][name] = parent
        parents.append(parent)
    value = None if patch.op == "remove" else converted(path.kind, patch)
    is_entry = path.template.endswith(f"/{ANY}")
    if patch.op == "remove" or (value == "" and not is_entry):
        parents[-1].pop(last, None)
        for name, parent in zip(reversed(above), reversed(parents[:-1]), strict=True):
            if parent.get(name) == {}:
                del parent[name]
    else:
        is_template = is_entry and above[-1].endswith("Templates")
        parents[-1][last] = (value or None) if is_template else value


def _patch_list(record: JsonObject, above: list[str], member: str, patch: PatchOperation) -> None:
    for name in above[:-1]:
        record = record.setdefault(name, {})
    members = record.get(above[-1]) or []
    if patch.op == "add":
        if member not in members:
            members.append(member)
    elif patch.op == "replace":
        wanted = str(patch.value or "")
        members = [wanted if one == member else one for one in members]
    else:
        members = [one for one in members if one != member]
    if members:
        record[above[-1]] = members
    else:
        record.pop(above[-1], None)


def converted(kind: str, patch: PatchOperation) -> Any:
    """The value of a patch operation as its record keeps it; what isn't ``true`` is false (recorded 3.14).

    Raises:
        ApiError: it is no number where one belongs; AWS's words for this aren't known.
    """
    value = patch.value
    if kind == "boolean":
        return str(value).lower() == "true"
    if kind in ("integer", "number"):
        wanted = _WHOLE if kind == "integer" else _NUMBER
        if value is None or not wanted.fullmatch(value) or not math.isfinite(float(value)):
            raise bad_request(f"Invalid value {value} for {patch.path}")
        return int(value) if kind == "integer" else float(value)
    return value or ""


# -- the forms of refusals ----------------------------------------------------------------------------------


def invalid_path(patch: PatchOperation) -> ApiError:
    """Of REST APIs, methods and gateway responses (recorded 1.16, 3.13, 7.11)."""
    return bad_request(f"Invalid patch path {patch.path}")


def one_of_operations(patch: PatchOperation, path: PatchPath) -> ApiError:
    """Of REST APIs and methods (recorded 1.15, 3.11)."""
    return bad_request(
        f"Invalid patch operation specified. Must be one of: [{', '.join(path.operations)}]"
    )


def choose_supported(patch: PatchOperation, path: PatchPath | None = None) -> ApiError:
    """Of resources and request validators (recorded 2.8, 5.5)."""
    return bad_request(
        f"Invalid patch path  '{patch.path}' specified for op '{patch.op}'. Please choose supported operations"
    )


def one_of_paths(*paths: str) -> RefusePath:
    """Where AWS gives the list (recorded 5.7)."""
    listed = ", ".join(paths)

    def refuse(patch: PatchOperation) -> ApiError:
        if patch.op != "replace":  # recorded 4.16
            return choose_supported(patch)
        return bad_request(
            f"Invalid patch path  '{patch.path}' specified for op '{patch.op}'. Must be one of: [{listed}]"
        )

    return refuse
