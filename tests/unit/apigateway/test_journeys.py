"""The journeys that are kept: the newest first, also when a client chooses an id again."""

from labkit.journey import Journey
from labkit.local.apigateway.journeys import KEPT_JOURNEYS, Journeys


def test_an_id_that_comes_again_is_the_newest() -> None:
    journeys = Journeys()
    for number in range(KEPT_JOURNEYS):
        journeys.keep(Journey(str(number), "GET", "/first"))
    journeys.keep(Journey("0", "GET", "/again"))
    assert [one.path for one in journeys.last(2)] == ["/again", "/first"]
    journeys.keep(Journey("one more", "GET", "/last"))
    again = journeys.find("0")
    assert again is not None
    assert again.path == "/again"
    assert journeys.find("1") is None
    assert len(journeys.last(2 * KEPT_JOURNEYS)) == KEPT_JOURNEYS
