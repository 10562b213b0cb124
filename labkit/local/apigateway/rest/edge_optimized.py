"""An edge-optimized API is reached through a CloudFront that AWS runs (gateway 0.1, 1.15, 10.2-10.4)."""

from __future__ import annotations

import base64
import hashlib

from labkit.local.apigateway.event_parts import DROPPED, forwarded_headers
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.messages import Headers, Request, Response

NEVER_FORWARDED = DROPPED | {
    "content-md5",
    "expect",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "www-authenticate",
}
"""What neither a function nor a template gets to see (recorded 14.10, 17.13)."""
POP = "LOC50-C1"
"""A location that no CloudFront edge has: this one is local."""
ASN, COUNTRY = "64496", "ZZ"
"""A network and a country that nobody has: they are for documentation, and for private use."""


def refuse_body(request: Request, seed: str) -> Response | None:
    """CloudFront refuses a GET with a body by itself; API Gateway never sees it (gateway 1.15)."""
    if request.method != "GET" or not request.body:
        return None
    page = (
        "<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD><BODY>"
        "<H1>403 ERROR</H1><H2>The request could not be satisfied.</H2>Bad request.</BODY></HTML>"
    )
    return Response(403, [("Content-Type", "text/html"), *edge_headers(403, seed)], page.encode())


def edge_headers(status: int, seed: str) -> Headers:
    """What CloudFront adds to an answer; its id for the request is made of the ``seed``."""
    outcome = "Error from cloudfront" if status >= 400 else "Miss from cloudfront"
    return [
        ("X-Cache", outcome),
        ("Via", "1.1 labkit.cloudfront.net (CloudFront)"),
        ("X-Amz-Cf-Pop", POP),
        ("X-Amz-Cf-Id", _identifier(seed)),
    ]


def backend_headers(call: RestCall, dropped: frozenset[str] = DROPPED) -> Headers:
    """The request's headers as a backend gets them: an edge-optimized API's with CloudFront's own.

    Of the client's names one is spelled anew there, ``Authorization`` (gateway 10.2, 10.3; recorded 14.2).
    """
    headers = forwarded_headers(call, dropped)
    if not call.deployment.is_edge_optimized:
        return headers
    return [
        *(("Authorization", v) if k.lower() == "authorization" else (k, v) for k, v in headers),
        ("CloudFront-Forwarded-Proto", "https"),
        ("CloudFront-Is-Desktop-Viewer", "true"),
        ("CloudFront-Is-Mobile-Viewer", "false"),
        ("CloudFront-Is-SmartTV-Viewer", "false"),
        ("CloudFront-Is-Tablet-Viewer", "false"),
        ("CloudFront-Viewer-ASN", ASN),
        ("CloudFront-Viewer-Country", COUNTRY),
        ("Via", "1.1 labkit.cloudfront.net (CloudFront)"),
        ("X-Amz-Cf-Id", _identifier(call.extended_request_id)),
    ]


def _identifier(seed: str) -> str:
    """CloudFront's id of a request: 56 characters that nobody can read anything from."""
    return base64.b64encode(hashlib.sha384(seed.encode()).digest()[:42]).decode()
