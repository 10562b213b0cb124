"""The masks for notebook outputs hide what differs between runs and nothing that a lesson shows."""

import re
from pathlib import Path

import pytest
from nbval.plugin import get_sanitize_patterns

MASKS = get_sanitize_patterns(Path(__file__).with_name("nbval_sanitize.cfg").read_text("utf-8"))


def masked(text: str) -> str:
    for regex, replace in MASKS:
        text = re.sub(regex, replace, text)
    return text


@pytest.mark.parametrize(
    ("one_run", "another_run"),
    [
        (
            "https://a1b2c3d4e5.execute-api.us-east-1.x/dev",
            "https://zyx9876543.execute-api.us-east-1.x/dev",
        ),
        (
            "arn:aws:execute-api:us-east-1:111111111111:a1b2c3d4e5/dev",
            "arn:aws:execute-api:us-east-1:222222222222:1234567890/dev",
        ),
        ("'id': '1234567890'", "'id': 'abcdefabcd'"),
        ("id='a1b2c3'", "id='zz99ww'"),
        ("resourceId: 0f1e2d3c", "resourceId: a0b1c2d3"),
        ("restApiId = 0f1e2d3c9a", "restApiId = a0b1c2d3ff"),
        ("restApiId=&quot;fb5ce0f3&quot;,", "restApiId=&quot;12345678&quot;,"),
        ("8a7b6c5d4e", "0123456789"),
        ("user pool us-east-1_AbCdEfGhI", "user pool us-east-1_123456789"),
        ("ClientId 1h57kf5cpq17m0eml12EXAMPLE", "ClientId abcdefabcdefabcdefabEXAMPL"),
        ("c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "c6af9ac6-7b61-11e6-9a41-93e8deadbee0"),
        ("Root=1-5759e988-bd862e3fe1be46a994272793", "Root=1-5759e989-bd862e3fe1be46a994272794"),
        (
            "Credential=AKIA" + "A" * 16 + "/20260102/us-east-1/execute-api",
            "Credential=AKIA" + "B" * 16 + "/20260103/us-east-1/execute-api",
        ),
        ("x-amz-date: 20260102T030405Z", "x-amz-date: 20271112T131415Z"),
        ("2026-01-02T03:04:05Z", "2027-01-02T03:04:05+00:00"),
        ("2026-01-02 03:04:05.123456", "2027-01-02 03:04:05"),
        ("Date: Sat, 21 Nov 2026 20:11:29 GMT", "Date: Sun, 22 Nov 2026 20:11:29 GMT"),
        ("'exp': 'Tue Apr 04 18:39:39 UTC 2023'", "'exp': 'Sat Nov 21 21:05:00 UTC 2026'"),
        ("exp 1795291889", "exp 1795291999"),
        ("127.0.0.1:8080", "127.0.0.1:45123"),
        ("account 111122223333", "account 444455556666"),
        ("your code is 05578005.", "your code is 12345678."),
        ("Your verification code is 055780.", "Your verification code is 123456."),
        ("took 12 ms", "took 3.5 ms"),
        ("took 0.12 s", "took 1.5 s"),
        ("eyJraWQiOiJ.eyJzdWIiOiI.c2lnbmF0dXJl", "eyJraWQiOiX.eyJzdWIiOiX.c2lnbmF0dXJX"),
        ("eyJraWQiOi…", "eyJhbGciOi…"),
        (
            "'x-amz-id-2': 'EjgID3/rqOtSIiXjPJYGVo6KTD+ZvMY1m2', 'content-length': '237'",
            "'x-amz-id-2': '4yJc+PCzGfqQlvGVAzCTJxdj8/6unUm/x=', 'content-length': '236'",
        ),
        (
            "kid tO6zhlxo3/opYgBBnyVXaKmeT1yHZalR3CioJRjn3Rk=",
            "kid 1gSXqgRxnPP58skD+/gbAy8zvcgXLz9dUpLXCyfb/X8=",
        ),
        ("Session: " + "AYABeF" * 30 + "1", "Session: " + "AYABeG" * 30 + "2"),
        ("https://d111111abcdef8.cloudfront.net/", "https://d222222abcdef9.cloudfront.net/"),
        ("/restapis/a1b2c3d4e5/stages/dev", "/restapis/z1b2c3d4e5/stages/dev"),
        ("<object at 0x7f1234567890>", "<object at 0x7f0000000000>"),
    ],
)
def test_what_differs_from_run_to_run_is_masked(one_run: str, another_run: str) -> None:
    assert masked(one_run) == masked(another_run)


@pytest.mark.parametrize(
    "fact",
    [
        '401 {"message":"Unauthorized"}',
        '403 {"message":"Missing Authentication Token"}',
        '{"message":"The incoming token has expired"}',
        '200 "Hello from Lambda!"',
        "d-lambda-nonvpc-cmp-demo-function",
        "d-authorizer-user-pool-demo",
        "x-amzn-ErrorType: IncompleteSignatureException",
        "X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth",
        "'content-type': 'application/json', 'x-amzn-errortype': 'UnauthorizedException'",
        "scope aws.cognito.signin.user.admin",
        '"Version": "2012-10-17"',
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/",
        "arn:aws:iam::123456789012:role/demo",
        "expires in 3600 s",
        "429 Too Many Requests, 10 of 25 requests",
        "AWS4-HMAC-SHA256",
        "us-east-1",
        "python3.13 x86_64",
        "authorizationType: COGNITO_USER_POOLS",
        "token_use: id",
        "rate 10, burst 5",
        "valid: False",
        "AWSCognitoIdentityProvider",
        "CognitoIdentityCredentials",
        "203.0.113.7",
    ],
)
def test_what_a_lesson_shows_is_compared(fact: str) -> None:
    assert masked(fact) == fact


def test_every_entry_of_the_file_is_a_mask() -> None:
    text = Path(__file__).with_name("nbval_sanitize.cfg").read_text("utf-8")
    assert len(MASKS) == len(re.findall(r"(?m)^\[", text))
