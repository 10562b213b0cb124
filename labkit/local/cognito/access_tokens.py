"""Whose access token a request carries: most of a user's own operations take one instead of a signature."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.local.cognito.issued_tokens import claims_of
from labkit.local.engine import User, UserPool, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """The user of an access token.

    Attributes:
        pool: the user pool.
        client: the app client that the user signed in with.
        user: as it is now.
    """

    pool: UserPool
    client: UserPoolClient
    user: User


def signed_in_user(user_pools: UserPools, access_token: str) -> SignedInUser:
    """The user of an access token.

    Raises:
        ApiError: the token isn't valid, or what it names is gone (cognito 7.8).
    """
    refusal = user_pools.access_token_error(access_token)
    if refusal is not None:
        answer = refusal.json()
        raise ApiError(answer["__type"], answer.get("message"), refusal.status)
    claims = claims_of(access_token)
    pool_id = str(claims.get("iss", "")).rpartition("/")[2]
    pool = user_pools.user_pool(pool_id)
    client = user_pools.client(pool_id, str(claims.get("client_id")))
    user = user_pools.user(pool_id, str(claims.get("username")))
    if pool is None or client is None or user is None:
        raise ApiError("NotAuthorizedException", "Invalid Access Token")
    return SignedInUser(pool, client, user)
