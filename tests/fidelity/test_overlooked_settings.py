"""A setting that the product overlooks turns a row of the ledger red: the lists say *enforced* for a reason.

Sixty are drawn; LABKIT_ALL_SETTINGS tries all.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from labkit.local.ledger import Row, rows
from labkit.local.offered import services
from labkit.local.offered.inventory import Member, members_of
from tests.fidelity.overlooked import overlook
from tests.fidelity.settings_runner import SettingsRunner
from tests.fidelity.steered import SteeredGateway
from tests.fidelity.test_cognito_ledger import run_row
from tests.fidelity.test_mutations import unnoticed
from tests.support.in_process_cloud import cognito_in_use

DRAWN = 60
BY_ID = {row.id: row for row in rows()}
OVER_HTTP = {row.id for row in rows("settings.toml")}
IN_PROCESS = {row.id for file in ("cognito.toml", "cognito_accounts.toml") for row in rows(file)}
"""The rows that are run here; those of other ledgers have mutations of their own."""

IN_THE_PATH = {
    f"{operation}.{name}"
    for operation in (
        "AddPermission CreateAlias Invoke PublishVersion PutFunctionConcurrency UpdateAlias "
        "UpdateFunctionCode UpdateFunctionConfiguration"
    ).split()
    for name in ("FunctionName", "Name")
}
"""Members of Lambda that stand in the path, where nobody overlooks them."""


def enforced() -> list[Member]:
    """The enforced settings that have a row which can be run here."""
    return [
        member
        for service in sorted(services())
        for member in members_of(service)
        if member.setting.verdict == "enforced"
        and f"{member.operation}.{member.path}" not in IN_THE_PATH
        and (OVER_HTTP | IN_PROCESS) & set(member.setting.why)
    ]


def name_of(member: Member) -> str:
    return f"{member.service}-{member.operation}-{member.path}"


ALL = {name_of(member): member for member in enforced()}
NAMES = sorted(ALL)
if not os.environ.get("LABKIT_ALL_SETTINGS"):
    NAMES = sorted(random.Random(0).sample(NAMES, DRAWN))


@pytest.fixture(scope="module")
def runner(steered_gateway: SteeredGateway) -> SettingsRunner:
    return SettingsRunner(steered_gateway)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_row_notices(name: str, runner: SettingsRunner, steered_gateway: SteeredGateway) -> None:
    member = ALL[name]
    what = [member.service, member.operation, member.path]
    steered_gateway.steer(overlook=what)
    try:
        if any(_is_red(BY_ID[one], runner.run) for one in member.setting.why if one in OVER_HTTP):
            return
    finally:
        steered_gateway.steer(overlook=None)
    looked_at = [BY_ID[one] for one in member.setting.why if one in IN_PROCESS]
    with cognito_in_use() as cognito, ExitStack() as stack:
        overlook(stack, *what)
        red = [row for row in looked_at if _is_red(row, lambda row: run_row(cognito, row))]
    assert red, f"{name}: nobody notices when it is overlooked: {member.setting.why}"


def _is_red(row: Row, run: Callable[[Row], None]) -> bool:
    try:
        return not unnoticed([row], run)
    except Exception:  # a situation can't even be made
        return True


def test_there_are_enough() -> None:
    assert len(ALL) >= 4 * DRAWN, len(ALL)
