"""The ``Logins`` of an identity pool's user: each token is verified before it opens anything.

Facts: cognito 10.1, 10.2, 10.6, 10.7.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from labkit.errors import InvalidTokenError
from labkit.local.cognito.issued_tokens import claims_of
from labkit.local.cognito.pool_keys import PoolDirectory, PoolKeys
from labkit.local.engine import IdentityPool
from labkit.local.json_protocol import ApiError
from labkit.tokens.signed import Claims, key_id, signed_claims

JsonObject = dict[str, Any]

UNSUPPORTED = "Token is not from a supported provider of this identity pool."
MISMATCH = "Logins don't match. Please include at least one valid login for this identity or identity pool."
SIGNED_OUT = "Invalid login token. The user is signed out or doesn't exist."
"""For ``ServerSideTokenCheck``; AWS's words aren't known."""

_USER_POOL = re.compile(r"cognito-idp\.[a-z0-9-]+\.amazonaws\.com/([\w-]+)")


class SignIns(PoolDirectory, Protocol):
    """What verifying logins needs of Cognito."""

    def sign_in_ended(self, pool_id: str, claims: Mapping[str, Any]) -> bool:
        """Whether the user of a token was deleted, disabled or signed out everywhere since."""


class LoginTokens:
    """Verifies ID tokens of user pools.

    Args:
        sign_ins: user pools, their keys and users.
        clock: seconds since the epoch.
    """

    def __init__(self, sign_ins: SignIns, clock: Callable[[], float]) -> None:
        self._sign_ins = sign_ins
        self._clock = clock
        self._keys = PoolKeys(sign_ins)

    def verified(self, identity_pool: IdentityPool, logins: Mapping[str, str]) -> dict[str, Claims]:
        """The claims of each provider's token.

        Args:
            identity_pool: its record.
            logins: the provider's name and its token, as ``GetId`` takes them.

        Raises:
            ApiError: ``NotAuthorizedException``; one login isn't good.
        """
        return {
            provider: self._claims(identity_pool, provider, token)
            for provider, token in logins.items()
        }

    def check_still_signed_in(
        self, identity_pool: IdentityPool, claims: Mapping[str, Claims]
    ) -> None:
        """Ask the user pool, if the provider is configured with ``ServerSideTokenCheck``.

        Raises:
            ApiError: ``NotAuthorizedException``; the user is deleted, disabled or signed out.
        """
        for provider, held in claims.items():
            for settings in _settings(identity_pool, provider):
                is_meant = settings.get("ClientId") == held["aud"]
                asks = is_meant and settings.get("ServerSideTokenCheck")
                if asks and self._sign_ins.sign_in_ended(pool_of(provider), held):
                    raise _not_authorized(SIGNED_OUT)

    def _claims(self, identity_pool: IdentityPool, provider: str, token: str) -> Claims:
        settings = _settings(identity_pool, provider)
        if not settings:
            if provider in _other_providers(identity_pool):
                raise _not_authorized(
                    f"The local cloud can't verify tokens of {provider}: it knows its own user pools only."
                )
            raise _not_authorized(UNSUPPORTED if _has_providers(identity_pool) else MISMATCH)
        try:
            key = key_id(token)
            unverified = claims_of(token)
        except InvalidTokenError:
            unverified = {}
        if not unverified:
            raise _invalid("Not a valid OpenId Connect identity token.")
        if unverified.get("iss") != f"https://{provider}":
            raise _invalid("Issuer doesn't match providerName")
        found = self._keys.find(pool_of(provider), key)
        try:
            claims = None if found is None else signed_claims(token, found)
        except InvalidTokenError:
            claims = None
        if claims is None:
            raise _invalid("Couldn't verify signed token.")
        if "aud" not in claims:
            raise _invalid("Missing a required claim: aud")
        if claims.get("token_use") != "id":
            raise _invalid("Not a valid OpenId Connect identity token.")
        if claims["aud"] not in [one.get("ClientId") for one in settings]:
            raise _not_authorized(UNSUPPORTED)
        now, expiry = int(self._clock()), claims.get("exp")
        if not isinstance(expiry, int | float) or not math.isfinite(expiry) or now >= expiry:
            raise _invalid(f"Token expired: {now} >= {expiry}")
        return claims


def pool_of(provider: str) -> str:
    """The user pool's id in a provider's name; empty when it names no user pool.

    >>> pool_of("cognito-idp.us-east-1.amazonaws.com/us-east-1_abcdefghi")
    'us-east-1_abcdefghi'
    """
    match = _USER_POOL.fullmatch(provider)
    return match[1] if match else ""


def _settings(identity_pool: IdentityPool, provider: str) -> list[JsonObject]:
    """The pairs of user pool and app client of one provider."""
    listed = identity_pool.get("CognitoIdentityProviders") or []
    return [one for one in listed if one.get("ProviderName") == provider and pool_of(provider)]


def _has_providers(identity_pool: IdentityPool) -> bool:
    return bool(identity_pool.get("CognitoIdentityProviders")) or any(
        _other_providers(identity_pool)
    )


def _other_providers(identity_pool: IdentityPool) -> set[str]:
    arns = identity_pool.get("OpenIdConnectProviderARNs") or []
    return {
        *(identity_pool.get("SupportedLoginProviders") or {}),
        *(identity_pool.get("SamlProviderARNs") or []),
        *(arn.partition("oidc-provider/")[2] for arn in arns),
        identity_pool.get("DeveloperProviderName") or "",
    }


def _invalid(reason: str) -> ApiError:
    return _not_authorized(f"Invalid login token. {reason}")


def _not_authorized(message: str) -> ApiError:
    return ApiError("NotAuthorizedException", message)
