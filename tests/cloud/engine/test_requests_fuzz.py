"""IAM, STS and Lambda answer whatever they are sent: a refusal, or MiniStack's answer; never an error of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.in_process_cloud import cloud

Answer = tuple[int, dict[str, str], bytes]
PASSED: Answer = 200, {}, b"<Passed/>"
TEXTS = st.text(max_size=30) | st.sampled_from(
    [
        "kim",
        "900",
        "-1",
        "true",
        "apigateway.amazonaws.com",
        "arn:aws:iam::123456789012:role/kim",
        '{"Version": "2012-10-17", "Statement": []}',
    ]
)
FIELDS = st.sampled_from(
    """
    RoleArn RoleSessionName DurationSeconds Name SerialNumber Policy PolicyArns.member.1.arn Tags.member.1.Key UserName
    GroupName RoleName PolicyName PolicyArn PolicyDocument AssumeRolePolicyDocument MaxSessionDuration
    """.split()
)
OPERATIONS = st.sampled_from(
    """
    AssumeRole GetSessionToken GetFederationToken GetCallerIdentity CreateRole UpdateRole AttachRolePolicy
    AttachUserPolicy AttachGroupPolicy PutUserPolicy PutRolePolicy PutGroupPolicy CreatePolicy CreatePolicyVersion
    CreateAccessKey DeleteUser ListUsers GetAccountSummary NoSuchOperation
    """.split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
MEMBERS = st.sampled_from(
    """
    FunctionName Runtime Role Handler Code Timeout MemorySize Environment StatementId Action Principal SourceArn
    """.split()
)


async def passed(*_: Any) -> Answer:
    return PASSED


def is_an_answer(answer: Answer) -> bool:
    return answer == PASSED or (answer[0] in (400, 403, 404, 409) and answer[2] != b"")


@pytest.mark.parametrize("service", ["iam_quotas", "sts_operations"])
@given(operation=OPERATIONS, fields=st.dictionaries(FIELDS, TEXTS, max_size=6))
def test_forms(service: str, operation: str, fields: dict[str, str]) -> None:
    with cloud().in_use(), cloud().engine.ministack.scope():
        handle = getattr(cloud().engine, service).handle(passed)
        form = {"Action": operation, **fields}
        body = urlencode(form, errors="replace").encode()
        assert is_an_answer(asyncio.run(handle("POST", "/", {}, body, {})))


def calls(own: Callable[..., Answer]) -> list[Callable[[Any], Answer]]:
    requests = cloud().engine.lambda_requests
    return [
        requests.create_function(own),
        lambda data: requests.update_configuration(own)("kim", data),
        lambda data: requests.add_permission(own)("kim", data, {}),
    ]


@given(data=st.dictionaries(MEMBERS, JSON, max_size=6) | JSON)
def test_functions(data: Any) -> None:
    with cloud().in_use(), cloud().engine.ministack.scope():
        for call in calls(lambda *_: PASSED):
            answer = call(data)
            assert is_an_answer(answer)
            assert answer == PASSED or json.loads(answer[2])["message"]
