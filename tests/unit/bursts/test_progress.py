"""How far a burst is: in a line that ends the same on every run, and as a widget with the same line."""

import pytest

from labkit.bursts import progress
from labkit.bursts.progress import Silence, TextBar, WidgetBar, bar


def test_the_bar() -> None:
    assert bar(0, 10) == "░" * 24 + " 0 of 10"
    assert bar(10, 10) == "█" * 24 + " 10 of 10"
    assert bar(0, 0) == "█" * 24 + " 0 of 0"


def test_what_is_quick_only_gets_its_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    quick = TextBar()
    quick.update(3, 10)
    quick.finish("10 requests sent")
    assert capsys.readouterr().out == "10 requests sent\n"


def test_the_line_is_written_over(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_QUIET_SECONDS", -1)
    slow = TextBar()
    for done in (5, 5, 10):
        slow.update(done, 10)
    slow.finish("done")
    first, second = bar(5, 10), bar(10, 10)
    assert capsys.readouterr().out == f"\r{first}\r{second}\r" + " " * len(second) + "\rdone\n"


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    Silence().update(1, 2)
    Silence().finish("done")
    assert capsys.readouterr().out == ""


def test_the_widget_says_what_the_text_says(capsys: pytest.CaptureFixture[str]) -> None:
    widget = WidgetBar()
    capsys.readouterr()
    widget.update(3, 10)
    assert (widget.bar.value, widget.bar.max, widget.text.value) == (3, 10, "3 of 10")
    widget.finish("10 requests sent")
    assert widget.text.value == "10 requests sent"
    assert capsys.readouterr().out == "10 requests sent\n"
