"""The journeys that are kept: the newest first, also when a client chooses an id again."""

from pathlib import Path

from labkit.journey import Journey
from labkit.local import apigateway
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


def test_a_step_is_written_in_one_place() -> None:
    """Two doors that write their own forget the evidence or the code."""
    sources = Path(apigateway.__file__).parent.rglob("*.py")
    writers = [path.name for path in sources if " Step(" in path.read_text(encoding="utf-8")]
    assert writers == ["journeys.py"]
