"""Bodies for the engine are held against the services' models first: a value of the wrong type stops it halfway."""

from __future__ import annotations

from labkit.local.json_protocol import ApiError, ServiceModel, body_of
from labkit.local.messages import Request, Response

_MODELS = {
    "AWSWAF_20190729": ServiceModel("wafv2"),
    "CertificateManager": ServiceModel("acm"),
    "DynamoDB_20120810": ServiceModel("dynamodb"),
    "Logs_20140328": ServiceModel("logs"),
    "ResourceGroupsTaggingAPI_20170126": ServiceModel("resourcegroupstaggingapi"),
}
"""By how ``X-Amz-Target`` begins: the services of the JSON protocol that the engine answers."""


def refuse_wrong_types(request: Request) -> Response | None:
    """The refusal of a body that isn't JSON, or in which a value has another JSON type than its model says."""
    prefix, _dot, operation = (request.header("x-amz-target") or "").partition(".")
    model = _MODELS.get(prefix)
    if model is None or not model.has(operation):
        return None
    try:
        model.check_types(operation, body_of(request))
    except ApiError as refused:
        return refused.response
    return None
