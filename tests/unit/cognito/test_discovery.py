"""A user pool's discovery document."""

import pytest

from labkit.local.cognito.discovery import correct_discovery_document
from labkit.local.messages import Request, Response

PATH = "/us-east-1_Example01/.well-known/openid-configuration"
KEYS = "http://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example01/.well-known/jwks.json"


def test_its_addresses_are_https() -> None:
    own = {"issuer": "https://x", "jwks_uri": KEYS, "subject_types_supported": ["public"]}
    answer = correct_discovery_document(Request("GET", PATH), Response.of_json(own))
    assert answer.json() == own | {"jwks_uri": KEYS.replace("http:", "https:")}
    sizes = [value for name, value in answer.headers if name.lower() == "content-length"]
    assert sizes in ([], [str(len(answer.body))])


@pytest.mark.parametrize(
    ("path", "status"), [(PATH, 404), ("/us-east-1_Example01/.well-known/jwks.json", 200)]
)
def test_nothing_else_is_touched(path: str, status: int) -> None:
    answer = Response.of_json({"jwks_uri": KEYS}, status)
    assert correct_discovery_document(Request("GET", path), answer) is answer
