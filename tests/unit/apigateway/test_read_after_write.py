"""What is written is what is read: by Terraform, Pulumi and the CDK, which compare the two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.apigateway.control.patches import names_in
from tests.support import written_http_settings, written_settings
from tests.support.control_plane import ControlPlane, operation_model
from tests.support.written_settings import Kind

JsonObject = dict[str, Any]
KINDS = {**written_settings.KINDS, **written_http_settings.KINDS}
AS_WRITTEN = {"integrationHttpMethod": "httpMethod"}
"""Members that answers show under another name."""
DEFAULTS = {
    "apiKeySource": "HEADER",
    "enabled": False,
    "passthroughBehavior": "WHEN_NO_MATCH",
    "timeoutInMillis": 29_000,
}
"""What stands for a member that nobody writes."""
FILLED_IN = {"endpointConfiguration", "DefaultRouteSettings", "DomainNameConfigurations"}
"""Members of which answers show more than was written (recorded 1.1)."""


class Written:
    """A record of a kind, as it is in control planes of its own."""

    def __init__(self, kind: Kind, settings: JsonObject) -> None:
        self.kind = kind
        self.plane = ControlPlane().of(kind.service)
        self.where = kind.before(self.plane.of("apigateway"))
        self.created = self.plane.made(kind.create, **self.where, **settings)
        named = {parameter: self.created[name] for name, parameter in kind.named.items()}
        self.where = {
            name: value
            for name, value in {**self.where, **named}.items()
            if name in operation_model(kind.service, kind.get).input_shape.members
            and name not in ("parentId", *self._of_body)
        }

    @property
    def _of_body(self) -> set[str]:
        members = operation_model(self.kind.service, self.kind.get).input_shape.members
        return {n for n, m in members.items() if m.serialization.get("location") != "uri"}

    def read(self) -> JsonObject:
        more = {"includeValue": True} if self.kind.get == "GetApiKey" else {}
        return self.plane.made(self.kind.get, **self.where, **more)

    def change(self, before: JsonObject, after: JsonObject) -> JsonObject:
        """The answer to an update that makes settings other ones."""
        if self.kind.paths:
            operations = list(patches(self.kind, before, after))
            return self.plane.made(self.kind.update, **self.where, patchOperations=operations)
        changed = {name: after.get(name, emptied(before.get(name))) for name in {*before, *after}}
        required = operation_model(self.kind.service, self.kind.update).input_shape.required_members
        members = {name: one for name, one in changed.items() if name not in self.kind.fixed}
        members |= {name: self.created[name] for name in required if name in self.created}
        return self.plane.made(self.kind.update, **{**self.where, **members})


def emptied(value: Any) -> Any:
    return type(value)()


def patches(kind: Kind, before: JsonObject, after: JsonObject) -> Iterator[JsonObject]:
    """The patch operations between two settings."""
    for path in kind.paths:
        name, *rest = names_in(path.template)
        old, new = before.get(name), after.get(name)
        if name in kind.fixed or old == new:
            continue
        if not rest and not isinstance(old if old is not None else new, dict | list):
            value = new if new is not None else DEFAULTS.get(name, "")
            yield {"op": "replace", "path": path.template, "value": text(value)}
        elif rest == ["{}"]:
            yield from entries(name, old or {}, new or {})
        elif len(rest) == 1:
            was, becomes = (old or {}).get(rest[0]), (new or {}).get(rest[0])
            if was != becomes and (new or name == "mutualTlsAuthentication"):
                value = "" if becomes is None else text(becomes)
                yield {"op": "replace", "path": path.template, "value": value}
        elif not rest and "remove" in path.operations and new is None:
            yield {"op": "remove", "path": path.template}


def entries(name: str, old: Any, new: Any) -> Iterator[JsonObject]:
    """Those of a map, or of a list."""
    for key in old:
        if key not in new or isinstance(old, list):
            yield {"op": "remove", "path": f"/{name}/{escaped(key)}"}
    for key in new:
        operation = {"op": "add", "path": f"/{name}/{escaped(key)}"}
        yield operation if isinstance(new, list) else {**operation, "value": text(new[key])}


def escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def without_empty_tags(shown: JsonObject) -> JsonObject:
    """Tags {} are shown by some operations, and by others they aren't (recorded 1.12, 1.34)."""
    return {n: v for n, v in shown.items() if (n, v) not in (("tags", {}), ("value", None))}


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_a_create_shows_what_was_written_and_so_does_a_get(name: str, data: Any) -> None:
    settings = data.draw(KINDS[name].settings)
    written = Written(KINDS[name], settings)
    assert without_empty_tags(written.read()) == without_empty_tags(written.created)
    for member, value in settings.items():
        shown = written.created.get(AS_WRITTEN.get(member, member))
        if member in FILLED_IN:
            assert contains(shown, value), member
        elif member == "cacheKeyParameters" or not (
            settings.get("type") == "MOCK" and shown is None
        ):
            assert shown == value, member


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_nothing_is_filled_in(name: str, data: Any) -> None:
    settings = data.draw(KINDS[name].settings)
    model = operation_model(KINDS[name].service, KINDS[name].create).input_shape
    optional = sorted(set(settings) - set(model.required_members) - NEEDED)
    fewer = {n: v for n, v in settings.items() if n not in optional}
    bare = set(Written(KINDS[name], fewer).created)
    shown = set(Written(KINDS[name], settings).created)
    assert shown - bare <= {AS_WRITTEN.get(n, n) for n in settings}


NEEDED = {
    "type",
    "uri",
    "integrationHttpMethod",
    "authorizerUri",
    "identitySource",
    "providerARNs",
    "regionalCertificateArn",
    "endpointConfiguration",
    "schema",
    "domainName",
    "IntegrationUri",
    "IdentitySource",
    "JwtConfiguration",
    "DomainNameConfigurations",
}
"""Members that the model doesn't require, and the operations do."""


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_an_update_leaves_what_a_create_would_have_made(name: str, data: Any) -> None:
    kind = KINDS[name]
    before, drawn = data.draw(kind.settings), data.draw(kind.settings)
    after = {n: v for n, v in drawn.items() if n not in kind.fixed}
    after |= {n: v for n, v in before.items() if n in kind.fixed}
    written = Written(kind, before)
    answer = written.change(before, after)
    read, wanted = written.read(), Written(kind, after).created
    assert comparable(answer) == comparable({n: v for n, v in read.items() if n in answer})
    assert comparable(read) == comparable(wanted)


def contains(shown: Any, written: Any) -> bool:
    """Whether an answer has what was written, and maybe more."""
    if isinstance(written, dict):
        return all(contains(shown[name], value) for name, value in written.items())
    if isinstance(written, list) and len(written) == len(shown):
        return all(map(contains, shown, written))
    return bool(shown == written)


def comparable(shown: JsonObject) -> JsonObject:
    """An answer; the order of media types and key parameters is that of their coming (recorded 1.13)."""
    found = {name: value for name, value in without_empty_tags(shown).items() if name != "value"}
    for name in ("binaryMediaTypes", "cacheKeyParameters"):
        if name in found:
            found[name] = sorted(found[name])
    return found
