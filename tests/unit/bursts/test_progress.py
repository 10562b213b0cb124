"""How far a burst is: in a line that ends the same on every run."""

import pytest

from labkit.bursts.progress import TextBar, bar


def test_the_bar() -> None:
    assert bar(0, 10) == "░" * 24 + " 0 of 10"
    assert bar(10, 10) == "█" * 24 + " 10 of 10"


def test_what_is_quick_only_gets_its_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    quick = TextBar()
    quick.update(range(3), 10)
    quick.finish("10 requests sent")
    assert capsys.readouterr().out == "10 requests sent\n"


def test_the_line_is_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    slow = TextBar(quiet_seconds=-1)
    for done in (5, 5, 10):
        slow.update(range(done), 10)
    slow.finish("done")
    first, second = bar(5, 10), bar(10, 10)
    assert capsys.readouterr().out == f"\r{first}\r{second}\r" + " " * len(second) + "\rdone\n"
