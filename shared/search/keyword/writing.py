"""Documents written so that nothing older, and nothing of another tenant's, takes a place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec
from meilisearch_python_sdk import AsyncClient

from shared.search.keyword.documents import (
    READ,
    Document,
    KeptVersion,
    batches,
    document_of,
    passage_of,
    versions_of,
)
from shared.search.keyword.faults import asking
from shared.search.keyword.filters import up_to
from shared.search.keyword.index_form import PRIMARY_KEY
from shared.search.keyword.tasks import Tasks
from shared.search.point import Passage, Scope
from shared.search.vector_store import StoreBusy, StoreUnavailable


class DocumentWriter:
    """Writes passages whole, and returns when they can be found.

    The server has no condition on a write, so what is there is read before: two writes of one
    passage at the same time end as the server took them.
    """

    def __init__(
        self, client: AsyncClient, tasks: Tasks, *, deadline_seconds: float, batch_bytes: int
    ) -> None:
        self._client = client
        self._tasks = tasks
        self._deadline_seconds = deadline_seconds
        self._batch_bytes = batch_bytes

    async def write(self, scope: Scope, passages: Mapping[str, Passage]) -> None:
        """Those that no newer one and no other tenant's stands in the way of."""
        there = await self._there(scope, list(passages))
        standing = {
            each.id
            for each in there
            if each.id in passages
            and (each.tenant != scope.tenant or each.ver > passages[each.id].ver)
        }
        chosen = {name: each for name, each in passages.items() if name not in standing}
        await self._write(scope, chosen)

    async def rewrite(self, scope: Scope, told: Mapping[str, Mapping[str, Any]], ver: int) -> None:
        """Those of this `ver` or a lower one, with what is told of each by its id.

        Read and written whole: a part of what is gone would be a passage without a text.
        """
        if not told:
            return
        async with self._asking(scope):
            found = await self._client.index(scope.generation).get_documents(
                filter=up_to(scope, ver, list(told)), fields=READ, limit=len(told)
            )
            kept = {each["id"]: passage_of(each, scope) for each in found.results}
            changed = {
                name: msgspec.structs.replace(passage, **told[name])
                for name, passage in kept.items()
            }
        await self._write(scope, changed)

    async def _there(self, scope: Scope, ids: list[str]) -> list[KeptVersion]:
        """Raises `NotFound` where no index is: a write would make one of another form."""
        if not ids:
            return []
        async with self._asking(scope):
            found = await self._client.index(scope.generation).get_documents(
                ids=ids, fields=list(KeptVersion.__struct_fields__), limit=len(ids)
            )
        return versions_of(found.results)

    async def _write(self, scope: Scope, passages: Mapping[str, Passage]) -> None:
        """All batches are handed over before the first is waited for."""
        ready = await asyncio.to_thread(self._batches, scope, passages)  # it may take seconds
        numbers: list[int] = []
        for batch in ready:
            try:
                async with self._asking(scope):
                    index = self._client.index(scope.generation)
                    numbers.append((await index.add_documents(batch, PRIMARY_KEY)).task_uid)
            except StoreBusy as busy:
                if not numbers:
                    raise
                later = busy.retry_after_seconds  # a part of it was taken
                raise StoreUnavailable(busy.message, retry_after_seconds=later) from busy
        await self._tasks.succeeded(numbers, scope.generation)

    def _batches(self, scope: Scope, passages: Mapping[str, Passage]) -> list[list[Document]]:
        made = (document_of(name, each, scope) for name, each in passages.items())
        return list(batches(made, self._batch_bytes))

    def _asking(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        return asking(self._deadline_seconds, scope.generation)
