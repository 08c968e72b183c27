"""The symbols of a document, which come and go with what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert

from shared.index.chunk import Symbol
from shared.index.document import Document
from shared.index.tables import symbol
from shared.storable_text import storable

_GROUP: Final = 500
_LONGEST_NAME: Final = 256


def forget_symbols(connection: Connection, of: Document) -> None:
    """Those that it had, within the caller's transaction."""
    connection.execute(_FORGET_SYMBOLS, _key(of))


def keep_symbols(
    connection: Connection, symbols: Iterable[tuple[Document, Sequence[Symbol]]]
) -> None:
    """Those of documents that have none here, within the caller's transaction."""
    rows = [
        _key(of) | {"ordinal": ordinal, "tenant_id": of.tenant_id} | _symbol(each)
        for of, some in symbols
        for ordinal, each in enumerate(some)
    ]
    for first in range(0, len(rows), _GROUP):
        connection.execute(insert(symbol), rows[first : first + _GROUP])


def _key(of: Document) -> dict[str, Any]:
    return {"collection_id": of.collection_id, "document_id": of.id}


def _symbol(of: Symbol) -> dict[str, Any]:
    names = {
        "name": of.name,
        "folded": of.name.lower(),
        "qualified": of.qualified,
        "inside": of.inside,
    }
    cut = {each: name and storable(name)[:_LONGEST_NAME] for each, name in names.items()}
    signature = of.signature and storable(of.signature)
    return cut | {
        "role": of.role,
        "kind": of.kind[:32],
        "line": of.line,
        "signature": signature,
    }


_FORGET_SYMBOLS: Final = delete(symbol).where(
    symbol.c.collection_id == bindparam("collection_id"),
    symbol.c.document_id == bindparam("document_id"),
)
