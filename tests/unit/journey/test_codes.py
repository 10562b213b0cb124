"""The catalogue of codes: what a programmer may rely on."""

import json
import re
from pathlib import Path

import labkit
from labkit.journey import Code, Journey, Step


def test_a_code_is_text_of_the_form_part_dot_matter() -> None:
    form = re.compile(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*")
    assert [code for code in Code if not form.fullmatch(code)] == []


def test_a_meaning_says_one_thing_in_one_short_line() -> None:
    assert [code for code in Code if not 5 < len(code.meaning) <= 90] == []
    assert [code for code in Code if "\n" in code.meaning or code.meaning.endswith(".")] == []


def test_a_step_carries_its_code_through_json() -> None:
    step = Step("route", "stop", "no such path", {"stage": "dev"}, Code.ROUTE_NOT_FOUND)
    data = json.loads(json.dumps(Journey("id", "GET", "/", 403, [step]).to_dict()))
    assert set(data["steps"][0]) == {"gate", "outcome", "code", "reason", "evidence"}
    assert data["steps"][0]["code"] == "route.not-found"
    assert Journey.from_dict(data).steps == [step]


def test_the_gateway_sets_every_code() -> None:
    sources = Path(labkit.__file__).parent.joinpath("local", "apigateway").rglob("*.py")
    used = set(re.findall(r"\bCode\.([A-Z_]+)\b", "".join(map(Path.read_text, sources))))
    assert used == set(Code.__members__)
