"""A refusal quotes what the caller sent; on the wire it must still be an answer."""

from __future__ import annotations

import h11
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.json_protocol import ApiError, with_protocol_headers

LONGEST_LINE = 65_536
"""Python's http.client reads no longer line of a head."""


@given(
    st.text(st.characters(exclude_categories=["Cs"])) | st.just("x" * 100_000) | st.just("\0\x7f")
)
def test_a_refusal_is_an_answer_whatever_it_quotes(text: str) -> None:
    refusal = with_protocol_headers(ApiError("InvalidParameterException", text).response, "id")
    headers = [(name, value.encode("latin-1")) for name, value in refusal.headers]
    h11.Response(status_code=refusal.status, headers=headers)
    assert all(len(value) < LONGEST_LINE for _name, value in headers)
    assert refusal.json()["message"] == text
