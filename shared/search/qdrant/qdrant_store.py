"""Qdrant's server as a store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final

from packaging.version import InvalidVersion, Version
from qdrant_client import AsyncQdrantClient, models

from shared.errors import Conflict, NotFound
from shared.search import checking, checking_queries
from shared.search.checking_labels import check_label
from shared.search.generation import Generation, GenerationState
from shared.search.label import PassageLabel
from shared.search.point import Change, Page, Passage, Point, Scope
from shared.search.qdrant import requests
from shared.search.qdrant.faults import asking
from shared.search.qdrant.filtering import filter_of, up_to, with_ids
from shared.search.qdrant.sparse_words import sparse_vectors
from shared.search.query import Query, SearchAnswer, Where
from shared.search.ranking import ListedPoint, apart, as_passage, bare, fused
from shared.search.vector_store import StoreRefused

_FIRST_WITH_WORDS: Final = Version("1.20")
_DEADLINE_SECONDS: Final = 30


class QdrantStore:
    """A `VectorStore` on a Qdrant server; each generation is a collection of its name.

    A server before 1.20 has no BM25 over a payload: there each body is a sparse vector as well,
    made here, and `Words` are asked by such a one. Of a request that ends after
    `deadline_seconds` nobody knows whether the server did it: the same again is safe.
    """

    def __init__(
        self, url: str, *, api_key: str | None = None, deadline_seconds: int = _DEADLINE_SECONDS
    ) -> None:
        self._client = AsyncQdrantClient(
            url=url,
            api_key=api_key,
            timeout=deadline_seconds,
            check_compatibility=False,  # it asks the server when built, without a deadline
        )
        self._deadline_seconds = deadline_seconds
        self._generations: dict[str, Generation] = {}
        self._version: Version | None = None

    async def create(self, generation: Generation) -> None:
        checking.check_generation(generation)
        if generation.name not in await self.generations():
            await self._create_collection(generation)
        checking.check_same(await self._generation(generation.name), generation)
        indexes = requests.indexes(with_words=await self._has_words())
        async with self._asking(generation.name):
            for field, index in indexes.items():
                await self._client.create_payload_index(generation.name, field, index)

    async def drop(self, name: str) -> None:
        checking.check_name(name)
        self._generations.pop(name, None)
        async with self._asking(name):
            await self._client.delete_collection(name)

    async def generations(self) -> tuple[str, ...]:
        async with self._asking():
            found = await self._client.get_collections()
        return tuple(sorted(each.name for each in found.collections))

    async def describe(self, name: str) -> GenerationState:
        checking.check_name(name)
        generation = await self._generation(name)
        async with self._asking(name):
            counted = await self._client.count(name, exact=True)
        return GenerationState(generation, counted.count)

    async def optimize(self, name: str) -> None:
        checking.check_name(name)
        await self._generation(name)  # the server sees to the graph by itself

    async def upsert(self, scope: Scope, points: Sequence[Point]) -> None:
        checking.check_scope(scope)
        ready = checking.ready_points(points)
        checking.check_dimensions(ready, await self._generation(scope.generation))
        with_sparse = not await self._has_words()
        for ver in sorted({point.passage.ver for point in ready}):
            written = [
                requests.as_point(point, scope.tenant, with_sparse=with_sparse)
                for point in ready
                if point.passage.ver == ver
            ]
            async with self._asking(scope.generation):
                await self._client.upsert(
                    scope.generation, written, update_filter=up_to(scope, ver)
                )

    async def delete(self, scope: Scope, ids: Sequence[str], *, ver: int) -> None:
        checking.check_scope(scope)
        checking.check_ids(ids)
        checking.check_ver(ver)
        if ids:
            chosen = models.FilterSelector(filter=up_to(scope, ver, ids))
            async with self._asking(scope.generation):
                await self._client.delete(scope.generation, chosen)

    async def change(self, scope: Scope, changes: Sequence[Change], *, ver: int) -> None:
        checking.check_scope(scope)
        checking.check_changes(changes)
        checking.check_ver(ver)
        if changes:
            operations = [requests.as_change(each, scope, ver) for each in changes]
            async with self._asking(scope.generation):
                await self._client.batch_update_points(scope.generation, operations)

    async def label(
        self, scope: Scope, ids: Sequence[str], label: PassageLabel, *, ver: int
    ) -> None:
        checking.check_scope(scope)
        checking.check_ids(ids)
        check_label(label)
        checking.check_ver(ver)
        if ids:
            async with self._asking(scope.generation):
                await self._client.set_payload(
                    scope.generation,
                    label.payload() | {"ver": ver},
                    points=up_to(scope, ver, ids),
                )

    async def count(self, scope: Scope, where: Where) -> int:
        checking.check_scope(scope)
        checking_queries.check_where(where)
        chosen = filter_of(scope, where)
        async with self._asking(scope.generation):
            counted = await self._client.count(scope.generation, count_filter=chosen, exact=True)
        return counted.count

    async def scroll(
        self, scope: Scope, where: Where, *, limit: int = 1000, start: str | None = None
    ) -> Page:
        checking.check_scope(scope)
        checking_queries.check_where(where)
        checking_queries.check_page(limit, start)
        async with self._asking(scope.generation):
            found, following = await self._client.scroll(
                scope.generation,
                scroll_filter=filter_of(scope, where),
                limit=limit,
                offset=start,
                with_payload=False,
            )
        ids = tuple(str(each.id) for each in found)
        return Page(ids, None if following is None else str(following))

    async def read(self, scope: Scope, ids: Sequence[str]) -> dict[str, Passage]:
        checking.check_scope(scope)
        checking.check_ids(ids)
        if not ids:
            return {}
        async with self._asking(scope.generation):
            found, _ = await self._client.scroll(
                scope.generation,
                scroll_filter=with_ids(scope, ids),
                limit=len(ids),
                with_payload=True,
            )
        return {str(each.id): as_passage(str(each.id), each.payload) for each in found}

    async def query(self, scope: Scope, query: Query) -> SearchAnswer:
        checking.check_scope(scope)
        query = checking_queries.ready_query(query)
        checking_queries.check_query_dimensions(query, await self._generation(scope.generation))
        with_sparse = not await self._has_words()
        asked = requests.requests_of(scope, query, with_sparse=with_sparse)
        async with self._asking(scope.generation):
            answers = await self._client.query_batch_points(scope.generation, asked)
        lists = [
            [ListedPoint(str(each.id), each.score, each.payload) for each in answer.points]
            for answer in answers
        ]
        if query.fusion is None:
            is_bare = query.bare
            return SearchAnswer((), bare=bare(lists)) if is_bare else SearchAnswer((), apart(lists))
        return SearchAnswer(hits=fused(lists[0], lists[1:]))

    async def close(self) -> None:
        await self._client.close()

    def _asking(self, generation: str = "") -> AbstractAsyncContextManager[None]:
        return asking(self._deadline_seconds, generation)

    async def _create_collection(self, generation: Generation) -> None:
        sparse = None if await self._has_words() else sparse_vectors()
        with suppress(Conflict):  # another was quicker
            async with self._asking(generation.name):
                await self._client.create_collection(
                    generation.name,
                    vectors_config=requests.vectors_of(generation),
                    hnsw_config=requests.graph(),
                    quantization_config=requests.pinned(),
                    sparse_vectors_config=sparse,
                )

    async def _generation(self, name: str) -> Generation:
        """As it was made; asked for once."""
        if name not in self._generations:
            async with self._asking(name):
                found = await self._client.get_collection(name)
            self._generations[name] = _as_generation(name, found.config.params.vectors)
        return self._generations[name]

    async def _has_words(self) -> bool:
        if self._version is None:
            async with self._asking():
                told = (await self._client.info()).version
            try:
                self._version = Version(told)
            except InvalidVersion:
                raise StoreRefused(f"Qdrant calls its version {told!r}: is it Qdrant?") from None
        return self._version >= _FIRST_WITH_WORDS


def _as_generation(name: str, vectors: models.VectorsConfig | None) -> Generation:
    if not isinstance(vectors, dict) or {"text", "code"} - vectors.keys():
        raise NotFound(f"Collection {name} of this Qdrant is no generation.", param="generation")
    return Generation(name, vectors["text"].size, vectors["code"].size)
