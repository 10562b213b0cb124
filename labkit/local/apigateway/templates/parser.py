"""Reads a mapping template: VTL text to nodes.

The grammar is that of Apache Velocity's reference; a directive that the local cloud doesn't evaluate is refused here.
"""

from __future__ import annotations

import re

from labkit.local.apigateway.templates.expressions import ExpressionParser, SyntaxFault
from labkit.local.apigateway.templates.limits import (
    MAX_DEPTH,
    MAX_TEMPLATE,
    UnsupportedTemplateError,
)
from labkit.local.apigateway.templates.syntax import (
    Break,
    Expression,
    Foreach,
    If,
    Literal,
    Node,
    Set,
)

_PLAIN = re.compile(r"[^$#\\]+")
_DIRECTIVE = re.compile(r"#(?:\{(?P<braced>[A-Za-z]+)\}|(?P<name>[A-Za-z]+))")
_KNOWN = frozenset({"set", "if", "elseif", "else", "end", "foreach", "break"})
_REFUSED = frozenset({"macro", "define", "include", "parse", "evaluate", "stop"})
_REST_OF_LINE = re.compile(r"[ \t\r]*\n")
_COMMENT = re.compile(r"##[^\n]*\n?|#\*.*?\*#", re.DOTALL)
_VERBATIM = re.compile(r"#\[\[(.*?)\]\]#", re.DOTALL)


def parse_template(text: str) -> tuple[Node, ...]:
    """The nodes of a template.

    Raises:
        UnsupportedTemplateError: it can't be read, or has a directive that isn't evaluated.
    """
    if len(text) > MAX_TEMPLATE:
        raise UnsupportedTemplateError(f"it is longer than {MAX_TEMPLATE} characters")
    try:
        return _TemplateParser(text).parse()
    except SyntaxFault as fault:
        line = text.count("\n", 0, fault.position) + 1
        raise UnsupportedTemplateError(f"{fault} (line {line})") from None


class _TemplateParser(ExpressionParser):
    def parse(self) -> tuple[Node, ...]:
        nodes, ended_by = self._block()
        if ended_by is not None:
            raise SyntaxFault(f"#{ended_by} without its #if or #foreach", self.position)
        return nodes

    def _block(self) -> tuple[tuple[Node, ...], str | None]:
        """Nodes up to the directive that ends them: ``end``, ``else``, ``elseif``; None at the text's end."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SyntaxFault("it is nested too deeply", self.position)
        nodes: list[Node] = []
        ended_by = None
        while self.position < len(self.text):
            if plain := _PLAIN.match(self.text, self.position):
                self._add_text(nodes, plain[0])
                self.position = plain.end()
                continue
            character = self.text[self.position]
            if character == "$":
                self._reference_or_text(nodes)
            elif character == "\\":
                self._backslash(nodes)
            else:
                ended_by = self._hash(nodes)
                if ended_by is not None:
                    break
        self.depth -= 1
        return tuple(nodes), ended_by

    @staticmethod
    def _add_text(nodes: list[Node], text: str) -> None:
        if nodes and isinstance(last := nodes[-1], Literal):
            nodes[-1] = Literal(f"{last.value}{text}")
        else:
            nodes.append(Literal(text))

    def _reference_or_text(self, nodes: list[Node]) -> None:
        reference = self.reference(in_text=True)
        if reference is None:
            self._add_text(nodes, "$")
            self.position += 1
        else:
            nodes.append(reference)

    def _backslash(self, nodes: list[Node]) -> None:
        follows = self.text[self.position + 1 : self.position + 3]
        if follows[:1] in ("$", "#") and (follows[1:2].isalpha() or follows[1:2] in ("{", "!")):
            raise SyntaxFault("the local cloud doesn't evaluate \\$ and \\#", self.position)
        self._add_text(nodes, "\\")
        self.position += 1

    def _hash(self, nodes: list[Node]) -> str | None:
        """A comment, a directive or a text that begins with ``#``; the directive that ends the block, or None."""
        if verbatim := _VERBATIM.match(self.text, self.position):
            self._add_text(nodes, verbatim[1])
            self.position = verbatim.end()
            return None
        if comment := _COMMENT.match(self.text, self.position):
            self.position = comment.end()
            return None
        match = _DIRECTIVE.match(self.text, self.position)
        name = (match["braced"] or match["name"]) if match else ""
        if name in _REFUSED:
            raise SyntaxFault(f"the local cloud doesn't evaluate #{name}", self.position)
        if match is None or name not in _KNOWN:
            self._add_text(nodes, "#")
            self.position += 1
            return None
        self.position = match.end()
        if name == "set":
            nodes.append(self._set())
        elif name == "if":
            nodes.append(self._if())
        elif name == "foreach":
            nodes.append(self._foreach())
        elif name == "break":
            nodes.append(Break())
            self._skip_line_end()
        else:
            if name != "elseif":
                self._skip_line_end()
            return name
        return None

    def _skip_line_end(self) -> None:
        """A directive that ends its line takes the line's end with it."""
        if rest := _REST_OF_LINE.match(self.text, self.position):
            self.position = rest.end()

    def _set(self) -> Set:
        self.expect("(")
        self.skip_blanks()
        target = self.reference(in_text=False)
        if target is None:
            raise SyntaxFault("#set needs a reference", self.position)
        self.expect("=")
        value = self.expression()
        self.expect(")")
        self._skip_line_end()
        return Set(target, value)

    def _condition(self) -> Expression:
        self.expect("(")
        condition = self.expression()
        self.expect(")")
        self._skip_line_end()
        return condition

    def _if(self) -> If:
        branches: list[tuple[Expression, tuple[Node, ...]]] = []
        condition: Expression = self._condition()
        in_else = False
        while True:
            nodes, ended_by = self._block()
            branches.append((condition, nodes))
            if ended_by == "end":
                return If(tuple(branches))
            if ended_by is None or in_else:
                raise SyntaxFault("#if without its #end", self.position)
            in_else = ended_by == "else"
            condition = Literal(True) if in_else else self._condition()

    def _foreach(self) -> Foreach:
        self.expect("(")
        self.skip_blanks()
        variable = self.reference(in_text=False)
        if variable is None or variable.accesses:
            raise SyntaxFault("#foreach needs a variable", self.position)
        self.expect("in")
        items = self.expression()
        self.expect(")")
        self._skip_line_end()
        nodes, ended_by = self._block()
        if ended_by != "end":
            raise SyntaxFault("#foreach without its #end", self.position)
        return Foreach(variable.name, items, nodes)

    def nodes_of(self, text: str) -> tuple[Node, ...]:
        inner = _TemplateParser(text)
        inner.depth = self.depth
        return inner.parse()
