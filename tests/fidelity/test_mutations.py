"""A gate that is wrong on purpose turns rows of the ledger red: they would notice if the real one were."""

from __future__ import annotations

import pytest

from labkit.journey import GATES
from labkit.local.ledger import rows
from tests.fidelity.mutations import MUTATIONS
from tests.fidelity.steered import SteeredGateway, SteeredRunner

BY_ID = {row.id: row for row in rows()}
AUTHORIZERS = ("COGNITO_USER_POOLS", "AWS_IAM", "TOKEN", "REQUEST")


def test_every_gate_is_made_wrong() -> None:
    gates = {gate for gate in GATES if gate != "authorizer"}
    assert {m.gate for m in MUTATIONS.values()} == gates | {
        f"authorizer ({kind})" for kind in AUTHORIZERS
    }


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_ledger_notices(name: str, steered_gateway: SteeredGateway) -> None:
    runner = SteeredRunner(steered_gateway)
    looked_at = [BY_ID[row_id] for row_id in MUTATIONS[name].rows]
    for row in looked_at:
        runner.run(row)
    steered_gateway.steer(mutation=name)
    unnoticed = []
    try:
        for row in looked_at:
            try:
                runner.run(row)
            except (AssertionError, pytest.fail.Exception):
                continue
            unnoticed.append(row.id)
    finally:
        steered_gateway.steer(mutation=None)
    assert looked_at
    assert not unnoticed
