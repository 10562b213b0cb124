"""Task 6b's checks: each wrong state that people make gets its own sentence, and the right one passes."""

from typing import Any

import boto3
import pytest

from labkit import names
from labkit.course.tasks import Demo
from labkit.lab.session import Lab
from tests.cloud.course.wrong_states import WrongState, cases, prove, sentences_of

STRANGER = "learner+stranger@example.com"
CLOSED: dict[str, Any] = {"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True}}
KEPT: dict[str, Any] = {
    "AutoVerifiedAttributes": ["email"],
    "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}},
    "UserPoolTags": names.TAGS,
}


def cognito_idp() -> Any:
    return boto3.client("cognito-idp")


def update(demo: Demo, **settings: Any) -> None:
    cognito_idp().update_user_pool(UserPoolId=demo.user_pool_id, **settings)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in KEPT.items() if key != name}


def named(demo: Demo, address: str = STRANGER) -> dict[str, Any]:
    return {"UserPoolId": demo.user_pool_id, "Username": address}


def sign_up(demo: Demo) -> None:
    cognito_idp().sign_up(ClientId=demo.client_id, Username=STRANGER)


def come_in(lab: Lab, demo: Demo) -> None:
    sign_up(demo)
    code = lab.inbox.wait_for_code(STRANGER)
    cognito_idp().confirm_sign_up(ClientId=demo.client_id, Username=STRANGER, ConfirmationCode=code)


# -- 6b.1 --


def nobody_came(_lab: Lab, _demo: Demo) -> None:
    pass


def nobody_can_come(_lab: Lab, demo: Demo) -> None:
    update(demo, **CLOSED, **KEPT)


def not_confirmed(_lab: Lab, demo: Demo) -> None:
    sign_up(demo)


def not_confirmed_without_a_code(_lab: Lab, demo: Demo) -> None:
    update(demo, **without("AutoVerifiedAttributes"))
    sign_up(demo)


def confirmed_by_an_administrator(_lab: Lab, demo: Demo) -> None:
    sign_up(demo)
    cognito_idp().admin_confirm_sign_up(**named(demo))


def made_by_an_administrator(_lab: Lab, demo: Demo) -> None:
    cognito_idp().admin_create_user(
        **named(demo), TemporaryPassword="Try-me-1!", MessageAction="SUPPRESS"
    )


def disabled_at_once(lab: Lab, demo: Demo) -> None:
    come_in(lab, demo)
    cognito_idp().admin_disable_user(**named(demo))


# -- 6b.2 --


def open_as_before(_lab: Lab, _demo: Demo) -> None:
    pass


def policies_lost(_lab: Lab, demo: Demo) -> None:
    update(demo, **CLOSED, **without("Policies"))


def verification_lost(_lab: Lab, demo: Demo) -> None:
    update(demo, **CLOSED, **without("AutoVerifiedAttributes"))


def tags_lost(_lab: Lab, demo: Demo) -> None:
    update(demo, **CLOSED, **without("UserPoolTags"))


# -- 6b.3 --


def signed_out_only(lab: Lab, demo: Demo) -> None:
    come_in(lab, demo)
    update(demo, **CLOSED, **KEPT)
    cognito_idp().admin_user_global_sign_out(**named(demo))


def the_wrong_user_disabled(lab: Lab, demo: Demo) -> None:
    signed_out_only(lab, demo)
    cognito_idp().admin_disable_user(**named(demo, names.EMAIL))


def the_wrong_user_deleted(lab: Lab, demo: Demo) -> None:
    signed_out_only(lab, demo)
    cognito_idp().admin_delete_user(**named(demo, names.EMAIL))


def put_out_of_an_open_pool(lab: Lab, demo: Demo) -> None:
    come_in(lab, demo)
    cognito_idp().admin_delete_user(**named(demo))


WRONG = [
    WrongState("6b.1", 7, nobody_came, "Nobody but learner@example.com is in the pool."),
    WrongState("6b.1", 7, nobody_can_come, "The pool takes no sign-up"),
    WrongState("6b.1", 7, not_confirmed, "has signed up, and isn't confirmed"),
    WrongState("6b.1", 7, not_confirmed_without_a_code, "isn't confirmed, and no code comes"),
    WrongState("6b.1", 7, confirmed_by_an_administrator, "an administrator confirmed the user"),
    WrongState("6b.1", 7, made_by_an_administrator, "an administrator made this user"),
    WrongState("6b.1", 7, disabled_at_once, "learner+stranger@example.com is disabled."),
    WrongState("6b.2", 7, open_as_before, "AllowAdminCreateUserOnly is false"),
    WrongState("6b.2", 7, policies_lost, "The first factors are PASSWORD: your own user"),
    WrongState("6b.2", 7, verification_lost, "AutoVerifiedAttributes is empty"),
    WrongState("6b.2", 7, tags_lost, "The pool has lost its tag"),
    WrongState("6b.3", 7, signed_out_only, "who is signed out just signs in again"),
    WrongState("6b.3", 7, the_wrong_user_disabled, "You have disabled your own user"),
    WrongState("6b.3", 7, the_wrong_user_deleted, "Your own user learner@example.com is gone"),
    WrongState("6b.3", 7, put_out_of_an_open_pool, "Everybody may still sign up"),
]


@cases(*WRONG)
def test_a_wrong_state_gets_its_sentence(lab: Lab, state: WrongState) -> None:
    prove(lab, state, WRONG)


def test_each_state_has_a_sentence_of_its_own() -> None:
    assert len(sentences_of(WRONG)) == len(WRONG)


@pytest.mark.parametrize("state", WRONG, ids=lambda state: state.make.__name__)
def test_tasks_6_and_7_begin_with_the_pool_of_task_2(lab: Lab, state: WrongState) -> None:
    before = lab.start_task(6)
    pool = cognito_idp().describe_user_pool(UserPoolId=before.user_pool_id)["UserPool"]
    state.make(lab, lab.start_task("6b"))
    for number in (6, 7):
        demo = lab.start_task(number)
        again = cognito_idp().describe_user_pool(UserPoolId=demo.user_pool_id)["UserPool"]
        times = {"LastModifiedDate", "CreationDate"}
        assert {k: v for k, v in again.items() if k not in times} == {
            k: v for k, v in pool.items() if k not in times
        } | {"AdminCreateUserConfig": again["AdminCreateUserConfig"]}
        assert not again["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]
        users = cognito_idp().list_users(UserPoolId=demo.user_pool_id)["Users"]
        assert [
            {"Name": "email", "Value": names.EMAIL} in user["Attributes"] for user in users
        ] == [True]
        assert vars(demo) == vars(before)


def test_a_stranger_who_came_by_himself_passes(lab: Lab) -> None:
    come_in(lab, lab.start_task("6b"))
    assert STRANGER in str(lab.check("6b.1"))


@pytest.mark.parametrize("put_out", ["admin_disable_user", "admin_delete_user"])
def test_closed_as_the_console_does_it_passes(lab: Lab, put_out: str) -> None:
    """The console sends every setting along."""
    demo = lab.start_task("6b")
    come_in(lab, demo)
    pool = cognito_idp().describe_user_pool(UserPoolId=demo.user_pool_id)["UserPool"]
    more = {name: pool[name] for name in ("EmailConfiguration", "VerificationMessageTemplate")}
    config = {"AllowAdminCreateUserOnly": True, "UnusedAccountValidityDays": 7}
    update(demo, AdminCreateUserConfig=config, DeletionProtection="ACTIVE", **KEPT, **more)
    assert str(lab.check("6b.2")).startswith("✓ Task 6b.2 is done. ")
    getattr(cognito_idp(), put_out)(**named(demo))
    assert str(lab.check("6b.3")).startswith("✓ Task 6b.3 is done. ")
