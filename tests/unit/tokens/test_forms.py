"""What isn't a token is read without trusting it."""

from hypothesis import given
from hypothesis import strategies as st

from labkit.errors import InvalidTokenError
from labkit.tokens.forms import form_of
from labkit.tokens.signed import bare_token, key_id

TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJtZSJ9.c2ln"
PIECES = st.sampled_from(
    ["Bearer", "bearer", " ", "\n", '"', "“", ".", "eyJ", "a", TOKEN, "\u202e", "\ud800"]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=8).map("".join)))
def test_anything_may_stand_there(value: str) -> None:
    form = form_of(value)
    try:
        key_id(bare_token(value))
        refused = None
    except InvalidTokenError as error:
        refused = error
    if refused is None:
        assert form is None, "the gateway would take it"
    else:
        assert refused.evidence.get("form") == form
        assert refused.reason.isprintable()
