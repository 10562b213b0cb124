"""Hostile tokens: nothing is accepted, nothing in them is executed or fetched, and nothing crashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from html.parser import HTMLParser
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st

from labkit import tokens
from labkit.errors import InvalidTokenError, TokenError
from labkit.tokens import DecodedToken
from tests.support.issuer import ADMIN, NOW, Issuer, jwk, key

MALLORY = "https://mallory.example.com"
MAX_CHARACTERS = 100_000
SECONDS = 10.0
"""What a hostile token may take on a busy machine; the big ones take a tenth of that on an idle one."""


@pytest.fixture(autouse=True, scope="module")
def _nothing_was_made() -> None:
    """Tokens are looked at without a cloud: there is nothing to attack."""


def encoded(data: object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def forged(
    head: object = None, payload: object = None, signature: str | None = None, **header: Any
) -> str:
    """A token with the signature of a good one, or another."""
    good = Issuer().token()
    first = encoded({"alg": "RS256", "kid": "kid-id", **header} if head is None else head)
    second = good.split(".")[1] if payload is None else encoded(payload)
    return f"{first}.{second}.{good.split('.')[2] if signature is None else signature}"


def signed(payload: object, head: object = None, signer: str = "id") -> str:
    """A token with a good signature over anything."""
    start = (
        f"{encoded({'alg': 'RS256', 'kid': 'kid-id'} if head is None else head)}.{encoded(payload)}"
    )
    return (
        f"{start}.{encoded(key(signer).sign(start.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
    )


def hmac_with_the_public_key(form: str, alg: str = "HS256", **header: Any) -> str:
    public = key("id").public_key()
    secret = {
        "pem": public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "der": public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "jwk": json.dumps(jwk("id")).encode(),
        "n": jwk("id")["n"].encode(),
        "empty": b"",
    }[form]
    start = f"{encoded({'alg': alg, 'kid': 'kid-id', **header})}.{encoded(Issuer().claims())}"
    return f"{start}.{encoded(hmac.new(secret, start.encode(), hashlib.sha256).digest())}"


def self_signed(**header: Any) -> str:
    """Mallory's own signature, and a header that says where Mallory's key is."""
    head = {"alg": "RS256", "kid": "kid-id", **header}
    return signed(Issuer().claims(), head, signer="mallory")


def with_claim(name: str, raw: bytes) -> str:
    """A genuine token in which a claim's value is these bytes."""
    claims = json.dumps(Issuer().claims(**{name: None})).encode()
    return signed(claims[:-1] + b', "' + name.encode() + b'": ' + raw + b"}")


ISSUER = Issuer()
GOOD = ISSUER.token()
HEAD, PAYLOAD, SIGNATURE = GOOD.split(".")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
BOMB = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
CLAIMS = json.dumps(ISSUER.claims()).encode()

NEVER: dict[str, str] = {
    # alg
    "alg none": forged(alg="none", signature=""),
    "alg none with a signature": forged(alg="none"),
    "alg NONE": forged(alg="NONE", signature=""),
    "alg nOnE": forged(alg="nOnE", signature=""),
    "alg empty": forged(alg="", signature=""),
    "alg null": forged(alg=None, signature=""),
    "alg a list": forged(alg=["RS256"]),
    "alg an object": forged(alg={"RS256": 1}),
    "alg missing": forged({"kid": "kid-id"}),
    "alg rs256": forged(alg="rs256"),
    "alg with a blank": forged(alg="RS256 "),
    **{f"HS256 with the public key as {f}": hmac_with_the_public_key(f) for f in ("pem", "der", "jwk", "n", "empty")},
    "HS256 called RS256": hmac_with_the_public_key("pem", "RS256"),
    "HS384": hmac_with_the_public_key("pem", "HS384"),
    "RS512 with the right key": jwt.encode(ISSUER.claims(), key("id"), "RS512", {"kid": "kid-id"}),
    "PS256 with the right key": jwt.encode(ISSUER.claims(), key("id"), "PS256", {"kid": "kid-id"}),
    # kid
    **{
        f"kid {kid!r:.40}": self_signed(kid=kid)
        for kid in (
            "../../../../dev/null", "/etc/passwd", "file:///etc/passwd", f"{MALLORY}/key", "' OR '1'='1", "kid-id\0",
            "kid-id ", "KID-ID", "", "*", "kid-id;id", "$(id)", "{{7*7}}", ["kid-id"], {"kid": "kid-id"}, 7, None, True,
            "k" * 100_000,
        )
    },
    "kid missing": signed(ISSUER.claims(), {"alg": "RS256"}),
    "kid of the other key": ISSUER.token("id", header={"kid": "kid-access"}),
    # keys that the token brings along
    "jku": self_signed(jku=f"{MALLORY}/jwks.json"),
    "jku alone": signed(ISSUER.claims(), {"alg": "RS256", "jku": f"{MALLORY}/jwks.json"}, "mallory"),
    "x5u": self_signed(x5u=f"{MALLORY}/cert.pem"),
    "x5c": self_signed(x5c=["MIIB"]),
    "jwk": self_signed(jwk=jwk("mallory", kid="kid-id")),
    "jwk and Mallory's kid": self_signed(jwk=jwk("mallory"), kid="kid-mallory"),
    "Mallory as the issuer": ISSUER.token(iss=MALLORY, signer="mallory", header={"jku": MALLORY}),
    "crit": jwt.encode(ISSUER.claims(), key("id"), "RS256", {"kid": "kid-id", "crit": ["x"], "x": 1}),
    "b64 true": signed(CLAIMS, {"alg": "RS256", "kid": "kid-id", "b64": True}),
    "b64 false": signed(CLAIMS, {"alg": "RS256", "kid": "kid-id", "b64": False, "crit": ["b64"]}),
    # size and depth
    "1 MB of signature": f"{HEAD}.{PAYLOAD}.{'A' * 1_000_000}",
    "1 MB of payload": forged(payload={"sub": "x" * 1_000_000}),
    "1 MB of header": forged(x="x" * 1_000_000),
    "1 MB of nothing": "A" * 1_000_000,
    "1 MB of dots": "." * 1_000_000,
    "1 MB of blanks": " " * 1_000_000,
    "100,000 names": forged(payload={str(n): n for n in range(100_000)}),
    "a bomb in the payload": forged(payload=BOMB),
    "a bomb in the header": forged(BOMB),
    "a signed bomb": signed(BOMB),
    **{f"nested {n} deep": forged(payload=b'{"a":' + b"[" * n + b"]" * n + b"}") for n in (100, 990, 5_000)},
    "a number of 10,000 digits": forged(payload=b'{"exp":' + b"9" * 10_000 + b"}"),
    # the same name twice
    "alg twice": forged(b'{"alg":"none","kid":"kid-id","alg":"RS256"}'),
    "alg twice, none last": forged(b'{"alg":"RS256","kid":"kid-id","alg":"none"}', signature=""),
    "signed, exp twice": signed(CLAIMS[:-1] + f', "exp": {NOW + 9}'.encode() + b"}"),
    "signed, sub twice": signed(CLAIMS[:-1] + b', "sub": "root"}'),
    "signed, nested twice": signed(CLAIMS[:-1] + b', "x": [{"a": 1, "a": 2}]}'),
    # not text
    "not UTF-8": forged(payload=b'{"sub": "\xff\xfe"}'),
    "signed, not UTF-8": signed(b'{"sub": "\xff\xfe"}'),
    "header not UTF-8": forged(b'{"alg": "RS256\xff"}'),
    "UTF-16": forged(payload=json.dumps(ISSUER.claims()).encode("utf-16")),
    "signed UTF-16": signed(json.dumps(ISSUER.claims()).encode("utf-16")),
    "a BOM": forged(payload=b"\xef\xbb\xbf" + CLAIMS),
    "NUL": "\0.\0.\0",
    "a lone surrogate": "\ud800.\ud800.\ud800",
    "full-width": "\uff0e".join(GOOD.split(".")),
    # how it is written
    "padding": f"{GOOD}==",
    "padding inside": f"{HEAD}=.{PAYLOAD}=.{SIGNATURE}",
    "wrong padding": f"{HEAD[:-1]}.{PAYLOAD}.{SIGNATURE}",
    "one character": "A.A.A",
    "the other alphabet": f"{HEAD}.{PAYLOAD}.{SIGNATURE[:-2]}+/",
    "a line break inside": f"{HEAD}.{PAYLOAD[:9]}\n{PAYLOAD[9:]}.{SIGNATURE}",
    "characters that decoders skip": f"{HEAD}.{PAYLOAD}.!{SIGNATURE}",
    "unused bits of the last character": GOOD[:-1] + ALPHABET[ALPHABET.index(GOOD[-1]) ^ 1],
    "a short signature": GOOD[:-4],
    "no signature": f"{HEAD}.{PAYLOAD}.",
    "only a signature": f"..{SIGNATURE}",
    "two parts": f"{HEAD}.{PAYLOAD}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "a JWE": "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiUlNBLU9BRVAifQ.a.b.c.d",
    "JSON serialisation": json.dumps({"protected": HEAD, "payload": PAYLOAD, "signature": SIGNATURE}),
    "two tokens": f"{GOOD},{GOOD}",
    "quotes": f'"{GOOD}"',
    "empty": "",
    # what isn't an object
    **{f"payload {value!r}": signed(value) for value in ([], "text", 7, None, True)},
    **{f"header {value!r}": forged(value) for value in ([], "text", 7, True)},
    # times
    **{
        f"exp {raw.decode():.30}": with_claim("exp", raw)
        for raw in (b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"1e999", b'"9999999999"', b"null", b"true", b"[]",
                    b"{}", b"[9999999999]", b"-1", b"0", b"9" * 5_000, b'"NaN"')
    },
    "no exp": ISSUER.token(exp=None),
    "nbf NaN": with_claim("nbf", b"NaN"),
    "nbf Infinity": with_claim("nbf", b"Infinity"),
    "nbf 1e999": with_claim("nbf", b"1e999"),
    # another's claims under another's signature
    "a changed payload": forged(payload=ISSUER.claims(sub="root")),
    "an issuer that only begins alike": ISSUER.token(iss=f"{ISSUER.url}.example.com"),
    "an issuer with a slash": ISSUER.token(iss=f"{ISSUER.url}/"),
    "an issuer in a list": signed(ISSUER.claims(iss=[ISSUER.url])),
}  # fmt: skip

SCRIPTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</td></tr></table><iframe src=javascript:alert(1)>",
    "&lt;script&gt;",
    "' onmouseover='alert(1)",
    "]]><!--",
    "\x1b]0;title\x07\x1b[2J",
    "\u202eevil",
    "\ud800",
    "x" * 1_000_000,
]


class Elements(HTMLParser):
    """The elements and attributes of some HTML."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _value in attrs)}


HARMLESS = {"table", "thead", "tbody", "tr", "th", "td", "p", "b", "br", "style", "colspan"}


def look_at(thing: Any) -> None:
    """It can be shown: as text that can be printed, and as HTML with nothing of the token's own in it."""
    for text in (str(thing), repr(thing)):
        text.encode()
        assert len(text) < MAX_CHARACTERS
        assert not any(ord(c) < 32 and c != "\n" for c in text)
    if hasattr(thing, "_repr_html_"):
        source = thing._repr_html_()
        source.encode()
        assert Elements(source).found <= HARMLESS


def refuse_everywhere(token: Any) -> None:
    issuer = Issuer()
    started = time.process_time()
    with pytest.raises(InvalidTokenError) as refused:
        issuer.verify(token)
    look_at(refused.value)
    json.dumps(refused.value.evidence).encode()
    assert len(str(refused.value)) < 1_000
    for scopes in ([], [ADMIN]):
        for verdict in (issuer.verdict(token, *scopes), issuer.http_verdict(token, *scopes)):
            assert verdict.status in (401, 403)
            assert not verdict.allowed
            look_at(verdict)
            json.dumps(verdict.evidence).encode()
    assert set(issuer.asked) <= {f"{issuer.url}/.well-known/jwks.json"}
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("token", [pytest.param(v, id=k) for k, v in NEVER.items()])
def test_it_is_never_accepted(token: str) -> None:
    if REST_TAKES_IT.get(token):
        issuer = Issuer()
        with pytest.raises(InvalidTokenError):
            issuer.verify(token)
        return
    refuse_everywhere(token)


REST_TAKES_IT = {
    NEVER[name]: True
    for name in NEVER
    if name.startswith("nbf ") or (name.startswith("signed, ") and name.endswith(" twice"))
}
"""Genuine tokens that only verify() is stricter with: a Cognito authorizer isn't known to look at these."""


@pytest.mark.parametrize("token", [pytest.param(v, id=k) for k, v in NEVER.items()])
def test_it_is_shown_or_named(token: str) -> None:
    started = time.perf_counter()
    try:
        look_at(tokens.decode(token))
    except TokenError as error:
        look_at(error)
    assert time.perf_counter() - started < SECONDS


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_what_a_claim_holds_is_text(script: str) -> None:
    issuer = Issuer()
    claims = issuer.claims(email=script, token_use=None) | {
        script: script,
        "token_use": script,
        "scope": script,
    }
    token = signed(claims)
    look_at(tokens.decode(token))
    look_at(issuer.verify(token))
    for verdict in (
        issuer.verdict(token),
        issuer.verdict(token, script),
        issuer.http_verdict(token, "a"),
    ):
        assert not verdict.allowed
        look_at(verdict)
    for name in ("iss", "aud", "client_id", "exp", "nbf", "kid"):
        bad = signed(
            issuer.claims(**{name: script}),
            {"alg": "RS256", "kid": script if name == "kid" else "kid-id"},
        )
        if name not in ("aud", "client_id"):
            with pytest.raises(InvalidTokenError) as refused:
                issuer.verify(bad)
            look_at(refused.value)
        look_at(issuer.verdict(bad))
        look_at(issuer.http_verdict(bad))


def test_a_name_that_comes_twice_is_shown() -> None:
    decoded = tokens.decode(NEVER["signed, sub twice"])
    assert decoded.repeated == ("sub",)
    assert decoded["sub"] == "root"
    assert "comes twice, the last one counts: sub" in str(decoded)


def test_a_verified_token_is_what_was_decoded() -> None:
    assert Issuer().verify(GOOD).claims == tokens.decode(GOOD).claims


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    st.sampled_from(
        ["iss", "exp", "nbf", "iat", "aud", "client_id", "token_use", "scope", "scp", "sub"]
    )
    | st.text()
)


@given(st.dictionaries(NAMES, JSON))
def test_no_forged_claims_are_accepted(claims: dict[str, Any]) -> None:
    refuse_everywhere(forged(payload=claims))


@given(st.dictionaries(NAMES, JSON))
def test_signed_nonsense_is_refused_or_right(claims: dict[str, Any]) -> None:
    """The issuer itself signed it, so it may be accepted; then every claim that counts is what it must be."""
    issuer = Issuer()
    whole = issuer.claims() | claims
    token = signed(whole)
    try:
        decoded: DecodedToken | None = issuer.verify(token)
    except InvalidTokenError as refused:
        look_at(refused)
        decoded = None
    if decoded is not None:
        assert decoded["iss"] == issuer.url
        assert NOW < decoded["exp"] < float("inf")
    for verdict in (
        issuer.verdict(token),
        issuer.verdict(token, ADMIN),
        issuer.http_verdict(token, ADMIN),
    ):
        look_at(verdict)
        json.dumps(verdict.evidence)


@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "jku", "x5u", "jwk", "typ", "crit", "b64"]), JSON
    )
)
def test_no_forged_header_is_accepted(header: dict[str, Any]) -> None:
    refuse_everywhere(forged(header))
    refuse_everywhere(
        signed(Issuer().claims(), {"alg": "RS256", "kid": "kid-id", **header}, "mallory")
    )


@given(st.data())
def test_no_other_character_is_accepted(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(GOOD) - 1))
    other = data.draw(st.characters().filter(lambda c: c != GOOD[place]))
    changed = GOOD[:place] + other + GOOD[place + 1 :]
    if changed.strip() != GOOD:
        refuse_everywhere(changed)
