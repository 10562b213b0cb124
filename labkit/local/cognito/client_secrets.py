"""The secrets of an app client, one or two at a time, and the proof that a request comes from one who knows one.

Facts: cognito 1.17, 2.16.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from labkit.local.engine import Operation, UserPoolClient, UserPools
from labkit.local.json_protocol import ApiError, json_response
from labkit.local.messages import Response

JsonObject = dict[str, Any]

_MOST = 2
_ALPHABET = string.ascii_lowercase + string.digits
_LENGTH = 52


def draw_client_secret() -> str:
    """A new secret."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


@dataclass(frozen=True, slots=True)
class _Secret:
    id: str
    value: str = field(repr=False)
    created_at: float


class ClientSecrets:
    """Knows the secrets of app clients.

    Args:
        user_pools: where clients are; a client's record has the first of its secrets.
        clock: seconds since the epoch.
    """

    def __init__(self, user_pools: UserPools, *, clock: Callable[[], float]) -> None:
        self._user_pools = user_pools
        self._clock = clock
        self._secrets: dict[str, list[_Secret]] = {}

    def check_hash(
        self,
        client: UserPoolClient,
        username: object,
        given: object,
        *,
        takes_needless: bool = False,
    ) -> None:
        """Check ``SECRET_HASH``: HMAC-SHA256 of the name and the client's id, by a secret, in base64.

        Args:
            client: the app client.
            username: the name that the request is about, as it was sent.
            given: the hash that was sent; None for none.
            takes_needless: whether a hash is overlooked that the client has no secret for.

        Raises:
            ApiError: it is missing, wrong or needless.
        """
        client_id = client["ClientId"]
        known = self._known(client)
        if not known:
            if given and not takes_needless:
                raise ApiError(
                    "InvalidParameterException",
                    f"App client {client_id} is not configured for secret but secret hash was "
                    "received",
                )
            return
        if not given:
            raise ApiError(
                "NotAuthorizedException",
                f"Client {client_id} is configured with secret but SECRET_HASH was not received",
            )
        text = f"{username or ''}{client_id}".encode()
        hashes = [hmac.digest(one.value.encode(), text, hashlib.sha256) for one in known]
        sent = str(given).encode()
        if not any(hmac.compare_digest(base64.b64encode(one), sent) for one in hashes):
            raise ApiError(
                "NotAuthorizedException", f"Unable to verify secret hash for client {client_id}"
            )

    def check_secret(self, client: UserPoolClient, given: str | None) -> None:
        """Check a secret that is sent itself (cognito 7.2).

        Raises:
            ApiError: it is missing or wrong.
        """
        client_id, known = client["ClientId"], self._known(client)
        if not known:
            return
        if given is None:
            raise ApiError(
                "NotAuthorizedException",
                f"Client {client_id} is configured with secret but secret was not received",
            )
        sent = given.encode()
        if not any(hmac.compare_digest(one.value.encode(), sent) for one in known):
            raise ApiError(
                "NotAuthorizedException", f"Unable to verify secret for client {client_id}"
            )

    async def add(self, body: JsonObject, proceed: Operation) -> Response:
        """``AddUserPoolClientSecret``: a second one, to change the first without a pause (cognito 1.17)."""
        client = self._user_pools.client(body["UserPoolId"], body["ClientId"])
        if client is None:
            return await proceed("DescribeUserPoolClient", body)  # which says what there isn't
        known = self._known(client)
        if not known:
            raise ApiError(
                "InvalidParameterException", "The app client was created without a secret."
            )
        if len(known) >= _MOST:
            raise ApiError("LimitExceededException", "An app client has at most two secrets.")
        now = self._clock()
        own = body.get("ClientSecret")
        added = _Secret(_id(client, now, known), own or draw_client_secret(), now)
        self._keep(client, [*known, added])
        described = _described(added)
        if own is None:
            described["ClientSecretValue"] = added.value
        return json_response({"ClientSecretDescriptor": described})

    async def list_all(self, body: JsonObject, proceed: Operation) -> Response:
        """``ListUserPoolClientSecrets``: without their values."""
        client = self._user_pools.client(body["UserPoolId"], body["ClientId"])
        if client is None:
            return await proceed("DescribeUserPoolClient", body)
        return json_response({"ClientSecrets": [_described(one) for one in self._known(client)]})

    async def delete(self, body: JsonObject, proceed: Operation) -> Response:
        """``DeleteUserPoolClientSecret``: never the last one (cognito 1.17)."""
        client = self._user_pools.client(body["UserPoolId"], body["ClientId"])
        if client is None:
            return await proceed("DescribeUserPoolClient", body)
        known = self._known(client)
        kept = [one for one in known if one.id != body["ClientSecretId"]]
        if len(kept) == len(known):
            raise ApiError("ResourceNotFoundException", "There is no such client secret.")
        if not kept:
            raise ApiError(
                "InvalidParameterException", "The last secret of an app client can't be deleted."
            )
        self._keep(client, kept)
        return json_response({})

    def _known(self, client: UserPoolClient) -> list[_Secret]:
        first = client.get("ClientSecret")
        known = self._secrets.get(client["ClientId"])
        if known is None and first:
            created_at = float(client.get("CreationDate", 0.0))
            known = [_Secret(_id(client, created_at, []), first, created_at)]
        return known or []

    def _keep(self, client: UserPoolClient, known: list[_Secret]) -> None:
        self._secrets[client["ClientId"]] = known
        changes = {"ClientSecret": known[0].value}
        self._user_pools.change_client(client["UserPoolId"], client["ClientId"], changes)


def _id(client: UserPoolClient, created_at: float, known: list[_Secret]) -> str:
    taken, seconds = {one.id for one in known}, int(created_at)
    while f"{client['ClientId']}--{seconds}" in taken:
        seconds += 1
    return f"{client['ClientId']}--{seconds}"


def _described(secret: _Secret) -> JsonObject:
    return {"ClientSecretId": secret.id, "ClientSecretCreateDate": secret.created_at}
