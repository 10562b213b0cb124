"""What the error doctor knows is consistent, complete, and stands on something: codes, notebooks, rows and facts."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator

import boto3
import jwt
import pytest
import requests
from botocore.exceptions import (
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)
from hypothesis import given
from hypothesis import strategies as st

from labkit.doctor import explain
from labkit.doctor.evidence import Evidence, read
from labkit.doctor.facts import facts_of
from labkit.doctor.rules import Condition, Rule, knowledge
from labkit.errors import CloudUnavailableError
from labkit.journey import GATES, Code, Journey, Step
from labkit.local.ledger import LABELS, Row, rows
from labkit.local.ledger.citations import facts

KNOWN = knowledge()

IN_THE_GATES_WORDS = {
    Code.UNSUPPORTED: "the reason names the setting that only AWS has",
    Code.CLIENT_CERTIFICATE: "no lesson of the course connects with one",
    Code.TRUST_STORE: "the reason says all: the object isn't there",
    Code.MAPPING_NOT_FOUND: "the course has no custom domain names with more than one mapping",
    Code.VPC_ENDPOINT_REQUIRED: "the course has no private APIs",
    Code.VPC_ENDPOINT_NOT_SERVED: "the course has no private APIs",
    Code.ROUTE_AMBIGUOUS: "AWS doesn't let anybody create the second route",
    Code.RESOURCE_POLICY_MALFORMED: "AWS doesn't let anybody attach it; the reason says what is wrong",
    Code.AUTHORIZER_NOT_FOUND: "the reason says all: the authorizer was deleted before the deployment",
    Code.AUTHORIZER_SETTINGS: "the reason names the setting",
    Code.IDENTITY_SOURCE_TWICE: "the reason names the header that comes twice",
    Code.TOKEN_NOT_YET_VALID: "no user pool makes such a token; the reason names the claim",
    Code.SIGNED_TWICE: "the answer itself says it",
    Code.OTHER_ACCOUNT: "the course has one account",
    Code.VALIDATION_SETTINGS: "the reason names the validator or the model",
    Code.INTEGRATION_TEMPLATE: "the course has no mapping templates",
    Code.INTEGRATION_RESPONSE: "the course has no integration responses",
}
"""The codes that have no cause of their own, and why: then the doctor repeats the gate's reason."""
WARNINGS = {Code.AUTHORIZATION_NONE, Code.API_KEY_NOT_REQUIRED}
"""The codes of what was skipped."""


# -- codes -----------------------------------------------------------------------------------


def test_every_code_has_a_cause_or_none_for_a_reason() -> None:
    explained = {code for cause in KNOWN.causes.values() for code in cause.codes}
    warned = {overlay.code for overlay in KNOWN.overlays if overlay.code}
    assert warned == WARNINGS
    assert explained.isdisjoint(IN_THE_GATES_WORDS)
    assert explained | IN_THE_GATES_WORDS.keys() | WARNINGS == set(Code)


@pytest.mark.parametrize("code", sorted(set(Code) - WARNINGS))
def test_a_code_is_explained_whatever_the_answer_is(code: Code) -> None:
    journey = Journey("id", "GET", "/", 418, [Step("route", "stop", "so it was", code=code)])
    found = explain('{"short": "and stout"}', journey=journey)
    [first, *_] = found.causes
    if code in IN_THE_GATES_WORDS:
        assert (first.id, first.why) == ("in-the-gates-words", "so it was")
    else:
        assert code in KNOWN.causes[first.id].codes


# -- no sentence of labkit's own counts ---------------------------------------------------------


CONDITIONS = [condition for rule in KNOWN.rules for condition in rule.when]


@st.composite
def answers(draw: st.DrawFn) -> requests.Response:
    """Answers that fit a condition of the rules, or nearly, or not."""
    condition = draw(st.sampled_from(CONDITIONS))
    response = requests.Response()
    response.status_code = draw(st.sampled_from(condition.status or (200, 401, 403, 404, 429, 500)))
    text = draw(st.from_regex(condition.text)) if condition.text else "Forbidden"
    key = draw(st.sampled_from(["message", "Message"]))
    response._content = json.dumps({key: None if condition.null else text}).encode()
    if condition.type:
        response.headers["x-amzn-ErrorType"] = draw(st.from_regex(condition.type, fullmatch=True))
    door = draw(st.sampled_from(["x-amz-apigw-id", "apigw-requestid"]))
    response.headers[door] = "id="
    headers = draw(st.sampled_from([{}, {"Authorization": "Bearer x"}, {"X-API-Key": "k" * 20}]))
    response.request = requests.Request("GET", "https://a.example.com/x", headers).prepare()
    return response


@given(
    answers(),
    st.lists(st.tuples(st.sampled_from(GATES), st.sampled_from(Code)), min_size=1, max_size=4),
    st.sampled_from(["stop", "skip", "pass"]),
    st.tuples(st.text(), st.text()),
)
def test_the_reason_changes_nothing_but_itself(
    answer: requests.Response,
    gates: list[tuple[str, Code]],
    outcome: str,
    reasons: tuple[str, str],
) -> None:
    """Causes, their order and certainty go by codes: a gate may say anything."""

    def explained(reason: str) -> tuple[object, ...]:
        steps = [Step(gate, outcome, reason, code=code) for gate, code in gates]  # type: ignore[arg-type]
        found = explain(answer, journey=Journey("id", "GET", "/x", 403, steps))
        ids = [cause.id for cause in found.causes]
        return ids, found.certain, found.decided, found.meaning, found.known

    assert explained(reasons[0]) == explained(reasons[1])


# -- notebooks -----------------------------------------------------------------------------------


def test_every_notebook_that_a_cause_leads_to_exists() -> None:
    taught = {c.notebook for c in KNOWN.causes.values() if c.notebook is not None}
    assert taught
    assert [notebook for notebook in taught if not notebook.path.is_file()] == []


# -- who says so -------------------------------------------------------------------------------------

TOOLS: dict[str, list[object]] = {
    "PyJWT": [
        jwt.InvalidAudienceError("Audience doesn't match"),
        jwt.MissingRequiredClaimError("aud"),
        jwt.InvalidIssuerError("Invalid issuer"),
        jwt.ExpiredSignatureError("Signature has expired"),
        jwt.InvalidAlgorithmError("The specified alg value is not allowed"),
        jwt.InvalidSignatureError("Signature verification failed"),
        jwt.PyJWKClientError('Unable to find a signing key that matches: "kid"'),
    ],
    "botocore": [
        NoRegionError(),
        NoCredentialsError(),
        str(NoRegionError()),
        str(NoCredentialsError()),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:4566/restapis"),
    ],
    "urllib3": [
        "HTTPSConnectionPool(host='a1.execute-api.us-east-1.amazonaws.com', port=443): Max retries exceeded with url: "
        "/dev (Caused by NameResolutionError(\"Failed to resolve 'a1.execute-api.us-east-1.amazonaws.com' "
        '([Errno -2] Name or service not known)"))',
    ],
    "requests": [
        requests.exceptions.InvalidHeader("Invalid leading whitespace in header value"),
        *(
            kind(
                "HTTPSConnectionPool(host='a1.execute-api.us-east-1.amazonaws.com', port=443): Max retries exceeded"
            )
            for kind in (
                requests.exceptions.ConnectionError,
                requests.exceptions.ProxyError,
                requests.exceptions.ConnectTimeout,
                requests.exceptions.SSLError,
            )
        ),
    ],
    "Python": [
        NameError("name 'api_id' is not defined"),
        UnicodeEncodeError("latin-1", "eyJ…", 3, 4, "ordinal not in range(256)"),
    ],
    "labkit": [CloudUnavailableError("…")],
    "Chromium": [
        "Access to fetch at 'https://x' from origin 'https://y' has been blocked by CORS policy: Response to preflight "
        "request doesn't pass access control check: It does not have HTTP ok status.",
    ],
}
"""What tools say that aren't AWS: their own exceptions and texts."""


def said(source: str) -> Iterator[Evidence]:
    """What a row of the ledger expects, or a tool says, as the doctor reads it."""
    by_id = {row.id: row for row in rows()}
    if source in by_id:
        yield from _expected(by_id[source])
    for sample in TOOLS.get(source, ()):
        yield read(sample)


def _expected(row: Row) -> Iterator[Evidence]:
    expect = row.expect
    kind = str(expect.get("error_type") or expect.get("error") or "")
    status = expect.get("status", 400)
    if "log" in expect:
        for line in expect["log"]:
            yield read(line)
    elif "message" in expect or "body" not in expect:
        text = re.sub(r"\\(.)", r"\1", str(expect.get("message", "")))
        text = re.sub(r"[{}]", "", text)
        metadata = {"HTTPStatusCode": status, "HTTPHeaders": _headers(row)}
        body = {"Error": {"Code": kind, "Message": text}, "ResponseMetadata": metadata}
        yield read(body)
    if "body" in expect or "body_prefix" in expect:
        response = requests.Response()
        response.status_code = status
        response._content = str(expect.get("body", expect.get("body_prefix"))).encode()
        response.headers.update(_headers(row))
        if kind:
            response.headers["x-amzn-ErrorType"] = kind
        yield read(response)


def _headers(row: Row) -> dict[str, str]:
    door = {"apigw-requestid": "id="} if row.id.startswith("http-") else {}
    return {**door, **row.expect.get("headers", {})}


def has_text(condition: Condition, source: str) -> bool:
    """Whether a source has the condition's text: a row or a tool fits it, a fact has the words."""
    if source in facts():
        text = facts()[source].text
        patterns = [condition.text or condition.type, *condition.header.values()]
        unanchored = [re.sub(r"\^|\$(?!\{)", "", p) for p in patterns]
        names = [*condition.header] + (["x-amzn-ErrorType"] if condition.typed is False else [])
        return all(re.search(p, text, re.DOTALL) for p in unanchored) and all(
            name.lower() in text.lower() for name in names
        )
    return any(condition.match(evidence) is not None for evidence in said(source))


@pytest.mark.parametrize("rule", KNOWN.rules, ids=lambda rule: rule.id)
def test_each_text_has_its_row(rule: Rule) -> None:
    for source in rule.sources:
        assert any(has_text(condition, source) for condition in rule.when), source
    for condition in rule.when:
        for alternative in _alternatives(condition):
            assert any(has_text(alternative, source) for source in rule.sources), alternative


def _alternatives(condition: Condition) -> Iterator[Condition]:
    """A condition whose text is a list of whole texts: each of them."""
    if "|" not in condition.text or "(" in condition.text.replace("(?i)", "").replace("(?s)", ""):
        yield condition
        return
    flags = re.match(r"(\(\?\w\))?", condition.text)
    assert flags
    for text in condition.text.removeprefix(flags[0]).split("|"):
        yield dataclasses.replace(condition, text=flags[0] + text)


# -- the data ------------------------------------------------------------------------------------------

PLACEHOLDERS = set("api_id client_id gate host method path reason region stage".split())


def test_the_data_is_consistent() -> None:
    named = {name for rule in KNOWN.rules for name in rule.causes}
    named |= {overlay.cause for overlay in KNOWN.overlays}
    by_code = {name for name, cause in KNOWN.causes.items() if cause.codes}
    assert named | by_code | {"in-the-gates-words"} == set(KNOWN.causes)
    used = {f for c in KNOWN.causes.values() for f in (*c.likely_if, *c.excluded_if, *c.needs)}
    used |= {fact for overlay in KNOWN.overlays for fact in overlay.facts}
    assert used | {"no_request"} == KNOWN.facts.keys() == facts_of(Evidence()).keys()
    assert len({rule.id for rule in KNOWN.rules}) == len(KNOWN.rules)
    for name, cause in KNOWN.causes.items():
        assert cause.label in LABELS, name
        assert cause.symptom in (*range(1, 31), None), name
        for text in (cause.why, cause.probe, cause.fix):
            assert text, name
            assert set(re.findall(r"\{(\w+)\}", text)) <= PLACEHOLDERS, name
    for rule in KNOWN.rules:
        assert not rule.decisive or len(rule.causes) == 1, rule.id


CALL = re.compile(r'boto3\.client\("([\w-]+)"[^)]*\)\.(\w+)\((.*?)\)(?=[\[:.,; ]|$)')


def calls_in(text: str) -> list[tuple[str, str, list[str]]]:
    return [(m[1], m[2], re.findall(r"\b([A-Za-z]+)=", m[3])) for m in CALL.finditer(text)]


def test_probes_and_fixes_call_what_boto3_has() -> None:
    found = [
        call for cause in KNOWN.causes.values()
        for text in (cause.probe, cause.fix) for call in calls_in(text)
    ]  # fmt: skip
    assert len(found) > 50
    for service, operation, arguments in found:
        client = boto3.client(service, region_name="us-east-1")
        assert operation in client.meta.method_to_api_mapping, (service, operation)
        model = client.meta.service_model.operation_model(
            client.meta.method_to_api_mapping[operation]
        )
        known = set(model.input_shape.members) if model.input_shape else set()
        assert set(arguments) <= known, (service, operation, arguments)
        if arguments:  # "(…)" stands for those that the learner knows
            needed = set(model.input_shape.required_members)
            assert needed <= set(arguments), (service, operation, needed - set(arguments))
