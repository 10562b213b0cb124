"""Small observations about an answer and its request: they decide the order of the possible causes.

A fact's name is what ``causes.toml`` and ``rules.toml`` use; ``causes.toml`` also has its sentence for the learner.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from labkit import tokens
from labkit.clock import PROCESS_CLOCK
from labkit.doctor.details import seconds_off
from labkit.doctor.evidence import Evidence
from labkit.errors import TokenError
from labkit.tokens.forms import Form, form_of

_NOT_UNRESERVED = re.compile(r"[^A-Za-z0-9._~/-]")
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d*/([^/]*)/([^/]*)/")
_SIGN_OUT = re.compile(r"\.(GlobalSignOut|RevokeToken|AdminUserGlobalSignOut)$")
_READABLE = (None, Form.SPELLING)
"""Where the gateway may have read the claims: nobody is known to have tried another spelling of Bearer on AWS."""
_ALLOWED_SECONDS = 300
"""By so much a signature may be off (gateway 4.7)."""
_UNSET = frozenset({"", "undefined", "null", "None"})

Facts = dict[str, bool]
"""Fact → whether it holds."""


def facts_of(evidence: Evidence) -> Facts:
    """Every fact, and whether it holds."""
    e = evidence
    return {**_request_facts(e), **_token_facts(e), **_signature_facts(e), **_answer_facts(e)}


def _request_facts(e: Evidence) -> Facts:
    sent, host, headers = e.request, e.request.host, e.request.headers
    unsigned = not sent.authorization and not sent.is_signed
    is_preflight = sent.method == "OPTIONS" and not headers.keys().isdisjoint(
        {"origin", "access-control-request-method"}
    )
    own_hosts = (".amazonaws.com", ".cloudfront.net", "127.0.0.1")
    passed = [e.headers.get(name, "").lower() for name in ("x-cache", "via", "server")]
    return {
        "no_request": not sent.known,
        "no_authorization": sent.known and unsigned,
        "not_signed": _is_not_signed(e),
        "signed": sent.is_signed,
        "half_signed": unsigned and bool({"x-amz-date", "x-amz-security-token"} & headers.keys()),
        "redirected": e.redirected,
        "left_the_lab": e.left_the_lab,
        "preflight": is_preflight,
        "from_browser": "origin" in headers and not is_preflight,
        "own_domain": "." in host and not host.endswith(own_hosts),
        "to_cloudfront": host.endswith(".cloudfront.net"),
        "through_cloudfront": any("cloudfront" in mark for mark in passed) and not sent.api,
        "get_with_body": sent.method in ("GET", "HEAD") and bool(sent.body),
        "special_characters": bool(_NOT_UNRESERVED.search(sent.path)) or "%" in sent.query,
        "no_api_key": sent.known and "x-api-key" not in headers,
        "api_key": "x-api-key" in headers,
        "wanted_a_factor": _wanted_a_factor(sent.body),
        "signed_out": bool(_SIGN_OUT.search(headers.get("x-amz-target", ""))),
    }


def _token_facts(e: Evidence) -> Facts:
    """Of the token in the ``Authorization`` header, or of what stands there in its place."""
    form = form_of(e.request.authorization)
    try:
        claims = tokens.decode(e.request.authorization).claims
    except TokenError:
        claims = {}
    use, scope, expiry = (claims.get(name) for name in ("token_use", "scope", "exp"))
    only_admin = scope == "aws.cognito.signin.user.admin"
    return {
        "token_is_id": use == "id",
        "token_is_access": use == "access",
        # The only scope of a sign-in with the API (cognito 6.5).
        "token_has_only_admin_scope": use == "access" and only_admin,
        "token_is_old": isinstance(expiry, int | float) and expiry <= _time_of(e),
        "token_is_unreadable": _is_not_signed(e) and not (claims and form in _READABLE),
        "bearer_spelt_otherwise": form is Form.SPELLING,
        "no_blank_after_bearer": form is Form.NO_BLANK,
        "other_scheme": form is Form.SCHEME,
        "quotes_around_token": form is Form.QUOTES,
        "blanks_in_token": form is Form.BLANKS,
        "token_is_encrypted": form is Form.ENCRYPTED,
        "token_has_groups": bool(claims.get("cognito:groups")),
    }


def _signature_facts(e: Evidence) -> Facts:
    sent, headers = e.request, e.request.headers
    found = _CREDENTIAL.search(sent.authorization)
    key, region, service = found.groups() if found else ("", "", "")
    declared = headers.get("x-amz-content-sha256", "")
    is_hash = re.fullmatch(r"[0-9a-f]{64}", declared)
    has_token = headers.get("x-amz-security-token", "") not in _UNSET
    in_query = "X-Amz-Security-Token=" in sent.query
    own_region = sent.api.get("region", "")
    return {
        "temporary_key": key.startswith("ASIA"),
        "lasting_key": key.startswith("AKIA"),
        "no_session_token": sent.is_signed and not has_token and not in_query,
        "session_token": has_token,
        "body_changed": bool(is_hash) and declared != hashlib.sha256(sent.body).hexdigest(),
        "signed_header_missing": not {"host", *headers}.issuperset(sent.signed_headers),
        "signed_for_another_service": service not in ("", "execute-api"),
        "signed_for_another_region": bool(own_region) and region not in ("", own_region),
    }


def _answer_facts(e: Evidence) -> Facts:
    data = e.data if isinstance(e.data, dict) else {}
    allows_origin = "access-control-allow-origin" in e.headers
    return {
        "hidden_from_browser": e.status is not None and not allows_origin,
        "identity_pool_caller": "/CognitoIdentityCredentials" in (e.message or ""),
        "challenge_to_select": data.get("ChallengeName") == "SELECT_CHALLENGE",
        "signed_at_real_time": _is_signed_at_real_time(e),
        "not_signed_at_real_time": not _is_signed_at_real_time(e),
        "groups_as_text": any(isinstance(groups, str) for groups in _groups_in(e.data)),
    }


# -- reading ------------------------------------------------------------------------------------


def _is_not_signed(e: Evidence) -> bool:
    return bool(e.request.authorization) and not e.request.is_signed


def _time_of(e: Evidence) -> float:
    """When the answer was made."""
    try:
        return parsedate_to_datetime(e.headers.get("date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return time.time()


def _is_signed_at_real_time(e: Evidence) -> bool:
    """Whether a signature is as old as the lab's clock is ahead of the computer's."""
    seconds, ahead = seconds_off(e.text), PROCESS_CLOCK.offset
    return seconds is not None and ahead > 0 and abs(seconds + ahead) <= _ALLOWED_SECONDS


def _wanted_a_factor(body: bytes) -> bool:
    try:
        return bool(json.loads(body)["AuthParameters"]["PREFERRED_CHALLENGE"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return False


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
