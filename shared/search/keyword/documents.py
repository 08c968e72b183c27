"""A passage as Meilisearch keeps it, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from shared.search.keyword.keys import keys_of, numbers_of
from shared.search.keyword.words import identifiers_of
from shared.search.point import Passage, Scope
from shared.search.vector_store import StoreRefused

Document = dict[str, Any]
READ: Final = ["id", "tenant", *Passage.__struct_fields__]
"""What is read back of a document."""


class KeptVersion(msgspec.Struct, frozen=True):
    """Whose a document is, and of which delivery."""

    id: str
    tenant: str
    ver: int


def versions_of(documents: Sequence[Mapping[str, Any]]) -> list[KeptVersion]:
    """Raises `StoreRefused` where one is none of ours: written over, it would be lost."""
    try:
        return msgspec.convert(documents, list[KeptVersion])
    except msgspec.ValidationError as error:
        raise StoreRefused(f"A document is no passage of ours: {error}") from error


def document_of(name: str, passage: Passage, scope: Scope) -> Document:
    """The whole document: its words of code split, and beside it what a filter asks for.

    Attributes are one text, for each key would be a field of the index, and it has 65,535.
    """
    kept: Document = msgspec.to_builtins(passage)
    attributes = msgspec.json.encode(passage.attributes).decode()
    return kept | {
        "id": name,
        "tenant": scope.tenant,
        "attributes": attributes,
        "identifiers": identifiers_of((passage.symbol or "", passage.header, passage.body)),
        "keys": keys_of(passage, scope),
        "numbers": numbers_of(passage),
    }


def passage_of(document: Mapping[str, Any], scope: Scope) -> Passage:
    """Raises `StoreRefused` where it is no passage of this tenant."""
    name = document.get("id")
    if document.get("tenant") != scope.tenant:
        raise StoreRefused(f"Meilisearch gave {name}, which is not of the tenant that asked.")
    try:
        attributes = msgspec.json.decode(document.get("attributes") or "")
        return msgspec.convert({**document, "attributes": attributes}, Passage)
    except (msgspec.DecodeError, TypeError) as error:
        raise StoreRefused(f"Document {name} is no passage of ours: {error}") from error


def batches(documents: Iterable[Document], batch_bytes: int) -> Iterator[list[Document]]:
    """In their order, each of at most so many bytes, or a single one."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        more = len(msgspec.json.encode(document))
        if batch and size + more > batch_bytes:
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += more
    if batch:
        yield batch
