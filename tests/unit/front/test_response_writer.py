"""What the front adds to every answer."""

from __future__ import annotations

import random
from typing import Any

import pytest

from labkit.local.front.response_writer import ResponseWriter
from labkit.local.messages import Response
from labkit.local.random_ids import new_uuid
from tests.support.rest_calls import run


def written(response: Response, *, head: bool = False) -> tuple[dict[str, str], bytes]:
    """The headers and the body that are sent, at the end of a February."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    writer = ResponseWriter(lambda: 1_709_251_199.9, random.Random(1))
    run(writer.write(response, send, head=head))
    start, body = sent
    return {name.decode(): value.decode() for name, value in start["headers"]}, body["body"]


def test_date_and_id_come_from_the_clock_and_the_numbers_of_the_root() -> None:
    headers, body = written(Response(200, [], b"four"))
    assert headers == {
        "Content-Length": "4",
        "Date": "Thu, 29 Feb 2024 23:59:59 GMT",
        "x-amzn-RequestId": new_uuid(random.Random(1)),
    }
    assert body == b"four"


@pytest.mark.parametrize("name", ["Date", "content-length", "X-Amzn-RequestId"])
def test_what_the_answer_says_itself_stays(name: str) -> None:
    headers, _body = written(Response(200, [(name, "0")]))
    assert [value for key, value in headers.items() if key.lower() == name.lower()] == ["0"]


def test_the_id_of_an_http_api_is_the_only_one() -> None:
    headers, _body = written(Response(200, [("apigw-requestid", "own")]))
    assert "x-amzn-RequestId" not in headers


def test_a_head_has_the_length_of_what_it_doesn_t_send() -> None:
    headers, body = written(Response(200, [], b"four"), head=True)
    assert (headers["Content-Length"], body) == ("4", b"")
