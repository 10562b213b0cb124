"""The proof that a request comes from an app client that has a secret.

Facts: cognito 2.16.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from labkit.local.engine import UserPoolClient
from labkit.local.json_protocol import ApiError


def check_secret_hash(
    client: UserPoolClient,
    username: object,
    given: object,
    *,
    takes_needless: bool = False,
) -> None:
    """Check ``SECRET_HASH``: HMAC-SHA256 of the name and the client's id, by its secret, in base64.

    Args:
        client: the app client.
        username: the name that the request is about, as it was sent.
        given: the hash that was sent; None for none.
        takes_needless: whether a hash is overlooked that the client has no secret for.

    Raises:
        ApiError: it is missing, wrong or needless.
    """
    client_id, secret = client["ClientId"], client.get("ClientSecret")
    if not secret:
        if given and not takes_needless:
            raise ApiError(
                "InvalidParameterException",
                f"App client {client_id} is not configured for secret but secret hash was received",
            )
        return
    if not given:
        raise ApiError(
            "NotAuthorizedException",
            f"Client {client_id} is configured with secret but SECRET_HASH was not received",
        )
    name = f"{username or ''}{client_id}"
    digest = hmac.digest(secret.encode(), name.encode(), hashlib.sha256)
    if not hmac.compare_digest(base64.b64encode(digest), str(given).encode()):
        raise ApiError(
            "NotAuthorizedException", f"Unable to verify secret hash for client {client_id}"
        )
