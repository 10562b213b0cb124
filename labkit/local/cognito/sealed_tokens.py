"""Refresh tokens that their holder can't read: JSON Web Encryption around MiniStack's (cognito 6.12)."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_HEADER = {"cty": "JWT", "enc": "A256GCM", "alg": "RSA-OAEP"}
# RFC 7518, 4.3: "RSA-OAEP" is RSAES-OAEP with the default parameters, and those are SHA-1.
_OAEP = padding.OAEP(
    mgf=padding.MGF1(algorithm=hashes.SHA1()),  # noqa: S303 - the algorithm that AWS's header names
    algorithm=hashes.SHA1(),  # noqa: S303
    label=None,
)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a refresh token holds.

    Attributes:
        jwt: MiniStack's refresh token.
        event_id: the sign-in that it came from.
        auth_time: when that was, in seconds since the epoch.
    """

    jwt: str
    event_id: str
    auth_time: int


class TokenSeal:
    """Encrypts and decrypts refresh tokens with a key of this process, like MiniStack's own state."""

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def seal(self, token: RefreshToken) -> str:
        """The token in five parts; every call gives another text."""
        header = _encoded(json.dumps(_HEADER, separators=(",", ":")).encode())
        content_key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
        plain = json.dumps(asdict(token), separators=(",", ":")).encode()
        sealed = AESGCM(content_key).encrypt(nonce, plain, header.encode())
        wrapped_key = self._key.public_key().encrypt(content_key, _OAEP)
        parts = (wrapped_key, nonce, sealed[:-16], sealed[-16:])
        return ".".join([header, *map(_encoded, parts)])

    def open(self, text: str) -> RefreshToken | None:
        """What was sealed, or None for any other text."""
        header, *rest = text.split(".")
        if len(rest) != 4:
            return None
        try:
            wrapped_key, nonce, sealed, tag = map(_decoded, rest)
            content_key = self._key.decrypt(wrapped_key, _OAEP)
            plain = AESGCM(content_key).decrypt(nonce, sealed + tag, header.encode())
        except (ValueError, InvalidTag):
            return None
        return RefreshToken(**json.loads(plain))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
