"""Task 2's checks: each wrong state that people make gets its own sentence, and the right one passes."""

from typing import Any

import boto3
import pytest

from labkit import names
from labkit.course.tasks import Demo
from labkit.lab.session import Lab
from tests.cloud.course.wrong_states import WrongState, cases, prove, sentences_of

FACTORS = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}


def cognito() -> Any:
    return boto3.client("cognito-idp")


def make_pool(name: str = names.NEW_USER_POOL, **changes: Any) -> str:
    parameters = {
        "PoolName": name,
        "UsernameAttributes": ["email"],
        "AutoVerifiedAttributes": ["email"],
        "UserPoolTags": names.TAGS,
    } | changes
    wanted = {key: value for key, value in parameters.items() if value is not None}
    return str(cognito().create_user_pool(**wanted)["UserPool"]["Id"])


def make_client(pool_id: str, **changes: Any) -> None:
    parameters = {
        "ClientName": names.APP_CLIENT,
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH"],
        "RefreshTokenValidity": 5,
        "PreventUserExistenceErrors": "ENABLED",
    } | changes
    cognito().create_user_pool_client(UserPoolId=pool_id, **parameters)


def make_both(**changes: Any) -> str:
    pool_id = make_pool(**changes)
    make_client(pool_id)
    return pool_id


# -- 2.1a --


def no_pool(_lab: Lab, _demo: Demo) -> None:
    pass


def another_name(_lab: Lab, _demo: Demo) -> None:
    make_pool("mine")


def two_pools_of_a_name(_lab: Lab, _demo: Demo) -> None:
    make_pool()
    make_pool()


def two_pools_named_by_the_console(_lab: Lab, _demo: Demo) -> None:
    make_pool("User pool - abcdef")
    make_pool("User pool - ghijkl")


def user_names(_lab: Lab, _demo: Demo) -> None:
    make_pool(UsernameAttributes=None)


def an_alias(_lab: Lab, _demo: Demo) -> None:
    make_pool(UsernameAttributes=None, AliasAttributes=["email"])


def phone_numbers(_lab: Lab, _demo: Demo) -> None:
    make_pool(UsernameAttributes=["phone_number"])


def phone_numbers_too(_lab: Lab, _demo: Demo) -> None:
    make_pool(UsernameAttributes=["email", "phone_number"])


def the_lite_plan(_lab: Lab, _demo: Demo) -> None:
    make_pool(UserPoolTier="LITE")


def nothing_verified(_lab: Lab, _demo: Demo) -> None:
    make_pool(AutoVerifiedAttributes=None)


# -- 2.1b --


def no_app_client(_lab: Lab, _demo: Demo) -> None:
    make_pool()


def an_app_client_with_another_name(_lab: Lab, _demo: Demo) -> None:
    make_client(make_pool(), ClientName="spa")


def two_app_clients(_lab: Lab, _demo: Demo) -> None:
    make_client(make_both())


def a_secret(_lab: Lab, _demo: Demo) -> None:
    make_client(make_pool(), GenerateSecret=True)


def the_flows_of_the_api(_lab: Lab, _demo: Demo) -> None:
    make_client(make_pool(), ExplicitAuthFlows=[])


def no_refresh(_lab: Lab, _demo: Demo) -> None:
    make_client(make_pool(), ExplicitAuthFlows=["ALLOW_USER_AUTH"])


def legacy_errors(_lab: Lab, _demo: Demo) -> None:
    make_client(make_pool(), PreventUserExistenceErrors="LEGACY")


def a_short_access_token(_lab: Lab, _demo: Demo) -> None:
    minutes = {"AccessToken": "minutes"}
    make_client(make_pool(), AccessTokenValidity=5, TokenValidityUnits=minutes)


def a_long_refresh_token(_lab: Lab, _demo: Demo) -> None:
    make_client(make_pool(), RefreshTokenValidity=30)


# -- 2.1c --


def the_old_name(_lab: Lab, _demo: Demo) -> None:
    make_both()


def a_second_pool_with_the_name(_lab: Lab, _demo: Demo) -> None:
    make_both()
    make_pool(names.USER_POOL)


def a_setting_lost_by_the_name(_lab: Lab, _demo: Demo) -> None:
    cognito().update_user_pool(
        UserPoolId=make_both(), PoolName=names.USER_POOL, UserPoolTags=names.TAGS
    )


# -- 2.2 --


def not_named(_lab: Lab, _demo: Demo) -> None:
    make_both(Policies=FACTORS)


def no_code_by_mail(_lab: Lab, _demo: Demo) -> None:
    make_both(name=names.USER_POOL)


def a_passkey_instead(_lab: Lab, _demo: Demo) -> None:
    factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}}
    make_both(name=names.USER_POOL, Policies=factors)


def a_setting_lost_by_the_factors(_lab: Lab, _demo: Demo) -> None:
    cognito().update_user_pool(
        UserPoolId=make_both(name=names.USER_POOL), Policies=FACTORS, UserPoolTags=names.TAGS
    )


WRONG = [
    WrongState("2.1a", 2, no_pool, "There is no user pool named User pool - course. Create it"),
    WrongState("2.1a", 2, another_name, "There is mine."),
    WrongState("2.1a", 2, two_pools_of_a_name, "There are 2 user pools named"),
    WrongState("2.1a", 2, two_pools_named_by_the_console, "whose names the console made up"),
    WrongState("2.1a", 2, user_names, "a user name that somebody makes up"),
    WrongState("2.1a", 2, an_alias, "only an alias"),
    WrongState("2.1a", 2, phone_numbers, "sign in with phone_number."),
    WrongState("2.1a", 2, phone_numbers_too, "sign in with email or phone_number."),
    WrongState("2.1a", 2, the_lite_plan, "the feature plan LITE"),
    WrongState("2.1a", 2, nothing_verified, "AutoVerifiedAttributes is empty"),
    WrongState("2.1b", 2, no_app_client, f"named {names.APP_CLIENT}. Create it"),
    WrongState("2.1b", 2, an_app_client_with_another_name, "There is spa."),
    WrongState("2.1b", 2, two_app_clients, "There are 2 app clients named"),
    WrongState("2.1b", 2, a_secret, "has a secret"),
    WrongState("2.1b", 2, the_flows_of_the_api, "doesn't allow choice-based sign-in"),
    WrongState("2.1b", 2, no_refresh, "takes no refresh token"),
    WrongState("2.1b", 2, legacy_errors, "tells a stranger"),
    WrongState("2.1b", 2, a_short_access_token, "AccessToken is valid for 5 minutes"),
    WrongState("2.1b", 2, a_long_refresh_token, "RefreshToken is valid for 30 days"),
    WrongState("2.1c", 2, the_old_name, "The pool's name is still User pool - course"),
    WrongState("2.1c", 2, a_second_pool_with_the_name, "one was made, not renamed"),
    WrongState("2.1c", 2, a_setting_lost_by_the_name, "AutoVerifiedAttributes is empty"),
    WrongState("2.2", 2, not_named, "There is no user pool named d-user-pool-demo"),
    WrongState("2.2", 2, no_code_by_mail, "The pool allows PASSWORD as the first factor"),
    WrongState("2.2", 2, a_passkey_instead, "The pool allows PASSWORD and WEB_AUTHN"),
    WrongState("2.2", 2, a_setting_lost_by_the_factors, "AutoVerifiedAttributes is empty"),
]


@cases(*WRONG)
def test_a_wrong_state_gets_its_sentence_and_start_task_mends_it(
    lab: Lab, state: WrongState
) -> None:
    prove(lab, state, WRONG)
    for pool in cognito().list_user_pools(MaxResults=60)["UserPools"]:
        if pool["Name"] not in names.LAB_NAMES:
            cognito().delete_user_pool(UserPoolId=pool["Id"])
    lab.start_task(3)
    assert lab.check("2.2").task == "2.2"


def test_each_state_has_a_sentence_of_its_own() -> None:
    assert len(sentences_of(WRONG)) == len(WRONG)


@pytest.mark.parametrize("task", ["2.1a", "2.1b", "2.1c", "2.2"])
def test_the_lab_as_it_ends_passes(lab: Lab, task: str) -> None:
    lab.start_task(3)
    assert str(lab.check(task)).startswith(f"✓ Task {task} is done. ")


def test_a_pool_made_in_the_console_passes(lab: Lab) -> None:
    """The console makes up a name, says more, in another order, and tags nothing."""
    lab.start_task(2)
    pool_id = make_pool("User pool - 1a2b3c", UserPoolTags={}, DeletionProtection="ACTIVE")
    make_client(
        pool_id,
        ExplicitAuthFlows=["ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        AccessTokenValidity=1,
        IdTokenValidity=3600,
        RefreshTokenValidity=120,
        TokenValidityUnits={"IdToken": "seconds", "RefreshToken": "hours"},
        AllowedOAuthFlows=["code"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=["email", "openid", "phone"],
        CallbackURLs=["https://example.com"],
        SupportedIdentityProviders=["COGNITO"],
    )
    assert "lacks the tag" in str(lab.check("2.1a"))
    assert lab.check("2.1b").task == "2.1b"
    factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["EMAIL_OTP", "PASSWORD", "WEB_AUTHN"]}}
    rename = {"PoolName": names.USER_POOL, "AutoVerifiedAttributes": ["email"]}
    cognito().update_user_pool(UserPoolId=pool_id, Policies=factors, **rename)
    assert "lacks the tag" in str(lab.check("2.1c"))
    assert "lacks the tag" in str(lab.check("2.2"))
    cognito().delete_user_pool(UserPoolId=pool_id)


def test_a_client_that_rotates_its_refresh_tokens_passes(lab: Lab) -> None:
    lab.start_task(2)
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10}
    flows = ["ALLOW_USER_AUTH"]
    make_client(make_pool(), ExplicitAuthFlows=flows, RefreshTokenRotation=rotation)
    assert lab.check("2.1b").task == "2.1b"


def test_tags_that_an_update_lost_are_told(lab: Lab) -> None:
    lab.start_task(2)
    pool_id = make_both()
    settings = {"PoolName": names.USER_POOL, "AutoVerifiedAttributes": ["email"]}
    cognito().update_user_pool(UserPoolId=pool_id, **settings)
    assert "lacks the tag" in str(lab.check("2.1c"))
    cognito().update_user_pool(UserPoolId=pool_id, UserPoolTags=names.TAGS, **settings)
    assert "lacks the tag" not in str(lab.check("2.1c"))
