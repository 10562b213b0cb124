"""What a mapping template of a REST API sees: ``$input``, ``$context``, ``$stageVariables``, ``$util``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import unquote

from labkit.local.apigateway.event_parts import last_of, listed
from labkit.local.apigateway.rest.call import RestCall
from labkit.local.apigateway.rest.edge_optimized import NEVER_FORWARDED, backend_headers
from labkit.local.apigateway.rest.values import context_values, identity
from labkit.local.apigateway.templates.json_path import MISSING, find
from labkit.local.apigateway.templates.limits import Budget, UnsupportedTemplateError
from labkit.local.apigateway.templates.render import Roots, render
from labkit.local.apigateway.templates.utilities import make_util
from labkit.local.apigateway.templates.values import Tool, Value

_SHORT = 10_000
"""Characters that are gone through on the event loop."""
T = TypeVar("T")


class BodyNotJsonError(Exception):
    """``$input.json`` or ``$input.path`` needs a JSON body."""


async def render_template(call: RestCall, template: str, body: bytes) -> str:
    """The text that a mapping template makes of a request's or response's body.

    A long one is rendered beside the event loop.

    Raises:
        BodyNotJsonError: the template reads the body as JSON, and it isn't.
        UnsupportedTemplateError: it needs more than the local cloud evaluates.
    """
    size = len(template) + len(body) if "#foreach" not in template else _SHORT + 1
    return await run_by_size(size, render, template, roots_of(call, body))


async def run_by_size(size: int, function: Callable[..., T], *arguments: object) -> T:
    """What a function returns: it runs beside the event loop if it has much to go through."""
    if size <= _SHORT:
        return function(*arguments)
    return await asyncio.to_thread(function, *arguments)


def roots_of(call: RestCall, body: bytes) -> Roots:
    """The variables of a template."""
    return {
        "input": lambda budget: _Input(call, body, budget).tool(),
        "context": lambda _budget: _context_of(call),
        "stageVariables": lambda _budget: MappingProxyType(
            {name: str(value) for name, value in call.stage_variables.items()}
        ),
        "util": make_util,
    }


def _context_of(call: RestCall) -> Mapping[str, Value]:
    nested: dict[str, Any] = {k: v for k, v in context_values(call).items() if "." not in k}
    nested["identity"] = _frozen(identity(call))
    context = call.authorizer_context
    if call.claims is not None:  # $context.authorizer.claims alone is nothing (gateway 2.12)
        nested["authorizer"] = MappingProxyType({"claims": Tool(call.claims)})
    elif context is not None:
        nested["authorizer"] = MappingProxyType(context)
    return MappingProxyType({**nested, **call.overrides})


def _frozen(values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Values that a template can't change."""
    return MappingProxyType(
        {name: _frozen(v) if isinstance(v, dict) else v for name, v in values.items()}
    )


class _Input:
    """``$input`` over a body."""

    def __init__(self, call: RestCall, body: bytes, budget: Budget) -> None:
        self._call = call
        self._body = body
        self._budget = budget

    def tool(self) -> Tool:
        """``$input``."""
        return Tool(
            properties={"body": self._body.decode("utf-8", errors="replace")},
            functions={
                "json": self._json,
                "path": self._path,
                "params": self._params,
            },
        )

    def _data(self) -> Value:
        """The body's value, made anew each time: a template may change what it gets."""
        self._budget.make(len(self._body))
        if not self._body.strip():
            return {}
        try:
            return json.loads(self._body, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise BodyNotJsonError("the body isn't JSON") from error

    def _path(self, path: str) -> Value:
        found = find(self._data(), path)
        return None if found is MISSING else found

    def _json(self, path: str) -> str:
        found = find(self._data(), path)
        if found is MISSING:
            return '""'
        try:
            text = json.dumps(found, separators=(",", ":"), ensure_ascii=False)
        except (RecursionError, ValueError, TypeError) as error:
            raise UnsupportedTemplateError("a value can't be written as JSON") from error
        self._budget.make(len(text))
        return text

    def _params(self, name: str | None = None) -> Value:
        if name is None:
            return self._parameters
        for place in ("path", "querystring"):
            if name in self._parameters[place]:
                return self._parameters[place][name]
        wanted = name.lower()
        headers = self._parameters["header"]
        return next((value for key, value in headers.items() if key.lower() == wanted), "")

    @cached_property
    def _parameters(self) -> Mapping[str, Mapping[str, str]]:
        call = self._call
        found = {
            "path": {name: unquote(sent) for name, sent in call.found.path_parameters.items()},
            "querystring": last_of(listed(call.request.query)),
            "header": last_of(listed(backend_headers(call, NEVER_FORWARDED))),
        }
        return MappingProxyType({place: MappingProxyType(held) for place, held in found.items()})


def _refuse(name: str) -> Value:
    raise ValueError(name)
