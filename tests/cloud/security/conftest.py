"""One running cloud for all attacks, with the whole lab in it."""

from collections.abc import Iterator

import pytest
from botocore.credentials import Credentials

import labkit
from tests.support.attached_cloud import environment, start_ahead
from tests.support.attacker import Attacker


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacker]:
    directory = tmp_path_factory.mktemp("attacked")
    place = {"LABKIT_STATE_DIR": str(directory), "LABKIT_CLOUD": "local"}
    with environment(**place):
        start_ahead()
        lab = labkit.start()
        demo = lab.start_task(7)
    try:
        cloud = Attacker(lab, directory, demo)
        yield cloud
        cloud.nothing_leaked()
    finally:
        with environment(**place):
            labkit.stop()


@pytest.fixture(scope="session")
def limited(cloud: Attacker) -> Credentials:
    """The keys of a user who may list user pools, and nothing else."""
    return cloud.user("limited", "cognito-idp:ListUserPools")


@pytest.fixture(autouse=True, scope="module")
def _nothing_was_made(cloud: Attacker) -> Iterator[None]:
    """No attack may have made or changed anything, under whatever name."""
    before = cloud.inventory()
    yield
    assert cloud.inventory() == before
