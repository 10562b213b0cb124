"""The table of MiniStack's names, held against the one that is installed."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import pytest

from labkit.local.engine import names
from labkit.local.engine.ministack import MiniStack
from labkit.local.engine.patches import PATCHES, Patch
from labkit.local.instance import engine_version
from tests.support import ministack_names
from tests.support.in_process_cloud import cloud

REPLACED = (names.ACCESS_DENIED_RESPONSE, names.MAIN_LOOP, names.RESOLVE_CREDENTIAL)
"""What labkit has put its own in the place of by now."""
UNUSED = {"named_only", "direct_only"}
"""Of evaluate_resource_policy: only MiniStack's combine_resource_policy gives them, which is replaced too."""


@pytest.fixture(scope="module")
def ministack() -> Iterator[MiniStack]:
    with cloud().in_use():
        yield cloud().engine.ministack


def test_the_table_is_of_the_installed_version() -> None:
    assert engine_version() == names.VERSION


def test_every_name_is_in_the_table_once() -> None:
    for table in (names.TABLE, PATCHES):
        found = [(name.module, name.name) for name in table]
        assert len(found) == len(set(found))


@pytest.mark.usefixtures("ministack")
@pytest.mark.parametrize(
    "name", [*names.TABLE, *ministack_names.TABLE], ids=lambda name: f"{name.module}.{name.name}"
)
def test_every_name_is_there(name: names.Name) -> None:
    """Those of the services too that the start doesn't import."""
    if name not in REPLACED:
        assert name.problem() is None


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: f"{patch.module}.{patch.name}")
def test_a_replacement_takes_what_the_replaced_took(ministack: MiniStack, patch: Patch) -> None:
    replacement = ministack[patch]
    is_async, parameters = patch.shape.startswith("async "), patch.shape.partition("(")[2][:-1]
    assert inspect.iscoroutinefunction(replacement) == is_async
    wanted = inspect.signature(eval(f"lambda {parameters}: None")).parameters.values()  # noqa: S307
    kinds = inspect.Parameter
    by_place = [one.name for one in wanted if one.kind == kinds.POSITIONAL_OR_KEYWORD]
    only_by_name = [one.name for one in wanted if one.kind == kinds.KEYWORD_ONLY]
    taken = inspect.signature(replacement)
    used = [name for name in by_place if name not in UNUSED]
    taken.bind(**dict.fromkeys([*used, *only_by_name]))
    taken.bind(*used, **dict.fromkeys(only_by_name))


@pytest.mark.usefixtures("ministack")
@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: f"{patch.module}.{patch.name}")
def test_no_module_holds_what_was_replaced(patch: Patch) -> None:
    """Many import a function by its name, so that it isn't enough to replace it where it is defined."""
    where = f"ministack.{patch.module}"
    holding = [
        name
        for name, module in sys.modules.items()
        if name.startswith("ministack.")
        for value in vars(module).values()
        if inspect.isfunction(value) and (value.__module__, value.__name__) == (where, patch.name)
    ]
    assert holding == []
