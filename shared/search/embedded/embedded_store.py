"""The embedded engine as a store: every call goes to the owner of the folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from shared.search import checking, checking_queries
from shared.search.checking_labels import check_label
from shared.search.embedded import calls
from shared.search.embedded.connection import OwnerConnection
from shared.search.embedded.frames import MOST_BYTES, too_long
from shared.search.embedded.reaching import OwnerProcess
from shared.search.generation import Generation, GenerationState
from shared.search.label import PassageLabel
from shared.search.point import Change, Page, Passage, Point, Scope
from shared.search.query import Query, SearchAnswer, Where
from shared.search.vector_store import StoreRefused, StoreUnavailable

_DEADLINE_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1
_R = TypeVar("_R", bound=calls.Reply)


class EmbeddedStore:
    """A `VectorStore` in a folder of this machine, for all processes that name the same folder.

    The first call of any of them starts the owner, the others are its callers. Every call ends
    within `deadline_seconds`. The owner ends with the process that started it; then calls under
    way raise `StoreUnavailable` and the next one starts another, also where it found the socket of
    one that was going. Make one in each process, behind a fork.
    """

    def __init__(self, folder: Path, *, deadline_seconds: float = _DEADLINE_SECONDS) -> None:
        self._folder = folder
        self._deadline_seconds = deadline_seconds
        self._process = OwnerProcess(folder)
        self._connecting = asyncio.Lock()
        self._connection: OwnerConnection | None = None

    async def create(self, generation: Generation) -> None:
        checking.check_generation(generation)
        await self._ask(calls.CreateCall(generation), calls.DoneReply)

    async def drop(self, name: str) -> None:
        checking.check_name(name)
        await self._ask(calls.DropCall(name), calls.DoneReply)

    async def generations(self) -> tuple[str, ...]:
        return (await self._ask(calls.ListCall(), calls.NamesReply)).names

    async def describe(self, name: str) -> GenerationState:
        checking.check_name(name)
        return (await self._ask(calls.DescribeCall(name), calls.StateReply)).state

    async def optimize(self, name: str) -> None:
        checking.check_name(name)
        began = await self._ask(calls.OptimizeCall(name), calls.BuildReply)
        while began.is_older:
            await self._end_of(name, began)
            began = await self._ask(calls.OptimizeCall(name), calls.BuildReply)
        failed = await self._end_of(name, began)
        if failed is not None:
            raise StoreUnavailable(failed)

    async def upsert(self, scope: Scope, points: Sequence[Point]) -> None:
        checking.check_scope(scope)
        ready = checking.ready_points(points)
        await self._ask(calls.UpsertCall(scope, ready), calls.DoneReply)

    async def delete(self, scope: Scope, ids: Sequence[str], *, ver: int) -> None:
        checking.check_scope(scope)
        checking.check_ids(ids)
        checking.check_ver(ver)
        await self._ask(calls.DeleteCall(scope, tuple(ids), ver), calls.DoneReply)

    async def change(self, scope: Scope, changes: Sequence[Change], *, ver: int) -> None:
        checking.check_scope(scope)
        checking.check_changes(changes)
        checking.check_ver(ver)
        await self._ask(calls.ChangeCall(scope, tuple(changes), ver), calls.DoneReply)

    async def label(
        self, scope: Scope, ids: Sequence[str], label: PassageLabel, *, ver: int
    ) -> None:
        checking.check_scope(scope)
        checking.check_ids(ids)
        check_label(label)
        checking.check_ver(ver)
        await self._ask(calls.LabelCall(scope, tuple(ids), label, ver), calls.DoneReply)

    async def count(self, scope: Scope, where: Where) -> int:
        checking.check_scope(scope)
        checking_queries.check_where(where)
        return (await self._ask(calls.CountCall(scope, where), calls.CountReply)).number

    async def scroll(
        self, scope: Scope, where: Where, *, limit: int = 1000, start: str | None = None
    ) -> Page:
        checking.check_scope(scope)
        checking_queries.check_where(where)
        checking_queries.check_page(limit, start)
        call = calls.ScrollCall(scope, where, limit, start)
        return (await self._ask(call, calls.PageReply)).page

    async def read(self, scope: Scope, ids: Sequence[str]) -> dict[str, Passage]:
        checking.check_scope(scope)
        checking.check_ids(ids)
        if not ids:
            return {}
        return (await self._ask(calls.ReadCall(scope, tuple(ids)), calls.PassagesReply)).passages

    async def query(self, scope: Scope, query: Query) -> SearchAnswer:
        checking.check_scope(scope)
        query = checking_queries.ready_query(query)
        return (await self._ask(calls.QueryCall(scope, query), calls.AnswerReply)).answer

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        await self._process.end()

    async def _end_of(self, name: str, told: calls.BuildReply) -> str | None:
        """Why that build failed, if it did."""
        while told.is_running:
            await asyncio.sleep(_LOOK_SECONDS)
            told = await self._ask(calls.OptimizeCall(name, told.build), calls.BuildReply)
        return told.failed

    async def _ask(self, call: calls.Call, expected: type[_R]) -> _R:
        until = time.monotonic() + self._deadline_seconds
        content = msgspec.msgpack.encode(calls.StoreRequest(until, call))
        if len(content) > MOST_BYTES:
            raise too_long(len(content))
        try:
            async with asyncio.timeout(self._deadline_seconds):
                reply = await self._answer_to(content, until)
        except TimeoutError:
            raise StoreUnavailable(
                f"The index in {self._folder} did not answer within {self._deadline_seconds:g} s: "
                "the same call again is safe."
            ) from None
        if isinstance(reply, calls.ErrorReply):
            raise calls.as_error(reply)
        if not isinstance(reply, expected):
            raise StoreRefused(f"The owner answered with a {type(reply).__name__}.")
        return reply

    async def _answer_to(self, content: bytes, until: float) -> calls.Reply:
        connection = await self._connected(until)
        try:
            return await connection.ask(content)
        except StoreUnavailable:
            if connection.was_heard:
                raise
            # It had come to an owner that was going. Once: this call may be what ends owners.
            return await (await self._connected(until)).ask(content)

    async def _connected(self, until: float) -> OwnerConnection:
        async with self._connecting:
            if self._connection is None or self._connection.is_lost:
                self._connection = OwnerConnection(*await self._process.reach(until=until))
            return self._connection
