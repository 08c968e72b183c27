"""One document: its content read, compared with what is known of it, and cut."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Final

import msgspec

from indexer.reading.symbols import symbols_of
from indexer.sources.found import FoundFile, SkippedFile
from indexer.sources.reading import read_content, read_file
from indexer.splitting.chunk import Chunk
from indexer.splitting.passage_texts import passage_texts
from indexer.splitting.sized import ChunkSizes, sized
from indexer.splitting.splitter import split_document
from shared.index.chunk import Symbol

_TICK_NS: Final = 20_000_000
"""File systems tell times by the kernel's clock, which ticks every 1 to 10 milliseconds."""


class FileToRead(msgspec.Struct, frozen=True, tag="file"):
    """A file of a folder or a checkout."""

    path: str
    root: str
    limit_bytes: int
    known_digest: str | None = None
    """Of the content that is indexed; the same is not cut again."""


class ContentToRead(msgspec.Struct, frozen=True, tag="content"):
    """What was posted or uploaded; its path tells the format."""

    path: str
    content: bytes
    known_digest: str | None = None
    sizes: ChunkSizes | None = None
    """What its owner asks for; without them it is cut where it hurts least."""


DocumentToRead = FileToRead | ContentToRead


class CutChunk(msgspec.Struct, frozen=True):
    """A chunk with its key, in the words of each way of finding it."""

    key: str
    kind: str
    language: str
    header: str
    symbol: str | None
    first_line: int
    last_line: int
    body: str
    for_text: str
    for_code: str | None


class ReadDocument(msgspec.Struct, frozen=True, tag="read"):
    """A document in pieces."""

    digest: str
    size_bytes: int
    modified_ns: int | None
    language: str
    chunks: tuple[CutChunk, ...]
    symbols: tuple[Symbol, ...]


class UnchangedDocument(msgspec.Struct, frozen=True, tag="unchanged"):
    """Its content is what is known of it."""

    digest: str
    size_bytes: int
    modified_ns: int | None


class LeftOutDocument(msgspec.Struct, frozen=True, tag="left_out"):
    """It is not to be indexed, for that reason."""

    reason: str
    why: str


class UncutDocument(msgspec.Struct, frozen=True, tag="uncut"):
    """It cannot be cut: the sentence says why."""

    why: str


DocumentReading = ReadDocument | UnchangedDocument | LeftOutDocument | UncutDocument


def read_document(wanted: DocumentToRead) -> DocumentReading:
    """Its pieces, or why there are none."""
    began = time.time_ns()
    if isinstance(wanted, FileToRead):
        found = FoundFile(wanted.path, size_bytes=0, modified_ns=0)
        read = read_file(Path(wanted.root), found, limit_bytes=wanted.limit_bytes)
    else:
        read = read_content(wanted.path, wanted.content)
    if isinstance(read, SkippedFile):
        return LeftOutDocument(read.reason.value, read.why)
    text = read.decoded.text if read.decoded is not None else None
    # What is written within one tick of the clock keeps its time: it is read again.
    is_old = isinstance(wanted, FileToRead) and read.modified_ns < began - _TICK_NS
    return _cut(wanted, read.content, text, read.modified_ns if is_old else None)


def _cut(
    wanted: DocumentToRead, content: bytes, text: str | None, modified_ns: int | None
) -> DocumentReading:
    digest, size = hashlib.sha256(content).hexdigest(), len(content)
    if digest == wanted.known_digest:
        return UnchangedDocument(digest, size, modified_ns)
    split = split_document(wanted.path, content, text)
    if split.trouble is not None and not split.chunks:
        return UncutDocument(split.trouble)
    symbols = symbols_of(split.outline) if split.outline is not None else ()
    pieces = split.chunks
    if isinstance(wanted, ContentToRead) and wanted.sizes is not None:
        pieces = [*sized(pieces, wanted.sizes)]
    chunks = tuple(map(_chunk, pieces))
    return ReadDocument(digest, size, modified_ns, split.language, chunks, symbols)


def _chunk(chunk: Chunk) -> CutChunk:
    texts = passage_texts(chunk)
    return CutChunk(
        chunk.key(),
        chunk.kind.value,
        chunk.language,
        chunk.header,
        chunk.symbol,
        chunk.first_line,
        chunk.last_line,
        texts.body,
        texts.for_text,
        texts.for_code,
    )
