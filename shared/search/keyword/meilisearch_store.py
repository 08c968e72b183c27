"""Meilisearch's server as a store of words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final

import msgspec
from meilisearch_python_sdk import AsyncClient, AsyncIndex
from meilisearch_python_sdk.json_handler import BuiltinHandler

from shared.errors import Conflict, NotFound
from shared.search import checking, checking_queries
from shared.search.checking_labels import check_label
from shared.search.keyword.documents import READ, passage_of
from shared.search.keyword.faults import asking
from shared.search.keyword.filters import filter_of, up_to
from shared.search.keyword.highlights import highlights_of
from shared.search.keyword.index_form import PRIMARY_KEY, form
from shared.search.keyword.keyword_store import (
    WRITTEN_AT_ONCE,
    KeywordHit,
    WrittenPassage,
)
from shared.search.keyword.tasks import Tasks
from shared.search.keyword.words import asked_words
from shared.search.keyword.writing import DocumentWriter
from shared.search.label import PassageLabel
from shared.search.point import Change, Point, Scope
from shared.search.query import Where

_DEADLINE_SECONDS: Final = 30.0
_TASK_SECONDS: Final = 300.0
_BATCH_BYTES: Final = 20_000_000
"""Of one request: the server takes 100 MB as it comes, and works best on 10 to 50."""
_INDEXES: Final = 1000


class MeilisearchStore:
    """A `KeywordStore` on a Meilisearch server; each generation is an index of its name.

    Each request ends after `deadline_seconds`, and a write whose task has not succeeded after
    `task_seconds` is `StoreUnavailable`: nobody knows yet whether it will be done.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        deadline_seconds: float = _DEADLINE_SECONDS,
        task_seconds: float = _TASK_SECONDS,
        batch_bytes: int = _BATCH_BYTES,
    ) -> None:
        self._client = AsyncClient(
            url,
            api_key,
            timeout=max(1, round(deadline_seconds)),
            json_handler=_Json(),
        )
        self._tasks = Tasks(
            self._client, deadline_seconds=deadline_seconds, task_seconds=task_seconds
        )
        self._writer = DocumentWriter(
            self._client, self._tasks, deadline_seconds=deadline_seconds, batch_bytes=batch_bytes
        )
        self._deadline_seconds = deadline_seconds
        self._task_seconds = task_seconds

    async def create(self, name: str) -> None:
        checking.check_name(name)
        try:
            index = await self._index(name)
        except NotFound:
            async with asking(self._task_seconds, name):
                index = await self._client.create_index(name, PRIMARY_KEY)
        if index.primary_key not in (PRIMARY_KEY, None):
            raise Conflict(f"Index {name} of this Meilisearch is no generation.")
        async with self._asking(name):
            task = await index.update_settings(form())
        await self._tasks.succeeded([task.task_uid], name)

    async def drop(self, name: str) -> None:
        checking.check_name(name)
        with suppress(NotFound):
            async with self._asking(name):
                task = await self._client.index(name).delete()
            await self._tasks.succeeded([task.task_uid], name)

    async def generations(self) -> tuple[str, ...]:
        names: list[str] = []
        while True:
            async with self._asking():
                found = await self._client.get_indexes(offset=len(names), limit=_INDEXES) or []
            names += [each.uid for each in found]
            if len(found) < _INDEXES:
                return tuple(sorted(names))

    async def upsert(self, scope: Scope, points: Sequence[Point]) -> None:
        checking.check_scope(scope)
        ready = checking.ready_points(points)
        await self._writer.write(scope, {each.id: each.passage for each in ready})

    async def delete(self, scope: Scope, ids: Sequence[str], *, ver: int) -> None:
        checking.check_scope(scope)
        checking.check_ids(ids)
        checking.check_ver(ver)
        if ids:
            async with self._asking(scope.generation):
                task = await self._client.index(scope.generation).delete_documents_by_filter(
                    up_to(scope, ver, ids)
                )
            await self._tasks.succeeded([task.task_uid], scope.generation)

    async def change(self, scope: Scope, changes: Sequence[Change], *, ver: int) -> None:
        checking.check_scope(scope)
        checking.check_changes(changes)
        checking.check_ver(ver)
        places = {each.id: each.payload(ver) for each in changes}
        await self._writer.rewrite(scope, places, ver)

    async def label(
        self, scope: Scope, ids: Sequence[str], label: PassageLabel, *, ver: int
    ) -> None:
        checking.check_scope(scope)
        checking.check_ids(ids)
        check_label(label)
        checking.check_ver(ver)
        told = {"principals": label.principals, "attributes": label.attributes, "ver": ver}
        await self._writer.rewrite(scope, dict.fromkeys(ids, told), ver)

    async def count(self, scope: Scope, where: Where) -> int:
        checking.check_scope(scope)
        checking_queries.check_where(where)
        async with self._asking(scope.generation):
            found = await self._client.index(scope.generation).get_documents(
                filter=filter_of(scope, where), fields=[PRIMARY_KEY], limit=0
            )
        return found.total

    async def ids(self, scope: Scope, where: Where, *, limit: int = 1000) -> tuple[str, ...]:
        checking.check_scope(scope)
        checking_queries.check_where(where)
        checking_queries.check_page(limit, None)
        async with self._asking(scope.generation):
            found = await self._client.index(scope.generation).get_documents(
                filter=filter_of(scope, where), fields=[PRIMARY_KEY], limit=limit
            )
            return tuple(msgspec.convert(each["id"], str) for each in found.results)

    async def written(
        self, scope: Scope, where: Where, *, skip: int = 0
    ) -> tuple[WrittenPassage, ...]:
        checking.check_scope(scope)
        checking_queries.check_where(where)
        async with self._asking(scope.generation):
            found = await self._client.index(scope.generation).get_documents(
                filter=filter_of(scope, where),
                fields=[*WrittenPassage.__struct_fields__],
                offset=skip,
                limit=WRITTEN_AT_ONCE,
            )
            return msgspec.convert(tuple(found.results), tuple[WrittenPassage, ...])

    async def query(
        self, scope: Scope, text: str, where: Where, *, limit: int = 10
    ) -> tuple[KeywordHit, ...]:
        checking.check_scope(scope)
        checking_queries.check_where(where)
        checking_queries.check_page(limit, None)
        words = asked_words(checking_queries.ready_words("text", text))
        if not words:
            return ()
        async with self._asking(scope.generation):
            found = await self._client.index(scope.generation).search(
                " ".join(words),
                filter=filter_of(scope, where),
                limit=limit,
                attributes_to_retrieve=READ,
                matching_strategy="frequency",
                show_matches_position=True,
                show_ranking_score=True,
            )
            hits = [_hit(each, scope) for each in found.hits]
        return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.id)))

    async def close(self) -> None:
        await self._client.aclose()

    def _asking(self, generation: str = "") -> AbstractAsyncContextManager[None]:
        return asking(self._deadline_seconds, generation)

    async def _index(self, name: str) -> AsyncIndex:
        async with self._asking(name):
            return await self._client.get_index(name)


class _Json(BuiltinHandler):
    """In UTF-8; the client's own would make six bytes of each letter beyond ASCII."""

    @staticmethod
    def dump_bytes(obj: Any) -> bytes:
        return msgspec.json.encode(obj)

    @staticmethod
    def loads(json_string: str | bytes | bytearray) -> Any:
        return msgspec.json.decode(json_string)


def _hit(found: dict[str, Any], scope: Scope) -> KeywordHit:
    passage = passage_of(found, scope)
    return KeywordHit(
        id=found["id"],
        score=float(found["_rankingScore"]),
        passage=passage,
        highlights=highlights_of(passage, found.get("_matchesPosition")),
    )
