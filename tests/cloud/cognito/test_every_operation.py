"""No operation of user pools falls over what its model lets be left out, be empty or be anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from botocore.loaders import Loader

from tests.support.in_process_cloud import Cognito

MODEL = Loader().load_service_model("cognito-idp", "service-2")
SHAPES = MODEL["shapes"]
SMALLEST: dict[str, Any] = {
    "structure": {},
    "map": {},
    "boolean": True,
    "timestamp": 1,
    "double": 1.0,
    "blob": "",
}


def smallest(shape_name: str, known: dict[str, str], member: str = "") -> Any:
    """A value of a shape with what it requires and nothing else."""
    shape = SHAPES[shape_name]
    kind = shape["type"]
    if kind == "structure":
        return {
            name: smallest(shape["members"][name]["shape"], known, name)
            for name in shape.get("required", ())
        }
    if kind == "list":
        return [smallest(shape["member"]["shape"], known)]
    if kind == "string":
        text = shape["enum"][0] if "enum" in shape else "x" * max(1, shape.get("min", 1))
        return known.get(member, text)
    return shape.get("min", 1) if kind in ("integer", "long") else SMALLEST[kind]


def bodies(operation: str, known: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What an operation requires, and in turn each of the other members as well."""
    name = MODEL["operations"][operation]["input"]["shape"]
    least = smallest(name, known)
    yield least
    for member, target in SHAPES[name]["members"].items():
        shape = SHAPES[target["shape"]]
        if member not in least:
            yield least | {member: smallest(target["shape"], known, member)}
        if shape["type"] == "list" and "min" not in shape:
            yield least | {member: []}
        if shape["type"] == "structure":
            for part, inner in shape["members"].items():
                value = smallest(target["shape"], known, member)
                yield least | {member: value | {part: smallest(inner["shape"], known, part)}}


ENDING = ("Delete", "Disable", "GlobalSignOut", "Revoke", "SetUser", "UpdateUserPool")
"""What ends or changes that which other operations need: these come last."""


def test_the_least_that_an_operation_takes_is_no_fault(cognito: Cognito) -> None:
    pool = cognito.pool("PASSWORD", "EMAIL_OTP")
    client = cognito.client(pool)
    cognito.user(pool)
    tokens = cognito.sign_in(client)
    known = {
        "AccessToken": tokens["AccessToken"],
        "ClientId": client,
        "GroupName": "readers",
        "Password": "Correct-1234",
        "RefreshToken": tokens["RefreshToken"],
        "Token": tokens["RefreshToken"],
        "Username": "jane@example.com",
        "UserPoolId": pool,
    }
    statuses = Counter[int]()
    for operation in sorted(MODEL["operations"], key=lambda name: any(e in name for e in ENDING)):
        for body in bodies(operation, known):
            answer = cognito.call(operation, **body)
            assert answer.status < 500, (operation, body, answer.body)
            statuses[answer.status] += 1
    assert statuses[200] > 130, "most know the pool, the client and the user"
