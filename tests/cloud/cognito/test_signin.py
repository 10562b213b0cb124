"""The choice-based sign-in as a state machine; what AWS answers case by case is in the ledger."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt import PyJWK

from labkit.local.cognito.challenge_sessions import Challenge, ChallengeSessions
from labkit.local.cognito.signin import mask_address
from labkit.local.engine import UserPool, UserPoolClient
from labkit.local.json_protocol import ApiError
from tests.support.in_process_cloud import Answer, Clock, Cognito
from tests.support.ministack_names import SRP_N

EMAIL = "jane@example.com"
PASSWORD = "Correct-1234"


@pytest.fixture
def client_id(cognito: Cognito) -> str:
    """A client of a pool that has one user without a password."""
    pool_id = cognito.pool("PASSWORD", "EMAIL_OTP")
    cognito.user(pool_id)
    return cognito.client(pool_id)


def find_client(cognito: Cognito, client_id: str) -> tuple[UserPool, UserPoolClient]:
    found = cognito.engine.user_pools.find_client(client_id)
    assert found is not None
    return found


def test_a_code_from_the_mail_becomes_tokens_that_verify(cognito: Cognito, client_id: str) -> None:
    session = cognito.ask_for_code(client_id).body["Session"]
    result = cognito.give_code(client_id, session, cognito.code()).body["AuthenticationResult"]

    pool_id = find_client(cognito, client_id)[0]["Id"]
    keys = {key["kid"]: PyJWK(key) for key in cognito.engine.user_pools.signing_keys(pool_id)}
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool_id}"
    access_kid, id_kid = (
        jwt.get_unverified_header(result[name])["kid"] for name in ("AccessToken", "IdToken")
    )
    assert access_kid != id_kid
    access = jwt.decode(
        result["AccessToken"], keys[access_kid], algorithms=["RS256"], issuer=issuer
    )
    identity = jwt.decode(
        result["IdToken"], keys[id_kid], algorithms=["RS256"], audience=client_id, issuer=issuer
    )
    for claim in ("event_id", "origin_jti", "auth_time", "sub"):
        assert access[claim] == identity[claim]
    assert access["jti"] != identity["jti"]
    me = cognito.call("GetUser", AccessToken=result["AccessToken"])
    assert me.body["Username"] == access["username"]


def test_the_code_has_eight_digits_and_the_session_does_not_show_it(
    cognito: Cognito, client_id: str
) -> None:
    seen = set()
    for _ in range(5):
        session = cognito.ask_for_code(client_id).body["Session"]
        code = cognito.code()
        assert len(code) == 8
        assert code.isdigit()
        decoded = base64.urlsafe_b64decode(session + "=" * (-len(session) % 4))
        assert code not in session
        assert code.encode() not in decoded
        assert EMAIL.encode() not in decoded
        assert 1543 <= len(session) <= 1587
        seen |= {session, code}
    assert len(seen) == 10


def test_of_two_right_answers_at_once_one_gets_tokens(cognito: Cognito, client_id: str) -> None:
    session = cognito.ask_for_code(client_id).body["Session"]
    body = {
        "ClientId": client_id,
        "ChallengeName": "EMAIL_OTP",
        "Session": session,
        "ChallengeResponses": {"USERNAME": EMAIL, "EMAIL_OTP_CODE": cognito.code()},
    }
    request = cognito.request("RespondToAuthChallenge", json.dumps(body).encode())
    answers = cognito.together(*[request] * 8)

    assert sorted(answer.status for answer in answers) == [200] + [400] * 7
    assert {answer.error for answer in answers if answer.status == 400} == {
        (
            "NotAuthorizedException",
            "Invalid session for the user, session can only be used once.",
        )
    }


def test_wrong_answers_are_alike_to_the_byte_but_for_the_request_id(
    cognito: Cognito, client_id: str
) -> None:
    session = cognito.ask_for_code(client_id).body["Session"]
    real = [cognito.give_code(client_id, session, code) for code in ("00000000", "1", "x" * 500)]
    nobody = cognito.ask_for_code(client_id, "nobody@example.com").body["Session"]
    simulated = cognito.give_code(client_id, nobody, "00000000", "nobody@example.com")
    assert len({answer.response.body for answer in [*real, simulated]}) == 1


def test_the_last_second_counts(cognito: Cognito, client_id: str) -> None:
    session = cognito.ask_for_code(client_id).body["Session"]
    cognito.clock.advance(179.9)
    assert cognito.give_code(client_id, session, cognito.code()).status == 200


def test_each_challenge_has_its_own_time(cognito: Cognito, client_id: str) -> None:
    first = choose(cognito, client_id)
    cognito.clock.advance(170)
    second = answer_choice(cognito, client_id, first, ANSWER="EMAIL_OTP")
    cognito.clock.advance(170)
    assert cognito.give_code(client_id, second.body["Session"], cognito.code()).status == 200


def choose(cognito: Cognito, client_id: str, email: str = EMAIL) -> str:
    answer = cognito.call(
        "InitiateAuth",
        AuthFlow="USER_AUTH",
        ClientId=client_id,
        AuthParameters={"USERNAME": email},
    )
    assert answer.body["ChallengeName"] == "SELECT_CHALLENGE", answer.body
    return str(answer.body["Session"])


def answer_choice(
    cognito: Cognito, client_id: str, session: str, email: str = EMAIL, **responses: str
) -> Answer:
    return cognito.call(
        "RespondToAuthChallenge",
        ChallengeName="SELECT_CHALLENGE",
        ClientId=client_id,
        Session=session,
        ChallengeResponses={"USERNAME": email, **responses},
    )


def test_a_choice_is_made_once_and_its_session_answers_no_code(
    cognito: Cognito, client_id: str
) -> None:
    session = choose(cognito, client_id)
    assert cognito.give_code(client_id, session, "12345678").error == (
        "NotAuthorizedException",
        "Invalid session for the user.",
    )
    second = answer_choice(cognito, client_id, session, ANSWER="EMAIL_OTP").body["Session"]
    assert second != session
    again = answer_choice(cognito, client_id, session, ANSWER="EMAIL_OTP")
    assert again.error[1] == "Invalid session for the user, session can only be used once."
    assert len(cognito.mailbox.messages(EMAIL)) == 1


@pytest.mark.parametrize("missing", ["USERNAME", "EMAIL_OTP_CODE"])
def test_a_missing_answer_names_the_parameter(
    cognito: Cognito, client_id: str, missing: str
) -> None:
    session = cognito.ask_for_code(client_id).body["Session"]
    responses = {"USERNAME": EMAIL, "EMAIL_OTP_CODE": cognito.code()}
    del responses[missing]
    answer = cognito.call(
        "RespondToAuthChallenge",
        ClientId=client_id,
        ChallengeName="EMAIL_OTP",
        Session=session,
        ChallengeResponses=responses,
    )
    assert answer.error == (
        "InvalidParameterException",
        f"Missing required parameter {missing}",
    )


def test_without_a_session_there_is_no_answer(cognito: Cognito, client_id: str) -> None:
    answer = cognito.call(
        "RespondToAuthChallenge",
        ClientId=client_id,
        ChallengeName="EMAIL_OTP",
        ChallengeResponses={"USERNAME": EMAIL, "EMAIL_OTP_CODE": "12345678"},
    )
    assert answer.error == ("InvalidParameterException", "Missing required parameter Session")


def test_user_auth_needs_a_username(cognito: Cognito, client_id: str) -> None:
    for parameters in ({}, {"USERNAME": ""}, {"PREFERRED_CHALLENGE": "EMAIL_OTP"}):
        answer = cognito.call(
            "InitiateAuth", AuthFlow="USER_AUTH", ClientId=client_id, AuthParameters=parameters
        )
        assert answer.error == (
            "InvalidParameterException",
            "Missing required parameter USERNAME",
        )


def test_a_secret_hash_is_wanted_with_the_code_too(cognito: Cognito) -> None:
    pool_id = cognito.pool("PASSWORD", "EMAIL_OTP")
    cognito.user(pool_id)
    client_id = cognito.client(pool_id, GenerateSecret=True)
    secret = find_client(cognito, client_id)[1]["ClientSecret"]
    proof = hmac.digest(secret.encode(), f"{EMAIL}{client_id}".encode(), "sha256")
    hashed = {"SECRET_HASH": base64.b64encode(proof).decode()}
    question = cognito.call(
        "InitiateAuth",
        AuthFlow="USER_AUTH",
        ClientId=client_id,
        AuthParameters={"USERNAME": EMAIL, "PREFERRED_CHALLENGE": "EMAIL_OTP", **hashed},
    )

    def answer(**more: str) -> Answer:
        return cognito.call(
            "RespondToAuthChallenge",
            ClientId=client_id,
            ChallengeName="EMAIL_OTP",
            Session=question.body["Session"],
            ChallengeResponses={"USERNAME": EMAIL, "EMAIL_OTP_CODE": cognito.code(), **more},
        )

    assert answer().error == (
        "NotAuthorizedException",
        f"Client {client_id} is configured with secret but SECRET_HASH was not received",
    )
    assert answer(**hashed).status == 200


def test_an_unknown_client_does_not_exist(cognito: Cognito) -> None:
    answer = cognito.ask_for_code("1example23456789")
    assert answer.error == (
        "ResourceNotFoundException",
        "User pool client 1example23456789 does not exist.",
    )


def test_the_address_may_be_typed_in_any_case_where_the_pool_ignores_it(
    cognito: Cognito, client_id: str
) -> None:
    session = cognito.ask_for_code(client_id, "JANE@Example.com").body["Session"]
    assert cognito.give_code(client_id, session, cognito.code(), "Jane@example.COM").status == 200


def test_a_sub_signs_in_only_where_it_is_the_username(cognito: Cognito) -> None:
    pool_id = cognito.pool("PASSWORD", "EMAIL_OTP", UsernameAttributes=[])
    client_id = cognito.client(pool_id, PreventUserExistenceErrors="LEGACY")
    user = cognito.user(
        pool_id, Username="jane", UserAttributes=[{"Name": "email", "Value": EMAIL}]
    )
    sub = next(one["Value"] for one in user.body["User"]["Attributes"] if one["Name"] == "sub")
    assert cognito.ask_for_code(client_id, "jane").status == 200
    assert cognito.ask_for_code(client_id, sub).error[0] == "UserNotFoundException"


def test_a_user_who_is_disabled_or_deleted_meanwhile_gets_no_tokens(
    cognito: Cognito, client_id: str
) -> None:
    pool_id = find_client(cognito, client_id)[0]["Id"]
    session, code = cognito.ask_for_code(client_id).body["Session"], cognito.code()
    cognito.call("AdminDisableUser", UserPoolId=pool_id, Username=EMAIL)
    answer = cognito.give_code(client_id, session, code)
    assert answer.error == ("NotAuthorizedException", "User is disabled.")
    cognito.call("AdminDeleteUser", UserPoolId=pool_id, Username=EMAIL)
    cognito.user(pool_id)  # another one with the same address
    answer = cognito.give_code(client_id, session, code)
    assert answer.error == ("NotAuthorizedException", "Invalid session for the user.")


# -- users who don't exist --------------------------------------------------------------------


def test_nobody_can_be_told_from_somebody(cognito: Cognito, client_id: str) -> None:
    known = cognito.ask_for_code(client_id)
    names = [f"nobody-{number}@example.com" for number in range(40)]
    unknown = [cognito.ask_for_code(client_id, name) for name in names]

    assert {tuple(answer.body) for answer in unknown} == {tuple(known.body)}
    lists = {tuple(answer.body["AvailableChallenges"]) for answer in unknown}
    assert lists == {("EMAIL_OTP",), ("PASSWORD_SRP", "PASSWORD", "EMAIL_OTP")}
    assert all(1543 <= len(answer.body["Session"]) <= 1587 for answer in unknown)
    assert not any(cognito.mailbox.messages(name) for name in names)


def test_nobody_is_offered_the_same_list_every_time_and_way(
    cognito: Cognito, client_id: str
) -> None:
    for number in range(10):
        name = f"nobody-{number}@example.com"
        direct = cognito.ask_for_code(client_id, name).body["AvailableChallenges"]
        chosen = cognito.call(
            "InitiateAuth",
            AuthFlow="USER_AUTH",
            ClientId=client_id,
            AuthParameters={"USERNAME": name},
        )
        assert chosen.body["AvailableChallenges"] == direct


def test_nobody_may_choose_too(cognito: Cognito, client_id: str) -> None:
    name = "nobody@example.com"
    session = choose(cognito, client_id, name)
    question = answer_choice(cognito, client_id, session, name, ANSWER="EMAIL_OTP")
    assert question.body["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == "n***@e***"
    answer = cognito.give_code(client_id, question.body["Session"], "12345678", name)
    assert answer.error[0] == "CodeMismatchException"
    cognito.clock.advance(180)
    answer = cognito.give_code(client_id, question.body["Session"], "12345678", name)
    assert answer.error[1] == "Invalid session for the user, session is expired."


def test_the_code_drawn_for_nobody_is_never_right(cognito: Cognito, client_id: str) -> None:
    drawn: list[str] = []

    def draw(count: int) -> str:
        drawn.append("7" * count)
        return drawn[-1]

    cognito.service._sign_in._draw_digits = draw
    name = "nobody@example.com"
    session = cognito.ask_for_code(client_id, name).body["Session"]
    assert drawn == ["77777777"]
    answer = cognito.give_code(client_id, session, drawn[0], name)
    assert answer.error[0] == "CodeMismatchException"


# -- passwords inside the choice ------------------------------------------------------------------


@pytest.fixture
def password_client_id(cognito: Cognito, client_id: str) -> str:
    cognito.set_password(find_client(cognito, client_id)[0]["Id"], PASSWORD)
    return client_id


def test_a_password_proof_signs_in(cognito: Cognito, password_client_id: str) -> None:
    answer = srp_sign_in(cognito, password_client_id, PASSWORD)
    assert answer.status == 200, answer.body
    assert "AccessToken" in answer.body["AuthenticationResult"]


def test_a_wrong_password_proof_does_not(cognito: Cognito, password_client_id: str) -> None:
    answer = srp_sign_in(cognito, password_client_id, "Wrong-1234")
    assert answer.error == ("NotAuthorizedException", "Incorrect username or password.")


def test_a_proof_gives_no_tokens_against_the_post_authentication_trigger(
    cognito: Cognito, password_client_id: str
) -> None:
    def refuse(_event: Any) -> Any:
        raise RuntimeError("no entry")

    pool_id = find_client(cognito, password_client_id)[0]["Id"]
    function = cognito.function(refuse, pool_id)
    trigger = {"PostAuthentication": function}
    policies = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    cognito.call("UpdateUserPool", UserPoolId=pool_id, LambdaConfig=trigger, Policies=policies)
    answer = srp_sign_in(cognito, password_client_id, PASSWORD)
    assert answer.error == (
        "UserLambdaValidationException",
        "PostAuthentication failed with error no entry.",
    )


def srp_sign_in(cognito: Cognito, client_id: str, password: str) -> Answer:
    """The client's side of SRP-6a, as Cognito's SDKs do it."""
    import hashlib
    import secrets
    from datetime import UTC, datetime

    n, g = cognito.engine.ministack[SRP_N], 2
    a = secrets.randbelow(n)
    big_a = pow(g, a, n)
    question = cognito.call(
        "InitiateAuth",
        AuthFlow="USER_AUTH",
        ClientId=client_id,
        AuthParameters={
            "USERNAME": EMAIL,
            "PREFERRED_CHALLENGE": "PASSWORD_SRP",
            "SRP_A": format(big_a, "x"),
        },
    )
    assert question.body["ChallengeName"] == "PASSWORD_VERIFIER", question.body
    parameters = question.body["ChallengeParameters"]

    def pad(number: int) -> bytes:
        return number.to_bytes(number.bit_length() // 8 + 1, "big")

    def digest(*parts: bytes) -> int:
        return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")

    pool_name = find_client(cognito, client_id)[0]["Id"].split("_")[1]
    user_id, big_b = parameters["USER_ID_FOR_SRP"], int(parameters["SRP_B"], 16)
    u, k = digest(pad(big_a), pad(big_b)), digest(pad(n), pad(g))
    inner = hashlib.sha256(f"{pool_name}{user_id}:{password}".encode()).digest()
    x = digest(pad(int(parameters["SALT"], 16)), inner)
    s = pow(big_b - k * pow(g, x, n), a + u * x, n)
    prk = hmac.digest(pad(u), pad(s), "sha256")
    key = hmac.digest(prk, b"Caldera Derived Key\x01", "sha256")[:16]
    now = datetime.now(UTC)
    timestamp = f"{now:%a %b} {now.day} {now:%H:%M:%S} UTC {now.year}"
    block = base64.b64decode(parameters["SECRET_BLOCK"])
    message = (pool_name + user_id).encode() + block + timestamp.encode()
    return cognito.call(
        "RespondToAuthChallenge",
        ClientId=client_id,
        ChallengeName="PASSWORD_VERIFIER",
        ChallengeResponses={
            "USERNAME": user_id,
            "PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
            "TIMESTAMP": timestamp,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(
                hmac.digest(key, message, "sha256")
            ).decode(),
        },
    )


def test_after_a_wrong_password_the_choice_is_spent(
    cognito: Cognito, password_client_id: str
) -> None:
    session = choose(cognito, password_client_id)
    missing = answer_choice(cognito, password_client_id, session, ANSWER="PASSWORD")
    assert missing.error == ("InvalidParameterException", "Missing required parameter PASSWORD")
    for password, text in (
        ("Wrong-1234", "Incorrect username or password."),
        (PASSWORD, "Invalid session for the user, session can only be used once."),
    ):
        answer = answer_choice(
            cognito, password_client_id, session, ANSWER="PASSWORD", PASSWORD=password
        )
        assert answer.error == ("NotAuthorizedException", text)


def test_a_code_is_offered_only_where_the_pool_allows_it(cognito: Cognito) -> None:
    pool_id = cognito.pool()
    client_id = cognito.client(pool_id)
    cognito.user(pool_id, TemporaryPassword=PASSWORD)
    cognito.set_password(pool_id, PASSWORD)
    for email in (EMAIL, "nobody@example.com"):
        answer = cognito.ask_for_code(client_id, email)
        assert answer.body["ChallengeName"] == "SELECT_CHALLENGE"
        assert answer.body["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]


def test_a_code_is_offered_only_to_who_has_an_address(cognito: Cognito) -> None:
    pool_id = cognito.pool("PASSWORD", "EMAIL_OTP", UsernameAttributes=[])
    client_id = cognito.client(pool_id)
    cognito.user(pool_id, Username="jane", UserAttributes=[], TemporaryPassword=PASSWORD)
    cognito.set_password(pool_id, PASSWORD, "jane")
    answer = cognito.ask_for_code(client_id, "jane")
    assert answer.body["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]


def test_a_mail_template_counts_only_where_mfa_is_possible(
    cognito: Cognito, client_id: str
) -> None:
    pool_id = find_client(cognito, client_id)[0]["Id"]
    template = {"Subject": "Hello", "Message": "Take {####}."}
    for mfa, subject, start in (
        ("OFF", "Your sign-in code", "Your"),
        ("OPTIONAL", "Hello", "Take"),
    ):
        cognito.call(
            "SetUserPoolMfaConfig",
            UserPoolId=pool_id,
            MfaConfiguration=mfa,
            EmailMfaConfiguration=template,
        )
        cognito.ask_for_code(client_id)
        mail = cognito.mailbox.messages(EMAIL)[0]
        assert mail["subject"] == subject
        assert str(mail["body"]).startswith(f"{start} ")
        assert len(cognito.code()) == 8


# -- the administrator's way ------------------------------------------------------------------------


def test_an_administrator_signs_a_user_in(cognito: Cognito, client_id: str) -> None:
    pool_id = find_client(cognito, client_id)[0]["Id"]
    common = {"UserPoolId": pool_id, "ClientId": client_id}
    question = cognito.call(
        "AdminInitiateAuth",
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": EMAIL, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
        **common,
    )
    assert question.body["ChallengeName"] == "EMAIL_OTP", question.body
    answer = cognito.call(
        "AdminRespondToAuthChallenge",
        ChallengeName="EMAIL_OTP",
        Session=question.body["Session"],
        ChallengeResponses={"USERNAME": EMAIL, "EMAIL_OTP_CODE": cognito.code()},
        **common,
    )
    assert "AccessToken" in answer.body["AuthenticationResult"]


def test_the_administrators_way_needs_a_signature(cognito: Cognito, client_id: str) -> None:
    pool_id = find_client(cognito, client_id)[0]["Id"]
    for operation, more in (
        ("AdminInitiateAuth", {"AuthFlow": "USER_AUTH"}),
        ("AdminRespondToAuthChallenge", {"ChallengeName": "EMAIL_OTP", "Session": "s" * 20}),
        ("AdminRespondToAuthChallenge", {"ChallengeName": "SMS_MFA", "Session": "s" * 20}),
    ):
        body = json.dumps({"UserPoolId": pool_id, "ClientId": client_id, **more}).encode()
        answer = cognito.send(cognito.request(operation, body, signed=False))
        assert (answer.status, answer.error[0]) == (400, "MissingAuthenticationTokenException")


# -- the sessions ------------------------------------------------------------------------------------


def challenge(clock: Clock, **changes: Any) -> Challenge:
    values = {
        "name": "EMAIL_OTP",
        "pool_id": "us-east-1_aaaaaaaaa",
        "client_id": "c",
        "username": "u",
        "typed_name": "u",
        "expires_at": clock() + 180,
        "code": "12345678",
    }
    return Challenge(**{**values, **changes})


def test_secrets_are_wiped_after_use_and_when_it_is_too_late() -> None:
    clock = Clock()
    sessions = ChallengeSessions(clock=clock)
    used, late = challenge(clock, engine_session="e", secret="s"), challenge(clock)
    sessions.use(used)
    assert (used.code, used.engine_session, used.secret) == (None, None, None)
    session = sessions.open(late)
    clock.advance(180)
    with pytest.raises(ApiError, match="expired"):
        sessions.find(session, "c", "EMAIL_OTP")
    assert late.code is None


def test_old_sessions_make_room() -> None:
    clock = Clock()
    sessions = ChallengeSessions(clock=clock, limit=3)
    kept = [sessions.open(challenge(clock)) for _ in range(5)]
    assert len(sessions) == 3
    with pytest.raises(ApiError, match=r"^Invalid session for the user\.$"):
        sessions.find(kept[1], "c", "EMAIL_OTP")
    assert sessions.find(kept[2], "c", "EMAIL_OTP").code == "12345678"


def test_no_session_is_readable_in_the_store() -> None:
    sessions = ChallengeSessions(clock=Clock())
    session = sessions.open(challenge(Clock()))
    assert session not in repr(vars(sessions))


@given(st.emails())
def test_a_mask_shows_two_letters(address: str) -> None:
    local, _, domain = address.rpartition("@")
    shown = mask_address(address)
    assert shown.count("***") == 2
    assert len(shown) <= 9
    assert shown[0] == local[0]
    assert domain[1:] not in shown or len(domain) == 1


# -- anything at all -----------------------------------------------------------------------------------

# Values of every JSON kind, in the places where a body has its parameters.
_scalar = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_any = st.recursive(
    _scalar, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)


def _body(names: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: _any | own for name, own in names.items()})


_parameters = st.dictionaries(
    st.sampled_from(["USERNAME", "PASSWORD", "SRP_A", "REFRESH_TOKEN", "PREFERRED_CHALLENGE"]),
    _any | st.sampled_from([EMAIL, "EMAIL_OTP", "PASSWORD", "PASSWORD_SRP", "nobody"]),
)
_responses = st.dictionaries(
    st.sampled_from(["USERNAME", "ANSWER", "EMAIL_OTP_CODE", "PASSWORD", "NEW_PASSWORD"]),
    _any | st.sampled_from([EMAIL, "EMAIL_OTP", "PASSWORD", "12345678"]),
)
fuzz = settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_flows = ("USER_AUTH", "USER_PASSWORD_AUTH", "USER_SRP_AUTH", "REFRESH_TOKEN_AUTH", "CUSTOM_AUTH")
_challenges = ("SELECT_CHALLENGE", "EMAIL_OTP", "NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA")


@given(
    body=_body(
        {
            "AuthFlow": st.sampled_from(_flows),
            "ClientId": st.just("{client}"),
            "AuthParameters": _parameters,
            "ClientMetadata": _any,
            "Session": st.text(min_size=20, max_size=30),
        }
    )
)
@fuzz
def test_no_start_of_a_sign_in_breaks_the_service(
    cognito: Cognito, client_id: str, body: dict[str, Any]
) -> None:
    assert_refused_or_asked(send(cognito, client_id, "InitiateAuth", body))


@given(
    body=_body(
        {
            "ChallengeName": st.sampled_from(
                [*_challenges, "MFA_SETUP", "PASSWORD_VERIFIER", "SMS_MFA", "CUSTOM_CHALLENGE"]
            ),
            "ClientId": st.just("{client}"),
            "ChallengeResponses": _responses,
            "Session": st.text(min_size=20, max_size=30),
        }
    )
)
@fuzz
def test_no_answer_breaks_the_service(
    cognito: Cognito, client_id: str, body: dict[str, Any]
) -> None:
    answer = send(cognito, client_id, "RespondToAuthChallenge", body)
    assert answer.status == 400, answer.body
    assert_refused_or_asked(answer)


@given(body=st.binary(max_size=200))
@fuzz
def test_no_bytes_break_the_service(cognito: Cognito, body: bytes) -> None:
    answer = cognito.raw("InitiateAuth", body)
    assert answer.status == 400
    assert answer.error[0] in ("SerializationException", "InvalidParameterException")


def send(cognito: Cognito, client_id: str, operation: str, body: dict[str, Any]) -> Answer:
    if body.get("ClientId") == "{client}":
        body = {**body, "ClientId": client_id}
    return cognito.raw(operation, json.dumps(body).encode())


def assert_refused_or_asked(answer: Answer) -> None:
    assert answer.status in (200, 400), answer.body
    assert "AuthenticationResult" not in answer.body
    if answer.status == 400:
        assert set(answer.body) <= {"__type", "message"}
        assert str(answer.error[0]).endswith("Exception")
        assert "Traceback" not in str(answer.error[1])
