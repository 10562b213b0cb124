"""Corrections in front of the engine's Lambda control plane."""

from __future__ import annotations

import json
import re

from labkit.local.messages import Request, Response

_POLICY = re.compile(r"/2015-03-31/functions/[^/]+/policy")


def correct_missing_policy(request: Request, response: Response) -> Response:
    """The answer as Lambda gives it: a function without a policy has no policy resource.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
    """
    asks_policy = request.method == "GET" and _POLICY.fullmatch(request.raw_path)
    if not asks_policy or response.status != 200:
        return response
    if json.loads(response.json()["Policy"]).get("Statement"):
        return response
    message = {"Type": "User", "Message": "The resource you requested does not exist."}
    headers = [("x-amzn-ErrorType", "ResourceNotFoundException")]
    return Response.of_json(message, 404, headers)
