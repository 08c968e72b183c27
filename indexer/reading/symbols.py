"""What a file of code defines, calls and brings in, name by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from indexer.splitting.outline import Definition, Outline, Reference
from shared.index.chunk import Symbol
from shared.index.states import SymbolRole

_MOST: Final = 20_000
"""Of one document: a file with more was made by a program."""
_MOST_OF_IMPORT: Final = 30
_LONGEST: Final = 256
_IMPORTED: Final = re.compile(r"[^\W\d]\w*(?:(?:\.|::|/)[^\W\d]\w*)*")
_PARTING: Final = re.compile(r"\.|::|/")
_WORDS_OF_IMPORTS: Final = frozenset({
    "import", "from", "as", "type", "typeof", "use", "pub", "crate", "self", "super", "static",
    "include", "using", "namespace", "package", "with", "extern", "h", "hpp", "default", "const",
})  # fmt: skip


def symbols_of(outline: Outline) -> tuple[Symbol, ...]:
    """Definitions, calls and imports in the order of the text, each name that an import brings."""
    found: list[Symbol] = [_definition(each) for each in outline.definitions]
    for reference in outline.references:
        found += _imports(reference) if reference.kind == "import" else [_call(reference)]
        if len(found) > _MOST:
            break
    found = [each for each in found if len(each.qualified) <= _LONGEST]
    return tuple(sorted(found[:_MOST], key=lambda each: each.line))


def _definition(each: Definition) -> Symbol:
    return Symbol(
        role=SymbolRole.DEFINITION,
        name=_last(each.name),
        qualified=each.name,
        kind=each.kind,
        line=each.first_line,
        signature=each.signature,
        inside=each.name.rpartition(".")[0] or None,
    )


def _call(each: Reference) -> Symbol:
    return Symbol(
        role=SymbolRole.CALL,
        name=each.name,
        qualified=each.name,
        kind="call",
        line=each.line,
        inside=each.inside,
    )


def _imports(each: Reference) -> Iterator[Symbol]:
    names = dict.fromkeys(_IMPORTED.findall(each.name))
    for name in [one for one in names if one not in _WORDS_OF_IMPORTS][:_MOST_OF_IMPORT]:
        yield Symbol(
            role=SymbolRole.IMPORT,
            name=_last(name),
            qualified=name,
            kind="import",
            line=each.line,
            signature=each.name,
            inside=each.inside,
        )


def _last(qualified: str) -> str:
    return _PARTING.split(qualified)[-1]
