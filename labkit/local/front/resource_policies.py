"""Resource policies, read before the engine keeps them: it keeps any text, and reads none of a table or a log group."""

from __future__ import annotations

from xml.sax.saxutils import escape

from labkit.local.front.credentials import named_credentials
from labkit.local.iam.grammar import resource_policy_error
from labkit.local.json_protocol import ApiError
from labkit.local.messages import Request, Response

MAX_BYTES = 20_480
"""Of a bucket's: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html"""
_UNREAD = ("DynamoDB_20120810.PutResourcePolicy", "Logs_20140328.PutResourcePolicy")
_WITH_A_POLICY = "DynamoDB_20120810.CreateTable"


def refuse_resource_policy(request: Request) -> Response | None:
    """The refusal of a resource policy that isn't one (iam 3), or that no call would be held against."""
    target = request.header("x-amz-target")
    if target is None:
        return _refuse_bucket_policy(request)
    if target in _UNREAD:
        words = f"The local cloud doesn't offer {target.partition('.')[2]}."
    elif target == _WITH_A_POLICY and b'"ResourcePolicy"' in request.body:
        words = "The local cloud doesn't offer ResourcePolicy."
    else:
        return None
    return ApiError("ValidationException", words).response


def _refuse_bucket_policy(request: Request) -> Response | None:
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
