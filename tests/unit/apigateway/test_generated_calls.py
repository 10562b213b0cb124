"""Every operation of the control planes, called with whatever its model says and doesn't say."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.local.apigateway.control.store import Region
from labkit.local.messages import Response
from tests.support.control_plane import REGION, operation_model, operation_names
from tests.support.generated_calls import calls, raw_requests
from tests.support.populated_planes import populated

OPERATIONS = [
    (service, name)
    for service in ("apigateway", "apigatewayv2")
    for name in operation_names(service)
]
EXAMPLES = settings().max_examples // 2


class Kept:
    """Control planes that begin each example with the same records."""

    def __init__(self) -> None:
        self.made = populated()
        self._records = copy.deepcopy(self.region)

    @property
    def region(self) -> Region:
        return self.made.plane.gateway.store.region(REGION)

    @property
    def deployments(self) -> list[Any]:
        gateway = self.made.plane.gateway
        return [*gateway.rest_apis._deployments, *gateway.http_apis._deployments]

    def reset(self) -> None:
        for name in Region.__slots__:
            setattr(self.region, name, copy.deepcopy(getattr(self._records, name)))

    def send(self, request: Any) -> Response:
        """Send a request; what is refused leaves nothing."""
        self.reset()
        before = self.deployments
        answer = self.made.plane.send(*request)
        assert 200 <= answer.status < 300 or 400 <= answer.status < 500, answer
        if answer.status >= 400:
            assert self.region == self._records
            assert self.deployments == before
            assert isinstance(answer.json()["message"], str)
            assert answer.header("x-amzn-errortype")
        return answer


@cache
def kept() -> Kept:
    return Kept()


def unknown_to(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """What of an answer the model doesn't say."""
    if value is None:
        return
    if isinstance(shape, StructureShape):
        members = {m.serialization.get("name", n): m for n, m in shape.members.items()}
        for name, one in value.items():
            if name in members:
                yield from unknown_to(members[name], one, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(shape, ListShape):
        for one in value:
            yield from unknown_to(shape.member, one, f"{path}[]")
    elif isinstance(shape, MapShape):
        for one in value.values():
            yield from unknown_to(shape.value, one, f"{path}{{}}")
    else:
        types: dict[str, Any] = {"boolean": bool, "integer": int, "double": float, "string": str}
        if not isinstance(value, types.get(shape.type_name, object)):
            yield f"{path}: {value!r}"


@pytest.mark.parametrize(("service", "name"), OPERATIONS, ids=[".".join(o) for o in OPERATIONS])
def test_a_call_is_answered_or_refused(service: str, name: str) -> None:
    operation = operation_model(service, name)

    @settings(max_examples=EXAMPLES)
    @given(calls(operation, kept().made.known[service]))
    def holds(request: Any) -> None:
        answer = kept().send(request)
        if answer.status < 300 and answer.body and operation.output_shape:
            payload = operation.output_shape.serialization.get("payload")
            if not payload:
                assert list(unknown_to(operation.output_shape, json.loads(answer.body))) == []

    holds()


@given(st.data())
def test_a_request_that_no_sdk_sends_is_answered(data: st.DataObject) -> None:
    kept().send(data.draw(raw_requests(kept().made)))


def test_the_planes_hold_something_of_everything() -> None:
    region = kept().region
    empty = {name for name in Region.__slots__ if not getattr(region, name)}
    assert empty == {"account", "client_certificates"}
