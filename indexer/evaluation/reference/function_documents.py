"""Functions of Python as documents, each by itself, with nothing of the rest of its file."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

import msgspec

from indexer.evaluation.reference.reference_words import in_plain_words

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


class FunctionDocument(msgspec.Struct, frozen=True):
    """One function, methods and those within others as well."""

    line: int
    """Where its `def` stands."""
    header: str
    """Its path, its qualified name and its signature, in words."""
    code: str
    """As it is written, decorators included."""


def functions_of(path: str, source: str) -> Iterator[FunctionDocument]:
    """In the order of the text. Raises SyntaxError and ValueError of what is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in strings of old files
        tree = ast.parse(source)
    lines = source.encode().splitlines(keepends=True)
    yield from _below(tree, (*PurePosixPath(path).with_suffix("").parts,), lines)


def _below(node: ast.AST, names: tuple[str, ...], lines: list[bytes]) -> Iterator[FunctionDocument]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
            yield from _below(child, names, lines)
            continue
        inner = (*names, child.name)
        if isinstance(child, _FUNCTIONS):
            first = min(each.lineno for each in (child, *child.decorator_list))
            gives = f" {ast.unparse(child.returns)}" if child.returns else ""
            said = f"{' '.join(inner)} {child.name} {ast.unparse(child.args)}{gives}"
            code = b"".join(lines[first - 1 : child.end_lineno]).decode()
            yield FunctionDocument(child.lineno, in_plain_words(said), code)
        yield from _below(child, inner, lines)
