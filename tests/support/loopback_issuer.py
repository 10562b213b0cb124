"""An OpenID provider on this machine, whose documents, keys and tokens a test controls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

DISCOVERY = "/.well-known/openid-configuration"
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


@cache
def private_key(name: str, algorithm: str) -> Any:
    """A key by name, for an algorithm."""
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm]())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(name: str, algorithm: str, **changes: Any) -> dict[str, Any]:
    """The public half, as a JWKS has it."""
    kind = ECAlgorithm if algorithm in CURVES else RSAAlgorithm
    made = json.loads(kind.to_jwk(private_key(name, algorithm).public_key()))
    made.pop("key_ops", None)
    return {**made, "kid": f"{name}-{algorithm}", "alg": algorithm, "use": "sig", **changes}


class LoopbackIssuer:
    """The provider.

    Attributes:
        documents: path → what is there; a test may change it.
        asked: the paths that were asked for.
    """

    def __init__(self, url: str, *keys: tuple[str, str]) -> None:
        self.url = url
        self.asked: list[str] = []
        self.documents: dict[str, Any] = {
            DISCOVERY: {"issuer": url, "jwks_uri": f"{url}/keys"},
            "/keys": {"keys": [public_jwk(*key) for key in keys]},
        }

    def token(
        self, algorithm: str = "RS256", key: str = "own", header: Any = None, **claims: Any
    ) -> str:
        """A token with these claims and the issuer's ``iss``; a claim that is None is left out."""
        made = {"iss": self.url, **claims}
        return jwt.encode(
            {name: value for name, value in made.items() if value is not None},
            private_key(key, algorithm),
            algorithm=algorithm,
            headers={"kid": f"{key}-{algorithm}", **(header or {})},
        )


@contextmanager
def loopback_issuer(*keys: tuple[str, str]) -> Iterator[LoopbackIssuer]:
    """Serve one on a free port.

    Args:
        keys: name and algorithm of each key that it publishes.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            document = made.documents.get(self.path)
            data = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = LoopbackIssuer(f"http://127.0.0.1:{server.server_address[1]}", *keys)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
