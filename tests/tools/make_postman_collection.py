"""Writes notebooks/lab/task-6.postman_collection.json: task 6 of the lab as a Postman collection.

Run it after a change here:

    .venv/bin/python tests/tools/make_postman_collection.py

tests/interop/test_postman_collection.py fails when the file differs, and when notebook 06 sends other requests than
these.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "notebooks/lab/task-6.postman_collection.json"
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

COGNITO_ENDPOINT = "https://cognito-idp.us-east-1.amazonaws.com/"
VARIABLES = {
    "cognito_endpoint": (COGNITO_ENDPOINT, "Amazon Cognito in the user pool's Region."),
    "invoke_url": ("", "The invoke URL of the stage dev, without a slash at its end."),
    "client_id": ("", "The id of the app client d-cognito-spa-app."),
    "username": ("learner@example.com", "The email address of the user of task 5."),
    "code": ("", "The code from the mail. You fill it in after the second request."),
    "session": ("", "The second request's test fills it in."),
    "access_token": ("", "The third request's test fills it in."),
    "id_token": ("", "The third request's test fills it in."),
    "labkit_endpoint": ("", "Only for the local cloud: its endpoint. The environment fills it in."),
    "labkit_token": ("", "Only for the local cloud: its admin_token. The environment fills it in."),
}

DESCRIPTION = """\
Task 6 of the lab: call the API without a token, sign in with a code from a mail, call the API with a token.

Import two files: this collection, and `task-6.postman_environment.json`, which notebook 06 writes beside itself. It \
holds the addresses and ids of the cloud that you use. Choose that environment at the top right. Then send the \
requests from top to bottom, the third one within three minutes after the second.

**With the course's local cloud** the third request fetches the code from the mail by itself. **On AWS** the mail is \
in your mailbox: put the code into the variable `code` of the collection (tab *Variables*, column *Current value*) \
before you send the third request.

Tests store the session and the tokens in variables of the collection. Use the current values only: they stay on your \
computer, while the initial ones are shared with the collection.\
"""


@dataclass(frozen=True)
class RawRequest:
    """One HTTP request of the task; ``{{name}}`` stands for a variable."""

    name: str
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    description: str = ""
    before: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


def cognito(name: str, operation: str, body: dict[str, Any], **scripts: Any) -> RawRequest:
    """A call of Cognito, as the AWS JSON 1.1 protocol sends it."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
    }
    return RawRequest(name, "POST", "{{cognito_endpoint}}", headers, body, **scripts)


def status_is(status: int) -> str:
    """The line of a test script that asserts the status."""
    return f'pm.test("the status is {status}", () => pm.response.to.have.status({status}));'


# A stored value can be an empty or an old one: each request that uses it makes sure of it.
FETCH_CODE = """\
// Only for the local cloud: read the code in its inbox.
const endpoint = pm.variables.get("labkit_endpoint");
if (endpoint) {
    const address = encodeURIComponent(pm.variables.get("username"));
    pm.sendRequest({
        url: `${endpoint}/_labkit/inbox/${address}`,
        header: {"x-labkit-token": pm.variables.get("labkit_token")},
    }, (error, response) => {
        pm.test("the local inbox has a code", () => {
            pm.expect(error).to.equal(null);
            pm.expect(response.code).to.equal(200);
            const mail = response.json().find((message) => message.code);
            pm.collectionVariables.set("code", mail.code);
        });
    });
}"""

REQUESTS = (
    RawRequest(
        "Call without a token",
        "GET",
        "{{invoke_url}}/demo",
        description="The authorizer finds no token in the Authorization header.",
        tests=(
            status_is(401),
            'pm.test("the body says Unauthorized", () => {\n'
            '    pm.expect(pm.response.json()).to.eql({message: "Unauthorized"});\n'
            "});",
        ),
    ),
    cognito(
        "6.1 InitiateAuth",
        "InitiateAuth",
        {
            "ClientId": "{{client_id}}",
            "AuthFlow": "USER_AUTH",
            "AuthParameters": {"USERNAME": "{{username}}", "PREFERRED_CHALLENGE": "EMAIL_OTP"},
        },
        description="Choice-based sign-in: Cognito mails a code and answers with a session.",
        tests=(
            'pm.collectionVariables.unset("session");',
            status_is(200),
            'pm.test("the challenge is EMAIL_OTP, with a session", () => {\n'
            "    const answer = pm.response.json();\n"
            '    pm.expect(answer.ChallengeName).to.equal("EMAIL_OTP");\n'
            '    pm.expect(answer.Session).to.be.a("string").with.length.above(19);\n'
            '    pm.collectionVariables.set("session", answer.Session);\n'
            "});",
        ),
    ),
    cognito(
        "6.2 RespondToAuthChallenge",
        "RespondToAuthChallenge",
        {
            "ClientId": "{{client_id}}",
            "ChallengeName": "EMAIL_OTP",
            "ChallengeResponses": {"USERNAME": "{{username}}", "EMAIL_OTP_CODE": "{{code}}"},
            "Session": "{{session}}",
        },
        description="The code from the mail and the session give the tokens.",
        before=(FETCH_CODE,),
        tests=(
            'pm.collectionVariables.unset("access_token");',
            'pm.collectionVariables.unset("id_token");',
            status_is(200),
            'pm.test("there are an access token and an ID token", () => {\n'
            "    const tokens = pm.response.json().AuthenticationResult;\n"
            "    pm.expect(tokens.AccessToken).to.match(/^eyJ/);\n"
            "    pm.expect(tokens.IdToken).to.match(/^eyJ/);\n"
            '    pm.collectionVariables.set("access_token", tokens.AccessToken);\n'
            '    pm.collectionVariables.set("id_token", tokens.IdToken);\n'
            "});",
        ),
    ),
    RawRequest(
        "6.3 Call with the access token",
        "GET",
        "{{invoke_url}}/demo",
        {"Authorization": "{{access_token}}"},
        description="The method has a scope, so it takes an access token that has this scope.",
        tests=(
            status_is(200),
            'pm.test("the function answers", () => {\n'
            '    pm.expect(pm.response.json()).to.equal("Hello from Lambda!");\n'
            "});",
        ),
    ),
    RawRequest(
        "Call with the ID token",
        "GET",
        "{{invoke_url}}/demo",
        {"Authorization": "{{id_token}}"},
        description="Genuine and of the same user, but it carries no scope: the authorizer refuses it.",
        tests=(
            'pm.test("an ID token was sent", () => {\n'
            '    pm.expect(pm.request.headers.get("Authorization")).to.match(/^eyJ/);\n'
            "});",
            status_is(401),
            'pm.test("the body says Unauthorized", () => {\n'
            '    pm.expect(pm.response.json()).to.eql({message: "Unauthorized"});\n'
            "});",
        ),
    ),
)
"""Task 6, request by request (lab.md 6.1 and 6.2)."""


def collection() -> dict[str, Any]:
    """The collection, in Postman's format 2.1."""
    return {
        "info": {
            "name": "API Gateway security, task 6",
            "description": DESCRIPTION,
            "schema": SCHEMA,
        },
        "item": [item(request) for request in REQUESTS],
        "variable": [
            {"key": key, "value": value, "type": "string", "description": description}
            for key, (value, description) in VARIABLES.items()
        ],
    }


def item(request: RawRequest) -> dict[str, Any]:
    """One request of the collection, with its scripts."""
    sent: dict[str, Any] = {
        "auth": {"type": "noauth"},
        "method": request.method,
        "header": [{"key": name, "value": value} for name, value in request.headers.items()],
        "url": request.url,
        "description": request.description,
    }
    if request.body is not None:
        text = json.dumps(request.body, indent=2)
        sent["body"] = {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}
    scripts = {"prerequest": request.before, "test": request.tests}
    events = [
        {
            "listen": listen,
            "script": {"type": "text/javascript", "exec": "\n".join(parts).split("\n")},
        }
        for listen, parts in scripts.items()
        if parts
    ]
    return {"name": request.name, "event": events, "request": sent, "response": []}


def text() -> str:
    """The file's content."""
    return json.dumps(collection(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_bytes(text().encode())
