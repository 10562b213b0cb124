"""The choice-based sign-in, step by step."""

from __future__ import annotations

import jwt
from jwt import PyJWK


def test_a_code_from_the_mail_becomes_tokens_that_verify(cognito):
    pool_id = cognito.pool("PASSWORD", "EMAIL_OTP")
    client_id = cognito.client(pool_id)
    cognito.user(pool_id)

    question = cognito.ask_for_code(client_id)
    assert question.status == 200, question.body
    assert {name: value for name, value in question.body.items() if name != "Session"} == {
        "ChallengeName": "EMAIL_OTP",
        "ChallengeParameters": {
            "CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL",
            "CODE_DELIVERY_DESTINATION": "j***@e***",
        },
        "AvailableChallenges": ["EMAIL_OTP"],
    }
    answer = cognito.give_code(client_id, question.body["Session"], cognito.code())

    assert answer.status == 200, answer.body
    assert list(answer.body) == ["ChallengeParameters", "AuthenticationResult"]
    assert answer.body["ChallengeParameters"] == {}
    result = answer.body["AuthenticationResult"]
    assert list(result) == ["AccessToken", "ExpiresIn", "TokenType", "RefreshToken", "IdToken"]
    keys = {key["kid"]: PyJWK(key) for key in cognito.engine.signing_keys(pool_id)}
    kids = {
        name: jwt.get_unverified_header(result[name])["kid"] for name in ("AccessToken", "IdToken")
    }
    assert kids["AccessToken"] != kids["IdToken"]
    access = jwt.decode(result["AccessToken"], keys[kids["AccessToken"]], algorithms=["RS256"])
    identity = jwt.decode(
        result["IdToken"], keys[kids["IdToken"]], algorithms=["RS256"], audience=client_id
    )
    assert "aud" not in access
    assert "email" not in access
    assert access["client_id"] == client_id
    assert access["scope"] == "aws.cognito.signin.user.admin"
    assert access["username"] == access["sub"] == identity["cognito:username"]
    assert identity["email"] == "jane@example.com"
    assert identity["email_verified"] is True
    assert access["event_id"] == identity["event_id"]
    assert access["origin_jti"] == identity["origin_jti"]
