"""Whose requests are heard: those for a host that this cloud answers for, from no foreign page.

The cloud listens on loopback only, but a web page can make a browser call loopback, and a DNS name can be rebound to
it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from labkit.local.messages import NO_SUCH_HOST, Request, Response

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost"})

_AWS_HOST = re.compile(
    r"(acm|apigateway|cloudfront|cognito-identity|cognito-idp|dynamodb|email|iam|lambda|logs|s3|sts"
    r"|tagging|wafv2|[a-z0-9]+(?:-vpce-[a-z0-9]+)?\.execute-api)(\.[a-z0-9-]+)?\.amazonaws\.com"
    r"|[a-z0-9]+\.cloudfront\.net"
)
"""Hosts that nobody but AWS has an address for, and that the lab uses."""


def refuse_foreign(
    request: Request, port: int, is_custom_domain: Callable[[str], bool]
) -> Response | None:
    """A refusal for a foreign ``Host`` or ``Origin``, or None; the port is the one that the request came to.

    A genuine AWS host name can't be set by a web page, so a request with one may carry any ``Origin`` (a CORS lesson
    needs that).
    """
    if not request.raw_path.startswith("/"):
        # "GET http://host/ HTTP/1.1" names a host in a second place.
        return forbid("This local cloud isn't a proxy.")
    if request.count("host") != 1:
        return forbid("A request names one host.")
    host_header = (request.header("host") or "").lower()
    host, _colon, host_port = host_header.partition(":")
    loopback = host in LOOPBACK_HOSTS and host_port in (str(port), "")
    if not loopback and not is_aws_host(host) and not is_custom_domain(host):
        refusal = forbid(f"This local cloud doesn't answer for the host {host_header[:100]!r}.")
        refusal.headers.append((NO_SUCH_HOST, "1"))
        return refusal
    if not loopback:
        return None
    origin = request.header("origin")
    scheme = "http" if request.tls is None else "https"
    if origin is not None and not _is_own_origin(origin, scheme, port):
        return forbid("A web page of another origin called this local cloud: that is not allowed.")
    if request.header("sec-fetch-site") in ("cross-site", "same-site"):
        return forbid("A web page of another site called this local cloud: that is not allowed.")
    return None


def is_aws_host(host: str) -> bool:
    """Whether a host name is one of AWS's that the cloud answers for."""
    return _AWS_HOST.fullmatch(host) is not None


def _is_own_origin(origin: str, scheme: str, port: int) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme == scheme and parts.hostname in LOOPBACK_HOSTS and parts.port == port
    except ValueError:
        return False


def forbid(message: str) -> Response:
    """The refusal of what nobody may."""
    return Response.of_json({"message": message}, 403)
