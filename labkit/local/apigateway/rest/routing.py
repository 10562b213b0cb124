"""The route gate: which resource and method serve a path and a verb (gateway 8.2-8.12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from labkit.local.apigateway.paths import segments_of
from labkit.local.apigateway.records import is_path_parameter
from labkit.local.apigateway.rest.records import Method, Resource, RestDeployment


@dataclass(frozen=True, slots=True)
class Route:
    """The method that serves a request.

    Attributes:
        resource: the resource.
        method: the method.
        path_parameters: name → value as it was sent, encoded (gateway 8.17).
    """

    resource: Resource
    method: Method
    path_parameters: dict[str, str]


def find_route(deployment: RestDeployment, verb: str, raw_path: str) -> Route | None:
    """The route of a request, or None: then the client gets ``Missing Authentication Token`` (gateway 8.2).

    A static segment beats ``{param}``, which beats ``{proxy+}`` (gateway 8.6). Where the best resource doesn't serve
    the verb, the request falls through to the most specific ``{proxy+}`` that does (gateway 8.7); only a fall-through
    to a greedy resource has been measured on AWS, so there is no other. Resources are found by decoded segments; a
    ``%2F`` stays inside its own: it never separates.
    """
    segments = segments_of(raw_path)
    exact = _exact(deployment, segments)
    if exact is not None:
        resource, parameters = exact
        method = resource.method_for(verb)
        if method is not None:
            return Route(resource, method, parameters)
    for resource, parameters in _greedy(deployment, segments):
        method = resource.method_for(verb)
        if method is not None:
            return Route(resource, method, parameters)
    return None


def _exact(
    deployment: RestDeployment, segments: list[str]
) -> tuple[Resource, dict[str, str]] | None:
    resource, parameters = deployment.root, dict[str, str]()
    for sent in segments:
        segment = unquote(sent)
        below = deployment.children.get(resource.parts, ()) if resource else ()
        resource = next(
            (r for r in below if r.parts[-1] == segment and not is_path_parameter(segment)), None
        )
        if resource is None and segment:
            resource = next((r for r in below if is_path_parameter(r.parts[-1])), None)
            if resource is not None:
                parameters[resource.parts[-1][1:-1]] = sent
        if resource is None:
            return None
    return None if resource is None else (resource, parameters)


def _greedy(
    deployment: RestDeployment, segments: list[str]
) -> Iterator[tuple[Resource, dict[str, str]]]:
    """The matching ``{proxy+}`` resources, the most specific first; a proxy doesn't match its parent (gateway 8.9)."""
    found = []
    for resource in deployment.greedy_resources:
        parents, name = resource.parts[:-1], resource.parts[-1][1:-2]
        if not any(segments[len(parents) :]):
            continue
        parameters: dict[str, str] = {}
        rank = []
        for configured, sent in zip(parents, segments, strict=False):
            if is_path_parameter(configured) and sent:
                parameters[configured[1:-1]] = sent
                rank.append(1)
            elif configured == unquote(sent):
                rank.append(0)
            else:
                break
        else:
            parameters[name] = "/".join(segments[len(parents) :])
            found.append(((-len(parents), rank), resource, parameters))
    found.sort(key=lambda match: match[0])
    return ((resource, parameters) for _rank, resource, parameters in found)
