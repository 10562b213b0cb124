"""AWS's own clients from npm live an account's life in a user pool, unchanged: they are told the local endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.interop.guarded_api import REGION
from tests.support.running_cloud import LabCloud

Node = Callable[[str, object], Any]
EMAIL, NEW_EMAIL, PASSWORD = "jane@example.com", "jane.doe@example.com", "Correct-horse-1"
AMPLIFY = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_AUTH"]
DELIVERY = {"AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "j***@e***"}


def pool_and_client(cloud: LabCloud, **settings: Any) -> dict[str, str]:
    """A user pool for people who sign up with their email address, and an app client, as a script's input."""
    cognito = cloud.client("cognito-idp")
    pool_id = cognito.create_user_pool(
        PoolName="shop",
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        UserAttributeUpdateSettings={"AttributesRequireVerificationBeforeUpdate": ["email"]},
        Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}},
    )["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName="web", PreventUserExistenceErrors="ENABLED", **settings
    )["UserPoolClient"]
    return {
        "endpoint": cloud.endpoint,
        "adminToken": cloud.admin_token,
        "region": REGION,
        "userPoolId": pool_id,
        "clientId": client["ClientId"],
        "email": EMAIL,
        "newEmail": NEW_EMAIL,
        "password": PASSWORD,
    }


def of_one_sign_in(*claims: dict[str, Any]) -> bool:
    """Whether access tokens are different ones of the same sign-in."""
    kept = ("sub", "client_id", "origin_jti", "auth_time")
    same = {tuple(one[name] for name in kept) for one in claims}
    return len(same) == 1 and len({one["jti"] for one in claims}) == len(claims)


def test_amazon_cognito_identity_js(node: Node, cloud: LabCloud) -> None:
    flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    told = pool_and_client(cloud, ExplicitAuthFlows=flows)
    found = node("identity_js_walk.mjs", told)
    session, tokens, sub = found.pop("session"), found.pop("accessTokens"), found.pop("sub")
    attributes = {"sub": sub, "name": "Jane", "email": EMAIL, "email_verified": "true"}
    assert found == {
        "signedUp": {"confirmed": False, "delivery": DELIVERY},
        "signedUpAgain": "UsernameExistsException",
        "unconfirmed": "UserNotConfirmedException",
        "wrongCode": "CodeMismatchException",
        "confirmed": "SUCCESS",
        "wrongPassword": "NotAuthorizedException",
        "attributes": attributes,
        "renamed": "SUCCESS",
        "unverified": attributes | {"name": "Jane Doe"},
        "wrongAttributeCode": "CodeMismatchException",
        "verified": "SUCCESS",
        "changed": attributes | {"name": "Jane Doe", "email": NEW_EMAIL},
        "refreshedName": "Jane Doe",
        "changedPassword": "SUCCESS",
        "reset": "SUCCESS",
        "oldPassword": "NotAuthorizedException",
        "signedOut": "SUCCESS",
        "refreshAfterwards": "NotAuthorizedException",
    }
    assert session["valid"] is True
    assert session["claims"]["aud"] == told["clientId"]
    assert of_one_sign_in(*tokens)


ROTATION = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
DONE = {"isSignedIn": True, "nextStep": {"signInStep": "DONE"}}


@pytest.mark.parametrize(
    "refresh",
    [
        {"ExplicitAuthFlows": [*AMPLIFY, "ALLOW_REFRESH_TOKEN_AUTH"]},
        {"ExplicitAuthFlows": AMPLIFY, "RefreshTokenRotation": ROTATION},
    ],
    ids=["same refresh token", "rotated"],
)
def test_aws_amplify(node: Node, cloud: LabCloud, refresh: dict[str, Any]) -> None:
    told = pool_and_client(cloud, **refresh)
    found = node("amplify_walk.mjs", told)
    tokens, claims = found.pop("accessTokens"), found.pop("claims")
    sub = found["signedUp"].pop("userId")
    delivery = {name[0].lower() + name[1:]: value for name, value in DELIVERY.items()}
    medium = {key: value for key, value in delivery.items() if key != "attributeName"}
    attributes = {"sub": sub, "name": "Jane", "email": EMAIL, "email_verified": "true"}
    details = {"loginId": EMAIL, "authFlowType": "USER_SRP_AUTH"}
    by_code = {"signInStep": "CONFIRM_SIGN_IN_WITH_EMAIL_CODE", "codeDeliveryDetails": medium}
    to_confirm = {
        "updateAttributeStep": "CONFIRM_ATTRIBUTE_WITH_CODE",
        "codeDeliveryDetails": delivery,
    }
    sent = {"signUpStep": "CONFIRM_SIGN_UP", "codeDeliveryDetails": delivery}
    assert found == {
        "signedUp": {"isSignUpComplete": False, "nextStep": sent},
        "signedUpAgain": "UsernameExistsException",
        "unconfirmed": {"isSignedIn": False, "nextStep": {"signInStep": "CONFIRM_SIGN_UP"}},
        "wrongCode": "CodeMismatchException",
        "confirmed": {"isSignUpComplete": True, "nextStep": {"signUpStep": "DONE"}},
        "wrongPassword": "NotAuthorizedException",
        "byPassword": DONE,
        "user": {"username": sub, "userId": sub, "signInDetails": details},
        "attributes": attributes,
        "kept": True,
        "again": "UserAlreadyAuthenticatedException",
        "renamed": {
            "name": {"isUpdated": True, "nextStep": {"updateAttributeStep": "DONE"}},
            "email": {"isUpdated": False, "nextStep": to_confirm},
        },
        "unverified": attributes | {"name": "Jane Doe"},
        "changed": attributes | {"name": "Jane Doe", "email": NEW_EMAIL},
        "signedOut": [None, "UserUnAuthenticatedException"],
        "byCode": {"isSignedIn": False, "nextStep": by_code},
        "wrongEmailCode": "CodeMismatchException",
        "byRightCode": DONE,
    }
    assert of_one_sign_in(*tokens)
    assert (claims["sub"], claims["email"], claims["aud"]) == (sub, NEW_EMAIL, told["clientId"])


def test_the_aws_sdk_for_javascript(node: Node, cloud: LabCloud) -> None:
    key, secret = cloud.cloud.access_key_id, cloud.cloud.secret_access_key
    told = pool_and_client(cloud, ExplicitAuthFlows=["ALLOW_USER_AUTH"])
    credentials = {"accessKeyId": key, "secretAccessKey": secret}
    assert node("aws_sdk_walk.mjs", {**told, "credentials": credentials}) == {
        "user": True,
        "sessionTwice": "NotAuthorizedException",
        "unknown": [True, "User does not exist.", 400],
        "requestIds": [True, True],
        "isNew": True,
        "found": 1,
        "tested": [200, '"up"'],
        "exported": ["/health"],
        "noStage": [True, "Invalid stage identifier specified"],
    }
