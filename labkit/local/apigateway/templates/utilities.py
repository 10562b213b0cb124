"""``$util``: the functions of API Gateway's mapping template reference."""

from __future__ import annotations

import base64
import binascii
import json
import re
from urllib.parse import quote_plus, unquote_plus

from labkit.local.apigateway.templates.limits import Budget, UnsupportedTemplateError
from labkit.local.apigateway.templates.values import Tool, Value, write

_TO_ESCAPE = re.compile(r"[\"'\\/\x00-\x1f\x7f-\U0010ffff]")
_SHORT = {"\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"}


def make_util(budget: Budget) -> Tool:
    """``$util`` of one rendering."""

    def text_of(value: Value) -> str:
        return write(value, budget)

    def escape(value: Value) -> str:
        text = text_of(value)
        budget.make(6 * len(text))
        return escape_javascript(text)

    return Tool(
        functions={
            "escapeJavaScript": escape,
            "parseJson": lambda value: parse_json(text_of(value)),
            "urlEncode": lambda value: quote_plus(text_of(value), safe="*"),
            "urlDecode": lambda value: unquote_plus(text_of(value)),
            "base64Encode": lambda value: base64.b64encode(text_of(value).encode()).decode(),
            "base64Decode": lambda value: _decode(text_of(value)),
        }
    )


def escape_javascript(text: str) -> str:
    r"""A text as JavaScript takes it between quotes; a single quote is escaped too (gateway 17.1).

    >>> print(escape_javascript("it's \"é\""))
    it\'s \"\u00E9\"
    """
    return _TO_ESCAPE.sub(lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    if character in "\"'\\/":
        return "\\" + character
    if character in _SHORT:
        return _SHORT[character]
    units = character.encode("utf-16-be", "surrogatepass")
    pairs = (units[i : i + 2].hex().upper() for i in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs)


def parse_json(text: str) -> Value:
    """The value of a JSON text.

    Raises:
        UnsupportedTemplateError: it isn't JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UnsupportedTemplateError("$util.parseJson was given no JSON") from error


def _refuse(name: str) -> Value:
    raise ValueError(name)


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise UnsupportedTemplateError("$util.base64Decode was given no Base64 text") from error
