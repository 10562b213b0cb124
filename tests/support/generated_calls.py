"""Calls of API Gateway's control planes that Hypothesis makes from botocore's models: right ones, and wrong ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from hypothesis import strategies as st

from labkit.local.apigateway.control import account
from labkit.local.apigateway.control.patches import PatchTable
from labkit.local.apigateway.control.rest import (
    api_keys,
    authorizers,
    deployments,
    domain_names,
    gateway_responses,
    integrations,
    methods,
    models,
    request_validators,
    resources,
    rest_apis,
    stages,
    usage_plans,
)
from tests.support.control_plane import FUNCTION_URI, POOL
from tests.support.generated_documents import WRONG, http_documents, rest_documents
from tests.support.populated_planes import CERTIFICATE, POLICY, Populated

JsonObject = dict[str, Any]

PATCHED: Mapping[str, PatchTable] = {
    "UpdateAccount": account.PATCHES,
    "UpdateApiKey": api_keys.PATCHES,
    "UpdateAuthorizer": authorizers.PATCHES,
    "UpdateBasePathMapping": domain_names.MAPPING_PATCHES,
    "UpdateDeployment": deployments.PATCHES,
    "UpdateDomainName": domain_names.PATCHES,
    "UpdateGatewayResponse": gateway_responses.PATCHES,
    "UpdateIntegration": integrations.PATCHES,
    "UpdateIntegrationResponse": integrations.RESPONSE_PATCHES,
    "UpdateMethod": methods.PATCHES,
    "UpdateMethodResponse": methods.RESPONSE_PATCHES,
    "UpdateModel": models.PATCHES,
    "UpdateRequestValidator": request_validators.PATCHES,
    "UpdateResource": resources.PATCHES,
    "UpdateRestApi": rest_apis.PATCHES,
    "UpdateUsagePlan": usage_plans.PATCHES,
}
"""The patch paths of operations, but for stages."""
_TEXTS = [
    "",
    " ",
    "a",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "9" * 30,
    "NaN",
    "\ud800",
    "é",
    "a/b",
    "{a+}",
]
_OPS = ["add", "remove", "replace", "move", "copy", "test", "wrong", "", None, 1]
_MEMBERS = st.sampled_from(
    [
        "application~1json",
        "image~1png",
        "method.request.header.a",
        "method.response.header.a",
        "integration.request.header.a",
        "gatewayresponse.header.a",
        "EDGE",
        "a",
        "~1a",
        "GET",
        "*",
        "-",
        "~0~1",
        "",
    ]
)
_VALUES = [
    *_TEXTS,
    None,
    1,
    "CUSTOM",
    "NONE",
    "AWS_IAM",
    "DAY",
    "PRIVATE",
    "REGIONAL",
    "ipv4",
    "INFO",
    "404",
    "5",
    "Empty",
    "'*'",
    "method.request.header.a",
    "http://example.com",
    FUNCTION_URI,
    POOL,
    POLICY,
    CERTIFICATE,
    "s3://bucket/key",
    "{}",
]


IMPORTS = ("ImportRestApi", "PutRestApi", "ImportApi", "ReimportApi")


def calls(operation: OperationModel, known: Mapping[str, list[Any]]) -> st.SearchStrategy[Any]:
    """Requests of an operation: (method, path, query, body). Most fit what is there."""
    if operation.input_shape is None:
        return st.just((operation.http["method"], operation.http["requestUri"], "", b""))
    fitting = _Values(operation.name, known, fitting=True).members(operation.input_shape)
    any_kind = _Values(operation.name, known, fitting=False).members(operation.input_shape)
    made = st.integers(0, 3).flatmap(lambda dice: fitting if dice else any_kind)
    return made.map(lambda parameters: _request(operation, parameters))


def _request(operation: OperationModel, made: JsonObject) -> tuple[str, str, Any, bytes]:
    path, query, body = operation.http["requestUri"], [], {}
    payload: Any = None
    shape = operation.input_shape
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        value = made.get(name, "x")
        match member.serialization.get("location"):
            case "uri":
                for label in ("{%s}" % wire, "{%s+}" % wire):  # noqa: UP031
                    path = path.replace(label, quote(_text(value), safe="") or "%20")
            case "querystring" if isinstance(made.get(name), dict):
                query += [(key, _text(one)) for key, one in value.items()]
            case "querystring" if name in made:
                values = value if isinstance(value, list) else [value]
                query += [(wire, _text(one)) for one in values]
            case None if name in made:
                if name == shape.serialization.get("payload"):
                    payload = _text(value).encode(errors="replace")
                else:
                    body[wire] = value
            case _:
                pass
    data = payload if payload is not None else json.dumps(body).encode() if body else b""
    return operation.http["method"], path, urlencode(query, errors="replace"), data


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode(errors="replace").decode()


@dataclass(frozen=True)
class _Values:
    """Values for the members of one operation's input.

    Attributes:
        operation: its name.
        known: what is there, by the name of a member in small letters.
        fitting: what is known is taken, and no value has the wrong type.
    """

    operation: str
    known: Mapping[str, list[Any]]
    fitting: bool

    def members(self, shape: StructureShape, *, nested: bool = False) -> st.SearchStrategy[Any]:
        made = {
            (m.serialization.get("name", name) if nested else name): self.of(name, m)
            for name, m in shape.members.items()
        }
        names = {m.serialization.get("name", n) if nested else n for n, m in shape.members.items()}
        required = {
            shape.members[n].serialization.get("name", n) if nested else n
            for n in shape.required_members
        }
        others = sorted(names - required)
        if not self.fitting:
            return st.fixed_dictionaries({}, optional=made)
        chosen = (
            st.lists(st.sampled_from(others), max_size=3, unique=True) if others else st.just([])
        )
        return chosen.flatmap(
            lambda some: st.fixed_dictionaries({name: made[name] for name in {*required, *some}})
        )

    def of(self, name: str, shape: Shape) -> st.SearchStrategy[Any]:
        """A value of a member."""
        if name.lower() == "body" and self.operation in IMPORTS:
            return rest_documents() if "Rest" in self.operation else http_documents()
        own = self.known.get(f"{self.operation}.{name}".lower())
        found = own or self.known.get(name.lower())
        if self.fitting:
            return st.sampled_from(found) if found else self.typed(name, shape)
        values = self.typed(name, shape)
        if found:
            values = st.sampled_from(found) | values
        return st.integers(0, 7).flatmap(lambda dice: values if dice else WRONG)

    def typed(self, name: str, shape: Shape) -> st.SearchStrategy[Any]:
        """A value of a member's type."""
        if name.lower() == "patchoperations":
            return st.lists(_patches(self.operation, self.known), min_size=1, max_size=2)
        if isinstance(shape, StructureShape):
            return self.members(shape, nested=True)
        if isinstance(shape, ListShape):
            return st.lists(self.of(name, shape.member), max_size=3)
        if isinstance(shape, MapShape):
            keys = _MEMBERS.map(lambda key: key.replace("~1", "/")) | st.text(max_size=5)
            return st.dictionaries(keys, self.of(name, shape.value), max_size=2)
        match shape.type_name:
            case "boolean":
                return st.booleans()
            case "integer" | "long":
                edges = [shape.metadata.get("min", 0), shape.metadata.get("max", 1), 300, 29_000]
                return st.sampled_from(edges) | st.integers(-(10**10), 10**10)
            case "double" | "float":
                return st.floats(allow_nan=False, allow_infinity=False)
            case "timestamp":
                return st.integers(0, 2**31)
            case _:
                enum = list(shape.metadata.get("enum", ()))
                if enum and self.fitting:
                    return st.sampled_from(enum)
                return st.sampled_from([*enum, *_TEXTS]) | st.text(max_size=20)


def _patches(operation: str, known: Mapping[str, list[Any]]) -> st.SearchStrategy[Any]:
    table = PATCHED.get(operation)
    own = [path.template for path in (table.paths if table else stages.PATCH_PATHS)]
    own = ["/remaining"] if operation == "UpdateUsage" else own
    ids = [one for values in known.values() for one in values if isinstance(one, str)]
    paths = st.tuples(st.sampled_from(own), _MEMBERS, _MEMBERS).map(_filled)
    values = st.sampled_from([*_VALUES, *ids]) | st.text(max_size=10)
    return st.fixed_dictionaries(
        {
            "op": st.sampled_from([*_OPS[:3], *_OPS[:3], "replace", "replace", *_OPS]),
            "path": st.integers(0, 4).flatmap(lambda dice: paths if dice else _odd_paths(own)),
        },
        optional={"value": values, "from": st.sampled_from([*own, *_TEXTS])},
    )


def _filled(parts: tuple[str, str, str]) -> str:
    template, first, second = parts
    return template.replace("{}", first, 1).replace("{}", second)


def _odd_paths(own: list[str]) -> st.SearchStrategy[Any]:
    ends = st.sampled_from(["/", "/a", "~", "~1", "/-", "//"])
    near = st.tuples(st.sampled_from(own), ends).map("".join)
    return near | st.sampled_from(["", "/", "a", "//", "/~", None, 1]) | st.text(max_size=5)


def raw_requests(populated: Populated) -> st.SearchStrategy[Any]:
    """Requests that no SDK would send: odd paths, queries and bodies."""
    known = [
        str(one)
        for members in populated.known.values()
        for values in members.values()
        for one in values
    ]
    words = "restapis resources methods apikeys v2 apis routes stages tags account usageplans keys"
    segments = st.sampled_from(
        [*words.split(), *known, "", ".", "..", "%", "%2F", "%00", "%zz", "é", "%C3%28", "{a}"]
    )
    paths = st.lists(segments, max_size=6).map(lambda parts: "/" + "/".join(parts))
    queries = st.sampled_from(
        [
            "",
            "limit=1&limit=x",
            "limit=",
            "mode=import&mode=x",
            "%",
            "&&=",
            "embed=methods&embed=a",
            "position=%FF",
            "maxResults=1e3",
            "nextToken=-1",
            "includeValues=TRUE&includeValues=0",
        ]
    )
    bodies = st.sampled_from(
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"1",
            b'"a"',
            b"{}",
            b'{"name":1}',
            b'{"name":"a","name":[]}',
            b'{"a":NaN}',
            b"\xff\xfe",
            b"\xef\xbb\xbf{}",
            b"[" * 9_999,
            b'{"name":"\\ud800"}',
            b'{"patchOperations":{}}',
            b'{"patchOperations":[1]}',
            b'{"patchOperations":[null]}',
        ]
    )
    verbs = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "x"])
    return st.tuples(verbs, paths, queries, bodies)
