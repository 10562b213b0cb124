"""The error doctor names the true cause of each of the 30 symptoms first, from the answer's bytes alone."""

from __future__ import annotations

import base64
import datetime as dt
import html
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import jwt
import pytest
import requests
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError

import labkit
from labkit import sigv4
from labkit.clock import PROCESS_CLOCK
from labkit.doctor import Explanation, explain
from labkit.doctor.explanation import Notebook
from labkit.doctor.redaction import HIDDEN
from labkit.errors import CloudUnavailableError
from labkit.journey import Code, Journey, Step
from labkit.lab.local_cloud import LocalCloudAdapter
from labkit.lab.session import Lab
from labkit.local.apigateway.token_codes import code_of
from labkit.markup import link
from labkit.tokens.signed import bare_token, key_id
from tests.support.answers import API, URL, answer

COGNITO = "https://cognito-idp.us-east-1.amazonaws.com/"
ADMIN_SCOPE = "aws.cognito.signin.user.admin"
NOW = 1603803607
"""The moment of :data:`DATE`."""


# -- building answers -----------------------------------------------------------------------


def token(**claims: object) -> str:
    """A token that decodes; nobody signed it."""
    parts = ({"alg": "RS256", "kid": "k"}, {"exp": NOW + 600, **claims})
    texts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    return ".".join([*texts, "c2lnbmF0dXJl"])


ID = token(token_use="id", aud="client")
ACCESS = token(token_use="access", client_id="client", scope=f"openid {ADMIN_SCOPE}")
ADMIN = token(token_use="access", client_id="client", scope=ADMIN_SCOPE)
IN_GROUPS = token(token_use="access", **{"cognito:groups": ["admin", "user"]})


@dataclass
class Keys:
    access_key: str = "AKIDEXAMPLE00000000A"
    secret_key: str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    token: str | None = None


def signed(
    url: str = URL, method: str = "GET", body: bytes = b"", **settings: Any
) -> dict[str, str]:
    options = {"credentials": Keys(), "region": "us-east-1", **settings}
    moment = dt.datetime.fromtimestamp(NOW, dt.UTC)
    return sigv4.sign(method, url, body=body, now=moment, **options).headers


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


def client_error(code: str, message: str, status: int = 400) -> ClientError:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {}}
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "Operation"
    )


def stopped(gate: str, code: Code, status: int = 403, reason: str = "so it was") -> Journey:
    return Journey("id", "GET", "/dev/demo", status, [Step(gate, "stop", reason, code=code)])


def skipped(gate: str, code: Code) -> Journey:
    return Journey("id", "GET", "/dev/demo", 200, [Step(gate, "skip", "so it was", code=code)])


def message(text: str | None, key: str = "message") -> str:
    """A body as the gates before the throttle write it."""
    return f'{{"{key}":{json.dumps(text)}}}'


def spaced(text: str) -> str:
    """A body as the gates after the throttle write it."""
    return f'{{"message": {json.dumps(text)}}}'


# -- the 30 symptoms ------------------------------------------------------------------------

NO_ROUTE = message("Missing Authentication Token")
NO_ROUTE_TYPE = "MissingAuthenticationTokenException"
UNAUTHORIZED = message("Unauthorized")
UNAUTHORIZED_TYPE = "UnauthorizedException"
FORBIDDEN = message("Forbidden")
FORBIDDEN_TYPE = "ForbiddenException"
DENIED_TYPE = "AccessDeniedException"
SIGNATURE_TYPE = "InvalidSignatureException"
INCOMPLETE_TYPE = "IncompleteSignatureException"
AUTHORIZER_TYPE = "AuthorizerConfigurationException"
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
CANONICAL = (
    "\n\nThe Canonical String for this request should have been\n'POST\n/dev/demo\n\nhost:a1b2c3d4e5\n"
    "x-amz-date:20201027T130007Z\nx-amz-security-token:{token}\n\nhost;x-amz-date\nabc'\n\n"
    "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20201027T130007Z\nscope\nhash'\n"
)
EXPIRED = (
    "Signature expired: 20201027T123008Z is now earlier than 20201027T125507Z "
    "(20201027T130007Z - 5 min.)"
)
DENIED = "User is not authorized to access this resource"
EXPLICIT = " with an explicit deny"
NOT_ALLOWED = " because no identity-based policy allows the execute-api:Invoke action"
INVOKE = (
    "is not authorized to perform: execute-api:Invoke on resource: "
    "arn:aws:execute-api:us-east-1:********9012:a1b2c3d4e5/dev/GET/demo"
)
ROLE = "User: arn:aws:sts::123456789012:assumed-role/caller/session"
INVALID_TOKEN = message("The security token included in the request is invalid.")
CLOUDFRONT_PAGE = (
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN"><HTML><BODY><H1>403 ERROR</H1>'
    "Bad request. We can't connect to the server for this app or website at this time.<PRE>Generated by cloudfront "
    "(CloudFront)\nRequest ID: abc</PRE></BODY></HTML>"
)
FROM_PAGE = {"Origin": "https://example.com"}
PREFLIGHT = {**FROM_PAGE, "Access-Control-Request-Method": "GET"}


@dataclass(frozen=True)
class Case:
    """An answer, and the cause that must come first.

    Attributes:
        symptom: its number; None for what is not among the 30.
        cause: the first cause.
        given: the answer, or a function of nothing that makes it.
        listed: causes that the same bytes may also have: they must be listed.
        journey: where the cloud kept one.
    """

    symptom: int | None
    cause: str
    given: object
    listed: tuple[str, ...] = ()
    journey: Journey | None = None
    name: str = field(default="")

    def __str__(self) -> str:
        return f"{self.symptom}-{self.cause}{'-journey' if self.journey else ''}{self.name}"


def temporary(value: str | None) -> dict[str, str]:
    keys = Keys("ASIAEXAMPLE00000000A", token="the-session-token")
    headers = signed(credentials=keys)
    headers.pop("X-Amz-Security-Token")
    return headers if value is None else {**headers, "X-Amz-Security-Token": value}


def log(text: str) -> str:
    return f"Execution failed due to configuration error: {text}"


CASES = [
    # 1: two causes, one answer
    Case(1, "no-such-route", answer(403, NO_ROUTE, NO_ROUTE_TYPE), ("not-signed",)),
    Case(1, "no-such-route", answer(403, NO_ROUTE, NO_ROUTE_TYPE, sent=signed()), name="-signed"),
    Case(1, "no-such-route", NO_ROUTE, ("not-signed",), name="-text"),
    Case(
        1, "not-signed", answer(403, NO_ROUTE, NO_ROUTE_TYPE), ("no-such-route",),
        stopped("authorizer", Code.NOT_SIGNED),
    ),
    Case(
        1, "no-such-route", answer(403, NO_ROUTE, NO_ROUTE_TYPE), ("not-signed",),
        stopped("route", Code.ROUTE_NOT_FOUND),
    ),
    Case(
        1, "stage-in-custom-domain",
        answer(403, NO_ROUTE, NO_ROUTE_TYPE, url="https://api.example.com/dev/demo"),
        ("no-such-route", "not-signed"),
    ),
    # 2: the other token
    Case(2, "id-token-but-scopes", answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent=bearer(ID))),
    Case(
        2, "access-token-but-no-scopes",
        answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent={"Authorization": ADMIN}),
        ("scope-missing",),
        stopped("authorizer", Code.ID_TOKEN_REQUIRED, 401),
    ),
    Case(2, "id-token-but-scopes", UNAUTHORIZED, ("access-token-but-no-scopes",), name="-text"),
    # 3: throttle and quota
    Case(3, "throttled", answer(429, message("Too Many Requests"), "TooManyRequestsException")),
    Case(3, "quota-used-up", answer(429, message("Limit Exceeded"), "LimitExceededException")),
    Case(3, "throttled", answer(429, message("Too Many Requests"), gateway="http"), name="-http"),
    Case(3, "throttled", "429 Exceeded throttle limit", name="-log"),
    Case(3, "quota-used-up", "429 Exceeded quota limit", name="-log"),
    # 4: the cached policy, old and new words
    Case(4, "policy-cached", answer(403, message(DENIED, "Message"), DENIED_TYPE), ("policy-too-narrow",)),
    Case(
        4, "policy-cached", answer(403, message(DENIED + NOT_ALLOWED, "Message"), DENIED_TYPE), ("policy-too-narrow",),
        name="-new",
    ),
    Case(
        4, "policy-cached", answer(403, message(DENIED + NOT_ALLOWED, "Message"), DENIED_TYPE), ("policy-too-narrow",),
        stopped("authorizer", Code.AUTHORIZER_CACHED_IMPLICIT_DENY),
    ),
    # 5: changed after signing
    Case(
        5, "changed-after-signing",
        answer(403, message(MISMATCH), SIGNATURE_TYPE, method="POST", sent=signed(method="POST"), data=b"late"),
        ("encoding", "wrong-secret"),
    ),
    Case(
        5, "changed-after-signing",
        answer(403, message(MISMATCH + CANONICAL.format(token="t")), SIGNATURE_TYPE, sent=signed()),
        name="-canonical",
    ),
    Case(5, "changed-after-signing", client_error("SignatureDoesNotMatch", MISMATCH, 403), name="-boto3"),
    # 6: hidden by the browser
    Case(
        6, "browser-hides-it",
        answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent={**FROM_PAGE, **bearer(ID)}), ("id-token-but-scopes",),
    ),
    Case(6, "browser-hides-it", answer(500, message(None), AUTHORIZER_TYPE, sent=FROM_PAGE), ("authorizer-crashed",)),
    Case(
        6, "browser-hides-it",
        "Access to fetch at 'https://x' from origin 'https://y' has been blocked by CORS policy: "
        "No 'Access-Control-Allow-Origin' header is present on the requested resource.",
        name="-text",
    ),
    # 7: not deployed
    Case(7, "stage-in-use", client_error(
        "BadRequestException", "Active stages pointing to this deployment must be moved or deleted")),
    Case(
        7, "authorizer-not-deployed", answer(200, '"Hello"', sent=bearer(ACCESS)),
        journey=skipped("authorizer", Code.AUTHORIZATION_NONE),
    ),
    # 8: the clock
    Case(8, "clock-off", answer(403, message(EXPIRED), SIGNATURE_TYPE, sent=signed()), ("signed-long-ago",)),
    Case(8, "clock-off", answer(403, message(
        "Signature not yet current: 20201027T140007Z is still later than 20201027T130507Z "
        "(20201027T130007Z + 5 min.)"), SIGNATURE_TYPE), name="-future"),
    Case(8, "clock-off", client_error("InvalidSignatureException", EXPIRED.replace("5 min.", "15 min."), 403),
         name="-boto3"),
    # 9: no permission to invoke
    Case(9, "integration-permission", answer(500, spaced("Internal server error"), "InternalServerErrorException"),
         ("integration-settings",)),
    Case(9, "integration-permission", log("Invalid permissions on Lambda function"), name="-log"),
    Case(
        9, "authorizer-permission", answer(500, message(None), AUTHORIZER_TYPE),
        ("authorizer-crashed", "context-not-flat"),
        stopped("authorizer", Code.AUTHORIZER_PERMISSION, 500),
    ),
    Case(
        None, "function-throttled", answer(500, spaced("Internal server error"), "InternalServerErrorException"),
        ("integration-permission",), stopped("integration", Code.INTEGRATION_THROTTLED, 500),
    ),
    # 10: a key without a plan
    Case(10, "key-without-plan", answer(403, FORBIDDEN, FORBIDDEN_TYPE, sent={"X-API-Key": "a-key-of-somebody"}),
         ("key-wrong", "stage-unknown", "waf-blocked")),
    Case(10, "key-missing", answer(403, FORBIDDEN, FORBIDDEN_TYPE), ("stage-unknown", "waf-blocked")),
    Case(10, "stage-not-in-plan", (
        "API Key abc not authorized because method 'GET /' requires API Key and API Key is not associated with a "
        "Usage Plan for API Stage a1b2c3d4e5/dev: API Stage is not in a Usage Plan")),
    # 11: how an authorizer says no
    Case(11, "authorizer-denied", answer(403, message(DENIED + EXPLICIT, "Message"), DENIED_TYPE), name="-old"),
    Case(11, "authorizer-denied", answer(
        403, message(f"{DENIED}{EXPLICIT} in an identity-based policy", "Message"), DENIED_TYPE), name="-new"),
    Case(
        11, "lambda-said-unauthorized", answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent=bearer("opaque-token")),
        ("token-unreadable",), stopped("authorizer", Code.AUTHORIZER_UNAUTHORIZED, 401),
    ),
    Case(
        11, "authorizer-http-answer", answer(500, message(None), AUTHORIZER_TYPE), ("authorizer-crashed",),
        stopped("authorizer", Code.AUTHORIZER_HTTP_ANSWER, 500),
    ),
    Case(11, "authorizer-http-answer", log(
        'Invalid JSON in response: Unrecognized field "statusCode" , not marked as ignorable'), name="-log"),
    Case(11, "authorizer-denied-http", answer(403, FORBIDDEN, gateway="http"), ("scope-missing-http",)),
    # 12: the scope that InitiateAuth never gives
    Case(12, "scope-missing", answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent=bearer(ADMIN)),
         ("access-token-but-no-scopes",)),
    Case(12, "scope-missing-http", answer(403, FORBIDDEN, gateway="http", sent=bearer(ADMIN))),
    # 13: invalid signature of a JWT
    Case(13, "wrong-signing-key", jwt.InvalidSignatureError("Signature verification failed")),
    Case(13, "wrong-signing-key", "JsonWebTokenError: invalid signature"),
    Case(13, "wrong-signing-key", jwt.PyJWKClientError('Unable to find a signing key that matches: "kid"')),
    Case(13, "wrong-algorithm", "JsonWebTokenError: invalid algorithm"),
    Case(13, "token-unreadable", answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent=bearer(ACCESS[:60]))),
    Case(13, "token-unreadable-http", answer(401, UNAUTHORIZED, gateway="http", headers={
        "www-authenticate": 'Bearer scope="" error="invalid_token" '
        'error_description="token contains an invalid number of segments"'})),
    # 14: encoding
    Case(14, "encoding", answer(
        403, message(MISMATCH), SIGNATURE_TYPE, sent=signed(), url=f"{API}/dev/users/a@example.com"),
        ("changed-after-signing",)),
    # 15: refresh
    Case(15, "refresh-token", client_error("NotAuthorizedException", "Invalid Refresh Token."), ("refresh-rotation",)),
    Case(15, "refresh-token", answer(
        400, {"__type": "NotAuthorizedException", "message": "Invalid Refresh Token"}, url=COGNITO, gateway=""),
        name="-raw"),
    Case(15, "refresh-rotation", client_error("RefreshTokenReuseException", "Refresh token has been reused.")),
    Case(15, "refresh-over", client_error("NotAuthorizedException", "Refresh Token has been revoked")),
    # 16: the authorizer failed
    Case(16, "authorizer-crashed", answer(500, message(None), AUTHORIZER_TYPE),
         ("authorizer-permission", "authorizer-http-answer", "context-not-flat", "authorizer-result-malformed")),
    Case(16, "authorizer-crashed", answer(500, spaced("Internal server error"), AUTHORIZER_TYPE), name="-words"),
    Case(16, "authorizer-failed-http", answer(500, message("Internal Server Error"), gateway="http")),
    Case(16, "authorizer-result-malformed", log("Could not parse policy"), name="-log"),
    # 17: the scope of the signature
    Case(17, "wrong-region", answer(403, message(
        "Credential should be scoped to a valid region, not 'us-east-1'. "), SIGNATURE_TYPE), name="-old"),
    Case(17, "wrong-region", answer(403, message(
        "Credential should be scoped to a valid region. "), SIGNATURE_TYPE), name="-new"),
    Case(17, "wrong-service", answer(403, message(
        "Credential should be scoped to correct service: 'execute-api'. "), SIGNATURE_TYPE)),
    Case(17, "wrong-region", answer(403, message(
        "Credential should be scoped to a valid region, not 'us-east-1'. "
        "Credential should be scoped to correct service: 'execute-api'. "), SIGNATURE_TYPE),
        ("wrong-service",), name="-both"),
    # 18: context
    Case(
        18, "context-not-flat", answer(500, message(None), AUTHORIZER_TYPE), ("authorizer-crashed",),
        stopped("authorizer", Code.AUTHORIZER_CONTEXT, 500),
    ),
    # 19: the session token
    Case(19, "session-token-missing", answer(403, INVALID_TOKEN, "UnrecognizedClientException", sent=temporary(None)),
         ("key-unknown",)),
    Case(19, "session-token-missing", answer(403, INVALID_TOKEN, DENIED_TYPE, sent=temporary("undefined")),
         name="-undefined"),
    Case(19, "session-token-missing", answer(403, INVALID_TOKEN), ("key-unknown",), name="-unsigned"),
    Case(19, "session-token-missing", client_error(
        "UnrecognizedClientException", "The security token included in the request is invalid.", 403), name="-boto3"),
    # 20: audience
    Case(20, "audience", answer(401, UNAUTHORIZED, gateway="http", sent=bearer(ACCESS), headers={
        "www-authenticate": 'Bearer scope="" error="invalid_token" '
        'error_description="the token does not have a valid audience"'})),
    Case(20, "audience", "Token was not issued for this audience"),
    Case(20, "audience", jwt.MissingRequiredClaimError("aud")),
    Case(20, "audience", jwt.InvalidAudienceError("Audience doesn't match")),
    Case(20, "access-token-to-identity-pool", client_error(
        "NotAuthorizedException", "Invalid login token. Missing a required claim: aud")),
    # 21: resource policy
    Case(21, "resource-policy-silent", answer(403, message(f"User: anonymous {INVOKE}", "Message"), DENIED_TYPE)),
    Case(21, "resource-policy-silent", answer(403, message(
        f"User: anonymous {INVOKE} because no resource-based policy allows the execute-api:Invoke action",
        "Message"), DENIED_TYPE), name="-new"),
    Case(21, "resource-policy-denied", answer(
        403, message(f"User: anonymous {INVOKE}{EXPLICIT}", "Message"), DENIED_TYPE)),
    Case(21, "resource-policy-denied", answer(403, message(
        f"User: anonymous {INVOKE}{EXPLICIT} in a resource-based policy", "Message"), DENIED_TYPE), name="-new"),
    Case(21, "resource-policy-silent", answer(403, message(
        f"{ROLE} {INVOKE} because no resource-based policy allows the execute-api:Invoke action",
        "Message"), DENIED_TYPE), name="-other-account"),
    # 22: the preflight
    Case(22, "preflight-refused", answer(
        401, UNAUTHORIZED, UNAUTHORIZED_TYPE, method="OPTIONS", sent=PREFLIGHT), ("no-token",)),
    Case(22, "preflight-refused", answer(
        403, NO_ROUTE, NO_ROUTE_TYPE, method="OPTIONS", sent=PREFLIGHT), ("no-such-route",)),
    Case(22, "preflight-refused",
         "Access to fetch at 'https://x' has been blocked by CORS policy: Response to preflight request "
         "doesn't pass access control check: It does not have HTTP ok status.", name="-text"),
    # 23: flows
    Case(23, "flow-not-enabled", client_error(
        "InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client")),
    Case(23, "flow-not-enabled", client_error(
        "InvalidParameterException", "Auth flow not enabled for this client"), name="-admin"),
    Case(23, "flow-not-enabled", answer(400, {
        "__type": "InvalidParameterException", "message": "USER_SRP_AUTH is not enabled for the client."},
        url=COGNITO, gateway=""), name="-raw"),
    # 24: a Bearer token where a signature is read
    Case(24, "token-on-unknown-route", answer(403, message(
        f"'{ACCESS}' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer {ACCESS}'."),
        INCOMPLETE_TYPE, sent=bearer(ACCESS)), ("token-on-iam-method",), name="-old"),
    Case(24, "token-on-unknown-route", answer(403, message(
        "Invalid key=value pair (missing equal-sign) in Authorization header "
        "(hashed with SHA-256 and encoded with Base64): 'abc='."), INCOMPLETE_TYPE, sent=bearer(ACCESS)),
        ("token-on-iam-method",), name="-new"),
    Case(24, "token-on-unknown-route", answer(403, message(
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
        "Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a "
        f"'X-Amz-Date' or a 'Date' header. Authorization={ACCESS}="), INCOMPLETE_TYPE, sent=bearer(ACCESS)),
        ("token-on-iam-method",), name="-parts"),
    Case(
        24, "token-on-iam-method", answer(403, message("Invalid key=value pair (missing equal-sign) in Authorization "
        "header (hashed with SHA-256 and encoded with Base64): 'abc='."), INCOMPLETE_TYPE, sent=bearer(ACCESS)),
        ("token-on-unknown-route",), stopped("authorizer", Code.NOT_A_SIGNATURE),
    ),
    # 25: choice-based sign-in
    Case(25, "factor-not-offered", answer(
        200, {"ChallengeName": "SELECT_CHALLENGE", "AvailableChallenges": ["PASSWORD_SRP", "PASSWORD"]},
        url=COGNITO, gateway="", method="POST",
        data=json.dumps({"AuthParameters": {"PREFERRED_CHALLENGE": "EMAIL_OTP"}}))),
    Case(25, "factor-not-offered", {"ChallengeName": "SELECT_CHALLENGE", "ResponseMetadata": {"HTTPStatusCode": 200}},
         name="-boto3"),
    Case(25, "password-factor", client_error(
        "InvalidParameterException", "Password should be configured as one of the allowed first auth factors")),
    Case(25, "wrong-code", client_error("CodeMismatchException", "Invalid code or auth state for the user.")),
    Case(25, "session-over", client_error(
        "NotAuthorizedException", "Invalid session for the user, session is expired.")),
    # 26: user pool and identity pool
    Case(26, "guest-identity", client_error(
        "NotAuthorizedException", "Unauthenticated access is not supported for this identity pool.")),
    Case(26, "user-pool-id-for-identity-pool", client_error(
        "ValidationException", "1 validation error detected: Value 'us-east-1_abcdefghi' at 'identityPoolId' failed to "
        "satisfy constraint: Member must satisfy regular expression pattern: [\\w-]+:[0-9a-f-]+")),
    Case(26, "identity-of-another-login", client_error(
        "NotAuthorizedException",
        "Logins don't match. Please include at least one valid login for this identity or identity pool."),
        ("logins-not-configured",)),
    Case(26, "identity-of-another-login", client_error(
        "NotAuthorizedException", "Access to Identity 'us-east-1:c48bc499' is forbidden."), ("logins-not-configured",),
        name="-forbidden"),
    Case(26, "logins-not-configured", client_error(
        "NotAuthorizedException", "Token is not from a supported provider of this identity pool."),
        ("access-token-to-identity-pool",)),
    Case(26, "signature-to-cognito", answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent=signed())),
    Case(26, "role-for-control-plane", answer(403, message(
        "User: arn:aws:sts::123456789012:assumed-role/web/CognitoIdentityCredentials "
        f"{INVOKE}{NOT_ALLOWED}", "Message"), DENIED_TYPE, sent=signed()), ("caller-not-allowed",)),
    # 27: signed out
    Case(27, "signed-out", client_error("NotAuthorizedException", "Access Token has been revoked")),
    Case(27, "sign-out-doesnt-close", answer(200, "{}", url=COGNITO, gateway="", method="POST", sent={
        "X-Amz-Target": "AWSCognitoIdentityProviderService.GlobalSignOut"})),
    # 28: groups as text
    Case(28, "groups-as-text", answer(
        200, {"requestContext": {"authorizer": {"claims": {"cognito:groups": "admin,user"}}}})),
    Case(28, "groups-as-text", answer(
        200, {"authorizer": {"jwt": {"claims": {"cognito:groups": "[admin user]"}}}}, gateway="http"), name="-http"),
    Case(28, "groups-as-text", answer(403, '{"error": "not an admin"}', sent=bearer(IN_GROUPS)), ("backend-answered",),
         name="-403"),
    # 29: secret hash
    Case(29, "secret-hash", client_error(
        "NotAuthorizedException", "Unable to verify secret hash for client 1example23456789")),
    Case(29, "secret-hash", client_error(
        "NotAuthorizedException", "Client 1example23456789 is configured with secret but SECRET_HASH was not received"),
        name="-missing"),
    # 30: CloudFront
    Case(30, "cloudfront-refused", answer(403, CLOUDFRONT_PAGE, gateway="", url="https://d111111abcdef8.cloudfront.net/x",
         headers={"Content-Type": "text/html", "Server": "CloudFront"})),
    Case(30, "host-forwarded", answer(403, FORBIDDEN, FORBIDDEN_TYPE, sent={"X-API-Key": "a-key-of-somebody"},
         url="https://d111111abcdef8.cloudfront.net/x", headers={
             "X-Cache": "Error from cloudfront", "Via": "1.1 abc.cloudfront.net (CloudFront)"}), ("key-without-plan",)),
    Case(30, "host-forwarded", answer(403, FORBIDDEN, FORBIDDEN_TYPE, url="https://d111111abcdef8.cloudfront.net/x",
         headers={"X-Cache": "Error from cloudfront", "Via": "1.1 abc.cloudfront.net (CloudFront)"}),
         ("key-missing",), name="-no-key"),
    Case(30, "signed-for-other-host", answer(403, message(MISMATCH), SIGNATURE_TYPE, sent=signed(
        "https://d111111abcdef8.cloudfront.net/x"), url="https://d111111abcdef8.cloudfront.net/x"),
        ("changed-after-signing",)),
    Case(30, "authorization-not-forwardable", client_error(
        "InvalidArgument", "The parameter Headers contains Authorization that is not allowed.")),
    Case(30, "authorization-lost", answer(403, NO_ROUTE, NO_ROUTE_TYPE, url="https://d111111abcdef8.cloudfront.net/x",
         sent={"X-Amz-Date": "20201027T130007Z"}), ("no-such-route", "not-signed")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_true_cause_comes_first(case: Case) -> None:
    found = explain(case.given, journey=case.journey)
    assert (found.causes[0].id, found.causes[0].symptom) == (case.cause, case.symptom)
    assert set(case.listed) <= {cause.id for cause in found.causes}
    probes = [cause.probe for cause in found.causes]
    assert len(set(probes)) == len(probes), "each cause has a probe of its own"
    if case.journey is not None and case.journey.stopped_at is not None:
        assert found.certain
        assert case.journey.stopped_at.reason in str(found)
    for shown in (str(found), found._repr_html_()):
        assert found.causes[0].heading in html.unescape(shown)


def test_every_symptom_is_covered() -> None:
    assert {case.symptom for case in CASES} - {None} == set(range(1, 31))


def test_a_cause_that_isnt_known_is_put_into_the_gates_own_words() -> None:
    journey = stopped("validation", Code.VALIDATION_SETTINGS, reason="the moon {is} full")
    found = explain(answer(418, "{}", "TeapotException"), journey=journey)
    assert found.certain
    assert not found.known
    assert found.causes[0].why == "the moon {is} full"


def test_a_code_may_leave_more_than_one_cause() -> None:
    journey = stopped("authorizer", Code.SIGNATURE_MISMATCH)
    for refused in (
        answer(403, message(MISMATCH), SIGNATURE_TYPE),
        answer(403, FORBIDDEN, gateway="http"),
    ):
        found = explain(refused, journey=journey)
        assert not found.certain
        assert "so it was" in str(found)
        assert {cause.id for cause in found.causes} >= {"changed-after-signing", "wrong-secret"}


@pytest.mark.parametrize(
    ("status", "body", "code", "cause"),
    [
        (401, UNAUTHORIZED, Code.TOKEN_MISSING, "no-token-http"),
        (401, UNAUTHORIZED, Code.IDENTITY_SOURCE_MISSING, "no-token-http"),
        (401, UNAUTHORIZED, Code.TOKEN_AUDIENCE, "audience"),
        (401, UNAUTHORIZED, Code.TOKEN_ISSUER, "issuer"),
        (401, UNAUTHORIZED, Code.TOKEN_EXPIRED, "token-expired-http"),
        (401, UNAUTHORIZED, Code.TOKEN_SIGNATURE, "token-changed-http"),
        (401, UNAUTHORIZED, Code.TOKEN_MALFORMED, "token-unreadable-http"),
        (403, FORBIDDEN, Code.SCOPE_MISSING, "scope-missing-http"),
        (403, FORBIDDEN, Code.AUTHORIZER_DENIED, "authorizer-denied-http"),
        (403, FORBIDDEN, Code.AUTHORIZER_IMPLICIT_DENY, "authorizer-denied-http"),
        (404, message("Not Found"), Code.ROUTE_NOT_FOUND, "http-route-unknown"),
        (404, message("Not Found"), Code.STAGE_NOT_DEPLOYED, "stage-not-deployed"),
    ],
)
def test_the_journey_decides_for_an_http_api_too(
    status: int, body: str, code: Code, cause: str
) -> None:
    headers = {"www-authenticate": 'Bearer scope="" error="invalid_token"'} if status == 401 else {}
    if cause == "no-token-http":
        headers = {"www-authenticate": "Bearer"} if code == Code.TOKEN_MISSING else {}
    given = answer(status, body, gateway="http", headers=headers, sent=bearer(ACCESS))
    gate = "route" if status == 404 else "authorizer"
    found = explain(given, journey=stopped(gate, code, status))
    assert (found.causes[0].id, found.certain) == (cause, True)


def test_the_challenge_tells_a_missing_token_from_a_bad_one() -> None:
    def found(challenge: str) -> Explanation:
        headers = {"www-authenticate": challenge}
        return explain(answer(401, UNAUTHORIZED, gateway="http", headers=headers, sent=bearer(ID)))

    missing = found("Bearer")
    assert ([cause.id for cause in missing.causes], missing.certain) == (["no-token-http"], True)
    bad = found('Bearer scope="" error="invalid_token"')
    assert not bad.certain
    assert "no-token-http" not in {cause.id for cause in bad.causes}


def test_when_all_gates_let_it_pass_the_backend_refused_it() -> None:
    journey = Journey(
        "id", "GET", "/dev/demo", 403, [Step("integration", "pass", "it answered 403")]
    )
    found = explain(answer(403, '{"error": "no"}', sent=bearer(IN_GROUPS)), journey=journey)
    assert (found.causes[0].id, found.certain) == ("backend-answered", True)


def test_a_journey_of_aws_tells_nothing() -> None:
    journey = Journey("id", "GET", "/dev/demo", 403, note="AWS doesn't tell which gate answered.")
    assert not explain(answer(403, NO_ROUTE, NO_ROUTE_TYPE), journey=journey).certain


def test_a_customized_answer_is_known_by_its_error_type() -> None:
    found = explain(answer(418, '{"error":"go away"}', UNAUTHORIZED_TYPE, sent=bearer(ID)))
    assert found.causes[0].id == "id-token-but-scopes"


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (answer(401, message("The incoming token has expired"), UNAUTHORIZED_TYPE), "token-expired"),
        (answer(404, message("Not Found"), gateway="http"), "http-route-unknown"),
        (answer(400, spaced("Missing required request parameters: [id]"), "BadRequestException"), "parameters-missing"),
        (answer(400, spaced("Invalid request body"), "BadRequestException"), "body-invalid"),
        (answer(413, "HTTP content length exceeded 10485760 bytes.", headers={"Content-Type": "text/plain"}),
         "too-large"),
        (answer(413, message("Request Too Long")), "too-large"),
        (answer(414, message("Request URI too long"), UNAUTHORIZED_TYPE), "uri-too-long"),
        (answer(415, spaced("Unsupported Media Type"), "BadRequestException"), "media-type"),
        (answer(502, spaced("Internal server error"), "InternalServerErrorException"), "function-result"),
        (answer(504, spaced("Endpoint request timed out"), "InternalServerErrorException"), "integration-timeout"),
        (answer(504, spaced("Network error communicating with endpoint"), "InternalServerErrorException"),
         "backend-unreachable"),
        (answer(403, message("The security token included in the request is expired"), "ExpiredTokenException"),
         "credentials-expired"),
        (answer(403, message(f"{ROLE} {INVOKE}", "Message"), DENIED_TYPE), "caller-not-allowed"),
        (answer(403, message(f"{ROLE} {INVOKE}{EXPLICIT} in an identity-based policy", "Message"), DENIED_TYPE),
         "caller-denied"),
        (client_error("AccessDeniedException", f"{ROLE} is not authorized to perform: apigateway:GET on x", 403),
         "control-plane-denied"),
        (requests.ConnectionError("…host='x.execute-api.us-east-1.amazonaws.com'…: Failed to resolve …"),
         "api-unknown"),
        (NoRegionError(), "lab-not-started"),
        (NoCredentialsError(), "lab-not-started"),
        (NameError("name 'api_id' is not defined"), "cell-not-run"),
        (CloudUnavailableError("The local cloud doesn't answer: run `lab = labkit.start()` again."), "cloud-stopped"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:4566/restapis"), "cloud-stopped"),
        (client_error("EntityAlreadyExists", "Role with name d-x-role already exists.", 409), "made-before"),
        (client_error("UsernameExistsException", "User account already exists."), "made-before"),
        (client_error("ConflictException", "Another resource with the same parent already has this name: demo", 409),
         "made-before"),
        (client_error("ResourceConflictException", "Function already exist: d-x", 409), "made-before"),
        (client_error("NotFoundException", "Invalid API identifier specified", 404), "deleted-before"),
        (client_error("ResourceNotFoundException", "User pool us-east-1_abc does not exist."), "deleted-before"),
        (requests.HTTPError("429", response=answer(429, message("Too Many Requests"))), "throttled"),
        (answer(404, '{"error": "no such pet"}'), "backend-answered"),
        (client_error("InvalidIdentityPoolConfigurationException",
                      "Invalid identity pool configuration. Check assigned IAM roles for this pool."),
         "role-distrusts-pool"),
        (client_error("NotAuthorizedException",
                      "The ambiguous role mapping rules for: accounts.google.com denied this request."),
         "no-role-for-user"),
        (client_error("NotAuthorizedException", "Invalid login token. Token expired: 1563259261 >= 1563256680"),
         "login-expired"),
        (client_error("NotAuthorizedException", "Invalid login token. Couldn't verify signed token."),
         "login-not-genuine"),
    ],
)  # fmt: skip
def test_answers_beside_the_30(given: object, cause: str) -> None:
    assert explain(given).causes[0].id == cause


# -- what is computed --------------------------------------------------------------------------


def test_the_skew_is_computed_from_the_text() -> None:
    assert "The signature is 29 min 59 s older than the time at AWS." in explain(EXPIRED).details


def test_the_canonical_request_is_shown_without_the_session_token() -> None:
    text = MISMATCH + CANONICAL.format(token="my-session-token")
    found = explain(answer(403, message(text), SIGNATURE_TYPE, sent=signed()))
    [canonical] = [one for one in found.details if one.startswith("The server computed this")]
    assert canonical.partition("\n")[2].startswith("POST\n/dev/demo\n\nhost:a1b2c3d4e5\n")
    assert "my-session-token" not in f"{found!s}{found._repr_html_()}"


def test_what_changed_on_the_way_is_named() -> None:
    headers = signed()
    names = ["host", "x-amz-date"]
    sent = {
        "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
        "x-amz-date": headers["X-Amz-Date"],
    }
    same, other = (
        sigv4.canonical_request("GET", path, "", sent, names, sigv4.EMPTY_SHA256)
        for path in ("/dev/demo", "/demo")
    )
    for canonical, expected in ((same, "nothing on the way changed it"), (other, "arrived  /demo")):
        text = (
            f"{MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
            + ("The String-to-Sign should have been\n'x'\n")
        )
        assert expected in str(explain(answer(403, message(text), SIGNATURE_TYPE, sent=headers)))


def test_probes_name_the_requests_own_api_stage_and_path() -> None:
    probe = explain(answer(403, NO_ROUTE, NO_ROUTE_TYPE)).causes[0].probe
    assert 'restApiId="a1b2c3d4e5", stageName="dev"' in probe
    assert "GET /demo" in probe


def test_the_region_of_the_host_goes_into_the_fix() -> None:
    found = explain(
        answer(403, message("Credential should be scoped to a valid region. "), SIGNATURE_TYPE)
    )
    assert 'region="us-east-1"' in found.causes[0].fix


def test_what_speaks_for_a_cause_is_said() -> None:
    found = explain(answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent=bearer(ID)))
    assert found.causes[0].because == ("the token is an ID token",)
    assert "here  the token is an ID token" in str(found)


# -- honesty ------------------------------------------------------------------------------------


def test_an_unknown_answer_is_called_unknown() -> None:
    found = explain(answer(418, "short and stout", gateway=""))
    assert (found.known, found.causes, found.certain) == (False, (), False)
    assert "doesn't know this answer" in str(found)
    assert "x-amzn-ErrorType" in str(found)


def test_an_error_of_a_program_isnt_called_an_answer() -> None:
    found = explain(TypeError("can only concatenate str"))
    assert not found.known
    assert "no answer of AWS" in found.meaning
    assert "x-amzn-ErrorType" in explain(client_error("Strange", "what")).meaning


def test_a_success_without_evidence_has_no_warnings() -> None:
    found = explain(answer(200, '"Hello from Lambda!"', sent=bearer(ACCESS)))
    assert (str(found), found.refused) == ("200\nNothing was refused.", False)


@pytest.mark.parametrize(
    ("journey", "sent", "cause"),
    [
        (
            skipped("api key and usage plan", Code.API_KEY_NOT_REQUIRED),
            {"X-API-Key": "k"},
            "key-not-required",
        ),
        (
            skipped("authorizer", Code.AUTHORIZATION_NONE),
            {"Authorization": ACCESS},
            "authorizer-not-deployed",
        ),
    ],
)
def test_a_success_warns_of_a_gate_that_had_nothing_to_check(
    journey: Journey, sent: dict[str, str], cause: str
) -> None:
    assert explain(answer(200, "{}", sent=sent), journey=journey).causes[0].id == cause
    assert not explain(answer(200, "{}"), journey=journey).causes
    assert not explain(answer(200, "{}", sent=sent)).causes


def test_guesses_are_labelled() -> None:
    found = explain(client_error("NotAuthorizedException", "Refresh Token has expired"))
    assert found.causes[0].heading.endswith("(not confirmed on AWS)")
    assert "(not confirmed on AWS)" in str(found)
    assert "(not confirmed on AWS)" in found._repr_html_()


# -- notebooks -------------------------------------------------------------------------------------


def test_a_notebook_is_linked_from_the_directory_of_the_one_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notebooks" / "lab").mkdir(parents=True)
    notebook = Notebook("CORS", "lab/09-cors & more.ipynb", tmp_path / "notebooks")
    assert str(notebook) == notebook.link() == "CORS", "an installed package has none"
    (tmp_path / "notebooks" / "lab" / "09-cors & more.ipynb").touch()
    assert str(notebook) == "CORS: notebooks/lab/09-cors & more.ipynb"
    monkeypatch.chdir(tmp_path / "notebooks" / "lab")
    assert notebook.link() == link("CORS", "09-cors%20%26%20more.ipynb")


def test_a_cause_that_no_notebook_teaches_promises_none() -> None:
    found = explain(answer(400, spaced("Invalid request body"), "BadRequestException"))
    assert found.causes[0].notebook is None
    assert "learn" not in f"{found}{found._repr_html_()}"


# -- anything at all ---------------------------------------------------------------------------------------

SECRET_HEADERS = ["Authorization", "X-Amz-Security-Token", "X-API-Key", "Cookie", "X-Session-Token"]
secrets_ = st.text("abcXYZ019+/=-_.<&'\"", min_size=8, max_size=40).map(
    lambda text: f"s3cr3t-{text}-end"
)
texts = st.text(max_size=60) | st.sampled_from(
    [str(case.given.text) for case in CASES if isinstance(case.given, requests.Response)]
)
bodies = (
    texts
    | st.recursive(
        st.none() | st.booleans() | st.floats() | texts,
        lambda inner: st.lists(inner) | st.dictionaries(
            st.sampled_from(["message", "Message", "__type", "cognito:groups", "ChallengeName"]) | texts, inner),
        max_leaves=5,
    ).map(json.dumps)
)  # fmt: skip
names = st.sampled_from(
    ["x-amzn-ErrorType", "www-authenticate", "Content-Type", "x-amz-apigw-id", "apigw-requestid", "Date", "Via",
     "Origin", "Authorization", "X-Amz-Date", "x-amz-content-sha256", "Host", "X-Amz-Target", *SECRET_HEADERS]
)  # fmt: skip
headers_ = st.dictionaries(names, texts | st.binary(max_size=20))


@given(
    status=st.integers() | st.none(),
    headers=headers_,
    body=bodies.map(str.encode) | st.binary(),
    request=st.none()
    | st.builds(
        requests.Request,
        st.sampled_from(["GET", "OPTIONS", "odd"]),
        st.sampled_from([URL, "http://d1.cloudfront.net/x?y=%", "http://[::1]:1/"]),
        data=st.none() | st.binary() | texts,
    ),
    sent=headers_,
    code=st.none() | st.sampled_from(Code),
)
def test_nothing_raises(
    status: int | None,
    headers: dict[str, Any],
    body: bytes,
    request: requests.Request | None,
    sent: dict[str, Any],
    code: Code | None,
) -> None:
    response = requests.Response()
    response.status_code, response._content = status, body
    response.headers.update(headers)
    if request is not None:
        response.request = request.prepare()
        response.request.headers.update(sent)
    journey = stopped("authorizer", code) if code else None
    found = explain(response, journey=journey)
    assert isinstance(found, Explanation)
    assert str(found) == repr(found)
    assert found._repr_html_()


def test_a_body_that_was_streamed_is_no_obstacle() -> None:
    response = answer(403, "")
    response._content, response._content_consumed = False, True
    assert explain(response).causes


@given(thing=st.none() | st.integers() | texts | st.dictionaries(texts, texts))
def test_nothing_raises_for_what_isnt_an_answer(thing: object) -> None:
    assert str(explain(thing))


@given(
    secret=secrets_,
    name=st.sampled_from(SECRET_HEADERS),
    prefix=st.sampled_from(["", "Bearer ", "Basic "]),
    case=st.sampled_from([c for c in CASES if isinstance(c.given, requests.Response)]),
    echo=st.sampled_from(
        ["{}", "'{}' not a valid key=value pair", "Authorization={}", "x-amz-security-token:{}"]
    ),
    in_type=st.booleans(),
)
def test_no_secret_of_a_header_is_shown(
    secret: str, name: str, prefix: str, case: Case, echo: str, in_type: bool
) -> None:
    given_ = case.given
    assert isinstance(given_, requests.Response)
    body = message(
        f"{json.loads(given_.text).get('message')} {echo.format(secret)}"
        if given_.text[:1] == "{"
        else ""
    )
    error_type = given_.headers.get("x-amzn-ErrorType", "")
    changed = answer(
        given_.status_code,
        body,
        f"{error_type}{secret if in_type else ''}",
        sent={name: prefix + secret},
    )
    found = explain(changed, journey=case.journey)
    everything = f"{found!s}{found!r}{found._repr_html_()}"
    for cause in found.causes:
        everything += str(cause)
    assert secret not in everything
    assert html.escape(secret) not in everything


def test_a_token_that_an_old_answer_echoes_is_hidden_without_knowing_the_request() -> None:
    text = f"'{ACCESS}' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer {ACCESS}'."
    found = explain(text)
    assert ACCESS not in str(found)
    assert HIDDEN in found.answer


def test_html_is_escaped() -> None:
    attack = "<script>alert(1)</script>"
    journey = stopped("validation", Code.VALIDATION_SETTINGS, reason=attack)
    found = explain(
        answer(403, message(attack), attack, url=f"{API}/dev/{attack}"), journey=journey
    )
    assert "<script" not in found._repr_html_()
    assert "&lt;script" in found._repr_html_()


def test_nothing_acts_in_what_is_said() -> None:
    attack = "\x1b[2J\x1b[31m\u202e\x07\r\ud800"
    journey = stopped("integration", Code.INTEGRATION_FAILED, reason=attack)
    for given_ in (answer(502, message(attack), attack, url=f"{API}/dev/x"), attack):
        found = explain(given_, journey=journey)
        shown = [str(found), found._repr_html_(), *map(str, found.causes)]
        assert [text for text in shown if not text.replace("\n", "").isprintable()] == []


# -- what stands in front of a token, or in its place ---------------------------------------------------------

REFRESH = "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIn0.a2V5.aXY.Y2lwaGVy.dGFn"
FORMS = {
    "bearer-spelling": (f"bearer {ID}", f"BEARER {ID}", f"bearer {ADMIN}"),
    "bearer-blank": (f"Bearer{ID}", f"bearer{ACCESS}"),
    "other-scheme": (f"Token {ID}", f"JWT {ACCESS}", f"Basic {ID}"),
    "token-quotes": (f'"{ID}"', f"Bearer '{ACCESS}'", f'"Bearer {ID}"', f'Bearer "{ID}'),
    "token-blanks": (f"Bearer  {ID}", f"{ID[:20]} {ID[20:]}", f"Bearer {ID} "),
    "token-is-refresh": (REFRESH, f"Bearer {REFRESH}"),
    "token-unreadable": ("Bearer hello", f"Bearer {ID[:40]}", "not a token"),
}
HEADERS = [(cause, value) for cause, values in FORMS.items() for value in values]
INVALID = 'Bearer scope="" error="invalid_token"'
SEGMENTS = INVALID + ' error_description="token contains an invalid number of segments"'


@pytest.mark.parametrize(("cause", "value"), HEADERS)
def test_what_isnt_a_token_is_told_apart_on_aws(cause: str, value: str) -> None:
    found = explain(answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent={"Authorization": value}))
    assert (found.causes[0].id, found.certain) == (cause, False)
    assert ID not in str(found)
    assert REFRESH not in str(found)


@pytest.mark.parametrize(("cause", "value"), HEADERS)
def test_so_it_is_by_an_http_api(cause: str, value: str) -> None:
    parts = value.removeprefix("Bearer ").count(".") + 1
    headers = {"www-authenticate": INVALID if parts == 3 else SEGMENTS}
    sent = {"Authorization": value}
    found = explain(answer(401, UNAUTHORIZED, gateway="http", headers=headers, sent=sent))
    ours = {"token-unreadable": "token-unreadable-http"}.get(cause, cause)
    assert found.causes[0].id == ours


@pytest.mark.parametrize(("cause", "value"), HEADERS)
def test_with_a_journey_it_is_certain(cause: str, value: str) -> None:
    with pytest.raises(labkit.errors.InvalidTokenError) as refused:
        key_id(bare_token(value))
    journey = stopped("authorizer", code_of(refused.value), 401, refused.value.reason)
    for response in (
        answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent={"Authorization": value}),
        answer(401, UNAUTHORIZED, gateway="http", sent={"Authorization": value}),
    ):
        found = explain(response, journey=journey)
        assert found.certain
        assert found.causes[0].id.removesuffix("-http") == cause


def test_an_id_token_where_an_access_token_is_wanted() -> None:
    refused = answer(401, UNAUTHORIZED, UNAUTHORIZED_TYPE, sent=bearer(ID))
    assert explain(refused).causes[0].id == "id-token-but-scopes"
    found = explain(refused, journey=stopped("authorizer", Code.ACCESS_TOKEN_REQUIRED, 401))
    assert (found.causes[0].id, found.certain) == ("id-token-but-scopes", True)


@pytest.mark.parametrize("value", [f" {ID}", f"Bearer {ID}\n", f"Bearer {ID[:9]}\r\n{ID[9:]}"])
def test_a_line_break_doesnt_leave_the_computer(value: str) -> None:
    with pytest.raises(requests.exceptions.InvalidHeader) as refused:
        requests.Request("GET", URL, {"Authorization": value}).prepare()
    found = explain(refused.value)
    assert found.causes[0].id == "token-blanks"
    assert ID[9:] not in str(found)


# -- plain requests leave the lab -----------------------------------------------------------------------------


def sent_by(adapter: object, response: requests.Response) -> requests.Response:
    response.connection = adapter  # type: ignore[attr-defined]
    return response


def unresolved(url: str = URL) -> requests.exceptions.ConnectionError:
    host = urlsplit(url).hostname
    reason = f"Failed to resolve {host!r} ([Errno -2] Name or service not known)"
    return requests.exceptions.ConnectionError(
        MaxRetryError(HTTPSConnectionPool(host or ""), "/dev/demo", Exception(reason)),
        request=requests.Request("GET", url).prepare(),
    )


def test_plain_requests_left_the_lab() -> None:
    outside = (
        sent_by(HTTPAdapter(), answer(403, FORBIDDEN, FORBIDDEN_TYPE)),
        sent_by(HTTPAdapter(), answer(418, "{}")),
        unresolved(),
    )
    for given_ in outside:
        found = explain(given_)
        assert (found.causes[0].id, found.certain) == ("left-the-lab", True)
        assert "http = lab.http" in str(found)
        assert "a1b2c3d4e5.execute-api" in str(found)
    success = explain(sent_by(HTTPAdapter(), answer(200, "{}")))
    assert [cause.id for cause in success.causes] == ["left-the-lab"]


def test_a_program_that_signs_at_the_computers_time() -> None:
    expired = client_error("InvalidSignatureException", EXPIRED, 403)
    assert "lab-clock-moved" not in {cause.id for cause in explain(expired).causes}
    before = PROCESS_CLOCK.offset
    try:
        for ahead, first in ((1800, "lab-clock-moved"), (7200, "clock-off")):  # it is 30 min old
            PROCESS_CLOCK.move_to(ahead)
            assert explain(expired).causes[0].id == first
    finally:
        PROCESS_CLOCK.move_to(before)


def test_what_stays_in_the_lab_or_belongs_to_aws_didnt_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside = sent_by(
        LocalCloudAdapter("http://127.0.0.1:1"), answer(403, FORBIDDEN, FORBIDDEN_TYPE)
    )
    gone = requests.exceptions.ConnectionError("…", request=inside.request)
    elsewhere = sent_by(HTTPAdapter(), answer(403, "{}", url="https://example.com/"))
    for given_ in (inside, gone, elsewhere, unresolved("https://example.com/")):
        assert "left-the-lab" not in {cause.id for cause in explain(given_).causes}
    monkeypatch.setenv("LABKIT_CLOUD", "aws")
    for given_ in (sent_by(HTTPAdapter(), answer(403, FORBIDDEN, FORBIDDEN_TYPE)), unresolved()):
        assert explain(given_).causes[0].id != "left-the-lab"


# -- the public names ------------------------------------------------------------------------------------------


def test_explain_is_a_name_of_labkit() -> None:
    assert labkit.explain is explain


def test_the_lab_fetches_the_journey_if_there_is_one() -> None:
    response = answer(403, NO_ROUTE, NO_ROUTE_TYPE)
    journey = stopped("authorizer", Code.NOT_SIGNED)
    knows = Lab(Mock(**{"journey.return_value": journey}))
    assert knows.explain(response).causes[0].id == "not-signed"
    assert knows.explain("Missing Authentication Token").causes[0].id == "no-such-route"
    forgot = Lab(Mock(**{"journey.side_effect": labkit.errors.JourneyUnknownError("gone")}))
    assert not forgot.explain(response).certain
