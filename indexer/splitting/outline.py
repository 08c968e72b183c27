"""What a file of code defines, brings in and calls."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from tree_sitter import Node

from indexer.splitting.languages import Grammar

_NAMES: Final = ("name", "declarator", "type")
_SIGNATURE_LENGTH: Final = 200
_BODIES: Final = ("body", "block", "value")
_TYPE_ARGUMENTS: Final = re.compile(r"<[^<>]*>")
_GO_TYPE: Final = re.compile(r"(\w+)\s*(?:\[[^]]*\])?\s*\)\Z")
"""Of a receiver: methods of Go stand outside of their type."""
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
    waiting: list[tuple[Node, Definition | None]] = [(root, None)]
    while waiting:
        node, inside = waiting.pop()
        if reference := _reference(node, source, grammar, inside):
            outline.references.append(reference)
        definition = _definition(node, source, grammar, inside)
        if definition is not None:
            outline.definitions.append(definition)
            inside = definition
        waiting += [(child, inside) for child in reversed(node.children)]
    return outline


def _definition(
    node: Node, source: bytes, grammar: Grammar, inside: Definition | None
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
    whole = _whole(node)
    end = body.start_byte if body is not None else node.end_byte
    signature = _one_line(_text(source, node.start_byte, end))
    row = whole.start_point.row
    return Definition(qualified, kind, signature, whole.start_byte, whole.end_byte, row + 1)


def _whole(node: Node) -> Node:
    """With its decorators, its `export` or its template head."""
    parent = node.parent
    while parent is not None and parent.type in {
        "decorated_definition",
        "export_statement",
        "template_declaration",
        "lexical_declaration",
        "variable_declaration",
        "type_declaration",
    }:
        if sum(child.is_named and child.type != "decorator" for child in parent.children) > 2:
            break  # several share it
        node, parent = parent, parent.parent
    return node


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
        statement = _text(source, node.start_byte, node.end_byte).rstrip(";")
        return Reference(_one_line(statement), "import", within, line)
    field = grammar.calls.get(node.type)
    called = node.child_by_field_name(field) if field else None
    if called is None:
        return None
    said = re.sub(r"\s+", "", _text(source, called.start_byte, called.end_byte))
    name = re.split(r"\.|::|->", said)[-1]
    return Reference(name, "call", within, line) if re.fullmatch(r"\w[\w?!]*", name) else None


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_SIGNATURE_LENGTH]


def _text(source: bytes, start: int, end: int) -> str:
    return source[start:end].decode(errors="replace")
