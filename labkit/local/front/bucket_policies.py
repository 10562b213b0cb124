"""The policy of an S3 bucket, read before the engine keeps it: the engine keeps any text."""

from __future__ import annotations

from xml.sax.saxutils import escape

from labkit.local.front.credentials import named_credentials
from labkit.local.iam.grammar import resource_policy_error
from labkit.local.messages import Request, Response

MAX_BYTES = 20_480
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html"""


def refuse_bucket_policy(request: Request) -> Response | None:
    """The refusal of ``PutBucketPolicy`` with what isn't a policy (iam 3); None for every other call."""
    if request.method != "PUT" or not any(name == "policy" for name, _ in request.query):
        return None
    credentials = named_credentials(request)
    if credentials is None or credentials.service != "s3":
        return None
    error: str | None = f"Policy exceeds the maximum allowed document size of {MAX_BYTES} bytes."
    if len(request.body) <= MAX_BYTES:
        error = resource_policy_error(request.body.decode("utf-8", "replace"))
    if error is None:
        return None
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>MalformedPolicy</Code><Message>{escape(error)}</Message></Error>"
    )
    return Response(400, [("Content-Type", "application/xml")], body.encode())
