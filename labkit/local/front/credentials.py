"""Which access key a request of Signature v4 names, in its header or in its query string."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.local.messages import Request

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The access key that a request names, for which Region and service, and where."""

    access_key_id: str
    region: str
    service: str
    presigned: bool


class AccessError(Exception):
    """A call that isn't let in.

    Args:
        error_type: AWS's name for the reason.
        message: the text.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message


def named_credentials(request: Request) -> Credentials | None:
    """The access key of a Signature v4 request, in its header or its query string; None when it has none.

    Raises:
        AccessError: what it says can't be read, or is said twice.
    """
    header = request.header("authorization") or ""
    query = [(name.lower(), name, value) for name, value in request.query]
    in_query = [lower for lower, _name, _value in query if lower.startswith("x-amz-")]
    names_key = "x-amz-credential" in in_query or "x-amz-algorithm" in in_query
    if not header.startswith("AWS4-") and not names_key:
        return None
    if header and names_key:
        raise AccessError(
            "IncompleteSignature",
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header "
            "should be specified.",
        )
    if names_key:
        if len(set(in_query)) != len(in_query):
            raise AccessError(
                "IncompleteSignature", "A query parameter of the signature comes twice."
            )
        parameters = {name: value for _lower, name, value in query}
        if parameters.get("X-Amz-Algorithm") != _ALGORITHM:
            raise AccessError("IncompleteSignature", f"X-Amz-Algorithm must be {_ALGORITHM}.")
        return _credentials(parameters.get("X-Amz-Credential", ""), presigned=True)
    algorithm, _blank, rest = header.partition(" ")
    fields = [part.strip().partition("=")[::2] for part in rest.split(",")]
    if algorithm != _ALGORITHM:
        raise AccessError("IncompleteSignature", f"Unsupported AWS 'algorithm': '{algorithm}'.")
    for name in ("Credential", "Signature", "SignedHeaders"):
        if [key for key, _value in fields].count(name) != 1:
            raise AccessError(
                "IncompleteSignature", f"Authorization header requires '{name}' parameter."
            )
    return _credentials(dict(fields)["Credential"], presigned=False)


def _credentials(scope: str, *, presigned: bool) -> Credentials:
    parts = scope.split("/")
    if len(parts) != 5:
        raise AccessError(
            "IncompleteSignature",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{scope}'",
        )
    return Credentials(parts[0], parts[2], parts[3], presigned)
