"""The rows that count days, and those that move the clock, hold on whatever day the tests begin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labkit.clock import PROCESS_CLOCK
from labkit.local.ledger import rows
from tests.fidelity.steered import SteeredGateway, SteeredRunner
from tests.support.running_cloud import running_cloud
from tests.support.start import EDGES, moment, seconds_until

ROWS = [
    row
    for row in rows("gateway_limits.toml")
    if any(word in f"{row.setup} {row.request}" for word in ("advance", "today", "quota"))
]


@pytest.fixture(scope="module", params=EDGES.values(), ids=EDGES)
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SteeredGateway]:
    before, ahead = PROCESS_CLOCK.offset, seconds_until(moment(request.param))
    directory = tmp_path_factory.mktemp("edge")
    with running_cloud(directory, ahead, "tests.fidelity.steered_cloud") as cloud:
        PROCESS_CLOCK.move_to(ahead)
        gateway = SteeredGateway(cloud)
        yield gateway
        gateway.close()
    PROCESS_CLOCK.move_to(before)


@pytest.mark.slow
def test_rows_hold(gateway: SteeredGateway) -> None:
    assert gateway.now()
    for row in ROWS:
        SteeredRunner(gateway).run(row)
