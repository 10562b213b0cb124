"""Task 6's checks: what a learner hands over is looked at, and the cloud is asked about it."""

import base64
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import requests

from labkit import names
from labkit.course import build
from labkit.course.tasks import Demo
from labkit.errors import TaskError
from labkit.lab.session import Lab
from tests.cloud.course.wrong_states import WrongState, cases, prove, sentences_of

COGNITO = "https://cognito-idp.us-east-1.amazonaws.com/"
OTHER = "somebody@example.com"


def cognito_idp() -> Any:
    return boto3.client("cognito-idp")


# -- the requests -------------------------------------------------------------------------------


def send(lab: Lab, operation: str, body: dict[str, Any], **headers: str) -> requests.Response:
    names_of_aws = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
    }
    sent = {name: value for name, value in (names_of_aws | headers).items() if value}
    return lab.http.post(COGNITO, headers=sent, json=body, timeout=30)


def asking(demo: Demo, **changes: Any) -> dict[str, Any]:
    parameters = {"USERNAME": demo.email, "PREFERRED_CHALLENGE": "EMAIL_OTP"}
    return {
        "ClientId": demo.client_id,
        "AuthFlow": "USER_AUTH",
        "AuthParameters": parameters,
    } | changes


def ask(lab: Lab, demo: Demo, **changes: Any) -> requests.Response:
    return send(lab, "InitiateAuth", asking(demo, **changes))


def answering(lab: Lab, demo: Demo, **changes: Any) -> dict[str, Any]:
    session = ask(lab, demo).json()["Session"]
    code = lab.inbox.wait_for_code(str(demo.email))
    responses = {"USERNAME": demo.email, "EMAIL_OTP_CODE": code}
    body = {
        "ClientId": demo.client_id,
        "ChallengeName": "EMAIL_OTP",
        "ChallengeResponses": responses,
        "Session": session,
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def answer(lab: Lab, demo: Demo, **changes: Any) -> requests.Response:
    return send(lab, "RespondToAuthChallenge", answering(lab, demo, **changes))


def sign_in(lab: Lab, demo: Demo) -> dict[str, str]:
    tokens: dict[str, str] = answer(lab, demo).json()["AuthenticationResult"]
    return tokens


def call(lab: Lab, demo: Demo, header: str | None = None, path: str = "/demo") -> requests.Response:
    headers = {} if header is None else {"Authorization": header}
    return lab.http.get(f"{demo.invoke_url}{path}", headers=headers, timeout=30)


def make_user(demo: Demo, address: str, **changes: Any) -> None:
    verified = {"Name": "email_verified", "Value": "true"}
    cognito_idp().admin_create_user(
        UserPoolId=demo.user_pool_id,
        Username=address,
        UserAttributes=[{"Name": "email", "Value": address}, verified],
        MessageAction="SUPPRESS",
        **changes,
    )


# -- 6.1 --


def nothing(_lab: Lab, _demo: Demo) -> object:
    return None


def a_text(_lab: Lab, _demo: Demo) -> object:
    return "response"


def the_api_instead(lab: Lab, demo: Demo) -> object:
    return call(lab, demo)


def a_get(lab: Lab, _demo: Demo) -> object:
    return lab.http.get(COGNITO, timeout=30)


def no_target(lab: Lab, demo: Demo) -> object:
    return send(lab, "InitiateAuth", asking(demo), **{"X-Amz-Target": ""})


def the_operation_alone(lab: Lab, demo: Demo) -> object:
    return send(lab, "InitiateAuth", asking(demo), **{"X-Amz-Target": "InitiateAuth"})


def another_operation(lab: Lab, demo: Demo) -> object:
    return send(lab, "AdminInitiateAuth", asking(demo))


def plain_json(lab: Lab, demo: Demo) -> object:
    return send(lab, "InitiateAuth", asking(demo), **{"Content-Type": "application/json"})


def the_password_flow(lab: Lab, demo: Demo) -> object:
    return ask(lab, demo, AuthFlow="USER_PASSWORD_AUTH")


def an_unknown_client(lab: Lab, demo: Demo) -> object:
    return ask(lab, demo, ClientId="a" * 26)


def no_client(lab: Lab, demo: Demo) -> object:
    body = asking(demo)
    del body["ClientId"]
    return send(lab, "InitiateAuth", body)


def another_client(lab: Lab, demo: Demo) -> object:
    made = cognito_idp().create_user_pool_client(
        UserPoolId=demo.user_pool_id, ClientName="another", ExplicitAuthFlows=["ALLOW_USER_AUTH"]
    )
    return ask(lab, demo, ClientId=made["UserPoolClient"]["ClientId"])


def no_name(lab: Lab, demo: Demo) -> object:
    return ask(lab, demo, AuthParameters={"PREFERRED_CHALLENGE": "EMAIL_OTP"})


def no_preference(lab: Lab, demo: Demo) -> object:
    return ask(lab, demo, AuthParameters={"USERNAME": demo.email})


def a_password_preferred(lab: Lab, demo: Demo) -> object:
    parameters = {"USERNAME": demo.email, "PREFERRED_CHALLENGE": "PASSWORD"}
    return ask(lab, demo, AuthParameters=parameters)


def an_unknown_user(lab: Lab, demo: Demo) -> object:
    parameters = {"USERNAME": "nobody@example.com", "PREFERRED_CHALLENGE": "EMAIL_OTP"}
    return ask(lab, demo, AuthParameters=parameters)


def another_user(lab: Lab, demo: Demo) -> object:
    make_user(demo, OTHER)
    parameters = {"USERNAME": OTHER, "PREFERRED_CHALLENGE": "EMAIL_OTP"}
    return ask(lab, demo, AuthParameters=parameters)


def a_user_who_is_stuck(lab: Lab, demo: Demo) -> object:
    user = {"UserPoolId": demo.user_pool_id, "Username": demo.email}
    cognito_idp().admin_delete_user(**user)
    make_user(demo, str(demo.email), TemporaryPassword="Try-me-1!")
    return ask(lab, demo)


# -- 6.2 --


def the_first_answer_again(lab: Lab, demo: Demo) -> object:
    return ask(lab, demo)


def a_wrong_code(lab: Lab, demo: Demo) -> object:
    return answer(
        lab, demo, ChallengeResponses={"USERNAME": demo.email, "EMAIL_OTP_CODE": "00000000"}
    )


def no_code(lab: Lab, demo: Demo) -> object:
    return answer(lab, demo, ChallengeResponses={"USERNAME": demo.email})


def no_client_in_the_answer(lab: Lab, demo: Demo) -> object:
    return answer(lab, demo, ClientId=None)


def no_session(lab: Lab, demo: Demo) -> object:
    return answer(lab, demo, Session=None)


def another_challenge_name(lab: Lab, demo: Demo) -> object:
    return answer(lab, demo, ChallengeName="SMS_OTP")


def a_used_session(lab: Lab, demo: Demo) -> object:
    body = answering(lab, demo)
    send(lab, "RespondToAuthChallenge", body)
    return send(lab, "RespondToAuthChallenge", body)


def an_expired_session(lab: Lab, demo: Demo) -> object:
    body = answering(lab, demo)
    lab.clock.advance(minutes=4)
    return send(lab, "RespondToAuthChallenge", body)


def a_session_of_nobody(lab: Lab, demo: Demo) -> object:
    return answer(lab, demo, Session="x" * 30)


def chosen_and_not_answered(lab: Lab, demo: Demo) -> object:
    session = ask(lab, demo, AuthParameters={"USERNAME": demo.email}).json()["Session"]
    body = {
        "ClientId": demo.client_id,
        "ChallengeName": "SELECT_CHALLENGE",
        "ChallengeResponses": {"USERNAME": demo.email, "ANSWER": "EMAIL_OTP"},
        "Session": session,
    }
    return send(lab, "RespondToAuthChallenge", body)


def tokens_of_somebody_else(lab: Lab, demo: Demo) -> object:
    make_user(demo, OTHER)
    demo.email = OTHER
    return answer(lab, demo)


def tokens_of_another_pool(lab: Lab, demo: Demo) -> object:
    factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    pool = cognito_idp().create_user_pool(
        PoolName="another",
        UsernameAttributes=["email"],
        Policies=factors,
        UserPoolTags=names.TAGS,
    )["UserPool"]
    made = cognito_idp().create_user_pool_client(
        UserPoolId=pool["Id"], ClientName="another", ExplicitAuthFlows=["ALLOW_USER_AUTH"]
    )
    there = Demo(
        user_pool_id=pool["Id"], client_id=made["UserPoolClient"]["ClientId"], email=names.EMAIL
    )
    make_user(there, names.EMAIL)
    return answer(lab, there)


def tokens_of_a_user_who_signed_out(lab: Lab, demo: Demo) -> object:
    response = answer(lab, demo)
    token = response.json()["AuthenticationResult"]["AccessToken"]
    cognito_idp().global_sign_out(AccessToken=token)
    return response


# -- 6.3 --


def no_token(lab: Lab, demo: Demo) -> object:
    return call(lab, demo)


def the_id_token(lab: Lab, demo: Demo) -> object:
    return call(lab, demo, sign_in(lab, demo)["IdToken"])


def the_refresh_token(lab: Lab, demo: Demo) -> object:
    return call(lab, demo, sign_in(lab, demo)["RefreshToken"])


def bearer_without_a_space(lab: Lab, demo: Demo) -> object:
    return call(lab, demo, "Bearer" + sign_in(lab, demo)["AccessToken"])


def a_small_bearer(lab: Lab, demo: Demo) -> object:
    return call(lab, demo, "bearer " + sign_in(lab, demo)["AccessToken"])


def two_spaces(lab: Lab, demo: Demo) -> object:
    return call(lab, demo, "Bearer  " + sign_in(lab, demo)["AccessToken"])


def quotes(lab: Lab, demo: Demo) -> object:
    return call(lab, demo, f'"{sign_in(lab, demo)["AccessToken"]}"')


def half_a_token(lab: Lab, demo: Demo) -> object:
    return call(lab, demo, sign_in(lab, demo)["AccessToken"][:200])


def a_wrong_path(lab: Lab, demo: Demo) -> object:
    return call(lab, demo, sign_in(lab, demo)["AccessToken"], "/demos")


def cognito_instead(lab: Lab, demo: Demo) -> object:
    return ask(lab, demo)


def a_forged_token(lab: Lab, demo: Demo) -> object:
    header, payload, signature = sign_in(lab, demo)["AccessToken"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = json.dumps(claims | {"username": "somebody-else"}).encode()
    payload = base64.urlsafe_b64encode(changed).decode().rstrip("=")
    return call(lab, demo, f"{header}.{payload}.{signature}")


def an_open_api(lab: Lab, demo: Demo) -> object:
    response = call(lab, demo, sign_in(lab, demo)["AccessToken"])
    change_method(demo, authorizationType="NONE")
    return response


def an_api_without_the_scope(lab: Lab, demo: Demo) -> object:
    change_method(demo, authorizationType="COGNITO_USER_POOLS", authorizerId=demo.authorizer_id)
    return call(lab, demo, sign_in(lab, demo)["IdToken"])


def an_access_token_for_an_api_without_the_scope(lab: Lab, demo: Demo) -> object:
    change_method(demo, authorizationType="COGNITO_USER_POOLS", authorizerId=demo.authorizer_id)
    return call(lab, demo, sign_in(lab, demo)["AccessToken"])


def a_draft_with_the_scope_again(lab: Lab, demo: Demo) -> object:
    response = an_access_token_for_an_api_without_the_scope(lab, demo)
    change = {"op": "add", "path": "/authorizationScopes", "value": names.SCOPE}
    boto3.client("apigateway").update_method(**method(demo), patchOperations=[change])
    return response


def method(demo: Demo) -> dict[str, Any]:
    return {"restApiId": demo.rest_api_id, "resourceId": demo.resource_id, "httpMethod": "GET"}


def change_method(demo: Demo, **authorization: Any) -> None:
    """Make GET /demo anew, and deploy it."""
    gateway = boto3.client("apigateway")
    gateway.delete_method(**method(demo))
    build.proxy(str(demo.rest_api_id), "/demo", str(demo.function_arn), **authorization)
    gateway.create_deployment(restApiId=demo.rest_api_id, stageName=names.STAGE)


WRONG = [
    WrongState("6.1", 6, nothing, "You handed over NoneType"),
    WrongState("6.1", 6, a_text, "You handed over str"),
    WrongState("6.1", 6, the_api_instead, "us-east-1.amazonaws.com, not to Cognito"),
    WrongState("6.1", 6, a_get, "You sent a GET"),
    WrongState("6.1", 6, no_target, "X-Amz-Target is missing"),
    WrongState("6.1", 6, the_operation_alone, "X-Amz-Target is InitiateAuth"),
    WrongState("6.1", 6, another_operation, "the answer of AdminInitiateAuth, not of"),
    WrongState("6.1", 6, plain_json, "The Content-Type is application/json"),
    WrongState("6.1", 6, the_password_flow, "The AuthFlow is USER_PASSWORD_AUTH"),
    WrongState("6.1", 6, an_unknown_client, "The ClientId is aaaa"),
    WrongState("6.1", 6, no_client, "The ClientId is missing"),
    WrongState("6.1", 6, another_client, "The code is of another app client"),
    WrongState("6.1", 6, no_name, "AuthParameters has no USERNAME"),
    WrongState("6.1", 6, no_preference, "nobody said that a code is wanted"),
    WrongState("6.1", 6, a_password_preferred, "The preferred challenge is PASSWORD"),
    WrongState("6.1", 6, an_unknown_user, "The pool has no user nobody@example.com"),
    WrongState("6.1", 6, another_user, "The code went to somebody@example.com"),
    WrongState("6.1", 6, a_user_who_is_stuck, "offers this user PASSWORD_SRP, PASSWORD, and no"),
    WrongState("6.2", 6, nothing, "You handed over NoneType"),
    WrongState("6.2", 6, the_first_answer_again, "This is the answer of InitiateAuth"),
    WrongState("6.2", 6, a_wrong_code, "The code is wrong."),
    WrongState("6.2", 6, no_code, "The body has no EMAIL_OTP_CODE"),
    WrongState("6.2", 6, no_client_in_the_answer, "The body has no ClientId"),
    WrongState("6.2", 6, no_session, "The body has no Session"),
    WrongState("6.2", 6, another_challenge_name, "The ChallengeName is SMS_OTP"),
    WrongState("6.2", 6, a_used_session, "session can only be used once"),
    WrongState("6.2", 6, an_expired_session, "session is expired"),
    WrongState("6.2", 6, a_session_of_nobody, "the session: Invalid session for the user. "),
    WrongState("6.2", 6, chosen_and_not_answered, "There are no tokens yet"),
    WrongState("6.2", 6, tokens_of_somebody_else, "These are the tokens of somebody@example.com"),
    WrongState("6.2", 6, tokens_of_another_pool, "This token is of another user pool"),
    WrongState("6.2", 6, tokens_of_a_user_who_signed_out, "Access Token has been revoked"),
    WrongState("6.3", 6, nothing, "You handed over NoneType"),
    WrongState("6.3", 6, a_text, "The header holds no token. This isn't a JWT: it has 1"),
    WrongState("6.3", 6, no_token, "This request brought no Authorization header"),
    WrongState("6.3", 6, the_id_token, "This is the ID token"),
    WrongState("6.3", 6, the_refresh_token, "This is the refresh token"),
    WrongState("6.3", 6, bearer_without_a_space, "There is no space between “Bearer” and"),
    WrongState("6.3", 6, a_small_bearer, "In front of the token stands “bearer”"),
    WrongState("6.3", 6, two_spaces, "There are blanks or line breaks in the token"),
    WrongState("6.3", 6, quotes, "There are quotes around the token"),
    WrongState("6.3", 6, half_a_token, "The header holds no token. This isn't a JWT: it has 2"),
    WrongState("6.3", 6, a_wrong_path, "You called GET /dev/demos"),
    WrongState("6.3", 6, cognito_instead, "cognito-idp.us-east-1.amazonaws.com, not to your"),
    WrongState("6.3", 6, a_forged_token, "Cognito doesn't take this access token"),
    WrongState("6.3", 6, an_open_api, "The deployed API is open"),
    WrongState("6.3", 6, an_api_without_the_scope, "An ID token came in"),
    WrongState("6.3", 6, an_access_token_for_an_api_without_the_scope, "GET /demo has no scope"),
    WrongState("6.3", 6, a_draft_with_the_scope_again, "it is older than your edit"),
]


ASKED = {
    an_unknown_client,
    another_client,
    an_unknown_user,
    another_user,
    tokens_of_somebody_else,
    tokens_of_another_pool,
    tokens_of_a_user_who_signed_out,
    an_open_api,
    an_access_token_for_an_api_without_the_scope,
    a_draft_with_the_scope_again,
}
"""Where boto3's answers decide; elsewhere what is handed over does."""


@cases(*[state for state in WRONG if state.make in ASKED])
def test_a_wrong_state_gets_its_sentence(lab: Lab, state: WrongState) -> None:
    try:
        prove(lab, state, WRONG)
    finally:
        for pool in cognito_idp().list_user_pools(MaxResults=60)["UserPools"]:
            if pool["Name"] == "another":
                cognito_idp().delete_user_pool(UserPoolId=pool["Id"])


@pytest.mark.parametrize(
    "state",
    [state for state in WRONG if state.make not in ASKED],
    ids=lambda state: f"{state.task}-{state.make.__name__}",
)
def test_a_wrong_answer_gets_its_sentence(lab: Lab, state: WrongState) -> None:
    prove(lab, state, WRONG)


def test_each_state_has_a_sentence_of_its_own() -> None:
    assert len(sentences_of(WRONG)) == len(WRONG)


def test_what_the_notebook_does_passes(lab: Lab) -> None:
    demo = lab.start_task(6)
    assert "mailed a code" in str(lab.check("6.1", ask(lab, demo)))
    response = answer(lab, demo)
    assert names.EMAIL in str(lab.check("6.2", response))
    token = response.json()["AuthenticationResult"]["AccessToken"]
    for header in (token, f"Bearer {token}"):
        assert names.EMAIL in str(lab.check("6.3", call(lab, demo, header)))
    assert names.EMAIL in str(lab.check("6.3", token))
    url = f"{demo.invoke_url}/demo"
    as_bytes = lab.http.get(url, headers={"Authorization": token.encode()})
    assert names.EMAIL in str(lab.check("6.3", as_bytes))


def test_a_sign_in_by_boto3_passes(lab: Lab) -> None:
    demo = lab.start_task(6)
    asked = cognito_idp().initiate_auth(**asking(demo))
    assert lab.check("6.1", asked)
    answered = cognito_idp().respond_to_auth_challenge(
        ClientId=demo.client_id,
        ChallengeName="EMAIL_OTP",
        ChallengeResponses={
            "USERNAME": demo.email,
            "EMAIL_OTP_CODE": lab.inbox.wait_for_code(str(demo.email)),
        },
        Session=asked["Session"],
    )
    assert lab.check("6.2", answered)


@pytest.mark.parametrize("parameters", ["a text", ["a list"], 7, None])
def test_a_body_of_any_shape_gets_a_sentence(lab: Lab, parameters: object) -> None:
    demo = lab.start_task(6)
    with pytest.raises(TaskError):
        lab.check("6.1", ask(lab, demo, AuthParameters=parameters))
    body = {"ClientId": demo.client_id, "ChallengeName": "EMAIL_OTP", "Session": "s" * 20}
    body |= {"ChallengeResponses": parameters}
    with pytest.raises(TaskError):
        lab.check("6.2", send(lab, "RespondToAuthChallenge", body))
    with pytest.raises(TaskError):
        lab.check("6.2", {"AuthenticationResult": parameters})


@pytest.mark.parametrize("task", ["6.1", "6.2", "6.3"])
@pytest.mark.parametrize(
    "make", [object, list, dict, requests.Response, requests.Session, lambda: b"token", lambda: 7]
)
def test_anything_else_gets_a_sentence(lab: Lab, task: str, make: Callable[[], object]) -> None:
    given = make()
    if isinstance(given, requests.Response):
        given.request = requests.Request("GET", "https://example.com").prepare()
    with pytest.raises(TaskError):
        lab.check(task, given)
