"""Pools, clients, users, refresh tokens and bad input; what AWS answers case by case is in the ledger."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from botocore.credentials import Credentials
from botocore.loaders import Loader

from labkit.local.cognito.sealed_tokens import RefreshToken, TokenSeal
from labkit.local.engine import User
from tests.support.in_process_cloud import Answer, Cognito

EMAIL = "jane@example.com"
PASSWORD = "Correct-1234"
DAY = 86_400
PARAMETERS = Loader().load_service_model("cognito-idp", "service-2")["shapes"]


@pytest.fixture
def pool_id(cognito: Cognito) -> str:
    return cognito.pool("PASSWORD", "EMAIL_OTP")


@pytest.fixture
def client_id(cognito: Cognito, pool_id: str) -> str:
    """A client whose pool has one user without a password."""
    cognito.user(pool_id)
    return cognito.client(pool_id)


def user(cognito: Cognito, pool_id: str) -> User:
    found = cognito.engine.user_pools.find_user(pool_id, EMAIL)
    assert found is not None
    return found


def password_of(cognito: Cognito, pool_id: str) -> str:
    return cognito.engine.user_pools.password(pool_id, user(cognito, pool_id).username)


def claims(token: str) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return decoded


# -- pools and clients --------------------------------------------------------------------------


def test_an_update_with_the_full_export_changes_one_thing(cognito: Cognito, pool_id: str) -> None:
    before = cognito.call("DescribeUserPool", UserPoolId=pool_id).body["UserPool"]
    takes = PARAMETERS["UpdateUserPoolRequest"]["members"]
    export = {name: value for name, value in before.items() if name in takes}
    export["DeletionProtection"] = "ACTIVE"
    assert cognito.call("UpdateUserPool", UserPoolId=pool_id, **export).status == 200
    after = cognito.call("DescribeUserPool", UserPoolId=pool_id).body["UserPool"]
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"DeletionProtection", "LastModifiedDate"}
    assert set(before) == set(after)


def test_an_update_resets_what_it_leaves_out(cognito: Cognito) -> None:
    pool_id = cognito.pool(
        "PASSWORD",
        "EMAIL_OTP",
        UserPoolTags={"a": "b"},
        DeviceConfiguration={"ChallengeRequiredOnNewDevice": True},
        EmailVerificationSubject="Hello",
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
    )
    assert cognito.call("UpdateUserPool", UserPoolId=pool_id).status == 200
    pool = cognito.call("DescribeUserPool", UserPoolId=pool_id).body["UserPool"]
    assert pool["UserPoolTags"] == {}
    assert "DeviceConfiguration" not in pool
    assert "EmailVerificationSubject" not in pool
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is False
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["Name"] == "lab"


def test_tags_of_one_pool_are_no_other_pool_s_default(cognito: Cognito) -> None:
    first, second = cognito.pool(), cognito.pool()
    arn = cognito.call("DescribeUserPool", UserPoolId=first).body["UserPool"]["Arn"]
    assert cognito.call("UpdateUserPool", UserPoolId=first).status == 200
    assert cognito.call("TagResource", ResourceArn=arn, Tags={"of": "first"}).status == 200
    assert cognito.call("UpdateUserPool", UserPoolId=second).status == 200
    described = cognito.call("DescribeUserPool", UserPoolId=second).body["UserPool"]
    assert not described.get("UserPoolTags")


def test_a_protected_pool_is_not_deleted(cognito: Cognito) -> None:
    pool_id = cognito.pool(DeletionProtection="ACTIVE")
    answer = cognito.call("DeleteUserPool", UserPoolId=pool_id)
    assert answer.error[0] == "InvalidParameterException"
    assert cognito.call("DescribeUserPool", UserPoolId=pool_id).status == 200
    cognito.call("UpdateUserPool", UserPoolId=pool_id, DeletionProtection="INACTIVE")
    assert cognito.call("DeleteUserPool", UserPoolId=pool_id).status == 200
    missing = cognito.call("DescribeUserPool", UserPoolId=pool_id)
    assert missing.error[0] == "ResourceNotFoundException"


def test_a_change_to_the_lite_plan_needs_the_code_factor_off(
    cognito: Cognito, pool_id: str
) -> None:
    factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    lite = {"UserPoolId": pool_id, "UserPoolTier": "LITE"}
    answer = cognito.call("UpdateUserPool", Policies=factors, **lite)
    assert answer.error[0] == "TierChangeNotAllowedException"
    assert cognito.call("UpdateUserPool", **lite).status == 200


def test_default_flows_are_enforced_not_only_shown(cognito: Cognito, pool_id: str) -> None:
    cognito.user(pool_id)
    client_id = cognito.client(pool_id, ExplicitAuthFlows=[])
    answer = cognito.ask_for_code(client_id)
    assert answer.error[1] == "USER_AUTH flow not enabled for this client"
    answer = password_sign_in(cognito, client_id)
    assert answer.error[1] == "USER_PASSWORD_AUTH flow not enabled for this client"


def test_updating_a_client_resets_what_it_leaves_out(cognito: Cognito, pool_id: str) -> None:
    client_id = cognito.client(pool_id, AuthSessionValidity=15, RefreshTokenValidity=5)
    cognito.call("UpdateUserPoolClient", UserPoolId=pool_id, ClientId=client_id)
    client = describe_client(cognito, pool_id, client_id)
    assert client["ExplicitAuthFlows"] == [
        "ALLOW_REFRESH_TOKEN_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_CUSTOM_AUTH",
    ]
    assert client["PreventUserExistenceErrors"] == "LEGACY"
    assert (client["AuthSessionValidity"], client["RefreshTokenValidity"]) == (3, 30)
    assert client["ClientName"] == "app"
    assert "RefreshTokenRotation" not in client


def test_a_client_can_be_updated_with_its_full_export(cognito: Cognito, pool_id: str) -> None:
    client_id = cognito.client(pool_id, AuthSessionValidity=15)
    before = describe_client(cognito, pool_id, client_id)
    takes = PARAMETERS["UpdateUserPoolClientRequest"]["members"]
    export = {name: value for name, value in before.items() if name in takes}
    answer = cognito.call("UpdateUserPoolClient", **export)
    assert answer.status == 200, answer.body
    after = describe_client(cognito, pool_id, client_id)
    assert {**after, "LastModifiedDate": 0} == {**before, "LastModifiedDate": 0}


def test_rotation_is_kept_and_shown(cognito: Cognito, pool_id: str) -> None:
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10}
    flows = ["ALLOW_USER_AUTH"]
    client_id = cognito.client(pool_id, RefreshTokenRotation=rotation, ExplicitAuthFlows=flows)
    assert describe_client(cognito, pool_id, client_id)["RefreshTokenRotation"] == rotation
    both = cognito.call(
        "UpdateUserPoolClient",
        UserPoolId=pool_id,
        ClientId=client_id,
        ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
    )
    assert both.error[0] == "InvalidParameterException"
    off = cognito.call(
        "UpdateUserPoolClient",
        UserPoolId=pool_id,
        ClientId=client_id,
        ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
        RefreshTokenRotation={"Feature": "DISABLED"},
    )
    assert off.status == 200, off.body
    assert describe_client(cognito, pool_id, client_id)["RefreshTokenRotation"] == {
        "Feature": "DISABLED",
        "RetryGracePeriodSeconds": 0,
    }


def test_default_flows_of_a_rotating_client_leave_the_refresh_flow_out(
    cognito: Cognito, pool_id: str
) -> None:
    client_id = cognito.client(
        pool_id, ExplicitAuthFlows=[], RefreshTokenRotation={"Feature": "ENABLED"}
    )
    client = describe_client(cognito, pool_id, client_id)
    assert client["ExplicitAuthFlows"] == ["ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"]


def describe_client(cognito: Cognito, pool_id: str, client_id: str) -> dict[str, Any]:
    answer = cognito.call("DescribeUserPoolClient", UserPoolId=pool_id, ClientId=client_id)
    client: dict[str, Any] = answer.body["UserPoolClient"]
    return client


# -- users ------------------------------------------------------------------------------------------


@pytest.fixture
def password_flow_client_id(cognito: Cognito, pool_id: str) -> str:
    return cognito.client(
        pool_id, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_AUTH"]
    )


def password_sign_in(cognito: Cognito, client_id: str, password: str = PASSWORD) -> Answer:
    return cognito.call(
        "InitiateAuth",
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=client_id,
        AuthParameters={"USERNAME": EMAIL, "PASSWORD": password},
    )


def test_no_password_opens_the_account_of_a_user_without_one(
    cognito: Cognito, pool_id: str, password_flow_client_id: str
) -> None:
    cognito.user(pool_id)
    for password in ("a", "None", PASSWORD, " "):
        assert password_sign_in(cognito, password_flow_client_id, password).status == 400
    signed = cognito.call(
        "InitiateAuth",
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=password_flow_client_id,
        AuthParameters={"USERNAME": EMAIL},
    )
    assert signed.error == ("InvalidParameterException", "Missing required parameter PASSWORD")
    assert len(password_of(cognito, pool_id)) > 100


def test_the_first_password_makes_the_user_one_with_a_password(
    cognito: Cognito, pool_id: str, password_flow_client_id: str
) -> None:
    cognito.user(pool_id)
    token = cognito.sign_in(password_flow_client_id)["AccessToken"]
    weak = cognito.call("ChangePassword", AccessToken=token, ProposedPassword="weak")
    assert weak.error[0] == "InvalidPasswordException"
    assert user(cognito, pool_id).is_passwordless
    assert (
        cognito.call("ChangePassword", AccessToken=token, ProposedPassword=PASSWORD).status == 200
    )
    assert password_sign_in(cognito, password_flow_client_id).status == 200
    second = cognito.call("ChangePassword", AccessToken=token, ProposedPassword="Other-1234")
    assert second.error == (
        "InvalidParameterException",
        "Missing required parameter OldPassword",
    )


def test_another_ones_token_changes_no_password(
    cognito: Cognito, pool_id: str, password_flow_client_id: str
) -> None:
    cognito.user(pool_id)
    token = cognito.sign_in(password_flow_client_id)["AccessToken"]
    header, _, signature = token.split(".")
    forged = f"{header}.{token.split('.')[1][:-4]}AAAA.{signature}"
    for bad in (forged, "nonsense", f"{header}.e30.{signature}"):
        answer = cognito.call("ChangePassword", AccessToken=bad, ProposedPassword=PASSWORD)
        assert answer.error[0] == "NotAuthorizedException"
    assert user(cognito, pool_id).is_passwordless


def test_an_administrators_password_is_offered(
    cognito: Cognito, pool_id: str, client_id: str
) -> None:
    cognito.set_password(pool_id, PASSWORD)
    answer = cognito.ask_for_code(client_id)
    assert answer.body["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD", "EMAIL_OTP"]


def test_the_invitation_goes_only_where_it_is_wanted(cognito: Cognito, pool_id: str) -> None:
    cognito.user(pool_id, DesiredDeliveryMediums=["SMS"], MessageAction=None)
    assert cognito.mailbox.messages(EMAIL) == []
    cognito.user(pool_id, "john@example.com", MessageAction=None)
    mail = cognito.mailbox.messages("john@example.com")[0]
    assert mail["body"] == "Your username is john@example.com."
    assert mail["code"] is None


def test_a_user_without_a_password_needs_an_address(cognito: Cognito) -> None:
    pool_id = cognito.pool("PASSWORD", "EMAIL_OTP", UsernameAttributes=[])
    answer = cognito.call("AdminCreateUser", UserPoolId=pool_id, Username="jane")
    assert answer.error[0] == "InvalidParameterException"


def test_a_required_attribute_is_required(cognito: Cognito) -> None:
    schema = [{"Name": "given_name", "Required": True, "AttributeDataType": "String"}]
    pool_id = cognito.pool("PASSWORD", "EMAIL_OTP", Schema=schema)
    answer = cognito.call("AdminCreateUser", UserPoolId=pool_id, Username=EMAIL)
    assert answer.error[0] == "InvalidParameterException"
    assert "given_name" in str(answer.error[1])


def test_signing_up_without_a_password(cognito: Cognito, pool_id: str) -> None:
    client_id = cognito.client(pool_id)
    answer = cognito.call("SignUp", ClientId=client_id, Username=EMAIL)
    assert answer.status == 200, answer.body
    assert answer.body["CodeDeliveryDetails"]["Destination"] == "j***@e***"
    confirm = {"ClientId": client_id, "Username": EMAIL, "Session": answer.body["Session"]}
    assert cognito.call("ConfirmSignUp", ConfirmationCode="123456", **confirm).status == 400
    confirmed = cognito.call("ConfirmSignUp", ConfirmationCode=cognito.code(), **confirm)
    start = {
        "AuthFlow": "USER_AUTH",
        "ClientId": client_id,
        "AuthParameters": {"USERNAME": EMAIL},
        "Session": confirmed.body["Session"],
    }
    tokens = cognito.call("InitiateAuth", **start)
    assert claims(tokens.body["AuthenticationResult"]["IdToken"])["email_verified"] is True
    assert cognito.call("InitiateAuth", **start).error[1] == (
        "Invalid session for the user, session can only be used once."
    )
    assert cognito.ask_for_code(client_id).body["AvailableChallenges"] == ["EMAIL_OTP"]


def test_the_session_of_one_sign_up_signs_no_other_in(cognito: Cognito, pool_id: str) -> None:
    client_id = cognito.client(pool_id)
    first = cognito.call("SignUp", ClientId=client_id, Username=EMAIL)
    cognito.call("SignUp", ClientId=client_id, Username="john@example.com")
    confirmed = cognito.call(
        "ConfirmSignUp",
        ClientId=client_id,
        Username="john@example.com",
        ConfirmationCode=cognito.code("john@example.com"),
        Session=first.body["Session"],
    )
    assert confirmed.status == 200
    assert "Session" not in confirmed.body


def test_sign_up_codes_differ(cognito: Cognito, pool_id: str) -> None:
    client_id = cognito.client(pool_id)
    codes = set()
    for number in range(5):
        email = f"user-{number}@example.com"
        cognito.call("SignUp", ClientId=client_id, Username=email, Password=PASSWORD)
        codes.add(cognito.code(email))
        cognito.call("ResendConfirmationCode", ClientId=client_id, Username=email)
        codes.add(cognito.code(email))
    assert len(codes) > 5
    assert all(len(code) == 6 for code in codes)


def test_a_reset_code_sets_a_password(cognito: Cognito, pool_id: str, client_id: str) -> None:
    forgot = cognito.call("ForgotPassword", ClientId=client_id, Username=EMAIL)
    assert forgot.body["CodeDeliveryDetails"]["Destination"] == "j***@e***"
    reset = {"ClientId": client_id, "Username": EMAIL, "Password": PASSWORD}
    assert cognito.call("ConfirmForgotPassword", ConfirmationCode="654321", **reset).status == 400
    code = cognito.code()
    assert cognito.call("ConfirmForgotPassword", ConfirmationCode=code, **reset).status == 200
    assert not user(cognito, pool_id).is_passwordless


def test_only_administrators_create_users_where_the_pool_says_so(cognito: Cognito) -> None:
    pool_id = cognito.pool(AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    client_id = cognito.client(pool_id)
    answer = cognito.call("SignUp", ClientId=client_id, Username=EMAIL, Password=PASSWORD)
    assert answer.error == (
        "NotAuthorizedException",
        "SignUp is not permitted for this user pool",
    )


def test_a_deleted_address_is_unknown_again(cognito: Cognito, pool_id: str, client_id: str) -> None:
    cognito.call("AdminDeleteUser", UserPoolId=pool_id, Username=EMAIL)
    assert cognito.ask_for_code(client_id).status == 200
    assert cognito.mailbox.messages(EMAIL) == []


def test_the_weakest_group_gives_no_role_and_two_equals_give_none(
    cognito: Cognito, pool_id: str, client_id: str
) -> None:
    def preferred() -> object:
        return claims(cognito.sign_in(client_id)["IdToken"]).get("cognito:preferred_role")

    for name, precedence in (("a", None), ("b", 3), ("c", 3)):
        group = {"GroupName": name, "RoleArn": cognito.role(name)}
        cognito.call("CreateGroup", UserPoolId=pool_id, Precedence=precedence, **group)
        cognito.call("AdminAddUserToGroup", UserPoolId=pool_id, Username=EMAIL, GroupName=name)
        if name == "b":
            assert preferred() == "arn:aws:iam::123456789012:role/b"
    assert preferred() is None


def test_an_unverified_address_is_not_called_verified(
    cognito: Cognito, pool_id: str, password_flow_client_id: str
) -> None:
    cognito.user(pool_id, UserAttributes=[])
    cognito.set_password(pool_id, PASSWORD)
    result = password_sign_in(cognito, password_flow_client_id).body["AuthenticationResult"]
    assert claims(result["IdToken"])["email_verified"] is False


# -- questions after the password ------------------------------------------------------------------------


def challenge(
    cognito: Cognito, client_id: str, name: str, session: str | None, **responses: str
) -> Answer:
    more = {} if session is None else {"Session": session}
    return cognito.call(
        "RespondToAuthChallenge",
        ClientId=client_id,
        ChallengeName=name,
        ChallengeResponses={"USERNAME": EMAIL, **responses},
        **more,
    )


@pytest.mark.parametrize(
    ("name", "responses"),
    [
        ("NEW_PASSWORD_REQUIRED", {"NEW_PASSWORD": PASSWORD}),
        ("SOFTWARE_TOKEN_MFA", {"SOFTWARE_TOKEN_MFA_CODE": "123456"}),
        ("MFA_SETUP", {}),
        ("SMS_MFA", {"SMS_MFA_CODE": "123456"}),
        ("PASSWORD", {"PASSWORD": PASSWORD}),
        ("WEB_AUTHN", {"CREDENTIAL": "{}"}),
        ("SELECT_MFA_TYPE", {"ANSWER": "SMS_MFA"}),
    ],
)
def test_nobody_answers_a_question_that_was_not_asked(
    cognito: Cognito, pool_id: str, client_id: str, name: str, responses: dict[str, str]
) -> None:
    before = password_of(cognito, pool_id)
    without = challenge(cognito, client_id, name, None, **responses)
    assert without.error[0] == "InvalidParameterException"
    invented = challenge(cognito, client_id, name, "s" * 40, **responses)
    assert invented.error == ("NotAuthorizedException", "Invalid session for the user.")
    other = cognito.ask_for_code(client_id).body["Session"]
    borrowed = challenge(cognito, client_id, name, other, **responses)
    assert borrowed.error == ("NotAuthorizedException", "Invalid session for the user.")
    administrator = cognito.call(
        "AdminRespondToAuthChallenge",
        UserPoolId=pool_id,
        ClientId=client_id,
        ChallengeName=name,
        Session="s" * 40,
        ChallengeResponses={"USERNAME": EMAIL, **responses},
    )
    assert administrator.error == ("NotAuthorizedException", "Invalid session for the user.")
    assert password_of(cognito, pool_id) == before


def test_a_temporary_password_is_changed_once(
    cognito: Cognito, pool_id: str, password_flow_client_id: str
) -> None:
    cognito.user(pool_id, TemporaryPassword=PASSWORD)
    client_id = password_flow_client_id
    question = password_sign_in(cognito, client_id).body
    assert question["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    session = question["Session"]

    def answer(**responses: str) -> Answer:
        return challenge(cognito, client_id, "NEW_PASSWORD_REQUIRED", session, **responses)

    assert answer().error[1] == "Missing required parameter NEW_PASSWORD"
    assert answer(NEW_PASSWORD="weak").error[0] == "InvalidPasswordException"
    assert user(cognito, pool_id).status == "FORCE_CHANGE_PASSWORD"
    done = answer(NEW_PASSWORD="Changed-1234")
    assert "AccessToken" in done.body["AuthenticationResult"]
    assert answer(NEW_PASSWORD="Again-12345").error[1] == (
        "Invalid session for the user, session can only be used once."
    )
    assert password_sign_in(cognito, client_id, "Changed-1234").status == 200
    assert password_sign_in(cognito, client_id, PASSWORD).status == 400


def test_a_question_is_answered_by_the_user_it_was_put_to(
    cognito: Cognito, pool_id: str, password_flow_client_id: str
) -> None:
    cognito.user(pool_id, TemporaryPassword=PASSWORD)
    other = cognito.user(pool_id, "john@example.com", TemporaryPassword=PASSWORD)
    session = password_sign_in(cognito, password_flow_client_id).body["Session"]

    def answer(username: str) -> Answer:
        return cognito.call(
            "RespondToAuthChallenge",
            ClientId=password_flow_client_id,
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=session,
            ChallengeResponses={"USERNAME": username, "NEW_PASSWORD": "Changed-1234"},
        )

    for username in ("john@example.com", other.body["User"]["Username"], "nobody"):
        assert answer(username).error == (
            "NotAuthorizedException",
            "Invalid session for the user.",
        )
    cognito.call("AdminDisableUser", UserPoolId=pool_id, Username=EMAIL)
    assert answer(EMAIL).error == ("NotAuthorizedException", "User is disabled.")
    assert user(cognito, pool_id).status == "FORCE_CHANGE_PASSWORD"


def totp(secret: str, at: float) -> str:
    import hashlib
    import hmac
    import struct

    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(at // 30)), hashlib.sha1)
    offset = mac[-1] & 15
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def test_totp_is_set_up_in_the_middle_of_a_sign_in_and_asked_for_after(cognito: Cognito) -> None:
    pool_id = cognito.pool(MfaConfiguration="ON")
    client_id = cognito.client(pool_id, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    cognito.user(pool_id, TemporaryPassword="Temporary-1")
    cognito.set_password(pool_id, PASSWORD)

    question = password_sign_in(cognito, client_id).body
    assert question["ChallengeName"] == "MFA_SETUP"
    early = challenge(cognito, client_id, "MFA_SETUP", question["Session"])
    assert early.error == ("NotAuthorizedException", "Invalid session for the user.")
    associated = cognito.call("AssociateSoftwareToken", Session=question["Session"]).body
    wrong = cognito.call("VerifySoftwareToken", Session=associated["Session"], UserCode="000000")
    assert wrong.error[0] == "EnableSoftwareTokenMFAException"
    code = totp(associated["SecretCode"], time.time())
    verified = cognito.call("VerifySoftwareToken", Session=associated["Session"], UserCode=code)
    assert verified.body["Status"] == "SUCCESS"
    done = challenge(cognito, client_id, "MFA_SETUP", verified.body["Session"])
    assert "AccessToken" in done.body["AuthenticationResult"]

    question = password_sign_in(cognito, client_id).body
    assert question["ChallengeName"] == "SOFTWARE_TOKEN_MFA"

    def answer(code: str) -> Answer:
        return challenge(
            cognito,
            client_id,
            "SOFTWARE_TOKEN_MFA",
            question["Session"],
            SOFTWARE_TOKEN_MFA_CODE=code,
        )

    assert answer("000000").error == ("CodeMismatchException", "Invalid code received for user")
    assert answer(code).error == (
        "ExpiredCodeException",
        "Your software token has already been used once.",
    )
    following = totp(associated["SecretCode"], time.time() + 30)
    assert "AccessToken" in answer(following).body["AuthenticationResult"]


def test_totp_that_was_only_switched_on_lets_nobody_in(cognito: Cognito) -> None:
    pool_id = cognito.pool(MfaConfiguration="OPTIONAL")
    client_id = cognito.client(pool_id, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    cognito.user(pool_id, TemporaryPassword="Temporary-1")
    cognito.set_password(pool_id, PASSWORD)
    cognito.call(
        "AdminSetUserMFAPreference",
        UserPoolId=pool_id,
        Username=EMAIL,
        SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True},
    )
    session = password_sign_in(cognito, client_id).body["Session"]
    answer = challenge(
        cognito, client_id, "SOFTWARE_TOKEN_MFA", session, SOFTWARE_TOKEN_MFA_CODE="123456"
    )
    assert answer.error[0] == "CodeMismatchException"


# -- refresh tokens ----------------------------------------------------------------------------------------


def refresh(cognito: Cognito, client_id: str, token: str, **more: str) -> Answer:
    return cognito.call("GetTokensFromRefreshToken", ClientId=client_id, RefreshToken=token, **more)


def test_a_refresh_token_can_not_be_read(cognito: Cognito, client_id: str) -> None:
    result = cognito.sign_in(client_id)
    parts = result["RefreshToken"].split(".")
    header = base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4))
    assert json.loads(header) == {"cty": "JWT", "enc": "A256GCM", "alg": "RSA-OAEP"}
    assert result["RefreshToken"].startswith("eyJjdHkiOiJKV1Qi")
    assert len(parts) == 5
    for part in parts[1:]:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        assert claims(result["AccessToken"])["sub"].encode() not in decoded


def test_a_seal_opens_only_what_it_sealed() -> None:
    seal = TokenSeal()
    token = RefreshToken("a.b.c", "event", 12)
    sealed = seal.seal(token)
    assert seal.open(sealed) == token
    assert seal.seal(token) != sealed
    assert TokenSeal().open(sealed) is None
    for text in ("", ".", "....", "a.b.c", "é.é.é.é.é", sealed + ".", sealed[:-2] + "AA"):
        assert seal.open(text) is None
    _header, *rest = sealed.split(".")
    other = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    assert seal.open(".".join([other, *rest])) is None


def test_a_refresh_keeps_the_sign_in_and_renews_the_rest(cognito: Cognito, client_id: str) -> None:
    first = cognito.sign_in(client_id)
    engine_time = claims(first["AccessToken"])["auth_time"]
    cognito.call("CreateGroup", UserPoolId=pool_id_of(first), GroupName="readers")
    cognito.call(
        "AdminAddUserToGroup",
        UserPoolId=pool_id_of(first),
        Username=EMAIL,
        GroupName="readers",
    )
    second = refresh(cognito, client_id, first["RefreshToken"]).body["AuthenticationResult"]
    for name in ("AccessToken", "IdToken"):
        old, new = claims(first[name]), claims(second[name])
        for kept in ("event_id", "origin_jti", "sub", "auth_time"):
            assert new[kept] == old[kept]
        assert new["auth_time"] == engine_time
        assert new["jti"] != old["jti"]
        assert new["cognito:groups"] == ["readers"]
        assert "cognito:groups" not in old


def pool_id_of(result: dict[str, str]) -> str:
    return str(claims(result["AccessToken"])["iss"]).rpartition("/")[2]


@pytest.fixture
def rotating_client_id(cognito: Cognito, pool_id: str) -> str:
    cognito.user(pool_id)
    return cognito.client(
        pool_id,
        ExplicitAuthFlows=["ALLOW_USER_AUTH"],
        RefreshTokenRotation={"Feature": "ENABLED", "RetryGracePeriodSeconds": 0},
    )


def test_without_a_grace_period_a_token_works_once(
    cognito: Cognito, rotating_client_id: str
) -> None:
    token = cognito.sign_in(rotating_client_id)["RefreshToken"]
    for _ in range(3):
        answer = refresh(cognito, rotating_client_id, token)
        assert refresh(cognito, rotating_client_id, token).error[0] == "RefreshTokenReuseException"
        token = answer.body["AuthenticationResult"]["RefreshToken"]


def test_of_two_refreshes_at_once_one_wins(cognito: Cognito, rotating_client_id: str) -> None:
    token = cognito.sign_in(rotating_client_id)["RefreshToken"]
    body = json.dumps({"ClientId": rotating_client_id, "RefreshToken": token}).encode()
    request = cognito.request("GetTokensFromRefreshToken", body)
    answers = cognito.together(*[request] * 5)
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400]


def test_a_rotated_token_ends_when_the_first_one_would_have(
    cognito: Cognito, rotating_client_id: str
) -> None:
    token = cognito.sign_in(rotating_client_id)["RefreshToken"]
    cognito.clock.advance(20 * DAY)
    answer = refresh(cognito, rotating_client_id, token)
    second = answer.body["AuthenticationResult"]["RefreshToken"]
    cognito.clock.advance(10 * DAY + 60)
    answer = refresh(cognito, rotating_client_id, second)
    assert answer.error == ("NotAuthorizedException", "Refresh Token has expired")


def test_revoking_a_rotated_token_ends_the_session(
    cognito: Cognito, rotating_client_id: str
) -> None:
    first = cognito.sign_in(rotating_client_id)
    answer = refresh(cognito, rotating_client_id, first["RefreshToken"])
    second = answer.body["AuthenticationResult"]
    other = cognito.sign_in(rotating_client_id)
    revoked = cognito.call("RevokeToken", ClientId=rotating_client_id, Token=second["RefreshToken"])
    assert revoked.status == 200
    answer = refresh(cognito, rotating_client_id, second["RefreshToken"])
    assert answer.error == ("NotAuthorizedException", "Refresh Token has been revoked")
    for token, status in ((first, 400), (second, 400), (other, 200)):
        assert cognito.call("GetUser", AccessToken=token["AccessToken"]).status == status


def test_a_refused_refresh_is_no_use_of_the_token(
    cognito: Cognito, rotating_client_id: str
) -> None:
    token = cognito.sign_in(rotating_client_id)["RefreshToken"]
    cognito.call("RevokeToken", ClientId=rotating_client_id, Token=token)
    for _ in range(2):
        answer = refresh(cognito, rotating_client_id, token)
        assert answer.error == ("NotAuthorizedException", "Refresh Token has been revoked")


def test_a_client_revokes_only_its_own_tokens(
    cognito: Cognito, pool_id: str, client_id: str
) -> None:
    token = cognito.sign_in(client_id)["RefreshToken"]
    for other in (cognito.client(pool_id), cognito.client(pool_id, EnableTokenRevocation=False)):
        answer = cognito.call("RevokeToken", ClientId=other, Token=token)
        assert answer.error[0] in ("InvalidParameterException", "UnsupportedOperationException")
    assert refresh(cognito, client_id, token).status == 200
    off = cognito.client(pool_id, EnableTokenRevocation=False)
    token = cognito.sign_in(off)["RefreshToken"]
    answer = cognito.call("RevokeToken", ClientId=off, Token=token)
    assert answer.error[0] == "UnsupportedOperationException"


def test_a_client_that_leaves_the_flow_out_does_not_refresh(
    cognito: Cognito, pool_id: str, client_id: str
) -> None:
    token = cognito.sign_in(client_id)["RefreshToken"]
    cognito.call(
        "UpdateUserPoolClient",
        UserPoolId=pool_id,
        ClientId=client_id,
        ExplicitAuthFlows=["ALLOW_USER_AUTH"],
    )
    answer = cognito.call(
        "InitiateAuth",
        AuthFlow="REFRESH_TOKEN",
        ClientId=client_id,
        AuthParameters={"REFRESH_TOKEN": token},
    )
    assert answer.error[0] == "InvalidParameterException"


def test_a_client_secret_guards_refresh_and_revocation(cognito: Cognito, pool_id: str) -> None:
    client_id = cognito.client(pool_id, GenerateSecret=True, ExplicitAuthFlows=["ALLOW_USER_AUTH"])
    secret = describe_client(cognito, pool_id, client_id)["ClientSecret"]
    assert len(secret) == 52
    assert secret.isalnum()
    for more, part in (({}, "not received"), ({"ClientSecret": "w" * 52}, "Unable to verify")):
        for answer in (
            refresh(cognito, client_id, "a.b.c.d.e", **more),
            cognito.call("RevokeToken", ClientId=client_id, Token="a.b.c.d.e", **more),
        ):
            assert answer.error[0] == "NotAuthorizedException"
            assert part in str(answer.error[1])
    answer = refresh(cognito, client_id, "a.b.c.d.e", ClientSecret=secret)
    assert answer.error[1] == "Invalid Refresh Token"


def test_a_readable_refresh_token_is_none(cognito: Cognito, client_id: str) -> None:
    user_pools = cognito.engine.user_pools
    found = user_pools.find_client(client_id)
    assert found is not None
    pool_id = found[0]["Id"]
    result = cognito.loop.run(
        user_pools.issue_tokens(pool_id, client_id, user(cognito, pool_id).username)
    )
    assert claims(result["RefreshToken"])["token_use"] == "refresh"
    answer = refresh(cognito, client_id, result["RefreshToken"])
    assert answer.error == ("NotAuthorizedException", "Invalid Refresh Token")


# -- what may not pass ----------------------------------------------------------------------------------------


def iam_user(cognito: Cognito, *actions: str) -> Credentials:
    """Credentials of a new IAM user who may do these actions."""
    from urllib.parse import urlencode

    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    from labkit.local.messages import Request

    name = f"user-{time.monotonic_ns()}"
    own = Credentials(cognito.settings.access_key_id, cognito.settings.secret_access_key)

    def iam(**parameters: str) -> bytes:
        body = urlencode({"Version": "2010-05-08", "UserName": name, **parameters}).encode()
        headers = {"Host": "127.0.0.1:4566", "Content-Type": "application/x-www-form-urlencoded"}
        to_sign = AWSRequest("POST", "http://127.0.0.1:4566/", headers=headers, data=body)
        SigV4Auth(own, "iam", "us-east-1").add_auth(to_sign)
        request = Request("POST", "/", "", list(to_sign.headers.items()), body)
        response = cognito.loop.run(cognito.engine.forward(request))
        assert response.status == 200, response.body
        return response.body

    iam(Action="CreateUser")
    if actions:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        iam(Action="PutUserPolicy", PolicyName="p", PolicyDocument=json.dumps(policy))
    answer = iam(Action="CreateAccessKey").decode()

    def value(tag: str) -> str:
        return answer.split(f"<{tag}>")[1].split("<")[0]

    return Credentials(value("AccessKeyId"), value("SecretAccessKey"))


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("AdminCreateUser", {"Username": "new@example.com"}),
        (
            "AdminInitiateAuth",
            {
                "AuthFlow": "USER_AUTH",
                "AuthParameters": {"USERNAME": EMAIL, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
            },
        ),
        (
            "AdminRespondToAuthChallenge",
            {"ChallengeName": "EMAIL_OTP", "Session": "s" * 40, "ChallengeResponses": {}},
        ),
        ("UpdateUserPool", {}),
        ("DeleteUserPool", {}),
    ],
)
def test_an_iam_user_needs_the_permission(
    cognito: Cognito, pool_id: str, client_id: str, operation: str, more: dict[str, Any]
) -> None:
    body: dict[str, Any] = {"UserPoolId": pool_id, **more}
    if "Auth" in operation:
        body["ClientId"] = client_id
    encoded = json.dumps(body).encode()
    stranger, allowed = iam_user(cognito), iam_user(cognito, f"cognito-idp:{operation}")

    refused = cognito.send(cognito.request(operation, encoded, key=stranger))
    assert refused.error[0] == "AccessDeniedException"
    assert cognito.mailbox.messages(EMAIL) == []
    assert cognito.call("DescribeUserPool", UserPoolId=pool_id).status == 200
    answer = cognito.send(cognito.request(operation, encoded, key=allowed))
    assert answer.error[0] != "AccessDeniedException"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"1",
        b"null",
        b'"a"',
        b"\xff\xfe",
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b"[" * 9999,
    ],
)
def test_what_is_no_json_object_can_not_be_read(cognito: Cognito, body: bytes) -> None:
    for operation in ("InitiateAuth", "AdminCreateUser", "ListUserPools"):
        answer = cognito.raw(operation, body)
        assert (answer.status, answer.error[0]) == (400, "SerializationException")


@pytest.mark.parametrize("value", [1, 1.5, True, [], {}, ["a"]])
@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("InitiateAuth", "ClientId"),
        ("InitiateAuth", "AuthFlow"),
        ("RespondToAuthChallenge", "Session"),
        ("SignUp", "Username"),
        ("AdminCreateUser", "UserPoolId"),
        ("GetUser", "AccessToken"),
        ("CreateUserPool", "PoolName"),
    ],
)
def test_a_text_must_be_a_text(
    cognito: Cognito, operation: str, member: str, value: object
) -> None:
    answer = cognito.call(operation, **{member: value})
    assert (answer.status, answer.error[0]) == (400, "SerializationException")


def test_null_is_a_parameter_that_was_not_sent(cognito: Cognito, pool_id: str) -> None:
    missing = cognito.call("InitiateAuth", AuthFlow="USER_AUTH", ClientId=None)
    assert missing.error[0] == "InvalidParameterException"
    assert "'clientId'" in str(missing.error[1])
    answer = cognito.call(
        "AdminCreateUser",
        UserPoolId=pool_id,
        Username=EMAIL,
        TemporaryPassword=None,
        MessageAction="SUPPRESS",
    )
    assert answer.body["User"]["UserStatus"] == "CONFIRMED"


def test_no_message_shows_a_secret(cognito: Cognito, client_id: str) -> None:
    answer = cognito.call(
        "ChangePassword", AccessToken="s3cret token!", ProposedPassword="s3cret word"
    )
    assert answer.status == 400
    assert "s3cret" not in str(answer.body)


def test_an_operation_that_only_aws_has_says_so(cognito: Cognito) -> None:
    answer = cognito.call("ListWebAuthnCredentials", AccessToken="a.b.c")
    assert answer.error == (
        "UnsupportedOperationException",
        "The local cloud doesn't offer ListWebAuthnCredentials.",
    )


def test_trouble_inside_says_nothing_of_the_inside(
    cognito: Cognito, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(cognito.engine.user_pools.operations, "_own", fail)
    answer = cognito.call("ListUserPools", MaxResults=1)
    assert (answer.status, answer.error[0]) == (500, "InternalErrorException")
    assert "inside" not in str(answer.error[1])
