"""Somebody names a notebook as it comes to mind."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.course.copies import master_files
from labkit.course.notebook_names import find_notebook
from labkit.errors import CopyError

NAMES = master_files(Path(__file__).resolve().parents[3])
FOUR = "lab/04-configure-the-cognito-authorizer.ipynb"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *((text, FOUR) for text in ("04", "4", " 4 ", "lab/04", "lab/4", "LAB/04", "lab\\04")),
        *((text, FOUR) for text in ("04-configure-the-cognito-authorizer", "configure", FOUR)),
        *((f"{folder}{FOUR}", FOUR) for folder in ("notebooks/", "./my-notebooks/", "my-notebooks\\")),
        *((text, "00-start-here.ipynb") for text in ("0", "00", "start-here", "my-notebooks/00")),
        ("throttling", "modes/throttling.ipynb"),
        ("cognito-user-pool", "modes/cognito-user-pool.ipynb"),
        ("429", "challenges/living-with-429.ipynb"),
        ("sign-in", "lab/06-sign-in-and-call.ipynb"),
    ],
)  # fmt: skip
def test_a_name(text: str, name: str) -> None:
    assert find_notebook(text, NAMES) == name


@pytest.mark.parametrize("text", ["06b", "6b", "lab/6B", "strangers"])
def test_a_number_with_a_letter(text: str) -> None:
    assert find_notebook(text, NAMES) == "lab/06b-close-the-door-to-strangers.ipynb"


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".ipynb")])
def test_each_notebook_has_its_own_name(name: str) -> None:
    assert find_notebook(name, NAMES) == name
    assert find_notebook(name.rpartition("/")[2].removesuffix(".ipynb"), NAMES) == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "user-pool",
            ["lab/02-create-the-user-pool", " or modes/cognito-user-pool", "one of them"],
        ),
        ("lambda", ["lab/01-create-the-lambda-function", "modes/lambda-authorizer"]),
        ("trotling", ["no notebook 'trotling'", "modes/throttling"]),
        ("modes/04", ["no notebook 'modes/04'"]),
        ("44", ["no notebook '44'"]),
        ("", ["no notebook ''", "such as 04"]),
        ("²", ["no notebook"]),
        ("task-6.postman_collection.json", ["no notebook"]),
    ],
)
def test_what_is_none_or_several_gets_a_sentence(text: str, words: list[str]) -> None:
    with pytest.raises(CopyError) as caught:
        find_notebook(text, NAMES)
    for word in words:
        assert word in str(caught.value)


@given(st.text())
def test_any_text_finds_a_notebook_or_gets_a_sentence(text: str) -> None:
    try:
        found = find_notebook(text, NAMES)
    except CopyError as error:
        found = str(error)
    assert found in NAMES or (found.endswith(".") and found.isprintable())
