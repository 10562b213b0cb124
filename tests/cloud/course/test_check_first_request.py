"""Task 0.1's check: each wrong answer that people hand over gets its own sentence."""

import requests

from labkit.course.tasks import Demo
from labkit.lab.session import Lab
from tests.cloud.course.wrong_states import WrongState, cases, prove, sentences_of


def nothing(_lab: Lab, _demo: Demo) -> None:
    return None


def the_status_only(lab: Lab, demo: Demo) -> int:
    return lab.http.get(f"{demo.invoke_url}/demo").status_code


def another_path(lab: Lab, demo: Demo) -> requests.Response:
    return lab.http.get(f"{demo.invoke_url}/demos")


def another_stage(lab: Lab, demo: Demo) -> requests.Response:
    return lab.http.get(f"{demo.invoke_url}".replace("/dev", "/demo"))


def another_verb(lab: Lab, demo: Demo) -> requests.Response:
    return lab.http.post(f"{demo.invoke_url}/demo")


def another_host(lab: Lab, _demo: Demo) -> requests.Response:
    return lab.http.post("https://cognito-idp.us-east-1.amazonaws.com/")


def a_made_up_token(lab: Lab, demo: Demo) -> requests.Response:
    return lab.http.get(f"{demo.invoke_url}/demo", headers={"Authorization": "let-me-in"})


WRONG = [
    WrongState("0.1", 6, nothing, "You handed over NoneType"),
    WrongState("0.1", 6, the_status_only, "You handed over int"),
    WrongState("0.1", 6, another_path, "You called GET /dev/demos"),
    WrongState("0.1", 6, another_stage, "You called GET /demo:"),
    WrongState("0.1", 6, another_verb, "You called POST /dev/demo"),
    WrongState("0.1", 6, another_host, "This request went to cognito-idp"),
    WrongState("0.1", 6, a_made_up_token, "brought an Authorization header"),
]


@cases(*WRONG)
def test_a_wrong_answer_gets_its_sentence(lab: Lab, state: WrongState) -> None:
    prove(lab, state, WRONG)


def test_each_answer_has_a_sentence_of_its_own() -> None:
    assert len(sentences_of(WRONG)) == len(WRONG)


def test_the_right_answer_passes_and_is_kept(lab: Lab) -> None:
    demo = lab.start_task(6)
    assert (
        "it found no token"
        in str(lab.check("0.1", lab.http.get(f"{demo.invoke_url}/demo"))).lower()
    )
    assert "0.1" in lab.progress().records.tasks
