"""Small observations about an answer and its request: they decide the order of the possible causes.

Each has a name, which ``causes.toml`` uses, and a sentence, which the learner reads.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from labkit import tokens
from labkit.doctor.evidence import Evidence
from labkit.errors import TokenError

ADMIN_SCOPE = "aws.cognito.signin.user.admin"
"""The only scope of a sign-in with the API (cognito.md 6.5)."""
EXECUTE_API_HOST = re.compile(
    r"(?P<api_id>[a-z0-9]+)(?:-vpce-\w+)?\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com"
)
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d*/(?P<region>[^/]*)/(?P<service>[^/]*)/")
_NOT_UNRESERVED = re.compile(r"[^A-Za-z0-9._~/-]")
_SIGN_OUT = re.compile(r"\.(GlobalSignOut|RevokeToken|AdminUserGlobalSignOut)$")
_UNSET = frozenset({"", "undefined", "null", "None"})

Test = Callable[[Evidence], bool]


# -- reading ------------------------------------------------------------------------------


def authorization(e: Evidence) -> str:
    """The ``Authorization`` header; empty when there is none."""
    return e.request.headers.get("authorization", "")


def is_signed(e: Evidence) -> bool:
    """Whether the request has a Signature v4."""
    return authorization(e).startswith("AWS4-") or "X-Amz-Signature=" in e.request.query


def claims(e: Evidence) -> dict[str, Any]:
    """What the token in the ``Authorization`` header says; empty when there is no readable one."""
    try:
        return tokens.decode(authorization(e)).claims
    except TokenError:
        return {}


def _credential(e: Evidence, part: str) -> str:
    found = _CREDENTIAL.search(authorization(e))
    return found[part] if found else ""


def _token_use(e: Evidence) -> str:
    return str(claims(e).get("token_use", ""))


def _expired(e: Evidence) -> bool:
    """Whether the token had expired when the answer was written."""
    expiry = claims(e).get("exp")
    return isinstance(expiry, int | float) and expiry <= _time_of(e)


def _time_of(e: Evidence) -> float:
    try:
        return parsedate_to_datetime(e.headers.get("date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return time.time()


def _region_of_host(e: Evidence) -> str:
    found = EXECUTE_API_HOST.fullmatch(e.request.host)
    return found["region"] if found else ""


def _body_differs(e: Evidence) -> bool:
    """Whether the body isn't the one that was hashed when the request was signed."""
    declared = e.request.headers.get("x-amz-content-sha256", "")
    is_hash = re.fullmatch(r"[0-9a-f]{64}", declared)
    return bool(is_hash) and declared != hashlib.sha256(e.request.body).hexdigest()


def _signed_header_missing(e: Evidence) -> bool:
    found = re.search(r"SignedHeaders=([^,\s]+)", authorization(e))
    names = found[1].lower().split(";") if found else []
    return any(name not in e.request.headers and name != "host" for name in names)


def _passed_cloudfront(e: Evidence) -> bool:
    marks = ("x-cache", "via", "server")
    return any("cloudfront" in e.headers.get(name, "").lower() for name in marks)


def _is_own_domain(e: Evidence) -> bool:
    host = e.request.host
    return "." in host and not host.endswith((".amazonaws.com", ".cloudfront.net", "127.0.0.1"))


def _is_preflight(e: Evidence) -> bool:
    asks = ("origin", "access-control-request-method")
    return e.request.method == "OPTIONS" and any(name in e.request.headers for name in asks)


def _groups_in(data: Any) -> Iterator[object]:
    """Every ``cognito:groups`` in a body that repeats the event or its claims."""
    waiting = [data]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
            if "cognito:groups" in item:
                yield item["cognito:groups"]
        elif isinstance(item, list):
            waiting += item


def _challenge(e: Evidence) -> str:
    return str(e.data.get("ChallengeName", "")) if isinstance(e.data, dict) else ""


def _wanted_first_factor(e: Evidence) -> str:
    try:
        asked = json.loads(e.request.body or b"{}")
        return str(asked["AuthParameters"]["PREFERRED_CHALLENGE"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""


# -- the facts ------------------------------------------------------------------------------

FACTS: dict[str, tuple[Test, str]] = {
    # the request
    "no_request": (lambda e: not e.request.known, "nothing is known of the request"),
    "no_authorization": (
        lambda e: e.request.known and not authorization(e) and not is_signed(e),
        "the request has no Authorization header",
    ),
    "not_signed": (
        lambda e: bool(authorization(e)) and not is_signed(e),
        "the Authorization header isn't a Signature v4",
    ),
    "signed": (is_signed, "the request has a Signature v4"),
    "half_signed": (
        lambda e: (
            not authorization(e)
            and not is_signed(e)
            and bool({"x-amz-date", "x-amz-security-token"} & set(e.request.headers))
        ),
        "headers of a signature are there, but no Authorization header",
    ),
    "redirected": (lambda e: e.redirected, "the client followed a redirect on the way"),
    "preflight": (_is_preflight, "it is a browser's preflight (OPTIONS)"),
    "from_browser": (
        lambda e: "origin" in e.request.headers and not _is_preflight(e),
        "the request has an Origin header, as from a web page",
    ),
    "own_domain": (_is_own_domain, "the URL has a domain name of your own"),
    "to_cloudfront": (
        lambda e: e.request.host.endswith(".cloudfront.net"),
        "the request went to a CloudFront distribution",
    ),
    "through_cloudfront": (
        lambda e: _passed_cloudfront(e) and EXECUTE_API_HOST.fullmatch(e.request.host) is None,
        "the answer came through CloudFront",
    ),
    "get_with_body": (
        lambda e: e.request.method in ("GET", "HEAD") and bool(e.request.body),
        "it is a GET with a body",
    ),
    "special_characters": (
        lambda e: bool(_NOT_UNRESERVED.search(e.request.path)) or "%" in e.request.query,
        "the URL has characters that must be encoded",
    ),
    "no_api_key": (
        lambda e: e.request.known and "x-api-key" not in e.request.headers,
        "the request has no X-API-Key header",
    ),
    "api_key": (lambda e: "x-api-key" in e.request.headers, "the request has an X-API-Key header"),
    # a token
    "token_is_id": (lambda e: _token_use(e) == "id", "the token is an ID token"),
    "token_is_access": (lambda e: _token_use(e) == "access", "the token is an access token"),
    "token_has_only_admin_scope": (
        lambda e: _token_use(e) == "access" and claims(e).get("scope") == ADMIN_SCOPE,
        f"its only scope is {ADMIN_SCOPE}",
    ),
    "token_is_old": (_expired, "the token's exp is in the past"),
    "token_is_unreadable": (
        lambda e: bool(authorization(e)) and not is_signed(e) and not claims(e),
        "what is in the Authorization header can't be decoded as a token",
    ),
    "token_has_groups": (
        lambda e: bool(claims(e).get("cognito:groups")),
        "the token has the claim cognito:groups",
    ),
    # a signature
    "temporary_key": (
        lambda e: _credential(e, "key").startswith("ASIA"),
        "the access key is a temporary one (ASIA…)",
    ),
    "lasting_key": (
        lambda e: _credential(e, "key").startswith("AKIA"),
        "the access key is a lasting one (AKIA…)",
    ),
    "no_session_token": (
        lambda e: (
            is_signed(e)
            and e.request.headers.get("x-amz-security-token", "") in _UNSET
            and "X-Amz-Security-Token=" not in e.request.query
        ),
        "there is no usable X-Amz-Security-Token",
    ),
    "session_token": (
        lambda e: e.request.headers.get("x-amz-security-token", "") not in _UNSET,
        "the request has an X-Amz-Security-Token",
    ),
    "body_changed": (_body_differs, "the body isn't the one that was hashed for the signature"),
    "signed_header_missing": (_signed_header_missing, "a signed header isn't in the request"),
    "signed_for_another_service": (
        lambda e: _credential(e, "service") not in ("", "execute-api"),
        "the credential scope names another service than execute-api",
    ),
    "signed_for_another_region": (
        lambda e: (
            bool(_region_of_host(e)) and _credential(e, "region") not in ("", _region_of_host(e))
        ),
        "the credential scope names another Region than the host",
    ),
    # the answer
    "hidden_from_browser": (
        lambda e: e.status is not None and "access-control-allow-origin" not in e.headers,
        "the answer has no Access-Control-Allow-Origin header",
    ),
    "identity_pool_caller": (
        lambda e: "/CognitoIdentityCredentials" in (e.message or ""),
        "the caller's role came from an identity pool",
    ),
    "challenge_to_select": (
        lambda e: _challenge(e) == "SELECT_CHALLENGE",
        "the answer is the challenge SELECT_CHALLENGE",
    ),
    "wanted_a_factor": (
        lambda e: bool(_wanted_first_factor(e)),
        "the request asked for a first factor (PREFERRED_CHALLENGE)",
    ),
    "groups_as_text": (
        lambda e: any(isinstance(groups, str) for groups in _groups_in(e.data)),
        "cognito:groups in the body is text, not a list",
    ),
    "signed_out": (
        lambda e: bool(_SIGN_OUT.search(e.request.headers.get("x-amz-target", ""))),
        "the request ended a sign-in",
    ),
}
"""Name → how to see it, and the sentence for it."""


def facts_of(evidence: Evidence) -> frozenset[str]:
    """The names of the facts that hold."""
    return frozenset(name for name, (holds, _sentence) in FACTS.items() if holds(evidence))


def sentence(fact: str) -> str:
    """A fact for the learner."""
    return FACTS[fact][1]
