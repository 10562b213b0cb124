"""``jwtConfiguration`` of a REST API's JWT authorizer: what it may say, and where each issuer's keys are.

The rules are those of AWS's service model (rest_jwt 16.8, 16.20-16.29); how AWS words a refusal isn't known.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from labkit.local.apigateway.control.constraints import check_value
from labkit.local.apigateway.control.refusals import bad_request, not_offered
from labkit.local.apigateway.issuers import DISCOVERY, ForeignIssuerError
from labkit.local.apigateway.loopback import is_loopback
from labkit.local.strict_json import read_strict_json

JsonObject = dict[str, Any]
FindKeysAddress = Callable[[str], Awaitable[str | None]]
"""An issuer → the ``jwks_uri`` of its discovery document, or None."""

BUILT_IN_CLAIMS = frozenset({"iss", "aud", "exp", "nbf", "iat", "scope", "scp"})
"""What an authorizer checks anyway: no additional claim has such a name (rest_jwt 16.22)."""
MEMBERS = {
    "jwtConfiguration": ("issuers", "defaultAlgorithms"),
    "issuer": ("issuer", "audiences", "additionalClaims"),
    "additional claim": ("claimName", "format", "required", "expectedValues"),
}
"""What may be set; ``jwksUri`` is for reading (rest_jwt 16.11)."""


def read_configuration(text: str | None) -> JsonObject:
    """The configuration in the value of a patch operation, JSON text (rest_jwt 16.11).

    Raises:
        ApiError: ``BadRequestException`` or ``ValidationException``.
    """
    try:
        found = read_strict_json(text or "")
        json.dumps(found, ensure_ascii=False).encode()  # refuses the lone halves of surrogate pairs
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise bad_request("The value of /jwtConfiguration must be a JSON object as text")
    check_value("apigateway", "JwtConfigurationInput", found, "jwtConfiguration")
    return found


def check_configuration(found: JsonObject) -> None:
    """Refuse a configuration that AWS refuses; it fits the model already.

    Raises:
        ApiError: ``BadRequestException``.
    """
    _refuse_unknown(found, "jwtConfiguration")
    algorithms, issuers = found["defaultAlgorithms"], found["issuers"]
    _refuse_empty_or_doubled(algorithms, "defaultAlgorithms")
    for issuer in issuers:
        _refuse_unknown(issuer, "issuer")
    _refuse_empty_or_doubled((issuer["issuer"] for issuer in issuers), "issuers")
    for issuer in issuers:
        _check_url(issuer["issuer"])
        _refuse_empty_or_doubled(issuer["audiences"], "audiences")
        claims = issuer.get("additionalClaims") or []
        for claim in claims:
            _check_claim(claim)
        if claims:
            _refuse_empty_or_doubled((claim["claimName"] for claim in claims), "additionalClaims")


async def with_key_addresses(found: JsonObject, find: FindKeysAddress) -> JsonObject:
    """The configuration as it is kept: every issuer with its ``jwksUri``, which is looked up now (rest_jwt 16.33).

    Raises:
        ApiError: ``BadRequestException``: an issuer has no discovery document that names it.
    """
    issuers = []
    for issuer in found["issuers"]:
        name = issuer["issuer"]
        try:
            address = await find(name)
        except ForeignIssuerError:
            raise not_offered(
                f"the issuer {name}: it isn't a user pool of this cloud nor on this machine"
            ) from None
        if address is None:
            raise bad_request(
                f"Invalid issuer: {name}. Its discovery document {name.rstrip('/')}{DISCOVERY} must be there and name "
                "exactly this issuer and its jwks_uri."
            )
        kept = {"issuer": name, "audiences": issuer["audiences"]}
        if issuer.get("additionalClaims"):
            kept["additionalClaims"] = [
                {member: value for member, value in claim.items() if value is not None}
                for claim in issuer["additionalClaims"]
            ]
        issuers.append({**kept, "jwksUri": address})
    return {"issuers": issuers, "defaultAlgorithms": found["defaultAlgorithms"]}


def _refuse_unknown(held: JsonObject, what: str) -> None:
    for name in held:
        if name not in MEMBERS[what]:
            raise bad_request(f"{name} can't be set in {what}: it has {', '.join(MEMBERS[what])}")


def _refuse_empty_or_doubled(values: Iterable[str], name: str) -> None:
    listed = list(values)
    if not listed or not all(listed):
        raise bad_request(f"{name} must have at least one entry, and no empty one")
    if len(set(listed)) < len(listed):
        raise bad_request(f"{name} has an entry twice")


def _check_url(issuer: str) -> None:
    """An absolute URL of a server; beside ``https`` the local cloud takes issuers on this machine (rest_jwt 16.20)."""
    try:
        parts = urlsplit(issuer)
        is_good = bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        parts, is_good = urlsplit(""), False
    is_good = is_good and not any(c in "?#\\" or not c.isprintable() or c.isspace() for c in issuer)
    if not is_good or not (issuer.startswith("https://") or is_loopback(issuer)):
        raise bad_request(
            f"Invalid issuer: {issuer}. An issuer is an https URL with a host, and without user info, query and "
            "fragment."
        )


def _check_claim(claim: JsonObject) -> None:
    _refuse_unknown(claim, "additional claim")
    name, expected = claim["claimName"], claim.get("expectedValues")
    if not name:
        raise bad_request("The claimName of an additional claim can't be empty")
    if name in BUILT_IN_CLAIMS:
        raise bad_request(f"{name} can't be an additional claim: a JWT authorizer checks it anyway")
    if expected is None:
        return
    _refuse_empty_or_doubled(expected, "expectedValues")
    if len(expected) > 1:  # whether AWS takes any of them isn't known (rest_jwt 16.24)
        raise not_offered("more than one value in expectedValues")
