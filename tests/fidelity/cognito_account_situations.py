"""The situations of the ledger of Cognito user pools that are about accounts: triggers, attributes, limits."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from tests.fidelity.cognito_situations import (
    EMAIL,
    OTHER_EMAIL,
    PASSWORD,
    Situation,
    asking,
    choosing,
    client_with_secret,
    email_otp_user,
    fails,
    other_digits,
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


# -- attributes ------------------------------------------------------------------------------

SCHEMA = [
    {
        "Name": "team",
        "AttributeDataType": "String",
        "Mutable": True,
        "StringAttributeConstraints": {"MinLength": "2", "MaxLength": "8"},
    },
    {
        "Name": "level",
        "AttributeDataType": "Number",
        "Mutable": True,
        "NumberAttributeConstraints": {"MinValue": "1", "MaxValue": "9"},
    },
    {"Name": "badge", "AttributeDataType": "String", "Mutable": False},
]
ALL_CUSTOM = ["email", "custom:team", "custom:level", "custom:badge", "nickname", "email_verified"]


def schema_pool(cognito: Cognito, **settings: Any) -> Situation:
    pool = cognito.pool("PASSWORD", "EMAIL_OTP", Schema=SCHEMA, **settings)
    client = cognito.client(
        pool,
        ExplicitAuthFlows=EVERY_FLOW,
        ReadAttributes=ALL_CUSTOM,
        WriteAttributes=ALL_CUSTOM[:-1],
    )
    narrow = cognito.client(
        pool, ExplicitAuthFlows=EVERY_FLOW, ReadAttributes=["nickname"], WriteAttributes=["email"]
    )
    plain = cognito.client(pool, ExplicitAuthFlows=EVERY_FLOW)
    return {"pool": pool, "client": client, "narrow": narrow, "plain": plain, "email": EMAIL}


@setup("a pool with a schema")
def pool_with_schema(cognito: Cognito) -> Situation:
    return schema_pool(cognito)


def signed_in_by_password(cognito: Cognito, here: Situation, client: str = "client") -> Situation:
    tokens = cognito.call(
        "InitiateAuth",
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=here[client],
        AuthParameters={"USERNAME": here.get("name", EMAIL), "PASSWORD": PASSWORD},
    )
    assert tokens.status == 200, tokens.body
    return here | {"access_token": tokens.body["AuthenticationResult"]["AccessToken"]}


def schema_user(cognito: Cognito, client: str = "client", **settings: Any) -> Situation:
    here = schema_pool(cognito, **settings)
    cognito.user(
        here["pool"],
        UserAttributes=[
            {"Name": "email", "Value": EMAIL},
            {"Name": "email_verified", "Value": "true"},
            {"Name": "custom:team", "Value": "red"},
            {"Name": "custom:badge", "Value": "7"},
            {"Name": "nickname", "Value": "Jay"},
        ],
    )
    cognito.user(here["pool"], OTHER_EMAIL)
    cognito.set_password(here["pool"], PASSWORD)
    here = here | {"other_email": OTHER_EMAIL, "password": PASSWORD}
    return signed_in_by_password(cognito, here, client)


@setup("a signed-in user with a schema")
def user_with_schema(cognito: Cognito) -> Situation:
    return schema_user(cognito)


@setup("a signed-in user of a client that reads little")
def user_of_a_narrow_client(cognito: Cognito) -> Situation:
    return schema_user(cognito, "narrow")


@setup("a signed-in user of a client with default permissions")
def user_of_a_plain_client(cognito: Cognito) -> Situation:
    return schema_user(cognito, "plain")


def changing_the_address(cognito: Cognito, here: Situation) -> Situation:
    address = [{"Name": "email", "Value": "new@example.com"}]
    changed = cognito.call(
        "UpdateUserAttributes", AccessToken=here["access_token"], UserAttributes=address
    )
    assert changed.status == 200, changed.body
    code = cognito.code("new@example.com")
    return here | {"code": code, "wrong_code": other_digits(code)}


@setup("a signed-in user who changed the address")
def user_with_a_new_address(cognito: Cognito) -> Situation:
    return changing_the_address(cognito, schema_user(cognito))


@setup("a signed-in user who verified the new address")
def user_with_a_verified_new_address(cognito: Cognito) -> Situation:
    here = user_with_a_new_address(cognito)
    verified = cognito.call(
        "VerifyUserAttribute",
        AccessToken=here["access_token"],
        AttributeName="email",
        Code=here["code"],
    )
    assert verified.status == 200, verified.body
    return here


FIRST = {"AttributesRequireVerificationBeforeUpdate": ["email"]}


@setup("a signed-in user whose new address waits for its code")
def user_whose_address_waits(cognito: Cognito) -> Situation:
    return changing_the_address(cognito, schema_user(cognito, UserAttributeUpdateSettings=FIRST))


@setup("a signed-in user whose waiting address was verified")
def user_whose_address_waited(cognito: Cognito) -> Situation:
    here = user_whose_address_waits(cognito)
    verified = cognito.call(
        "VerifyUserAttribute",
        AccessToken=here["access_token"],
        AttributeName="email",
        Code=here["code"],
    )
    assert verified.status == 200, verified.body
    return here


@setup("a signed-in user who changed the address a day ago")
def user_with_an_old_code(cognito: Cognito) -> Situation:
    here = user_with_a_new_address(cognito)
    cognito.clock.advance(86_400)
    return here


@setup("a signed-in user who asked for five codes")
def user_with_five_codes(cognito: Cognito) -> Situation:
    here = schema_user(cognito)
    ask = {"AccessToken": here["access_token"], "AttributeName": "email"}
    for _ in range(5):
        assert cognito.call("GetUserAttributeVerificationCode", **ask).status == 200
    return here


@setup("an update whose nickname was deleted")
def user_without_a_deleted_nickname(cognito: Cognito) -> Situation:
    here = schema_user(cognito)
    names = {"UserAttributeNames": ["nickname"]}
    deleted = cognito.call("DeleteUserAttributes", AccessToken=here["access_token"], **names)
    assert deleted.status == 200, deleted.body
    return here


def alias_pool(cognito: Cognito, **settings: Any) -> Situation:
    pool = cognito.pool(UsernameAttributes=None, AliasAttributes=["email"], **settings)
    client = cognito.client(pool, ExplicitAuthFlows=EVERY_FLOW)
    return {"pool": pool, "client": client, "email": EMAIL, "password": PASSWORD}


@setup("a pool with aliases")
def pool_with_aliases(cognito: Cognito) -> Situation:
    here = alias_pool(cognito)
    cognito.user(here["pool"], "jane", UserAttributes=verified(EMAIL))
    cognito.set_password(here["pool"], PASSWORD, "jane")
    return here


def verified(address: str) -> list[dict[str, str]]:
    return [{"Name": "email", "Value": address}, {"Name": "email_verified", "Value": "true"}]


@setup("a sign-up with another user's verified address")
def sign_up_with_a_taken_alias(cognito: Cognito) -> Situation:
    here = pool_with_aliases(cognito)
    answer = cognito.call(
        "SignUp",
        ClientId=here["client"],
        Username="imposter",
        Password=PASSWORD,
        UserAttributes=verified(EMAIL)[:1],
    )
    assert answer.status == 200, answer.body
    return here | {"code": cognito.code()}


@setup("a sign-up that took another user's address")
def sign_up_that_took_an_alias(cognito: Cognito) -> Situation:
    here = sign_up_with_a_taken_alias(cognito)
    taken = cognito.call(
        "ConfirmSignUp",
        ClientId=here["client"],
        Username="imposter",
        ConfirmationCode=here["code"],
        ForceAliasCreation=True,
    )
    assert taken.status == 200, taken.body
    return here


@setup("a user in capital letters")
def user_in_capital_letters(cognito: Cognito) -> Situation:
    here = user_of_every_flow(cognito)
    return here | {"typed": EMAIL.upper()}


@setup("a user in capital letters of a pool that minds them")
def user_in_minded_capital_letters(cognito: Cognito) -> Situation:
    pool = cognito.pool(UsernameConfiguration={"CaseSensitive": True})
    client = cognito.client(pool, ExplicitAuthFlows=EVERY_FLOW)
    cognito.user(pool)
    cognito.set_password(pool, PASSWORD)
    return {"pool": pool, "client": client, "password": PASSWORD, "typed": EMAIL.upper()}


# -- triggers of a sign-up --------------------------------------------------------------------


def confirms(event: Any) -> Any:
    if event["request"]["userAttributes"]["email"] != EMAIL:
        raise RuntimeError("not invited")
    return event | {"response": {"autoConfirmUser": True, "autoVerifyEmail": True}}


@setup("a pre sign-up trigger that confirms")
def confirming_pre_sign_up(cognito: Cognito) -> Situation:
    here = with_function(cognito, schema_pool(cognito), "PreSignUp", confirms, True)
    return here | {"other_email": OTHER_EMAIL, "password": PASSWORD}


@setup("a pre sign-up trigger without a permission")
def pre_sign_up_without_permission(cognito: Cognito) -> Situation:
    here = with_function(cognito, schema_pool(cognito), "PreSignUp", confirms, False)
    return here | {"password": PASSWORD}


def unconfirmed(cognito: Cognito, here: Situation, **more: Any) -> Situation:
    answer = cognito.call(
        "SignUp", ClientId=here["client"], Username=EMAIL, Password=PASSWORD, **more
    )
    assert answer.status == 200, answer.body
    code = cognito.code()
    return here | {"code": code, "wrong_code": other_digits(code)}


@setup("a post confirmation trigger that fails")
def failing_post_confirmation(cognito: Cognito) -> Situation:
    here = with_function(cognito, schema_pool(cognito), "PostConfirmation", fails, True)
    return unconfirmed(cognito, here)


# -- guesses, codes and states ----------------------------------------------------------------


def guess(cognito: Cognito, here: Situation, times: int, name: str = EMAIL) -> Situation:
    for _ in range(times):
        wrong = cognito.call(
            "InitiateAuth",
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=here["client"],
            AuthParameters={"USERNAME": name, "PASSWORD": "Wrong-1234"},
        )
        assert wrong.error == ("NotAuthorizedException", "Incorrect username or password.")
    return here


@setup("four wrong passwords")
def four_wrong_passwords(cognito: Cognito) -> Situation:
    return guess(cognito, user_of_every_flow(cognito), 4)


@setup("five wrong passwords")
def five_wrong_passwords(cognito: Cognito) -> Situation:
    return guess(cognito, user_of_every_flow(cognito), 5)


@setup("five wrong passwords for nobody")
def five_wrong_passwords_for_nobody(cognito: Cognito) -> Situation:
    return guess(cognito, user_of_every_flow(cognito), 5, "nobody@gmail.com")


@setup("five wrong passwords a second ago")
def five_wrong_passwords_a_second_ago(cognito: Cognito) -> Situation:
    here = five_wrong_passwords(cognito)
    cognito.clock.advance(1)
    return here


@setup("six wrong passwords, the last a second ago")
def six_wrong_passwords(cognito: Cognito) -> Situation:
    here = guess(cognito, five_wrong_passwords_a_second_ago(cognito), 1)
    cognito.clock.advance(1)
    return here


@setup("five wrong passwords, then the right one")
def right_after_wrong_passwords(cognito: Cognito) -> Situation:
    here = five_wrong_passwords_a_second_ago(cognito)
    signed_in_by_password(cognito, here)
    return guess(cognito, here, 1)


@setup("a temporary password of a week ago")
def old_temporary_password(cognito: Cognito) -> Situation:
    here = temporary(cognito)
    cognito.clock.advance(7 * 86_400)
    return here


@setup("a temporary password of six days ago")
def younger_temporary_password(cognito: Cognito) -> Situation:
    here = temporary(cognito)
    cognito.clock.advance(6 * 86_400)
    return here


def temporary(cognito: Cognito) -> Situation:
    here = user_of_every_flow(cognito)
    word = {"UserPoolId": here["pool"], "Username": EMAIL, "Password": PASSWORD}
    assert cognito.call("AdminSetUserPassword", **word).status == 200
    return here


@setup("a temporary password of a user without a required attribute")
def incomplete_temporary(cognito: Cognito) -> Situation:
    schema = [{"Name": "nickname", "AttributeDataType": "String", "Required": True}]
    pool = cognito.pool(Schema=schema)
    client = cognito.client(pool, ExplicitAuthFlows=EVERY_FLOW)
    cognito.user(pool, TemporaryPassword=PASSWORD)
    asked = cognito.call(
        "InitiateAuth",
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=client,
        AuthParameters={"USERNAME": EMAIL, "PASSWORD": PASSWORD},
    )
    return {
        "pool": pool,
        "client": client,
        "email": EMAIL,
        "password": PASSWORD,
        "session": asked.body["Session"],
    }


def telling(cognito: Cognito, **client: Any) -> Situation:
    here = email_otp_user(cognito, PreventUserExistenceErrors="LEGACY", **client)
    cognito.set_password(here["pool"], PASSWORD)
    return here | {"password": PASSWORD}


@setup("a temporary password and a client that tells")
def temporary_of_a_telling_client(cognito: Cognito) -> Situation:
    here = telling(cognito)
    word = {"UserPoolId": here["pool"], "Username": EMAIL, "Password": PASSWORD}
    assert cognito.call("AdminSetUserPassword", **word).status == 200
    return here


def unverified(cognito: Cognito, here: Situation) -> Situation:
    flag = [{"Name": "email_verified", "Value": "false"}]
    user = {"UserPoolId": here["pool"], "Username": EMAIL}
    assert cognito.call("AdminUpdateUserAttributes", UserAttributes=flag, **user).status == 200
    return here


@setup("an unverified address and a client that tells")
def unverified_of_a_telling_client(cognito: Cognito) -> Situation:
    return unverified(cognito, telling(cognito))


@setup("an unverified address and a client that hides")
def unverified_of_a_hiding_client(cognito: Cognito) -> Situation:
    return unverified(cognito, user_of_every_flow(cognito))


@setup("a pool whose administrators reset passwords")
def pool_of_resetting_administrators(cognito: Cognito) -> Situation:
    here = user_of_every_flow(cognito)
    mechanisms = [{"Name": "admin_only", "Priority": 1}]
    changed = cognito.call(
        "UpdateUserPool",
        UserPoolId=here["pool"],
        Policies=FACTORS,
        AccountRecoverySetting={"RecoveryMechanisms": mechanisms},
    )
    assert changed.status == 200, changed.body
    return here


def forgetting(cognito: Cognito) -> Situation:
    here = user_of_every_flow(cognito)
    asked = cognito.call("ForgotPassword", ClientId=here["client"], Username=EMAIL)
    assert asked.status == 200, asked.body
    code = cognito.code()
    return here | {"code": code, "wrong_code": other_digits(code)}


@setup("a forgotten password")
def forgotten_password(cognito: Cognito) -> Situation:
    return forgetting(cognito)


@setup("a password forgotten an hour ago")
def password_forgotten_an_hour_ago(cognito: Cognito) -> Situation:
    here = forgetting(cognito)
    cognito.clock.advance(3600)
    return here


@setup("five wrong reset codes")
def five_wrong_reset_codes(cognito: Cognito) -> Situation:
    here = forgetting(cognito)
    reset = {"ClientId": here["client"], "Username": EMAIL, "Password": PASSWORD}
    for _ in range(5):
        wrong = cognito.call("ConfirmForgotPassword", ConfirmationCode=here["wrong_code"], **reset)
        assert wrong.error[0] == "CodeMismatchException"
    return here


@setup("a password forgotten five times")
def password_forgotten_five_times(cognito: Cognito) -> Situation:
    here = user_of_every_flow(cognito)
    for _ in range(5):
        asked = cognito.call("ForgotPassword", ClientId=here["client"], Username=EMAIL)
        assert asked.status == 200, asked.body
    return here


@setup("a name that is nobody's, forgotten five times")
def nobody_forgotten_five_times(cognito: Cognito) -> Situation:
    here = user_of_every_flow(cognito)
    for _ in range(5):
        cognito.call("ForgotPassword", ClientId=here["client"], Username="nobody@gmail.com")
    return here


@setup("a sign-up that waits")
def waiting_sign_up(cognito: Cognito) -> Situation:
    return unconfirmed(cognito, schema_pool(cognito)) | {"password": PASSWORD}


@setup("a sign-up that waits since yesterday")
def old_sign_up(cognito: Cognito) -> Situation:
    here = waiting_sign_up(cognito)
    cognito.clock.advance(86_400)
    return here


@setup("a sign-up whose code was sent five times again")
def five_resends(cognito: Cognito) -> Situation:
    here = waiting_sign_up(cognito)
    for _ in range(5):
        again = cognito.call("ResendConfirmationCode", ClientId=here["client"], Username=EMAIL)
        assert again.status == 200, again.body
    return here


@setup("a sign-up whose code was sent again")
def replaced_code(cognito: Cognito) -> Situation:
    here = waiting_sign_up(cognito)
    cognito.call("ResendConfirmationCode", ClientId=here["client"], Username=EMAIL)
    return here if cognito.code() != here["code"] else replaced_code(cognito)


@setup("fifteen wrong codes of a sign-up")
def fifteen_wrong_codes(cognito: Cognito) -> Situation:
    here = waiting_sign_up(cognito)
    for _ in range(15):
        wrong = cognito.call(
            "ConfirmSignUp",
            ClientId=here["client"],
            Username=EMAIL,
            ConfirmationCode=here["wrong_code"],
        )
        assert wrong.error[0] == "CodeMismatchException"
    return here


@setup("a pool that verifies nothing")
def pool_that_verifies_nothing(cognito: Cognito) -> Situation:
    pool = cognito.pool(AutoVerifiedAttributes=[], UsernameAttributes=[])
    client = cognito.client(pool, ExplicitAuthFlows=EVERY_FLOW)
    return {"pool": pool, "client": client, "email": EMAIL, "password": PASSWORD}


@setup("a pool that verifies addresses, with plain usernames")
def pool_with_plain_usernames(cognito: Cognito) -> Situation:
    pool = cognito.pool(UsernameAttributes=[])
    client = cognito.client(pool, ExplicitAuthFlows=EVERY_FLOW)
    return {"pool": pool, "client": client, "email": EMAIL, "password": PASSWORD}


@setup("a sign-up in a pool that verifies nothing")
def sign_up_that_nothing_verifies(cognito: Cognito) -> Situation:
    here = pool_that_verifies_nothing(cognito)
    answer = cognito.call(
        "SignUp",
        ClientId=here["client"],
        Username="jane",
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": EMAIL}],
    )
    assert answer.status == 200, answer.body
    return here


# -- clients with secrets, groups ---------------------------------------------------------------


@setup("a client with two secrets")
def client_with_two_secrets(cognito: Cognito) -> Situation:
    here = client_with_secret(cognito)
    cognito.set_password(here["pool"], PASSWORD)
    client = {"UserPoolId": here["pool"], "ClientId": here["client"]}
    added = cognito.call("AddUserPoolClientSecret", **client)
    assert added.status == 200, added.body
    descriptor = added.body["ClientSecretDescriptor"]
    text = (EMAIL + here["client"]).encode()
    proof = hmac.digest(descriptor["ClientSecretValue"].encode(), text, hashlib.sha256)
    listed = cognito.call("ListUserPoolClientSecrets", **client).body["ClientSecrets"]
    return here | {
        "password": PASSWORD,
        "first_id": listed[0]["ClientSecretId"],
        "second_id": descriptor["ClientSecretId"],
        "second_hash": base64.b64encode(proof).decode(),
    }


@setup("a client whose first secret was deleted")
def client_whose_first_secret_is_gone(cognito: Cognito) -> Situation:
    here = client_with_two_secrets(cognito)
    gone = cognito.call(
        "DeleteUserPoolClientSecret",
        UserPoolId=here["pool"],
        ClientId=here["client"],
        ClientSecretId=here["first_id"],
    )
    assert gone.status == 200, gone.body
    return here


@setup("a group with a description")
def group_with_a_description(cognito: Cognito) -> Situation:
    here = {"pool": cognito.pool()}
    group = {"GroupName": "readers", "Description": "May read", "Precedence": 5}
    assert cognito.call("CreateGroup", UserPoolId=here["pool"], **group).status == 200
    return here
