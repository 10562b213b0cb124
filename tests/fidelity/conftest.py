"""Clouds whose gateway is steered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fidelity.http_api_fixture import HttpGateway, with_an_issuer
from tests.fidelity.steered import SteeredGateway
from tests.support.gateway import Gateway
from tests.support.running_cloud import running_cloud


@pytest.fixture(scope="session")
def gateway_a_day_later(
    tmp_path_factory: pytest.TempPathFactory, start: float
) -> Iterator[Gateway]:
    """APIs on a cloud whose gateway's clock is a day ahead: every token has expired."""
    directory = tmp_path_factory.mktemp("later")
    with running_cloud(directory, start, "tests.fidelity.cloud_a_day_later") as started:
        yield Gateway(started)


@pytest.fixture(scope="session")
def steered_gateway(
    tmp_path_factory: pytest.TempPathFactory, start: float
) -> Iterator[SteeredGateway]:
    """APIs on a cloud whose gateway's clock the tests move, and whose gates they can make wrong."""
    directory = tmp_path_factory.mktemp("steered")
    with running_cloud(directory, start, "tests.fidelity.steered_cloud") as started:
        gateway = SteeredGateway(started)
        yield gateway
        gateway.close()


@pytest.fixture(scope="session")
def http_gateway(steered_gateway: SteeredGateway) -> Iterator[HttpGateway]:
    """HTTP APIs on that cloud, and an issuer of tokens."""
    with with_an_issuer(steered_gateway) as made:
        yield made
