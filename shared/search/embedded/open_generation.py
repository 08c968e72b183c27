"""A generation as its owner has it open: the shard that serves, and the one being built."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import qdrant_edge as engine

from shared.search.embedded import calls
from shared.search.embedded.building.rebuild import Rebuild
from shared.search.embedded.engine_shard import EngineShard, engine_faults
from shared.search.embedded.places import GenerationPlace
from shared.search.vector_store import StoreUnavailable

WORTH_BUILDING: Final = 10_000
"""Points that were written since; below it a scan of them all takes a millisecond or two."""
_SHARE: Final = 10
"""And a tenth of all points, for the new graph takes a copy of all."""
_BUSY_TIMES: Final = 5
"""So many times as much where somebody writes without a pause."""
_PAUSE_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 600.0


class WaitsForCopy(Exception):
    """The shard is being copied and must not change; the write is due when `rebuild.copied` is."""

    def __init__(self, rebuild: Rebuild) -> None:
        super().__init__("The shard is being copied.")
        self.rebuild = rebuild


class OpenGeneration:
    """One owner's, in one thread."""

    def __init__(self, place: GenerationPlace) -> None:
        self._place = place
        generation = place.generation
        place.sweep()
        self.shard = EngineShard.open(generation, place.serving)
        self.written = place.written
        """Points since the graph was built, each as often as it was written."""
        self._wrote_at = time.monotonic()
        self._is_flushed = True
        self._tenants: set[str] = set()
        self.rebuild: Rebuild | None = None
        """The last one."""
        self._began_at = 0.0

    def write(self, call: calls.WriteCall) -> None:
        rebuild = self.rebuild
        if rebuild is not None and not rebuild.copied.is_set():
            raise WaitsForCopy(rebuild)
        self._is_flushed = False
        self._wrote_at = time.monotonic()
        if len(self._tenants) == 1:
            self._tenants.add(call.scope.tenant)
        try:
            self.shard.write(call)
        except BaseException:
            if rebuild is not None:
                rebuild.abandon("The engine refused a write: nobody knows how much it did of it.")
            raise
        self.written += _points(call)
        if rebuild is not None and rebuild.is_running:
            rebuild.keep(call, _points(call))

    def tenants(self) -> set[str]:
        """Who has points here, two of them where there are more; gone ones may be among them."""
        if not self._tenants:
            request = engine.FacetRequest("tenant", limit=2, exact=True)
            self._tenants = {str(hit.value) for hit in self.shard.shard.facet(request).hits}
        return self._tenants

    def flush(self) -> None:
        """A power cut could take what is not flushed; the death of a process cannot."""
        if not self._is_flushed:
            self.shard.flush()
            self._place.keep_written(self.written)
            self._is_flushed = True

    def optimize(self, build: str | None) -> calls.BuildReply:
        """Begins to build, or says how the build of that name goes."""
        rebuild = self.rebuild
        if build is None:
            is_older = rebuild is not None and rebuild.is_running
            if self.written == 0 and rebuild is not None and rebuild.failed is None:
                return calls.BuildReply(rebuild.name, is_older)
            return calls.BuildReply(self._begin().name, is_running=True, is_older=is_older)
        if rebuild is None or rebuild.name != build:
            raise StoreUnavailable("The build ended with its owner: the same again is safe.")
        return calls.BuildReply(build, rebuild.is_running, rebuild.failed)

    def build_if_worth(self) -> None:
        """Where much was written, and nobody writes or very much was."""
        is_running = self.rebuild is not None and self.rebuild.is_running
        if self.written < WORTH_BUILDING or is_running or self._failed_lately():
            return
        with engine_faults():
            points = self.shard.shard.count(engine.CountRequest(exact=True))
        quiet = time.monotonic() - self._wrote_at
        if is_worth_building(self.written, points=points, quiet_seconds=quiet):
            self._begin()

    async def stop_building(self) -> None:
        if self.rebuild is not None and self.rebuild.is_running:
            self.rebuild.abandon("The owner ended.")
            await self.rebuild.ended()

    def drop(self) -> None:
        if self.rebuild is not None:
            self.rebuild.abandon("The generation was dropped.")
        self.shard.close()

    def close(self) -> None:
        self.flush()
        self.shard.close()

    def _failed_lately(self) -> bool:
        failed = self.rebuild is not None and self.rebuild.failed is not None
        return failed and time.monotonic() - self._began_at < _RETRY_SECONDS

    def _begin(self) -> Rebuild:
        if self.rebuild is None or not self.rebuild.is_running:
            self.flush()
            self._began_at = time.monotonic()
            self.rebuild = Rebuild(self._place, self._swap)
        return self.rebuild

    def _swap(self, shard: Path, tail: Iterable[calls.WriteCall], written: int) -> None:
        """Where it raises, the old one serves as before."""
        built = EngineShard.open(self.shard.generation, shard)
        try:
            for call in tail:
                built.write(call)
            built.flush()
            before = self._place.serving
            self._place.serve(shard)
        except BaseException:
            if self._place.serving == shard:
                os._exit(1)  # the next owner reads which one serves: here nobody knows any more
            built.close()
            raise
        self.shard, replaced = built, self.shard
        self.written, self._is_flushed = written, False
        replaced.close()
        shutil.rmtree(before, ignore_errors=True)


def is_worth_building(written: int, *, points: int, quiet_seconds: float) -> bool:
    """Whether so many writes of so many points need a graph; where writes go on, more of them."""
    worth = max(WORTH_BUILDING, points // _SHARE)
    return written >= (worth if quiet_seconds > _PAUSE_SECONDS else worth * _BUSY_TIMES)


def _points(call: calls.WriteCall) -> int:
    """Each call moves points out of what the graph covers, whatever it changes of them."""
    match call:
        case calls.UpsertCall():
            return len(call.points)
        case calls.ChangeCall():
            return len(call.changes)
        case calls.DeleteCall() | calls.LabelCall():
            return len(call.ids)
