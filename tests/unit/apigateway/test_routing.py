"""The route gate against a model that tries every resource."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.local.apigateway.records import VERBS
from labkit.local.apigateway.rest.routing import find_route
from tests.support.rest_calls import METHOD, deployment

PART = st.sampled_from(["a", "b", "{x}"])
PATH = st.tuples(st.lists(PART, max_size=4), st.booleans())
METHODS = st.lists(st.sampled_from(["GET", "POST", "ANY"]), max_size=3).map(
    lambda verbs: dict.fromkeys(verbs, METHOD)
)
SEGMENT = st.sampled_from(
    [
        "a",
        "b",
        "c",
        "",
        "%61",
        "%2F",
        "a%2Fb",
        "%7Bx%7D",
        "{x}",
        "..",
        "%2e%2e",
        ".",
        "%C3%A9",
        "%",
        "%zz",
        "a%20b",
        "+",
    ]
)


def _tree(
    paths: list[tuple[list[str], bool]], methods: list[dict[str, object]]
) -> dict[str, dict[str, object]]:
    """The resources of these paths and all their parents, as the control plane would have them."""
    tree: dict[str, dict[str, object]] = {"/": {}}
    for (parts, greedy), verbs in zip(paths, methods, strict=False):
        named = [f"{{x{i}}}" if part == "{x}" else part for i, part in enumerate(parts)]
        full = [*named, "{proxy+}"] if greedy else named
        for end in range(len(full)):
            tree.setdefault("/" + "/".join(full[:end]), {})
        tree["/" + "/".join(full)] = verbs
    return tree


def _model(tree: dict[str, dict[str, object]], verb: str, raw_path: str) -> str | None:
    """The path of the resource that serves a request: every rule applied to every resource."""
    body = raw_path.lstrip("/").removesuffix("/")
    sent = [unquote(part) for part in body.split("/")] if body else []

    def serves(path: str) -> bool:
        return verb in VERBS and bool({verb, "ANY"} & set(tree[path]))

    def matches(parts: list[str], segments: list[str]) -> bool:
        return len(parts) == len(segments) and all(
            segment != "" if part.startswith("{") else part == segment
            for part, segment in zip(parts, segments, strict=True)
        )

    def rank(parts: list[str]) -> list[bool]:
        return [part.startswith("{") for part in parts]

    split = {path: [part for part in path.split("/") if part] for path in tree}
    plain = {p: parts for p, parts in split.items() if not p.endswith("+}")}
    fitting = [parts for parts in plain.values() if matches(parts, sent[: len(parts)])]
    for path, parts in plain.items():
        best = all(rank(parts)[: len(other)] <= rank(other) for other in fitting)
        if matches(parts, sent) and best and serves(path):
            return path
    greedy = [
        (-len(parts), rank(parts), path)
        for path, parts in split.items()
        if path.endswith("+}")
        and matches(parts[:-1], sent[: len(parts) - 1])
        and any(sent[len(parts) - 1 :])
        and serves(path)
    ]
    return min(greedy)[2] if greedy else None


@given(
    st.lists(PATH, min_size=1, max_size=6),
    st.lists(METHODS, min_size=6, max_size=6),
    st.sampled_from(["GET", "POST", "PUT", "ANY", "TRACE"]),
    st.lists(SEGMENT, max_size=5),
    st.booleans(),
)
def test_the_model_agrees(
    paths: list[tuple[list[str], bool]],
    methods: list[dict[str, object]],
    verb: str,
    segments: list[str],
    slash: bool,
) -> None:
    tree = _tree(paths, methods)
    raw_path = "/" + "/".join(segments) + ("/" if slash else "")
    route = find_route(deployment(tree), verb, raw_path)
    assert (route and route.resource.path) == _model(tree, verb, raw_path)


@given(st.text(), st.text(max_size=8))
def test_no_path_and_no_verb_raises(raw_path: str, verb: str) -> None:
    tree = {"/": {"GET": METHOD}, "/a/{x}": {"GET": METHOD}, "/{proxy+}": {"ANY": METHOD}}
    route = find_route(deployment(tree), verb, raw_path)
    assert route is None or verb in VERBS


@pytest.mark.parametrize(
    ("raw_path", "resource", "parameters"),
    [
        ("/", "/", {}),
        ("", "/", {}),
        ("//", "/", {}),
        ("/pets", "/pets", {}),
        ("/pets/", "/pets", {}),
        ("/p%65ts", "/pets", {}),
        ("/pets/%20", "/pets/{id}", {"id": "%20"}),
        ("/pets/a%2Fb", "/pets/{id}", {"id": "a%2Fb"}),
        ("/pets/..", "/pets/{id}", {"id": ".."}),
        ("/pets/%2e%2e%2fadmin", "/pets/{id}", {"id": "%2e%2e%2fadmin"}),
        ("/pets/%C3%A9", "/pets/{id}", {"id": "%C3%A9"}),
        ("/pets/%ff", "/pets/{id}", {"id": "%ff"}),
        ("/pets/%zz", "/pets/{id}", {"id": "%zz"}),
        ("/pets/a+b", "/pets/{id}", {"id": "a+b"}),
        ("/pets/%7Bid%7D", "/pets/{id}", {"id": "%7Bid%7D"}),
        ("///pets/7", "/pets/{id}", {"id": "7"}),
        ("/files/a/b/c", "/files/{path+}", {"path": "a/b/c"}),
        ("/files/a//c", "/files/{path+}", {"path": "a//c"}),
        ("/files/%2e%2e/pets", "/files/{path+}", {"path": "%2e%2e/pets"}),
        ("/%2Fpets", None, {}),
        ("//pets", "/pets", {}),
        ("/pets//", None, {}),
        ("/files", None, {}),
        ("/files/", None, {}),
        ("/files//", None, {}),
        ("/PETS", None, {}),
        ("/pets%2F7", None, {}),
        ("/pets/7/8", None, {}),
        ("/%7Bid%7D", None, {}),
    ],
)
def test_encoded_paths(raw_path: str, resource: str | None, parameters: dict[str, str]) -> None:
    tree = {path: {"GET": METHOD} for path in ("/", "/pets", "/pets/{id}", "/files/{path+}")}
    tree["/files"] = {}
    route = find_route(deployment(tree), "GET", raw_path)
    assert (route and route.resource.path) == resource
    if route:
        assert route.path_parameters == parameters
