"""What indexing makes of a document: chunks, vectors and symbols."""

from __future__ import annotations

import msgspec

from shared.index.states import SymbolRole


class StoredChunk(msgspec.Struct, frozen=True):
    """A chunk and where it stands in its document, by the id that stores know it by."""

    point_id: str
    ordinal: int
    path: str
    first_line: int
    last_line: int
    text_digest: str | None = None
    """Of what each encoder reads of it: its vectors are kept by these while the chunk is there."""
    code_digest: str | None = None


class CachedVector(msgspec.Struct, frozen=True):
    """A vector (float32, little-endian) by what it was made of."""

    owner: str
    encoder: str
    digest: str
    vector: bytes


class Symbol(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of code does with a name. `inside` is the definition that it stands in."""

    role: SymbolRole
    name: str
    qualified: str
    kind: str
    line: int
    signature: str | None = None
    inside: str | None = None


class WrittenBeside(msgspec.Struct, frozen=True):
    """What a document has now in the generation that is searched while another is built.

    `chunks` names all of it, `by_words` those of them that were written without vectors.
    """

    generation: str
    chunks: tuple[str, ...]
    by_words: tuple[str, ...] = ()


class FinishedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document as it was indexed: what was read, and which points of it are in the stores now.

    `chunks` names all of them; where it is None nothing was written anew, and what is there stays.
    """

    generation: str
    digest: str
    size_bytes: int
    modified_ns: int | None = None
    language: str | None = None
    usage_bytes: int = 0
    chunks: tuple[str, ...] | None = None
    symbols: tuple[Symbol, ...] = ()
    beside: WrittenBeside | None = None


class RetiredChunk(msgspec.Struct, frozen=True):
    """A chunk to be deleted from the stores, as far as it was written there by `ver`."""

    tenant_id: str
    collection_id: str
    document_id: str
    generation: str
    point_id: str
    ver: int
