"""What the control plane shows of a deployment: its snapshot, and only to who asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labkit.local.apigateway.rest.records import RestDeployment

_EMBED = "apisummary"
JsonObject = dict[str, Any]
Find = Callable[[str], RestDeployment | None]
"""A deployment by its id."""


def api_summary(deployment: RestDeployment) -> dict[str, dict[str, JsonObject]]:
    """The methods that a deployment froze: path → verb → how it is guarded.

    https://docs.aws.amazon.com/apigateway/latest/api/API_MethodSnapshot.html
    """
    return {
        resource.path: {
            verb: {
                "authorizationType": method.authorization_type,
                "apiKeyRequired": method.api_key_required,
            }
            for verb, method in resource.methods.items()
        }
        for resource in deployment.resources.values()
        if resource.methods
    }


def with_api_summary(answer: JsonObject, query: Mapping[str, str], find: Find) -> JsonObject:
    """The answer of ``CreateDeployment``, ``GetDeployment`` or ``GetDeployments`` as AWS gives it.

    Args:
        answer: the engine's, whose summary is of the API as it is now.
        query: ``embed=apisummary`` asks for the summary.
        find: the snapshots.

    https://docs.aws.amazon.com/apigateway/latest/api/API_GetDeployment.html
    """
    if isinstance(answer.get("item"), list):  # botocore's wire name of ``items``
        return {**answer, "item": [with_api_summary(one, query, find) for one in answer["item"]]}
    plain = {name: value for name, value in answer.items() if name != "apiSummary"}
    deployment = find(str(answer.get("id"))) if query.get("embed") == _EMBED else None
    return plain if deployment is None else {**plain, "apiSummary": api_summary(deployment)}
