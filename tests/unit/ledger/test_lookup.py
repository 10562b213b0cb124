"""``python -m labkit.local ledger --row``: a row with its fact and the fact's sources."""

from __future__ import annotations

import pytest

from labkit.local.__main__ import main
from labkit.local.ledger import rows
from labkit.local.ledger.lookup import UnknownRowError, look_up


def test_a_fact_shows_its_text_its_sources_and_all_its_rows() -> None:
    shown = look_up("gateway-2.7")
    assert "`method.request.header.<Name>`" in shown
    assert (
        "https://github.com/awsdocs/amazon-api-gateway-developer-guide/blob/main/doc_source"
        "/apigateway-integrate-with-cognito.md" in shown
    )
    of_the_fact = {row.id for row in rows() if "gateway 2.7" in row.facts}
    assert of_the_fact
    for name in of_the_fact:
        assert f"\n{name}  " in shown
    assert "gateway-2.8" not in shown


def test_a_row_shows_its_fact() -> None:
    shown = look_up("http-13.8-claims")
    assert shown.startswith("gateway 13.8  ")
    assert "http-13.8-claims  measured" in shown
    assert "http-13.8-scopes" not in shown


def test_the_beginning_of_ids_shows_the_rows_that_begin_so() -> None:
    shown = look_up("cognito-1.1")
    assert "cognito-1.1  recorded" in shown
    assert "cognito-1.1b  recorded" in shown
    assert "cognito-1.11" not in shown


@pytest.mark.parametrize("name", ["edge-E1.7", "recorded-1.51", "cognito-C-3", "symptoms-12"])
def test_a_fact_without_a_row_says_so(name: str) -> None:
    assert look_up(name).endswith("No row of the ledger stands on it.")


def test_every_row_can_be_looked_up() -> None:
    for row in rows():
        assert row.case in look_up(row.id)


def test_an_unknown_row_names_the_nearest_in_one_sentence() -> None:
    with pytest.raises(
        UnknownRowError, match=r"no fact gateway-2\.99\. The nearest: .*gateway-2\.9"
    ):
        look_up("gateway-2.99")


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "--row", "gateway-2.7"]) == 0
    assert capsys.readouterr().out.startswith("gateway 2.7  ")
    assert main(["ledger", "--row", "nothing-like-it"]) == 1
    assert capsys.readouterr().err.startswith("The ledger has no row")


def test_the_row_belongs_to_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--row", "gateway-2.7"])
    assert "--row belongs to ledger" in capsys.readouterr().err
