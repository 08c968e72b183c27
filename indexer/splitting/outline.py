"""What a file of code defines, brings in and calls."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from tree_sitter import Node

from indexer.splitting.languages import Grammar

_NAMES: Final = ("name", "declarator", "type")
_SIGNATURE_LENGTH: Final = 200
_NAME_LENGTH: Final = 200
"""What nests or is called so much longer is no name that anybody looks for."""
_READ_BYTES: Final = 1_024
"""Of a signature or of what is called: enough of either, however long its expression is."""
_BODIES: Final = ("body", "block", "value")
_TYPE_ARGUMENTS: Final = re.compile(r"<[^<>]*>")
_GO_TYPE: Final = re.compile(r"(\w+)\s*(?:\[[^]]*\])?\s*\)\Z")
"""Of a receiver: methods of Go stand outside of their type."""
_STATEMENTS: Final = frozenset({
    "decorated_definition", "export_statement", "template_declaration", "lexical_declaration",
    "variable_declaration", "type_declaration",
})  # fmt: skip
"""What a definition may stand in that begins before it."""
_BESIDE: Final = frozenset({"decorator", "template_parameter_list", "requires_clause", "comment"})
"""What stands beside a definition in its statement and is none."""
_VARIABLE: Final = "variable"
_FUNCTION_VALUES: Final = frozenset({"arrow_function", "function_expression", "class"})


class Definition(msgspec.Struct, frozen=True):
    """A function, a class or what else has a name; places are bytes of the text in UTF-8."""

    name: str
    """Qualified by the definitions that it stands in, with dots."""
    kind: str
    signature: str
    """Its first words, up to where its body begins, on one line."""
    start: int
    end: int
    first_line: int


class Reference(msgspec.Struct, frozen=True):
    """A call of something by a name, or the bringing in of a module."""

    name: str
    kind: str
    """`call` or `import`."""
    inside: str | None
    """The qualified name of the definition that it stands in."""
    line: int


class Outline(msgspec.Struct, frozen=True):
    """In the order of the text."""

    definitions: list[Definition]
    references: list[Reference]


def outline_of(root: Node, source: bytes, grammar: Grammar) -> Outline:
    """Read from a tree with errors in it as from any other: the rest of it is right."""
    outline = Outline([], [])
    waiting: list[tuple[Node, Definition | None, Node | None]] = [(root, None, None)]
    while waiting:
        node, inside, statement = waiting.pop()
        if reference := _reference(node, source, grammar, inside):
            outline.references.append(reference)
        definition = _definition(node, source, grammar, inside, statement or node)
        if definition is not None:
            outline.definitions.append(definition)
            inside = definition
        children = node.children
        statement = (statement or node) if _holds_one(node, children) else None
        waiting += [(child, inside, statement) for child in reversed(children)]
    return outline


def _definition(
    node: Node, source: bytes, grammar: Grammar, inside: Definition | None, whole: Node
) -> Definition | None:
    kind = grammar.definitions.get(node.type)
    if kind is None or not node.is_named:
        return None
    body = next(filter(None, map(node.child_by_field_name, _BODIES)), None)
    if kind == _VARIABLE:
        if body is None or body.type not in _FUNCTION_VALUES:
            return None
        body = body.child_by_field_name("body") or body
    if node.type.endswith("_specifier") and body is None:
        return None  # the use of a struct, not its definition
    name = _name(node, source)
    if not name:
        return None
    qualified = f"{inside.name}.{name}" if inside else name
    if len(qualified) > _NAME_LENGTH:
        return None
    end = body.start_byte if body is not None else node.end_byte
    signature = _one_line(_text(source, node.start_byte, min(end, node.start_byte + _READ_BYTES)))
    row = whole.start_point.row
    return Definition(qualified, kind, signature, whole.start_byte, whole.end_byte, row + 1)


def _holds_one(node: Node, children: list[Node]) -> bool:
    """Whether it is the `export`, the decorators or the template head of one definition alone."""
    return node.type in _STATEMENTS and (
        sum(child.is_named and child.type not in _BESIDE for child in children) == 1
    )


def _name(node: Node, source: bytes) -> str:
    """Down to the identifier: C's declarators wrap it in pointers and parameters."""
    named = node.child_by_field_name("name")
    while named is None or (named.child_count and named.type != "qualified_identifier"):
        inner = next(filter(None, map((named or node).child_by_field_name, _NAMES)), None)
        if inner is None:
            break
        named = inner
    if named is None:
        return ""
    written = "".join(_text(source, named.start_byte, named.end_byte).split())
    name = _TYPE_ARGUMENTS.sub("", written).replace("::", ".")
    receiver = node.child_by_field_name("receiver")  # Go's methods stand outside of their type
    of = (
        _GO_TYPE.search(_text(source, receiver.start_byte, receiver.end_byte)) if receiver else None
    )
    return f"{of[1]}.{name}" if of else name


def _reference(
    node: Node, source: bytes, grammar: Grammar, inside: Definition | None
) -> Reference | None:
    within = inside.name if inside else None
    line = node.start_point.row + 1
    if node.type in grammar.imports:
        end = min(node.end_byte, node.start_byte + _READ_BYTES)
        statement = _text(source, node.start_byte, end).rstrip(";")
        return Reference(_one_line(statement), "import", within, line)
    field = grammar.calls.get(node.type)
    called = node.child_by_field_name(field) if field else None
    if called is None:
        return None
    # Only its end: a chain of calls is the expression that is called, once for each of them.
    begun = max(called.start_byte, called.end_byte - _READ_BYTES)
    said = "".join(_text(source, begun, called.end_byte).split())
    name = re.split(r"\.|::|->", said)[-1]
    is_name = len(name) <= _NAME_LENGTH and re.fullmatch(r"\w[\w?!]*", name)
    return Reference(name, "call", within, line) if is_name else None


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_SIGNATURE_LENGTH]


def _text(source: bytes, start: int, end: int) -> str:
    return source[start:end].decode(errors="replace")
