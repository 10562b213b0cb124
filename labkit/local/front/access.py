"""Which calls reach a control plane: those with a good signature, and the few that need none.

Behind this file MiniStack decides what a caller may do. It takes some callers for root without a
look at their signature, it reads a request in several places, and it has endpoints that it doesn't
guard. So a call gets past this file only if its signature is good, whatever the key, and if it
says one thing only: one identity, one operation.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, unquote

from labkit.local.engine import Engine
from labkit.local.front.credentials import AccessError, Credentials, named_credentials
from labkit.local.front.offers import refuse_service
from labkit.local.front.origin import forbid
from labkit.local.json_protocol import ServiceModel
from labkit.local.messages import Request, Response, without_headers

_SIGNING_NAMES = frozenset(
    """
    acm apigateway cloudfront cognito-identity cognito-idp dynamodb iam lambda logs s3 ses sts tagging wafv2
    """.split()
)
"""The services, as a signature names them."""

_TARGETS = {
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "AWSCognitoIdentityService": "cognito-identity",
    "AWSWAF_20190729": "wafv2",
    "CertificateManager": "acm",
    "DynamoDB_20120810": "dynamodb",
    "Logs_20140328": "logs",
    "ResourceGroupsTaggingAPI_20170126": "tagging",
}
"""How ``X-Amz-Target`` begins, and the service that it names."""

_MODELS = {
    "AWSCognitoIdentityProviderService": ServiceModel("cognito-idp"),
    "AWSCognitoIdentityService": ServiceModel("cognito-identity"),
}
"""The services with operations that AWS's model sends unsigned (cognito 0.1)."""
_UNSIGNED_ACTIONS = frozenset({"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})
"""Those of STS."""

_PUBLIC_DOCUMENT = re.compile(
    r"/[a-z0-9-]+_[A-Za-z0-9]+/\.well-known/(jwks\.json|openid-configuration)"
)
"""What a user pool publishes about its keys."""

_DECIDING_HEADERS = (
    "authorization",
    "content-encoding",
    "content-type",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-target",
)
"""Two of one of these could mean one thing to this file and another to MiniStack."""

_OWN_ROOTS = frozenset(
    """
    batchexecute begintransaction committransaction execute health iceberg latest login logout oauth2
    oidc rollbacktransaction saml2 v20180820 writegetobjectresponse
    """.split()
)
"""Where MiniStack has endpoints that AWS's control planes don't have, beside those that begin with ``_``."""

_API_GATEWAY_ROOTS = frozenset({"apikeys", "domainnames", "restapis", "usageplans", "v2"})
_NEEDLESSLY_ENCODED = re.compile(r"%(2[def]|3[0-9]|[46][1-9a-f]|[57][0-9a]|5f|7e)", re.IGNORECASE)
"""A letter, a digit, ``-._~`` or a slash."""

MAX_FORM_BYTES, MAX_FORM_FIELDS = 1_000_000, 1_000
"""Reading a longer form takes seconds, in which nobody else gets an answer; no operation needs as much."""

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a surrogate pair, or of a character that is one."""

_JSON_PROTOCOL = "application/x-amz-json-1.1"


def admit(request: Request, engine: Engine) -> Request | Response:
    """The request as MiniStack may see it, or the refusal of a control-plane call whose signature isn't good.

    Every signature is verified here, the cloud's own and those of IAM users and roles, whose policies MiniStack then
    evaluates. Of an unsigned call nothing is left that MiniStack could take for an identity.
    """
    if _is_own_endpoint(request) or request.method == "OPTIONS":
        return forbid("Forbidden")
    if _is_disguised(request):
        return forbid("Write the path as AWS's API reference does.")
    if _is_too_long(request):
        return Response.of_json({"message": "Request Too Long"}, 413)
    try:
        for name in _DECIDING_HEADERS:
            if request.count(name) > 1:
                raise AccessError("IncompleteSignature", f"The header {name} may come only once.")
        credentials = named_credentials(request)
        if credentials is not None and _is_for_no_service_here(request, credentials):
            return refuse_service(request, credentials.service, engine)
        operation = _operation(request)
        if _is_encoded(request) and not _is_for_an_object(request, credentials):
            raise AccessError(
                "UnsupportedMediaTypeException", "Send the body without a content encoding."
            )
        if credentials is None:
            if not _needs_no_signature(request, operation):
                return _missing_token(request)
            return _without_identity(request)
        if engine.signatures.takes_for_root(credentials.access_key_id) and (
            credentials.access_key_id != engine.settings.access_key_id
        ):
            raise AccessError(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        failure = engine.signatures.signature_error(request, presigned=credentials.presigned)
        if failure is not None:
            raise AccessError(*failure)
        _check_service(request, credentials)
    except AccessError as refused:
        return engine.signatures.refusal(
            request, _service(request), refused.error_type, refused.message
        )
    if _holds_half_a_character(request):
        error_type = "SerializationException"
        headers = [("x-amzn-ErrorType", error_type)]
        return Response.of_json({"__type": error_type}, 400, headers)
    return request


def service_of(request: Request) -> str | None:
    """The service that a call which was let in is for, as a signature names it; None for a public document."""
    named = _service_of_request(request)
    if named is not None:
        return named
    credentials = named_credentials(request)
    if credentials is not None:
        return credentials.service
    return "sts" if request.method == "POST" else None  # of what needs no signature


def _is_own_endpoint(request: Request) -> bool:
    """Whether the path is one of MiniStack's own, however it is spelled."""
    path = request.path.lower()
    segments = [segment for segment in path.split("/") if segment not in ("", ".", "..")]
    first = segments[0] if segments else ""
    return (
        first.startswith("_")
        or first in _OWN_ROOTS
        or (first == "restapis" and "_user_request_" in segments)
    )


def _is_disguised(request: Request) -> bool:
    """Whether MiniStack would see an API Gateway path in it that the files in front of MiniStack don't.

    MiniStack decodes a path and overlooks empty segments. No SDK encodes what needs no encoding.
    """
    segments = [segment for segment in request.path.split("/") if segment]
    if not segments or segments[0] not in _API_GATEWAY_ROOTS:
        return False
    raw = request.raw_path
    return "//" in raw or raw.endswith("/") or _NEEDLESSLY_ENCODED.search(raw) is not None


def _is_encoded(request: Request) -> bool:
    """Whether MiniStack would decode the body: it would see another than the files in front of it."""
    return (
        bool(request.header("content-encoding"))
        or request.header("x-amz-decoded-content-length") is not None
        or (request.header("x-amz-content-sha256") or "").upper().startswith("STREAMING-")
    )


def _holds_half_a_character(request: Request) -> bool:
    """Whether the JSON that MiniStack would keep has half of a surrogate pair.

    No answer can carry it, so every later list with it would fail. The event of a function isn't kept.
    """
    if _HALF.search(request.body) is None or request.raw_path.endswith("/invocations"):
        return False
    try:
        json.dumps(json.loads(request.body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):  # it isn't JSON
        return False
    return False


def _is_for_an_object(request: Request, credentials: Credentials | None) -> bool:
    """Whether the body is S3's, which keeps an encoding as a property of the object."""
    root = request.path.strip("/").partition("/")[0].lower()
    return (
        credentials is not None
        and credentials.service == "s3"
        and request.header("x-amz-target") is None
        and root not in _API_GATEWAY_ROOTS
    )


def _is_form(request: Request) -> bool:
    """Whether the body is one of the query protocol: of IAM, STS and SES."""
    return "x-www-form-urlencoded" in (request.header("content-type") or "").lower()


def _is_too_long(request: Request) -> bool:
    body = request.body
    return _is_form(request) and (len(body) > MAX_FORM_BYTES or body.count(b"&") >= MAX_FORM_FIELDS)


def _operation(request: Request) -> str | None:
    """The operation that an ``X-Amz-Target`` or an ``Action`` names; None when the method and the path do."""
    target = request.header("x-amz-target")
    actions = [value for name, value in request.query if name == "Action"]
    if _is_form(request) or (target is None and request.raw_path == "/"):
        body = request.body.decode("utf-8", "replace")
        actions += parse_qs(body, keep_blank_values=True).get("Action", [])
    if len(actions) + (target is not None) > 1 or (
        request.raw_path != "/" and (actions or target is not None)
    ):
        raise AccessError("InvalidAction", "The request names more than one operation.")
    if target is not None:
        if request.method != "POST" or target.partition(".")[0] not in _TARGETS:
            raise AccessError("UnknownOperationException", "The requested operation is unknown.")
        return target
    return actions[0] if actions else None


def _needs_no_signature(request: Request, operation: str | None) -> bool:
    if operation is None:
        return request.method == "GET" and _PUBLIC_DOCUMENT.fullmatch(request.raw_path) is not None
    service, _, name = operation.partition(".")
    if request.header("x-amz-target") is not None:
        return service in _MODELS and _MODELS[service].takes_no_signature(name)
    return operation in _UNSIGNED_ACTIONS and request.method == "POST"


def _without_identity(request: Request) -> Request:
    headers = without_headers(request.headers, "authorization", "x-amz-security-token")
    keeps_query = request.header("x-amz-target") is None and request.method == "POST"
    query = [pair for pair in request.query_string.split("&") if _is_harmless(pair)]
    return replace(request, headers=headers, query_string="&".join(query) if keeps_query else "")


def _is_harmless(pair: str) -> bool:
    names = [name.lower() for name, _value in parse_qsl(pair, keep_blank_values=True)]
    return not any(name.startswith(("x-amz-", "awsaccesskeyid", "signature")) for name in names)


def _is_for_no_service_here(request: Request, credentials: Credentials) -> bool:
    """Whether AWS has the service and the local cloud doesn't; ``execute-api`` is no control plane."""
    return (
        credentials.service not in _SIGNING_NAMES | {"execute-api"}
        and _service_of_request(request) is None
    )


def _check_service(request: Request, credentials: Credentials) -> None:
    """A signature is for one service: the one that the request is for."""
    named = _service_of_request(request)
    wanted = named or credentials.service
    if credentials.service != wanted or wanted not in _SIGNING_NAMES:
        raise AccessError(
            "SignatureDoesNotMatch",
            f"Credential should be scoped to correct service: '{named or 'one of the lab'}'. ",
        )


def _service_of_request(request: Request) -> str | None:
    target = request.header("x-amz-target")
    if target is not None:
        return _TARGETS.get(target.partition(".")[0])
    return "apigateway" if request.path.startswith("/restapis") else None


def _service(request: Request) -> str:
    """The service in whose protocol a refusal is written."""
    named = "sesv2" if request.path.startswith("/v2/email/") else _service_of_request(request)
    if named is None:
        scopes = [request.header("authorization") or "", unquote(request.query_string)]
        match = re.search(r"Credential=[^/,\s]*/\d*/[^/]*/([a-z0-9-]+)/", " ".join(scopes))
        named = match[1] if match else None
    return named or "sts"


def _missing_token(request: Request) -> Response:
    message = "Missing Authentication Token"
    error_type = "MissingAuthenticationTokenException"
    if request.header("x-amz-target"):
        response = Response.of_json({"__type": error_type, "message": message}, 400)
        response.headers[0] = ("Content-Type", _JSON_PROTOCOL)
        return response
    return Response.of_json({"message": message}, 403, [("x-amzn-ErrorType", error_type)])
