"""An API's CORS configuration: the gateway answers preflights, and writes the headers of every other answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html: CORS headers of the backend are
ignored, and the configured ones are added to an integration's answer; nothing is said of the gateway's own rejections,
so they carry none.
"""

from __future__ import annotations

from labkit.local.apigateway.http.records import Cors
from labkit.local.messages import Headers, Request, Response


def is_preflight(request: Request) -> bool:
    """Whether a browser asks if it may send another request."""
    return (
        request.method == "OPTIONS"
        and bool(request.header("origin"))
        and bool(request.header("access-control-request-method"))
    )


def answer_to_preflight(cors: Cors, request: Request) -> Response:
    """What a browser is told; without CORS headers when its origin isn't allowed."""
    headers = _common(cors, request)
    if headers:
        if cors.allow_methods:
            headers.append(("access-control-allow-methods", ",".join(cors.allow_methods)))
        if cors.allow_headers:
            headers.append(("access-control-allow-headers", ",".join(cors.allow_headers)))
        if cors.max_age is not None:
            headers.append(("access-control-max-age", str(cors.max_age)))
    return Response(204, headers)


def with_cors_headers(cors: Cors, request: Request, response: Response) -> Response:
    """An integration's answer: the backend's CORS headers are replaced by the configured ones."""
    kept = [(k, v) for k, v in response.headers if not k.lower().startswith("access-control-")]
    response.headers = kept + _common(cors, request)
    if cors.expose_headers and response.headers != kept:
        exposed = ",".join(cors.expose_headers)
        response.headers.append(("access-control-expose-headers", exposed))
    return response


def _common(cors: Cors, request: Request) -> Headers:
    """``Access-Control-Allow-Origin`` and ``-Credentials``; nothing for an origin that isn't allowed."""
    origin = request.header("origin")
    allowed = cors.allow_origins
    if not origin or not any(_fits(entry, origin) for entry in allowed):
        return []
    shown = "*" if "*" in allowed else origin
    headers: Headers = [("access-control-allow-origin", shown)]
    if cors.allow_credentials and shown != "*":
        headers.append(("access-control-allow-credentials", "true"))
    return headers


def _fits(entry: str, origin: str) -> bool:
    """Whether an entry of ``allowOrigins`` allows an origin: itself, a whole scheme, or every one."""
    if entry in ("http://*", "https://*"):
        return origin.lower().startswith(entry[:-1])
    return entry == "*" or entry.lower() == origin.lower()
