"""Small observations about an answer and its request: they decide the order of the possible causes.

Each fact is a function: its name is what ``causes.toml`` and ``rules.toml`` use, its docstring what the learner reads.
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

EXECUTE_API_HOST = re.compile(
    r"(?P<api_id>[a-z0-9]+)(?:-vpce-\w+)?\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com"
)
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d*/(?P<region>[^/]*)/(?P<service>[^/]*)/")
_NOT_UNRESERVED = re.compile(r"[^A-Za-z0-9._~/-]")
_SIGN_OUT = re.compile(r"\.(GlobalSignOut|RevokeToken|AdminUserGlobalSignOut)$")
_UNSET = frozenset({"", "undefined", "null", "None"})

Fact = Callable[[Evidence], bool]
FACTS: dict[str, Fact] = {}
"""Every fact by its name."""


def facts_of(evidence: Evidence) -> frozenset[str]:
    """The names of the facts that hold."""
    return frozenset(name for name, holds in FACTS.items() if holds(evidence))


def sentence(name: str) -> str:
    """A fact for the learner.

    >>> sentence("signed")
    'the request has a Signature v4'
    """
    text = FACTS[name].__doc__ or name
    return f"{text[:1].lower()}{text[1:]}".rstrip(".")


def _fact(holds: Fact) -> Fact:
    FACTS[holds.__name__.strip("_")] = holds
    return holds


# -- the request --------------------------------------------------------------------------------


@_fact
def _no_request(e: Evidence) -> bool:
    """Nothing is known of the request."""
    return not e.request.known


@_fact
def _no_authorization(e: Evidence) -> bool:
    """The request has no Authorization header."""
    return e.request.known and not _authorization(e) and not _signed(e)


@_fact
def _not_signed(e: Evidence) -> bool:
    """The Authorization header isn't a Signature v4."""
    return bool(_authorization(e)) and not _signed(e)


@_fact
def _signed(e: Evidence) -> bool:
    """The request has a Signature v4."""
    return _authorization(e).startswith("AWS4-") or "X-Amz-Signature=" in e.request.query


@_fact
def _half_signed(e: Evidence) -> bool:
    """Headers of a signature are there, but no Authorization header."""
    left = {"x-amz-date", "x-amz-security-token"} & set(e.request.headers)
    return not _authorization(e) and not _signed(e) and bool(left)


@_fact
def _redirected(e: Evidence) -> bool:
    """The client followed a redirect on the way."""
    return e.redirected


@_fact
def _preflight(e: Evidence) -> bool:
    """It is a browser's preflight (OPTIONS)."""
    asks = {"origin", "access-control-request-method"}
    return e.request.method == "OPTIONS" and not asks.isdisjoint(e.request.headers)


@_fact
def _from_browser(e: Evidence) -> bool:
    """The request has an Origin header, as from a web page."""
    return "origin" in e.request.headers and not _preflight(e)


@_fact
def _own_domain(e: Evidence) -> bool:
    """The URL has a domain name of your own."""
    host = e.request.host
    return "." in host and not host.endswith((".amazonaws.com", ".cloudfront.net", "127.0.0.1"))


@_fact
def _to_cloudfront(e: Evidence) -> bool:
    """The request went to a CloudFront distribution."""
    return e.request.host.endswith(".cloudfront.net")


@_fact
def _through_cloudfront(e: Evidence) -> bool:
    """The answer came through CloudFront."""
    marks = [e.headers.get(name, "").lower() for name in ("x-cache", "via", "server")]
    return any("cloudfront" in mark for mark in marks) and not _host(e, "api_id")


@_fact
def _get_with_body(e: Evidence) -> bool:
    """It is a GET with a body."""
    return e.request.method in ("GET", "HEAD") and bool(e.request.body)


@_fact
def _special_characters(e: Evidence) -> bool:
    """The URL has characters that must be encoded."""
    return bool(_NOT_UNRESERVED.search(e.request.path)) or "%" in e.request.query


@_fact
def _no_api_key(e: Evidence) -> bool:
    """The request has no X-API-Key header."""
    return e.request.known and not _api_key(e)


@_fact
def _api_key(e: Evidence) -> bool:
    """The request has an X-API-Key header."""
    return "x-api-key" in e.request.headers


# -- a token ------------------------------------------------------------------------------------


@_fact
def _token_is_id(e: Evidence) -> bool:
    """The token is an ID token."""
    return _claims(e).get("token_use") == "id"


@_fact
def _token_is_access(e: Evidence) -> bool:
    """The token is an access token."""
    return _claims(e).get("token_use") == "access"


@_fact
def _token_has_only_admin_scope(e: Evidence) -> bool:
    """Its only scope is aws.cognito.signin.user.admin."""
    # The only scope of a sign-in with the API (cognito 6.5).
    return _token_is_access(e) and _claims(e).get("scope") == "aws.cognito.signin.user.admin"


@_fact
def _token_is_old(e: Evidence) -> bool:
    """The token's exp is in the past."""
    expiry = _claims(e).get("exp")
    try:
        answered = parsedate_to_datetime(e.headers.get("date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        answered = time.time()
    return isinstance(expiry, int | float) and expiry <= answered


@_fact
def _token_is_unreadable(e: Evidence) -> bool:
    """What is in the Authorization header can't be decoded as a token."""
    return _not_signed(e) and not _claims(e)


@_fact
def _token_has_groups(e: Evidence) -> bool:
    """The token has the claim cognito:groups."""
    return bool(_claims(e).get("cognito:groups"))


# -- a signature --------------------------------------------------------------------------------


@_fact
def _temporary_key(e: Evidence) -> bool:
    """The access key is a temporary one (ASIA…)."""
    return _credential(e, "key").startswith("ASIA")


@_fact
def _lasting_key(e: Evidence) -> bool:
    """The access key is a lasting one (AKIA…)."""
    return _credential(e, "key").startswith("AKIA")


@_fact
def _no_session_token(e: Evidence) -> bool:
    """There is no usable X-Amz-Security-Token."""
    in_query = "X-Amz-Security-Token=" in e.request.query
    return _signed(e) and not _session_token(e) and not in_query


@_fact
def _session_token(e: Evidence) -> bool:
    """The request has an X-Amz-Security-Token."""
    return e.request.headers.get("x-amz-security-token", "") not in _UNSET


@_fact
def _body_changed(e: Evidence) -> bool:
    """The body isn't the one that was hashed for the signature."""
    declared = e.request.headers.get("x-amz-content-sha256", "")
    is_hash = re.fullmatch(r"[0-9a-f]{64}", declared)
    return bool(is_hash) and declared != hashlib.sha256(e.request.body).hexdigest()


@_fact
def _signed_header_missing(e: Evidence) -> bool:
    """A signed header isn't in the request."""
    return not {"host", *e.request.headers}.issuperset(e.request.signed_headers)


@_fact
def _signed_for_another_service(e: Evidence) -> bool:
    """The credential scope names another service than execute-api."""
    return _credential(e, "service") not in ("", "execute-api")


@_fact
def _signed_for_another_region(e: Evidence) -> bool:
    """The credential scope names another Region than the host."""
    region = _host(e, "region")
    return bool(region) and _credential(e, "region") not in ("", region)


# -- the answer ---------------------------------------------------------------------------------


@_fact
def _hidden_from_browser(e: Evidence) -> bool:
    """The answer has no Access-Control-Allow-Origin header."""
    return e.status is not None and "access-control-allow-origin" not in e.headers


@_fact
def _identity_pool_caller(e: Evidence) -> bool:
    """The caller's role came from an identity pool."""
    return "/CognitoIdentityCredentials" in (e.message or "")


@_fact
def _challenge_to_select(e: Evidence) -> bool:
    """The answer is the challenge SELECT_CHALLENGE."""
    return isinstance(e.data, dict) and e.data.get("ChallengeName") == "SELECT_CHALLENGE"


@_fact
def _wanted_a_factor(e: Evidence) -> bool:
    """The request asked for a first factor (PREFERRED_CHALLENGE)."""
    try:
        return bool(json.loads(e.request.body)["AuthParameters"]["PREFERRED_CHALLENGE"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return False


@_fact
def _groups_as_text(e: Evidence) -> bool:
    """cognito:groups in the body is text, not a list."""
    return any(isinstance(groups, str) for groups in _groups_in(e.data))


@_fact
def _signed_out(e: Evidence) -> bool:
    """The request ended a sign-in."""
    return bool(_SIGN_OUT.search(e.request.headers.get("x-amz-target", "")))


# -- reading ------------------------------------------------------------------------------------


def _authorization(e: Evidence) -> str:
    return e.request.headers.get("authorization", "")


def _claims(e: Evidence) -> dict[str, Any]:
    """What the token in the ``Authorization`` header says; empty when there is no readable one."""
    try:
        return tokens.decode(_authorization(e)).claims
    except TokenError:
        return {}


def _credential(e: Evidence, part: str) -> str:
    found = _CREDENTIAL.search(_authorization(e))
    return found[part] if found else ""


def _host(e: Evidence, part: str) -> str:
    found = EXECUTE_API_HOST.fullmatch(e.request.host)
    return found[part] if found else ""


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
