"""What is to be done in the stores for a document that was cut: nothing of it is done here."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from indexer.reading.work import CutChunk, ReadDocument
from shared.index.chunk import FinishedDocument, StoredChunk, WrittenBeside
from shared.index.document import Document
from shared.search.checking import LONGEST_BODY
from shared.search.checking_values import LONGEST_KEYWORD
from shared.search.folding import folded
from shared.search.label import PassageLabel
from shared.search.point import Change, Passage, Scope, point_id

PORTION: Final = 256
"""Chunks that are embedded and written together: what is under way of a large document."""


class PlannedChunk(msgspec.Struct, frozen=True):
    """A chunk at its place in its document, by the id that stores know it by."""

    stored: StoredChunk
    cut: CutChunk


class PlannedDocument(msgspec.Struct, frozen=True):
    """A document with every chunk that it has now: those that stores lack, and those they have."""

    document: Document
    generation: str
    reading: ReadDocument
    fresh: tuple[PlannedChunk, ...]
    """What is not in the stores, or not surely."""
    kept: tuple[PlannedChunk, ...]
    """What is there already with its vectors and words."""
    moved: tuple[PlannedChunk, ...]
    """Of the kept those that stand somewhere else now, or have no digests yet."""
    is_beside: bool = False
    """For the generation that is searched while another is built."""
    by_words: bool = False
    """Without vectors: that generation has those of other models."""
    beside: PlannedDocument | None = None
    """What is written of it in that one as well."""

    @property
    def scope(self) -> Scope:
        return Scope(self.generation, self.document.tenant_id)

    @property
    def label(self) -> PassageLabel:
        return label_of(self.document)

    def passage(self, chunk: PlannedChunk) -> Passage:
        """What the stores keep of a chunk besides its vectors."""
        document, cut = self.document, chunk.cut
        return Passage(
            collection=document.collection_id,
            document=document.id,
            source=document.source,
            path=document.path,
            language=cut.language,
            kind=cut.kind,
            ver=document.ver,
            # What grows beyond the limit when it is folded is white space or a joke.
            body=folded(cut.body[:LONGEST_BODY])[:LONGEST_BODY],
            header=cut.header[:LONGEST_KEYWORD],
            symbol=cut.symbol[:LONGEST_KEYWORD] if cut.symbol else None,
            first_line=cut.first_line,
            last_line=cut.last_line,
            principals=document.principals,
            attributes=document.attributes,
        )

    def changes(self) -> list[Change]:
        """Where the moved ones stand now."""
        places = [each.stored for each in self.moved]
        return [Change(one.point_id, one.path, one.first_line, one.last_line) for one in places]

    def finished(self) -> FinishedDocument:
        """What the ledger keeps of it once it is in the stores."""
        reading = self.reading
        chunks = (*self.fresh, *self.kept)
        return FinishedDocument(
            generation=self.generation,
            digest=reading.digest,
            size_bytes=reading.size_bytes,
            modified_ns=reading.modified_ns,
            language=reading.language,
            usage_bytes=sum(len(each.cut.body.encode()) for each in chunks),
            chunks=tuple(each.stored.point_id for each in chunks),
            symbols=reading.symbols,
            beside=self.beside.written() if self.beside else None,
        )

    def written(self) -> WrittenBeside:
        """What the ledger keeps of it beside another generation."""
        fresh = tuple(each.stored.point_id for each in self.fresh)
        kept = tuple(each.stored.point_id for each in self.kept)
        return WrittenBeside(self.generation, fresh + kept, fresh if self.by_words else ())


def plan_document(
    document: Document,
    generation: str,
    reading: ReadDocument,
    current: Mapping[str, StoredChunk],
    *,
    is_beside: bool = False,
    by_words: bool = False,
    beside: PlannedDocument | None = None,
) -> PlannedDocument:
    """The document's chunks beside those that are surely in the stores, by their ids."""
    planned = [*_placed(document, reading.chunks)]
    kept = [each for each in planned if each.stored.point_id in current]
    return PlannedDocument(
        document,
        generation,
        reading,
        fresh=tuple(each for each in planned if each.stored.point_id not in current),
        kept=tuple(kept),
        moved=tuple(each for each in kept if _is_moved(each.stored, current)),
        is_beside=is_beside,
        by_words=by_words,
        beside=beside,
    )


def label_of(document: Document) -> PassageLabel:
    """What all passages of a document are labelled with."""
    return PassageLabel(document.principals, document.attributes)


def portions(
    plans: Sequence[PlannedDocument], *, most: int = PORTION
) -> Iterator[list[tuple[PlannedDocument, tuple[PlannedChunk, ...]]]]:
    """The fresh chunks of all, some of some documents at a time, each document's in order."""
    portion: list[tuple[PlannedDocument, tuple[PlannedChunk, ...]]] = []
    room = most
    for plan in plans:
        rest = plan.fresh
        while rest:
            taken, rest = rest[:room], rest[room:]
            portion.append((plan, taken))
            room -= len(taken)
            if not room:
                yield portion
                portion, room = [], most
    if portion:
        yield portion


def _placed(document: Document, chunks: Sequence[CutChunk]) -> Iterator[PlannedChunk]:
    equal: Counter[str] = Counter()
    for ordinal, cut in enumerate(chunks):
        id_ = point_id(
            tenant=document.tenant_id,
            source=document.collection_id,
            document=document.id,
            key=cut.key,
            ordinal=equal[cut.key],
        )
        equal[cut.key] += 1
        stored = StoredChunk(
            id_,
            ordinal,
            document.path,
            cut.first_line,
            cut.last_line,
            text_digest(cut.for_text),
            None if cut.for_code is None else text_digest(cut.for_code),
        )
        yield PlannedChunk(stored, cut)


def text_digest(text: str) -> str:
    """What a vector is kept by."""
    return hashlib.sha256(text.encode()).hexdigest()


def _is_moved(stored: StoredChunk, current: Mapping[str, StoredChunk]) -> bool:
    before = current[stored.point_id]
    # One that was kept without its digests gets them, as if it stood somewhere else.
    return msgspec.structs.replace(before, ordinal=stored.ordinal) != stored
