"""A gate that is wrong on purpose turns rows of the ledger red: they would notice if the real one were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from labkit.journey import GATES
from labkit.local.ledger import Row, rows
from tests.fidelity import control_plane_mutations
from tests.fidelity.control_plane_runner import run_row as run_control_plane_row
from tests.fidelity.http_api_fixture import HttpGateway, HttpRunner
from tests.fidelity.iam_situations import SETUPS, Account
from tests.fidelity.mutations import MUTATIONS
from tests.fidelity.operation_rows import run_row as run_operation_row
from tests.fidelity.steered import SteeredGateway, SteeredRunner
from tests.fidelity.test_cognito_ledger import run_row
from tests.support.in_process_cloud import cognito_in_use
from tests.support.running_cloud import Cloud

BY_ID = {row.id: row for row in rows()}
BY_DOOR = {
    door: [name for name in MUTATIONS if name.startswith(door)]
    for door in (control_plane_mutations.GATE, "http ", "iam", "sign-in")
}
OF_REST_APIS = [name for name in MUTATIONS if not name.startswith(tuple(BY_DOOR))]
AUTHORIZERS = ("COGNITO_USER_POOLS", "JWT", "AWS_IAM", "TOKEN", "REQUEST")
HTTP_AUTHORIZERS = ("JWT", "AWS_IAM", "REQUEST")
HTTP_GATES = {"route", "throttle", "integration"}
"""Those that an HTTP API has, beside the authorizer."""


def test_every_gate_is_made_wrong() -> None:
    rest = {gate for gate in GATES if gate != "authorizer"}
    rest |= {f"authorizer ({kind})" for kind in AUTHORIZERS}
    http = HTTP_GATES | {f"authorizer ({kind})" for kind in HTTP_AUTHORIZERS}
    assert {m.gate for m in MUTATIONS.values()} == (
        rest | {f"http {gate}" for gate in http} | {"iam", "sign-in", control_plane_mutations.GATE}
    )


def unnoticed(looked_at: list[Row], run: Callable[[Row], object]) -> list[str]:
    """The rows that stay green."""
    found = []
    for row in looked_at:
        try:
            run(row)
        except (AssertionError, pytest.fail.Exception):
            continue
        found.append(row.id)
    return found


def check(name: str, mutated: AbstractContextManager[None], run: Callable[[Row], object]) -> None:
    """The mutation's rows are green without it, and red while `mutated` is entered."""
    looked_at = [BY_ID[row_id] for row_id in MUTATIONS[name].rows]
    assert looked_at
    assert unnoticed(looked_at, run) == list(MUTATIONS[name].rows)
    with mutated:
        assert unnoticed(looked_at, run) == []


def keys_of(cloud: Cloud) -> dict[str, str]:
    """boto3's arguments for the root user of a cloud."""
    return {
        "endpoint_url": cloud.endpoint,
        "region_name": cloud.region,
        "aws_access_key_id": cloud.access_key_id,
        "aws_secret_access_key": cloud.secret_access_key,
    }


@contextmanager
def steered(gateway: SteeredGateway, name: str) -> Iterator[None]:
    """The mutation, in a cloud in a process of its own."""
    gateway.steer(mutation=name)
    try:
        yield
    finally:
        gateway.steer(mutation=None)


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_REST_APIS)
def test_the_ledger_of_rest_apis_notices(name: str, steered_gateway: SteeredGateway) -> None:
    check(name, steered(steered_gateway, name), SteeredRunner(steered_gateway).run)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_DOOR["http "])
def test_the_ledger_of_http_apis_notices(
    name: str, steered_gateway: SteeredGateway, http_gateway: HttpGateway
) -> None:
    check(name, steered(steered_gateway, name), HttpRunner(http_gateway).run)


@pytest.mark.parametrize("name", BY_DOOR[control_plane_mutations.GATE])
def test_the_ledger_of_the_control_planes_notices(name: str) -> None:
    check(name, MUTATIONS[name].applied_to(None), run_control_plane_row)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_DOOR["iam"])
def test_the_ledger_of_iam_notices(name: str, steered_gateway: SteeredGateway) -> None:
    account = Account(keys_of(steered_gateway.cloud))
    check(
        name,
        steered(steered_gateway, name),
        lambda row: run_operation_row(row, SETUPS[row.setup](account), "iam"),
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_DOOR["sign-in"])
def test_the_ledger_of_user_pools_notices(name: str) -> None:
    with cognito_in_use() as cognito:
        check(name, MUTATIONS[name].applied_to(cognito), lambda row: run_row(cognito, row))
