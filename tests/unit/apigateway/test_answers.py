"""What the control planes answer, in one shape."""

from __future__ import annotations

from pathlib import Path

from labkit.local import apigateway
from labkit.local.apigateway.answers import bad_request, with_body
from labkit.local.messages import Response


def test_another_body_keeps_the_rest() -> None:
    sent = [("Content-Type", "text/plain"), ("Content-Length", "1"), ("x-amzn-RequestId", "id")]
    changed = with_body(Response(201, sent, b"1"), {"a": 2})
    assert (changed.status, changed.body) == (201, b'{"a":2}')
    assert changed.headers == [("Content-Type", "application/json"), ("x-amzn-RequestId", "id")]


def test_refusals_are_worded_in_one_place() -> None:
    """Beside the gateway responses, and what ``TestInvokeMethod`` shows of them."""
    assert bad_request("no").header("x-amzn-ErrorType") == "BadRequestException"
    sources = Path(apigateway.__file__).parent.rglob("*.py")
    name = '("x-amzn-ErrorType",'
    writers = {path.name for path in sources if name in path.read_text(encoding="utf-8")}
    assert writers == {"answers.py", "responses.py", "testinvoke.py"}
