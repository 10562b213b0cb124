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
from tests.fidelity.control_plane_runner import run_row as run_control_plane_row
from tests.fidelity.http_api_fixture import HttpGateway, HttpRunner
from tests.fidelity.overlooked import overlook
from tests.fidelity.runner import Runner
from tests.fidelity.settings_runner import SettingsRunner
from tests.fidelity.steered import SteeredGateway, SteeredRunner
from tests.fidelity.test_cognito_ledger import run_row
from tests.fidelity.test_mutations import unnoticed
from tests.support.gateway import Gateway
from tests.support.in_process_cloud import cognito_in_use

DRAWN = 60
BY_ID = {row.id: row for row in rows()}


def ids_in(*files: str) -> set[str]:
    return {row.id for file in files for row in rows(file)}


OF_COGNITO = ids_in("cognito.toml", "cognito_accounts.toml")
OF_CONTROL_PLANES = ids_in("control_plane.toml")
OF_SETTINGS = ids_in("settings.toml")
OF_HTTP_APIS = ids_in("http_api.toml")
OF_REST_APIS = {row.id for row in rows("gateway.toml") if "a day later" not in row.setup}
STEERED = ids_in(
    "gateway_authorization.toml",
    "gateway_integrations.toml",
    "gateway_limits.toml",
    "rest_jwt.toml",
)
RUN = OF_COGNITO | OF_CONTROL_PLANES | OF_SETTINGS | OF_HTTP_APIS | OF_REST_APIS | STEERED
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
        and RUN & set(member.setting.why)
    ]


def name_of(member: Member) -> str:
    return f"{member.service}-{member.operation}-{member.path}"


ALL = {name_of(member): member for member in enforced()}
NAMES = sorted(ALL)
if not os.environ.get("LABKIT_ALL_SETTINGS"):
    NAMES = sorted(random.Random(0).sample(NAMES, DRAWN))


class Rows:
    """Runs rows on one cloud, those of gateways in situations that are made for them."""

    def __init__(self, steered: SteeredGateway, http: HttpGateway) -> None:
        self._steered, self._http = steered, http
        self._settings = SettingsRunner(steered)

    def run(self, row: Row) -> None:
        if row.id in OF_CONTROL_PLANES:
            run_control_plane_row(row)
        elif row.id in OF_SETTINGS:
            self._settings.run(row)
        elif row.id in OF_HTTP_APIS:
            self._anew(self._http, HttpRunner(self._http), row)
        elif row.id in OF_REST_APIS:
            self._steered.steer(reset=True, run=True)
            self._anew(self._steered, Runner(self._steered), row)
        else:
            self._anew(self._steered, SteeredRunner(self._steered), row)

    def _anew(self, gateway: Gateway, runner: Runner, row: Row) -> None:
        name = row.setup.removesuffix(", anew")
        gateway.forget(name)
        try:
            runner.run(row)
        finally:
            gateway.forget(name)


@pytest.fixture(scope="module")
def ledger(steered_gateway: SteeredGateway, http_gateway: HttpGateway) -> Rows:
    return Rows(steered_gateway, http_gateway)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_row_notices(name: str, ledger: Rows, steered_gateway: SteeredGateway) -> None:
    """One of the member's rows is red while it is overlooked, and green otherwise."""
    member = ALL[name]
    what = (member.service, member.operation, member.path)
    looked_at = [BY_ID[one] for one in member.setting.why if one in RUN]
    steered_gateway.steer(overlook=what)
    try:
        with ExitStack() as stack:
            overlook(stack, *what)
            red = _first_red([row for row in looked_at if row.id not in OF_COGNITO], ledger.run)
    finally:
        steered_gateway.steer(overlook=None)
    if red is not None:
        ledger.run(red)
        return
    with cognito_in_use() as cognito, ExitStack() as stack:
        overlook(stack, *what)
        red = _first_red(
            [row for row in looked_at if row.id in OF_COGNITO], lambda row: run_row(cognito, row)
        )
    assert red, f"{name}: nobody notices when it is overlooked: {member.setting.why}"
    with cognito_in_use() as cognito:
        run_row(cognito, red)


def _first_red(looked_at: list[Row], run: Callable[[Row], None]) -> Row | None:
    return next((row for row in looked_at if _is_red(row, run)), None)


def _is_red(row: Row, run: Callable[[Row], None]) -> bool:
    try:
        return not unnoticed([row], run)
    except Exception:  # a situation can't even be made
        return True


def test_there_are_enough() -> None:
    assert len(ALL) >= 10 * DRAWN, len(ALL)
