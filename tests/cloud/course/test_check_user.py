"""Task 5's checks: each wrong state that people make gets its own sentence, and the right one passes."""

from typing import Any

import boto3
import pytest

from labkit import names
from labkit.course.tasks import Demo
from labkit.lab.session import Lab
from tests.cloud.course.wrong_states import WrongState, cases, prove, sentences_of

SECOND = "second@example.com"
VERIFIED = {"Name": "email_verified", "Value": "true"}


def cognito_idp() -> Any:
    return boto3.client("cognito-idp")


def make_user(demo: Demo, address: str = names.EMAIL, **changes: Any) -> None:
    attributes = [{"Name": "email", "Value": address}, VERIFIED]
    parameters = {"UserAttributes": attributes, "MessageAction": "SUPPRESS"} | changes
    pool_id = parameters.pop("UserPoolId", demo.user_pool_id)
    cognito_idp().admin_create_user(UserPoolId=pool_id, Username=address, **parameters)


def named(demo: Demo, address: str) -> dict[str, Any]:
    return {"UserPoolId": demo.user_pool_id, "Username": address}


# -- 5.1 --


def no_user(_lab: Lab, _demo: Demo) -> None:
    pass


def another_address(_lab: Lab, demo: Demo) -> None:
    make_user(demo, "somebody@example.com")


def another_pool(_lab: Lab, demo: Demo) -> None:
    made = cognito_idp().create_user_pool(
        PoolName="another", UsernameAttributes=["email"], UserPoolTags=names.TAGS
    )
    make_user(demo, UserPoolId=made["UserPool"]["Id"])


def not_verified(_lab: Lab, demo: Demo) -> None:
    make_user(demo, UserAttributes=[{"Name": "email", "Value": names.EMAIL}])


def a_temporary_password(_lab: Lab, demo: Demo) -> None:
    make_user(demo, TemporaryPassword="Try-me-1!")


def disabled(_lab: Lab, demo: Demo) -> None:
    make_user(demo)
    cognito_idp().admin_disable_user(**named(demo, names.EMAIL))


def signed_up_alone(_lab: Lab, demo: Demo) -> None:
    cognito_idp().sign_up(ClientId=demo.client_id, Username=names.EMAIL)


def a_password_to_reset(_lab: Lab, demo: Demo) -> None:
    make_user(demo)
    named_user = named(demo, names.EMAIL)
    cognito_idp().admin_set_user_password(**named_user, Password="Try-me-1!", Permanent=True)
    cognito_idp().admin_reset_user_password(**named_user)


def no_pool(_lab: Lab, demo: Demo) -> None:
    cognito_idp().delete_user_pool(UserPoolId=demo.user_pool_id)


# -- 5.2 --


def no_second_user(_lab: Lab, demo: Demo) -> None:
    make_user(demo)


def still_stuck(_lab: Lab, demo: Demo) -> None:
    make_user(demo, SECOND, TemporaryPassword="Try-me-1!")
    cognito_idp().admin_set_user_password(
        **named(demo, SECOND), Password="Try-me-2!", Permanent=False
    )


def let_in_and_disabled(_lab: Lab, demo: Demo) -> None:
    make_user(demo, SECOND)
    cognito_idp().admin_disable_user(**named(demo, SECOND))


def made_anew_without_the_mark(_lab: Lab, demo: Demo) -> None:
    make_user(demo, SECOND, UserAttributes=[{"Name": "email", "Value": SECOND}])


# -- 5.3 --


def both_here(_lab: Lab, demo: Demo) -> None:
    make_user(demo)
    make_user(demo, SECOND)


def the_second_one_disabled(lab: Lab, demo: Demo) -> None:
    both_here(lab, demo)
    cognito_idp().admin_disable_user(**named(demo, SECOND))


def the_wrong_one_deleted(_lab: Lab, demo: Demo) -> None:
    make_user(demo, SECOND)


WRONG = [
    WrongState("5.1", 5, no_user, "It has no user at all."),
    WrongState("5.1", 5, another_address, "It has somebody@example.com."),
    WrongState("5.1", 5, another_pool, "is in another pool: another."),
    WrongState("5.1", 5, not_verified, "isn't verified: nobody has said whose mailbox that is"),
    WrongState("5.1", 5, a_temporary_password, "create it anew without TemporaryPassword"),
    WrongState("5.1", 5, disabled, "is disabled: nobody signs in so"),
    WrongState("5.1", 5, signed_up_alone, "is UNCONFIRMED: so is somebody who signed up"),
    WrongState("5.1", 5, a_password_to_reset, "is RESET_REQUIRED."),
    WrongState("5.1", 5, no_pool, "There is no user pool named"),
    WrongState("5.2", 5, no_second_user, "no user with the address second@example.com"),
    WrongState("5.2", 5, still_stuck, "Set a password that isn't temporary"),
    WrongState("5.2", 5, let_in_and_disabled, "second@example.com is disabled"),
    WrongState("5.2", 5, made_anew_without_the_mark, "second@example.com isn't verified"),
    WrongState("5.3", 5, both_here, "one user too many: second@example.com"),
    WrongState("5.3", 5, the_second_one_disabled, "is disabled, and still in the pool"),
    WrongState("5.3", 5, the_wrong_one_deleted, "Your own user learner@example.com is gone."),
]


@cases(*WRONG)
def test_a_wrong_state_gets_its_sentence(lab: Lab, state: WrongState) -> None:
    prove(lab, state, WRONG)
    for pool in cognito_idp().list_user_pools(MaxResults=60)["UserPools"]:
        if pool["Name"] == "another":
            cognito_idp().delete_user_pool(UserPoolId=pool["Id"])


def test_each_state_has_a_sentence_of_its_own() -> None:
    assert len(sentences_of(WRONG)) == len(WRONG)


def test_a_user_as_the_console_makes_it_passes(lab: Lab) -> None:
    demo = lab.start_task(5)
    make_user(
        demo,
        names.EMAIL.title(),
        UserAttributes=[VERIFIED, {"Name": "email", "Value": names.EMAIL.title()}],
        ForceAliasCreation=False,
    )
    assert "learner@example.com" in str(lab.check("5.1"))


def test_the_second_user_may_be_made_anew_without_a_password(lab: Lab) -> None:
    make_user(lab.start_task(5), SECOND)
    assert str(lab.check("5.2")).startswith("✓ Task 5.2 is done. ")


@pytest.mark.parametrize("task", ["5.1", "5.3"])
def test_the_lab_as_it_ends_passes(lab: Lab, task: str) -> None:
    lab.start_task(6)
    assert str(lab.check(task)).startswith(f"✓ Task {task} is done. ")


def test_the_address_can_be_chosen(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_EMAIL", "Me@example.org")
    lab.start_task(6)
    assert "me@example.org" in str(lab.check("5.1"))


@pytest.mark.parametrize("state", WRONG, ids=lambda state: state.make.__name__)
def test_the_next_task_heals_it(lab: Lab, state: WrongState) -> None:
    state.make(lab, lab.start_task(state.start))
    demo = lab.start_task(6)
    users = cognito_idp().list_users(UserPoolId=demo.user_pool_id)["Users"]
    [only] = [(user["UserStatus"], user["Enabled"], user["Attributes"]) for user in users]
    assert only[:2] == ("CONFIRMED", True)
    assert VERIFIED in only[2]
