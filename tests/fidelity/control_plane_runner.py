"""Runs a row of the control planes' ledger: its setup and its steps, in one process, as an SDK calls them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from labkit.local.ledger import Row
from tests.support.control_plane import (
    ACCOUNT,
    FUNCTION_URI,
    POOL,
    REGION,
    Answer,
    ControlPlane,
    operation_model,
)

FILE = "control_plane.toml"
REQUEST_KEYS = frozenset({"service", "steps"})
EXPECT_KEYS = frozenset("status error message message_has result has log".split())
CONSTANTS = {
    "account": ACCOUNT,
    "region": REGION,
    "function": FUNCTION_URI,
    "pool": POOL,
    "certificate": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/good",
    "name of 1025": "n" * 1025,
    "value of 129": "v" * 129,
    "description of 1000": "d" * 1000,
}
_NAMED_IN_BODIES = ("stageName", "domainName", "DomainName")
"""Members that stand in the path of later calls, and in the body of the one that makes the thing."""
_NAME = re.compile(r"\{([\w ]+)\}")


@cache
def tables(name: str) -> dict[str, Any]:
    """The file's shapes or setups."""
    text = (files("labkit.local.ledger") / FILE).read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)[name]
    return found


def run_row(row: Row) -> None:
    """Fails when the control planes don't answer what the row says."""
    runner = ControlPlaneRunner()
    if row.setup:
        runner.set_up(row.setup)
    service = row.request.get("service", "apigateway")
    *before, last = row.request["steps"]
    for step in before:
        runner.take(service, step)
    runner.check(runner.call(service, last), row.expect)


class ControlPlaneRunner:
    """The control planes for one row.

    Attributes:
        names: what ``{name}`` stands for.
        in_path: the members that stood in the path of the calls before.
    """

    def __init__(self) -> None:
        self.plane = ControlPlane()
        self.names = dict(CONSTANTS)
        self.in_path: dict[str, Any] = {}

    def set_up(self, name: str) -> None:
        """Take the steps of a setup, and before them of the one that it stands on."""
        setup = tables("setup")[name]
        if "after" in setup:
            self.set_up(setup["after"])
        for step in setup["steps"]:
            self.take(setup.get("service", "apigateway"), step)

    def take(self, service: str, step: list[Any]) -> None:
        """Take a step that succeeds; its third part says what of the answer gets a name."""
        answer = self.call(service, step)
        assert not answer.error, (step, answer.status, answer.error, answer.message)
        for name, member in (step[2] if len(step) > 2 else {}).items():
            self.names[name] = self.in_path[name] = answer.result[member]

    def call(self, service: str, step: list[Any]) -> Answer:
        """Call an operation. A member that stands in its path is the last one's, unless it is given."""
        operation = step[0]
        parameters = self.filled(step[1] if len(step) > 1 else {})
        for member, shape in operation_model(service, operation).input_shape.members.items():
            if shape.serialization.get("location") == "uri" and member != "parentId":
                parameters.setdefault(member, self.in_path.get(member))
                self.in_path[member] = parameters[member]
        self.in_path |= {name: parameters[name] for name in _NAMED_IN_BODIES if name in parameters}
        if "patchOperations" in parameters:
            patches = [patch_operation(one) for one in parameters["patchOperations"]]
            parameters["patchOperations"] = patches
        return self.plane.of(service)(operation, **parameters)

    def filled(self, value: Any) -> Any:
        """A value with each ``{name}`` in place; names that nobody gave stay as they are."""
        if isinstance(value, Mapping):
            shape = tables("shape")[value["like"]] if "like" in value else {}
            own = {name: one for name, one in value.items() if name != "like"}
            return {self.filled(k): self.filled(v) for k, v in {**shape, **own}.items()}
        if isinstance(value, list):
            return [self.filled(one) for one in value]
        if isinstance(value, str):
            return _NAME.sub(lambda match: self.names.get(match[1], match[0]), value)
        return value

    def check(self, answer: Answer, expect: Mapping[str, Any]) -> None:
        """Fails when an answer isn't what is expected."""
        wanted = self.filled(expect)
        seen = (answer.status, answer.error, answer.message)
        assert answer.status == wanted["status"], seen
        assert answer.error == wanted.get("error", ""), seen
        assert answer.message == wanted.get("message", answer.message)
        assert wanted.get("message_has", "") in answer.message
        if "result" in wanted:
            assert shown(answer.result, wanted["result"]) == wanted["result"]
        for name, value in wanted.get("has", {}).items():
            assert shown(answer.result.get(name), value) == value, (name, answer.result)
        if "log" in wanted:
            lines = [line.partition(" : ")[2] for line in answer.result["log"].splitlines()]
            assert [line for line in lines if line in wanted["log"]] == wanted["log"], lines


def patch_operation(patch: Any) -> Any:
    """A patch operation as it is sent; a list is its op, path and value."""
    if isinstance(patch, list):
        return dict(zip(("op", "path", "value"), patch, strict=False))
    return patch


def shown(value: Any, wanted: Any) -> Any:
    """A value as the ledger writes it: ``*`` where any is wanted, ``<null>`` for null."""
    if wanted == "*" and value is not None:
        return "*"
    if value is None:
        return "<null>"
    if isinstance(value, dict) and isinstance(wanted, dict):
        return {name: shown(one, wanted.get(name)) for name, one in value.items()}
    if isinstance(value, list) and isinstance(wanted, list) and len(value) == len(wanted):
        return [shown(one, other) for one, other in zip(value, wanted, strict=True)]
    return value
