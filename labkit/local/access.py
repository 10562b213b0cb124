"""Who is let in: the Host and Origin of a request, and its signature.

The cloud listens on loopback only, but a web page can make a browser call loopback, and a DNS name
can be rebound to it. So a request must name a host that this cloud answers for, and must not come
from a foreign page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from labkit.local.engine import Engine
from labkit.local.messages import Request, Response

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost"})
_AWS_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+){0,3}\.amazonaws\.com|[a-z0-9]+\.cloudfront\.net")
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")

_UNSIGNED_TARGETS = frozenset(
    f"{service}.{operation}"
    for service, operations in {
        "AWSCognitoIdentityProviderService": """
            AssociateSoftwareToken ChangePassword ConfirmForgotPassword ConfirmSignUp DeleteUser
            ForgotPassword GetTokensFromRefreshToken GetUser GetUserAuthFactors GlobalSignOut
            InitiateAuth ResendConfirmationCode RespondToAuthChallenge RevokeToken
            SetUserMFAPreference SignUp UpdateUserAttributes VerifySoftwareToken
        """,
        "AWSCognitoIdentityService": """
            GetCredentialsForIdentity GetId GetOpenIdToken UnlinkIdentity
        """,
    }.items()
    for operation in operations.split()
)
"""Operations that AWS's service model sends unsigned (``authtype: none``)."""

_JSON_PROTOCOL = "application/x-amz-json-1.1"


def refuse_foreign(request: Request, port: int) -> Response | None:
    """A refusal for a foreign ``Host`` or ``Origin``, or None.

    A genuine AWS host name can't be set by a web page, so a request with one may carry any ``Origin`` (a CORS lesson
    needs that).
    """
    host_header = (request.header("host") or "").lower()
    host, _colon, host_port = host_header.partition(":")
    loopback = host in LOOPBACK_HOSTS and host_port in (str(port), "")
    if not loopback and _AWS_HOST.fullmatch(host) is None:
        return _refusal(f"This local cloud doesn't answer for the host {host_header[:100]!r}.")
    if not loopback:
        return None
    origin = request.header("origin")
    if origin is not None and not _is_own_origin(origin, port):
        return _refusal(
            "A web page of another origin called this local cloud: that is not allowed."
        )
    if request.header("sec-fetch-site") in ("cross-site", "same-site"):
        return _refusal("A web page of another site called this local cloud: that is not allowed.")
    return None


def _is_own_origin(origin: str, port: int) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS and parts.port == port
    except ValueError:
        return False


def _refusal(message: str) -> Response:
    return Response.of_json({"message": message}, 403)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The access key that a request names, and where."""

    access_key_id: str
    presigned: bool


def named_credentials(request: Request) -> Credentials | None:
    """The access key of a Signature v4 request, in its header or its query string; None when it has none."""
    header = request.header("authorization") or ""
    if header.startswith("AWS4-HMAC-SHA256"):
        match = _CREDENTIAL.search(header)
        return Credentials(match[1] if match else "", presigned=False)
    query: Mapping[str, str] = dict(request.query)
    if "X-Amz-Algorithm" in query or "X-Amz-Credential" in query:
        return Credentials(query.get("X-Amz-Credential", "").split("/")[0], presigned=True)
    return None


def refuse_unsigned(request: Request, engine: Engine) -> Response | None:
    """A refusal for a control-plane call whose signature isn't good, or None.

    The cloud's own key is verified here. IAM users' and roles' keys are verified by the engine, which also evaluates
    their policies; keys that the engine would take for root are unknown here.
    """
    credentials = named_credentials(request)
    if credentials is None:
        return None if _needs_no_signature(request) else _missing_token(request)
    if credentials.access_key_id == engine.settings.access_key_id:
        failure = engine.signature_error(request, presigned=credentials.presigned)
        return None if failure is None else _signature_refusal(request, *failure)
    if engine.takes_for_root(credentials.access_key_id):
        message = "The security token included in the request is invalid."
        return _signature_refusal(request, "UnrecognizedClientException", message)
    return None


def _needs_no_signature(request: Request) -> bool:
    if request.header("x-amz-target") in _UNSIGNED_TARGETS:
        return request.method == "POST"
    if request.method == "GET" and request.raw_path.endswith(
        ("/.well-known/jwks.json", "/.well-known/openid-configuration")
    ):
        return True
    action = dict(request.query).get("Action") or ""
    if (
        request.method == "POST"
        and request.raw_path == "/"
        and request.header("x-amz-target") is None
    ):
        match = re.search(rb"(?:^|&)Action=(\w+)", request.body)
        action = match[1].decode() if match else action
        return action in ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
    return False


def _missing_token(request: Request) -> Response:
    if request.header("x-amz-target"):
        return _signature_refusal(
            request, "MissingAuthenticationTokenException", "Missing Authentication Token"
        )
    headers = [("x-amzn-ErrorType", "MissingAuthenticationTokenException")]
    return Response.of_json({"message": "Missing Authentication Token"}, 403, headers)


def _signature_refusal(request: Request, error_type: str, message: str) -> Response:
    """The refusal in the caller's protocol, so that botocore reads its code."""
    if request.header("x-amz-target"):
        response = Response.of_json({"__type": error_type, "message": message}, 400)
        response.headers[0] = ("Content-Type", _JSON_PROTOCOL)
        return response
    content_type = request.header("content-type") or ""
    if content_type.startswith("application/x-www-form-urlencoded"):
        text = message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        body = (
            "<ErrorResponse><Error><Type>Sender</Type>"
            f"<Code>{error_type}</Code><Message>{text}</Message></Error></ErrorResponse>"
        )
        return Response(403, [("Content-Type", "text/xml")], body.encode())
    return Response.of_json({"message": message}, 403, [("x-amzn-ErrorType", error_type)])
