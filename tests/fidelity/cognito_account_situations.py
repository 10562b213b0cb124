"""The situations of the ledger of Cognito user pools that are about accounts: triggers, attributes, limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fidelity.cognito_situations import (
    EMAIL,
    PASSWORD,
    Situation,
    asking,
    choosing,
    email_otp_user,
    fails,
    setup,
)
from tests.support.in_process_cloud import Cognito

EVERY_FLOW = [
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_USER_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
]
FACTORS = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}


def user_of_every_flow(cognito: Cognito) -> Situation:
    here = email_otp_user(cognito, ExplicitAuthFlows=EVERY_FLOW)
    cognito.set_password(here["pool"], PASSWORD)
    return here | {"password": PASSWORD}


# -- triggers --------------------------------------------------------------------------------


def with_function(
    cognito: Cognito, here: Situation, trigger: str, answer: Callable[[Any], Any], permitted: bool
) -> Situation:
    function = cognito.function(answer, here["pool"] if permitted else None)
    changed = cognito.call(
        "UpdateUserPool",
        UserPoolId=here["pool"],
        AutoVerifiedAttributes=["email"],
        LambdaConfig={trigger: function},
        Policies=FACTORS,
    )
    assert changed.status == 200, changed.body
    return here | {"function": function}


def trigger(
    cognito: Cognito, name: str, answer: Callable[[Any], Any], permitted: bool = True
) -> Situation:
    return with_function(cognito, user_of_every_flow(cognito), name, answer, permitted)


@setup("a pre authentication trigger that fails")
def failing_pre_authentication(cognito: Cognito) -> Situation:
    return trigger(cognito, "PreAuthentication", fails)


@setup("a pre authentication trigger without a permission")
def pre_authentication_without_permission(cognito: Cognito) -> Situation:
    return trigger(cognito, "PreAuthentication", lambda event: event, permitted=False)


@setup("a pre authentication trigger that lets in")
def passing_pre_authentication(cognito: Cognito) -> Situation:
    return trigger(cognito, "PreAuthentication", lambda event: event)


@setup("a pre authentication trigger that returns nothing")
def silent_pre_authentication(cognito: Cognito) -> Situation:
    return trigger(cognito, "PreAuthentication", lambda event: None)


def refuses_nobody(event: Any) -> Any:
    if event["request"]["userNotFound"]:
        raise RuntimeError("nobody")
    return event


@setup("a pre authentication trigger that looks whether the user exists")
def pre_authentication_of_nobody(cognito: Cognito) -> Situation:
    return trigger(cognito, "PreAuthentication", refuses_nobody)


@setup("a post authentication trigger that fails, after a code was asked for")
def failing_post_authentication_of_a_code(cognito: Cognito) -> Situation:
    return asking(cognito, trigger(cognito, "PostAuthentication", fails))


@setup("a post authentication trigger that fails, after the choice was asked")
def failing_post_authentication_of_a_choice(cognito: Cognito) -> Situation:
    return choosing(cognito, trigger(cognito, "PostAuthentication", fails))


@setup("a post authentication trigger that fails")
def failing_post_authentication(cognito: Cognito) -> Situation:
    return trigger(cognito, "PostAuthentication", fails)


@setup("a post authentication trigger that fails, after a new password was asked for")
def failing_post_authentication_of_a_new_password(cognito: Cognito) -> Situation:
    here = trigger(cognito, "PostAuthentication", fails)
    temporary = {"UserPoolId": here["pool"], "Username": EMAIL, "Password": PASSWORD}
    assert cognito.call("AdminSetUserPassword", **temporary).status == 200
    asked = cognito.call(
        "InitiateAuth",
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=here["client"],
        AuthParameters={"USERNAME": EMAIL, "PASSWORD": PASSWORD},
    )
    assert asked.body.get("ChallengeName") == "NEW_PASSWORD_REQUIRED", asked.body
    return here | {"session": asked.body["Session"]}


@setup("a post authentication trigger without a permission")
def post_authentication_without_permission(cognito: Cognito) -> Situation:
    return trigger(cognito, "PostAuthentication", lambda event: event, permitted=False)


@setup("a post authentication trigger that fails, after a sign-in without it")
def failing_post_authentication_of_a_refresh(cognito: Cognito) -> Situation:
    here = user_of_every_flow(cognito)
    tokens = cognito.sign_in(here["client"])
    here = with_function(cognito, here, "PostAuthentication", fails, True)
    return here | {"refresh_token": tokens["RefreshToken"]}
