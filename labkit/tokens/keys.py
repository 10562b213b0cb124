"""An issuer's public keys, fetched when first needed and kept.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
(cognito 8.2, 8.3: cache by ``kid``, fetch again for a ``kid`` that isn't known.)
"""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable
from urllib.parse import urlsplit

import jwt
import requests

from labkit.errors import KeysUnreachableError, LabkitError
from labkit.tokens.signed import rs256_key

REFETCH_SECONDS = 10.0
"""Tokens with invented key ids must not make a request each."""
TIMEOUT_SECONDS = 10.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


Kept = dict[str, tuple[float, dict[str, jwt.PyJWK]]]
"""Issuer → when it was asked last, and its keys by their ids."""


class KeySet:
    """The keys of issuers.

    Args:
        http: how they are fetched.
        clock: seconds; what it counts from doesn't matter.
        kept: what was fetched before.
    """

    def __init__(
        self,
        http: requests.Session,
        clock: Callable[[], float] = time.monotonic,
        kept: Kept | None = None,
    ) -> None:
        self._http, self._clock = http, clock
        self._kept: Kept = {} if kept is None else kept

    def find(self, issuer: str, key_id: str) -> jwt.PyJWK | None:
        """The issuer's key with this id; None when it has none.

        Raises:
            KeysUnreachableError: the keys can't be fetched.
        """
        now = self._clock()
        asked_at, known = self._kept.get(issuer, (-math.inf, {}))
        if key_id not in known and now - asked_at >= REFETCH_SECONDS:
            if known:  # they outlast an outage, and it isn't asked again at once
                self._kept[issuer] = now, known
            known = self._fetch(issuer)
            self._kept[issuer] = now, known
        return known.get(key_id)

    def _fetch(self, issuer: str) -> dict[str, jwt.PyJWK]:
        url = keys_url(issuer)
        try:
            response = self._http.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except LabkitError as error:
            raise unreachable(url, str(error)) from error
        except requests.RequestException as error:
            raise unreachable(url, type(error).__name__) from error
        if response.status_code != 200:
            raise unreachable(url, f"the answer is {response.status_code}")
        try:
            entries = [e for e in response.json()["keys"] if isinstance(e.get("kid"), str)]
            keys = ((entry["kid"], rs256_key(entry)) for entry in entries)
            return {named: key for named, key in keys if key is not None}
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise unreachable(url, "the answer isn't a set of keys") from error


def keys_url(issuer: str) -> str:
    """Where an issuer's keys are.

    Raises:
        KeysUnreachableError: the issuer isn't an https URL: anybody on the way could put other keys there.

    >>> keys_url("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example01")
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example01/.well-known/jwks.json'
    """
    url = f"{issuer.rstrip('/')}/.well-known/jwks.json"
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise unreachable(url, "it isn't a URL") from None
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK)):
        raise unreachable(url, "an issuer is an https URL")
    return url


def unreachable(url: str, why: str) -> KeysUnreachableError:
    """The error, in words."""
    return KeysUnreachableError(
        f"The keys at {url} can't be fetched: {why}. Nothing is known of the token: look at the issuer, and in the lab "
        "give http=lab.http.",
        url=url,
    )


_kept_of: weakref.WeakKeyDictionary[requests.Session, Kept] = weakref.WeakKeyDictionary()
"""Session → what was fetched through it. It goes with its session, which it must not hold."""
_PLAIN = requests.Session()


def keys_through(http: requests.Session | None) -> KeySet:
    """The keys fetched through a session so far; None is a session of labkit's own, which reaches real hosts only."""
    session = _PLAIN if http is None else http
    return KeySet(session, kept=_kept_of.setdefault(session, {}))
