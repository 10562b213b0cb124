"""A user pool's OpenID Connect discovery document."""

from __future__ import annotations

from labkit.local.messages import Request, Response, without_headers

_PATH = "/.well-known/openid-configuration"
_PLAIN = "http://"


def correct_discovery_document(request: Request, response: Response) -> Response:
    """The document with https addresses, as Cognito gives it; the engine's are http.

    https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
    """
    if not request.raw_path.endswith(_PATH) or response.status != 200:
        return response
    document = {
        name: f"https://{value.removeprefix(_PLAIN)}" if str(value).startswith(_PLAIN) else value
        for name, value in response.json().items()
    }
    headers = without_headers(response.headers, "content-length")
    return Response(response.status, headers, Response.of_json(document).body)
