"""Task 6 with plain boto3, requests and PyJWT: no `labkit.start()`, no variable of the environment."""

import re
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests
from botocore.exceptions import ClientError

from tests.support.patience import PATIENCE
from tests.support.running_cloud import LabCloud, lab_cloud

COGNITO_HOST = "cognito-idp.us-east-1.amazonaws.com"
SCOPE = "aws.cognito.signin.user.admin"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCloud]:
    with lab_cloud(tmp_path_factory.mktemp("boto3")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def cognito(cloud: LabCloud) -> Any:
    return cloud.client("cognito-idp")


def ask_for_code(cognito: Any, cloud: LabCloud) -> dict[str, Any]:
    answer: dict[str, Any] = cognito.initiate_auth(
        ClientId=cloud.lab["client_id"],
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": cloud.lab["email"], "PREFERRED_CHALLENGE": "EMAIL_OTP"},
    )
    return answer


def give_code(cognito: Any, cloud: LabCloud, session: str, code: str) -> dict[str, Any]:
    answer: dict[str, Any] = cognito.respond_to_auth_challenge(
        ClientId=cloud.lab["client_id"],
        ChallengeName="EMAIL_OTP",
        ChallengeResponses={"USERNAME": cloud.lab["email"], "EMAIL_OTP_CODE": code},
        Session=session,
    )
    return answer


@pytest.fixture(scope="module")
def tokens(cognito: Any, cloud: LabCloud) -> dict[str, Any]:
    """The tokens of one sign-in; each step of it is looked at."""
    challenge = ask_for_code(cognito, cloud)
    assert challenge["ChallengeName"] == "EMAIL_OTP"
    assert challenge["ChallengeParameters"]["CODE_DELIVERY_DELIVERY_MEDIUM"] == "EMAIL"
    code = cloud.newest_code()
    assert re.fullmatch(r"\d{8}", code)
    answer = give_code(cognito, cloud, challenge["Session"], code)
    assert "ChallengeName" not in answer
    result: dict[str, Any] = answer["AuthenticationResult"]
    assert (result["TokenType"], result["ExpiresIn"]) == ("Bearer", 3600)
    return result


def call(cloud: LabCloud, token: str | None = None) -> tuple[int, Any]:
    """`GET /demo` by the genuine host name: status and body."""
    response = requests.get(
        f"{cloud.endpoint}/dev/demo",
        headers={"Host": f"{cloud.lab['rest_api_id']}.execute-api.us-east-1.amazonaws.com"}
        | ({"Authorization": token} if token else {}),
        timeout=PATIENCE,
    )
    return response.status_code, response.json()


ALLOWED = (200, "Hello from Lambda!")
REFUSED = (401, {"message": "Unauthorized"})


def verified(cloud: LabCloud, token: str, **checks: Any) -> dict[str, Any]:
    """The claims of a token that is verified the way any API would: with the pool's public keys."""
    pool_id = cloud.lab["user_pool_id"]
    keys = jwt.PyJWKClient(
        f"{cloud.endpoint}/{pool_id}/.well-known/jwks.json", headers={"Host": COGNITO_HOST}
    )
    claims: dict[str, Any] = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["RS256"],
        issuer=f"https://{COGNITO_HOST}/{pool_id}",
        options={"require": ["exp", "iat", "iss", "sub"]},
        **checks,
    )
    return claims


def test_without_a_token(cloud: LabCloud) -> None:
    assert call(cloud) == REFUSED


def test_with_the_access_token(cloud: LabCloud, tokens: dict[str, Any]) -> None:
    assert call(cloud, tokens["AccessToken"]) == ALLOWED


def test_with_the_id_token(cloud: LabCloud, tokens: dict[str, Any]) -> None:
    assert call(cloud, tokens["IdToken"]) == REFUSED


def test_with_a_changed_token(cloud: LabCloud, tokens: dict[str, Any]) -> None:
    head, payload, signature = tokens["AccessToken"].split(".")
    changed = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert call(cloud, f"{head}.{payload}.{changed}") == REFUSED


def test_the_access_token_verifies(cloud: LabCloud, tokens: dict[str, Any]) -> None:
    claims = verified(cloud, tokens["AccessToken"])
    assert claims["token_use"] == "access"
    assert claims["client_id"] == cloud.lab["client_id"]
    assert claims["scope"] == SCOPE
    assert claims["exp"] - claims["iat"] == 3600


def test_the_id_token_verifies(cloud: LabCloud, tokens: dict[str, Any]) -> None:
    claims = verified(cloud, tokens["IdToken"], audience=cloud.lab["client_id"])
    assert claims["token_use"] == "id"
    assert (claims["email"], claims["email_verified"]) == (cloud.lab["email"], True)
    assert claims["sub"] == verified(cloud, tokens["AccessToken"])["sub"]


def test_a_changed_token_does_not_verify(cloud: LabCloud, tokens: dict[str, Any]) -> None:
    head, _payload, signature = tokens["AccessToken"].split(".")
    other = tokens["IdToken"].split(".")[1]
    with pytest.raises(jwt.InvalidSignatureError):
        verified(cloud, f"{head}.{other}.{signature}")


def test_get_user(cloud: LabCloud, cognito: Any, tokens: dict[str, Any]) -> None:
    user = cognito.get_user(AccessToken=tokens["AccessToken"])
    attributes = {a["Name"]: a["Value"] for a in user["UserAttributes"]}
    assert attributes["email"] == cloud.lab["email"]
    assert attributes["email_verified"] == "true"
    assert user["Username"] == attributes["sub"]
    with pytest.raises(ClientError) as refused:
        cognito.get_user(AccessToken=tokens["IdToken"])
    assert refused.value.response["Error"]["Code"] == "NotAuthorizedException"


def test_refresh(cloud: LabCloud, cognito: Any, tokens: dict[str, Any]) -> None:
    answer = cognito.initiate_auth(
        ClientId=cloud.lab["client_id"],
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
    )
    fresh = answer["AuthenticationResult"]
    assert fresh["AccessToken"] != tokens["AccessToken"]
    assert "RefreshToken" not in fresh
    assert call(cloud, fresh["AccessToken"]) == ALLOWED
    before, after = (verified(cloud, t["AccessToken"]) for t in (tokens, fresh))
    assert (after["sub"], after["origin_jti"]) == (before["sub"], before["origin_jti"])
    assert after["jti"] != before["jti"]


def test_a_wrong_code_then_the_right_one(cloud: LabCloud, cognito: Any) -> None:
    """A wrong code doesn't end the session (cognito 3.9)."""
    challenge = ask_for_code(cognito, cloud)
    with pytest.raises(cognito.exceptions.CodeMismatchException) as refused:
        give_code(cognito, cloud, challenge["Session"], "00000000")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    answer = give_code(cognito, cloud, challenge["Session"], cloud.newest_code())
    assert "AccessToken" in answer["AuthenticationResult"]
