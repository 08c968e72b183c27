"""What the owner does with a call: the generations of one folder, opened when first asked."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

import qdrant_edge as engine

from shared.search.checking import check_dimensions, check_same
from shared.search.checking_queries import check_query_dimensions
from shared.search.embedded import calls
from shared.search.embedded.asking_engine import ask
from shared.search.embedded.engine_shard import EngineShard, discard, engine_faults, names_of
from shared.search.embedded.filtering import filter_of
from shared.search.generation import Generation, GenerationState
from shared.search.point import Page
from shared.search.query import SearchAnswer


class Shards:
    """Answers one call after another; only one process may have a folder's shards open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, EngineShard] = {}
        self._unflushed: set[str] = set()

    def answer(self, call: calls.Call) -> calls.Reply:
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
            case calls.UpsertCall() | calls.DeleteCall() | calls.ChangeCall() | calls.LabelCall():
                self._write(call)
                return calls.DoneReply()
            case calls.CountCall():
                return calls.CountReply(self._count(call))
            case calls.ScrollCall():
                return calls.PageReply(self._page(call))
            case calls.QueryCall():
                return calls.AnswerReply(self._query(call))
            case _:
                assert_never(call)

    def flush(self) -> None:
        """A power cut could take what is not flushed; the death of a process cannot."""
        for name in sorted(self._unflushed):
            self._opened(name).flush()
            self._unflushed.discard(name)

    def close(self) -> None:
        self.flush()
        while self._open:
            self._open.popitem()[1].close()

    def _opened(self, name: str) -> EngineShard:
        if name not in self._open:
            self._open[name] = EngineShard.open(self._folder, name)
        return self._open[name]

    def _create(self, generation: Generation) -> None:
        if generation.name not in names_of(self._folder):
            EngineShard.create(self._folder, generation)
        check_same(self._opened(generation.name).generation, generation)

    def _drop(self, name: str) -> None:
        self._unflushed.discard(name)
        if name in self._open:
            self._open.pop(name).close()
        discard(self._folder, name)

    def _state(self, name: str) -> GenerationState:
        opened = self._opened(name)
        with engine_faults():
            points = opened.shard.count(engine.CountRequest(exact=True))
        return GenerationState(opened.generation, points)

    def _write(self, call: calls.WriteCall) -> None:
        opened = self._opened(call.scope.generation)
        self._unflushed.add(call.scope.generation)
        match call:
            case calls.UpsertCall():
                check_dimensions(call.points, opened.generation)
                opened.upsert(call.scope, call.points)
            case calls.DeleteCall():
                opened.delete(call.scope, call.ids, call.ver)
            case calls.ChangeCall():
                opened.change(call.scope, call.changes, call.ver)
            case calls.LabelCall():
                opened.label(call.scope, call.ids, call.label, call.ver)
            case _:
                assert_never(call)

    def _count(self, call: calls.CountCall) -> int:
        shard = self._opened(call.scope.generation).shard
        chosen = filter_of(call.scope, call.where)
        with engine_faults():
            return shard.count(engine.CountRequest(exact=True, filter=chosen))

    def _page(self, call: calls.ScrollCall) -> Page:
        shard = self._opened(call.scope.generation).shard
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

    def _query(self, call: calls.QueryCall) -> SearchAnswer:
        opened = self._opened(call.scope.generation)
        check_query_dimensions(call.query, opened.generation)
        with engine_faults():
            return ask(opened.shard, call.scope, call.query)
