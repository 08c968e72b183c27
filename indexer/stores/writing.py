"""Passages into the stores: the vectors first, then the words, each call confirmed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from indexer.documents.embedding import EmbeddedChunks
from indexer.documents.planning import PlannedChunk, PlannedDocument, label_of
from shared.embeddings.encoder import DualEncoders
from shared.errors import NotFound
from shared.index.chunk import RetiredChunk
from shared.index.document import Document
from shared.search.keyword.keyword_store import KeywordStore
from shared.search.point import Point, Scope
from shared.search.vector_store import StoreUnavailable, VectorStore

_AT_ONCE: Final = 256
"""Points of one call: their vectors as numbers of Python take 25 KB each."""
Portion = Sequence[tuple[PlannedDocument, tuple[PlannedChunk, ...]]]


class StoreWriting:
    """Writes into both stores; returns when both have it. Each call may be made again.

    Raises StoreBusy, StoreUnavailable and StoreRefused, and InvalidRequest for what they do not
    take.
    """

    def __init__(
        self, vectors: VectorStore, keyword: KeywordStore | None, encoders: DualEncoders
    ) -> None:
        self._encoders = encoders
        self._stores: tuple[VectorStore | KeywordStore, ...] = (vectors,)
        if keyword is not None:
            self._stores += (keyword,)

    async def write(self, portion: Portion, embedded: EmbeddedChunks) -> None:
        """New points, of one tenant and generation."""
        points = [self._point(plan, each, embedded) for plan, some in portion for each in some]
        first = portion[0][0]
        for store in self._stores:
            await _there(store.upsert(first.scope, points), is_beside=first.is_beside)

    async def move(self, plan: PlannedDocument) -> None:
        """What the stores have already gets its new place and its document's labels."""
        ver, changes, is_beside = plan.document.ver, plan.changes(), plan.is_beside
        kept = [each.stored.point_id for each in plan.kept]
        await self.label(plan.document, plan.scope, kept, is_beside=is_beside)
        for store in self._stores:
            for first in range(0, len(changes), _AT_ONCE):
                some = changes[first : first + _AT_ONCE]
                await _there(store.change(plan.scope, some, ver=ver), is_beside=is_beside)

    async def label(
        self, document: Document, scope: Scope, ids: Sequence[str], *, is_beside: bool = False
    ) -> None:
        """All these points get the labels of their document."""
        label = label_of(document)
        for store in self._stores:
            for first in range(0, len(ids), _AT_ONCE):
                some = ids[first : first + _AT_ONCE]
                call = store.label(scope, some, label, ver=document.ver)
                await _there(call, is_beside=is_beside)

    async def delete(self, retired: Iterable[RetiredChunk]) -> None:
        """Takes them out, as far as they were written by their `ver`."""
        groups: dict[tuple[Scope, int], list[str]] = defaultdict(list)
        for each in retired:
            groups[Scope(each.generation, each.tenant_id), each.ver].append(each.point_id)
        for (scope, ver), ids in groups.items():
            for store in self._stores:
                for first in range(0, len(ids), _AT_ONCE):
                    with suppress(NotFound):  # the generation is gone, and they with it
                        await store.delete(scope, ids[first : first + _AT_ONCE], ver=ver)

    def _point(self, plan: PlannedDocument, chunk: PlannedChunk, embedded: EmbeddedChunks) -> Point:
        if plan.by_words:
            return Point(chunk.stored.point_id, plan.passage(chunk))
        return Point(
            chunk.stored.point_id,
            plan.passage(chunk),
            text_vector=embedded.of(self._encoders.text, chunk.stored.text_digest),
            code_vector=embedded.of(self._encoders.code, chunk.stored.code_digest),
        )


async def _there(call: Awaitable[None], *, is_beside: bool) -> None:
    """A store that lost its generation gets it again soon: until then it is away.

    One that another is built beside is made by nobody any more, and nothing is found in it.
    """
    try:
        await call
    except NotFound as error:
        if is_beside:
            return
        raise StoreUnavailable(error.message) from error
