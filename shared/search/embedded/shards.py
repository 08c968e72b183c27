"""What the owner does with a call: the generations of one folder, opened when first asked."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, assert_never

import qdrant_edge as engine
import structlog

from shared.errors import ForebayError
from shared.search.checking import check_dimensions, check_same
from shared.search.checking_queries import check_query_dimensions
from shared.search.embedded import calls
from shared.search.embedded.asking_engine import ask
from shared.search.embedded.engine_shard import EngineShard, engine_faults
from shared.search.embedded.filtering import filter_of, with_ids
from shared.search.embedded.open_generation import OpenGeneration
from shared.search.embedded.places import GenerationPlace, names_of
from shared.search.generation import Generation, GenerationState
from shared.search.point import Page, Passage
from shared.search.query import SearchAnswer
from shared.search.ranking import as_passage
from shared.search.vector_store import StoreUnavailable

_log: Final = structlog.get_logger(__name__)
ROOM_BYTES: Final = 128 * 1024**2
"""Free on the disk, or nothing is written: where a page of a mapped file finds no room, the engine
ends its process, and no error says why."""


class Shards:
    """Answers one call after another; only one process may have a folder's shards open."""

    def __init__(self, folder: Path, *, room_bytes: int = ROOM_BYTES) -> None:
        self._folder = folder
        self._room_bytes = room_bytes
        self._open: dict[str, OpenGeneration] = {}

    def answer(self, call: calls.Call) -> calls.Reply:
        """Raises `WaitsForCopy` where a write must come again."""
        match call:
            case calls.CreateCall():
                self._create(call.generation)
                return calls.DoneReply()
            case calls.DropCall():
                self._drop(call.name)
                return calls.DoneReply()
            case calls.ListCall():
                return calls.NamesReply(names_of(self._folder))
            case calls.DescribeCall():
                return calls.StateReply(self._state(call.name))
            case calls.OptimizeCall():
                return self._opened(call.name).optimize(call.build)
            case calls.UpsertCall() | calls.DeleteCall() | calls.ChangeCall() | calls.LabelCall():
                self._write(call)
                return calls.DoneReply()
            case calls.CountCall():
                return calls.CountReply(self._count(call))
            case calls.ScrollCall():
                return calls.PageReply(self._page(call))
            case calls.ReadCall():
                return calls.PassagesReply(self._passages(call))
            case calls.QueryCall():
                return calls.AnswerReply(self._query(call))
            case _:
                assert_never(call)

    def look_after(self) -> None:
        """Flushes what was written, and begins to build where that is worth it."""
        for opened in self._open.values():
            try:
                opened.flush()
                opened.build_if_worth()
            except (ForebayError, OSError) as error:
                _log.exception("index_not_flushed", reason=str(error))

    async def close(self) -> None:
        for opened in self._open.values():
            await opened.stop_building()
        while self._open:
            self._open.popitem()[1].close()

    def _opened(self, name: str) -> OpenGeneration:
        if name not in self._open:
            self._open[name] = OpenGeneration(GenerationPlace(self._folder, name))
        return self._open[name]

    def _create(self, generation: Generation) -> None:
        if generation.name not in names_of(self._folder):
            self._have_room()
            place = GenerationPlace(self._folder, generation.name)
            EngineShard.create(generation, place.begin(generation))
            place.finish()
        check_same(self._opened(generation.name).shard.generation, generation)

    def _drop(self, name: str) -> None:
        if name in self._open:
            self._open.pop(name).drop()
        GenerationPlace(self._folder, name).discard()

    def _state(self, name: str) -> GenerationState:
        opened = self._opened(name)
        with engine_faults():
            points = opened.shard.shard.count(engine.CountRequest(exact=True))
        return GenerationState(opened.shard.generation, points, opened.written)

    def _write(self, call: calls.WriteCall) -> None:
        opened = self._opened(call.scope.generation)
        if not isinstance(call, calls.DeleteCall):
            self._have_room()
        if isinstance(call, calls.UpsertCall):
            check_dimensions(call.points, opened.shard.generation)
        opened.write(call)

    def _have_room(self) -> None:
        free = shutil.disk_usage(self._folder).free
        if free < self._room_bytes:
            raise StoreUnavailable(
                f"The disk of {self._folder} is full: {free} bytes are free, and "
                f"{self._room_bytes} must be. Make room: what waits is written then."
            )

    def _count(self, call: calls.CountCall) -> int:
        shard = self._opened(call.scope.generation).shard.shard
        chosen = filter_of(call.scope, call.where)
        with engine_faults():
            return shard.count(engine.CountRequest(exact=True, filter=chosen))

    def _page(self, call: calls.ScrollCall) -> Page:
        shard = self._opened(call.scope.generation).shard.shard
        request = engine.ScrollRequest(
            offset=call.start,
            limit=call.limit,
            filter=filter_of(call.scope, call.where),
            with_payload=False,
            with_vector=False,
        )
        with engine_faults():
            found, following = shard.scroll(request)
        ids = tuple(str(each.id) for each in found)
        return Page(ids, None if following is None else str(following))

    def _passages(self, call: calls.ReadCall) -> dict[str, Passage]:
        """By a filter, which has the tenant: to retrieve by ids asks for nobody's leave."""
        shard = self._opened(call.scope.generation).shard.shard
        request = engine.ScrollRequest(
            limit=len(call.ids),
            filter=with_ids(call.scope, call.ids),
            with_payload=True,
            with_vector=False,
        )
        with engine_faults():
            found, _ = shard.scroll(request)
        return {str(each.id): as_passage(str(each.id), each.payload) for each in found}

    def _query(self, call: calls.QueryCall) -> SearchAnswer:
        opened = self._opened(call.scope.generation)
        check_query_dimensions(call.query, opened.shard.generation)
        with engine_faults():
            is_alone = opened.tenants() == {call.scope.tenant}
            return ask(opened.shard, call.scope, call.query, is_alone=is_alone)
