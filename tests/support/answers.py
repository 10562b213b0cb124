"""Answers of an API, as ``requests`` returns them, without a cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping

import requests

API = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
URL = f"{API}/dev/demo"
DATE = "Tue, 27 Oct 2020 13:00:07 GMT"


def answer(
    status: int,
    body: object,
    error_type: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    sent: Mapping[str, str] | None = None,
    url: str = URL,
    method: str = "GET",
    data: bytes | str | None = None,
    gateway: str = "rest",
) -> requests.Response:
    """What requests returns for an answer of a REST API, an HTTP API, or something else."""
    response = requests.Response()
    response.status_code = status
    found = {"Date": DATE, "Content-Type": "application/json", **(headers or {})}
    if gateway == "rest":
        found |= {"x-amzn-RequestId": "id", "x-amz-apigw-id": "id="}
    if gateway == "http":
        found |= {"apigw-requestid": "id="}
    if error_type:
        found["x-amzn-ErrorType"] = error_type
    response.headers.update(found)
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    response._content = text.encode()
    response.encoding = "utf-8"
    request = requests.Request(method, url, headers=dict(sent or {}), data=data)
    response.request = request.prepare()
    response.url = url
    return response
