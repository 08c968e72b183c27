"""Workers that claim, die, stall and come late, while documents change and go under their hands.

The store is a plain model of what both stores promise: no lower `ver` wins or deletes.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import pytest

from shared.index.chunk import FinishedDocument, RetiredChunk
from shared.index.document import Document, OfferedDocument
from shared.index.documents.changing import DocumentChanges
from shared.index.states import DocumentState

from .index_ledger import GENERATION, LEASE, SOURCE, TENANT, IndexLedger, chunks_of, key_of

STEPS: Final = 600
PATHS: Final = [f"{n}.md" for n in range(5)]
_LATE: Final = 5.0
"""Before the end of its lease a worker writes nothing more to a store."""


@dataclass
class ModelStore:
    """Points by their id, each with the ver that wrote it."""

    points: dict[str, int] = field(default_factory=dict)

    def upsert(self, ids: list[str], ver: int) -> None:
        self.points |= {id_: ver for id_ in ids if self.points.get(id_, 0) <= ver}

    def delete(self, gone: list[RetiredChunk]) -> None:
        for each in gone:
            if self.points.get(each.point_id, each.ver + 1) <= each.ver:
                del self.points[each.point_id]


@dataclass
class Work:
    """A document in some worker's hands, and how far he is."""

    held: Document
    until: float
    keys: list[str] = field(default_factory=list)
    stage: str = "claimed"


class Crowd:
    """The workers, the files and the store, moved by chance."""

    def __init__(self, index: IndexLedger, seed: int) -> None:
        self.index = index
        self.random = Random(seed)
        self.store = ModelStore()
        self.files: dict[str, tuple[int, list[str]]] = {}
        self.works: list[Work] = []
        self.retiring: list[RetiredChunk] = []
        self.changes = DocumentChanges(index.database, index.clock)
        self.scans = 0
        self.written = 0
        self.lost = 0

    async def write_files(self) -> None:
        """Somebody edits, adds and deletes files; a scan may see it later."""
        for path in self.random.sample(PATHS, 3):
            if self.random.random() < 0.25:
                self.files.pop(path, None)
            else:
                # Some of what it says was there before, some never was and never will be again.
                self.written += 1
                keys = [*self.random.sample("abcd", 2), f"new{self.written}"]
                # A size of its own: by size and time a scan knows what is other.
                self.files[path] = (self.written, self.random.sample(keys, len(keys)))

    async def scan(self) -> None:
        self.scans += 1
        job = f"job_{self.scans:04}"
        place = (TENANT, self.index.collection.id, SOURCE)
        seen = [OfferedDocument(path, size, size) for path, (size, _) in self.files.items()]
        await self.index.offers.offer(*place, seen, job_id=job)
        page = await self.index.documents.missing(*place, job_id=job, limit=100)
        await self.changes.remove(*place[:2], page.ids)

    async def claim(self) -> None:
        until = self.index.clock.monotonic() + LEASE - _LATE
        worker = f"worker-{self.random.randrange(3)}"
        for held in await self.index.claim(self.random.randrange(1, 4), worker):
            self.works.append(Work(held, until))

    async def go_on(self) -> None:
        """One step of one document."""
        if not self.works:
            return
        # Mostly the one that began last: those before it stall.
        is_last = self.random.random() < 0.7
        work = self.works[-1] if is_last else self.random.choice(self.works)
        if self.random.random() < 0.15:
            self.works.remove(work)  # its worker died
            return
        await getattr(self, f"_{work.stage}")(work)

    async def _claimed(self, work: Work) -> None:
        file = self.files.get(work.held.path)
        if file is None:
            await self._over(work, await self.index.indexing.skip(work.held, "gone", "Gone."))
            return
        size, work.keys = file
        current = await self.index.current(work.held)
        new = [
            each for each in chunks_of(work.held, work.keys) if key_of(each.point_id) not in current
        ]
        done = bool(await self.index.indexing.plan(GENERATION, [(work.held, new)]))
        work.stage = "planned"
        work.held = Document(**{**_fields(work.held), "size_bytes": size})
        if not done:
            await self._over(work, done)

    async def _planned(self, work: Work) -> None:
        if self.index.clock.monotonic() > work.until:
            await self._over(work, False)
            return
        ids = [each.point_id for each in chunks_of(work.held, work.keys)]
        self.store.upsert(ids, work.held.ver)
        work.stage = "stored"

    async def _stored(self, work: Work) -> None:
        done = FinishedDocument(
            generation=GENERATION,
            digest="".join(work.keys),
            size_bytes=work.held.size_bytes,
            modified_ns=work.held.size_bytes,
            chunks=tuple(each.point_id for each in chunks_of(work.held, work.keys)),
        )
        await self._over(work, bool(await self.index.indexing.finish([(work.held, done)])))

    async def _over(self, work: Work, done: bool) -> None:
        self.works.remove(work)
        self.lost += not done
        if not done:
            await self.index.claims.give_back([work.held])

    async def renew(self) -> None:
        until = self.index.clock.monotonic() + LEASE - _LATE
        held = await self.index.claims.renew([each.held for each in self.works])
        for work in self.works:
            if (work.held.collection_id, work.held.id) in held:
                work.until = until

    async def put_off(self) -> None:
        if self.works:
            work = self.works.pop(self.random.randrange(len(self.works)))
            await self.index.claims.put_off(work.held, "The store is away.", seconds=3)

    async def look_for_retired(self) -> None:
        self.retiring = await self.index.retired.retiring(limit=5)

    async def retire(self) -> None:
        """What was found some time ago is deleted now."""
        self.store.delete(self.retiring)
        await self.index.retired.forget(self.retiring)
        self.retiring = []

    async def drop(self) -> None:
        await self.index.retired.drop_removed(limit=3)

    async def wait(self) -> None:
        self.index.clock.advance(self.random.choice([0.5, 2, LEASE / 3]))

    async def settle(self) -> None:
        """No more deaths: all that waits is done by one worker, and what is retired goes."""
        self.works.clear()
        await self.scan()
        for _ in range(40):
            self.index.clock.advance(LEASE / 10)
            until = self.index.clock.monotonic() + LEASE
            self.works = [Work(each, until) for each in await self.index.claim(10)]
            while self.works:
                await getattr(self, f"_{self.works[0].stage}")(self.works[0])
            await self.drop()
            await self.look_for_retired()
            await self.retire()


_ACTS: Final[dict[str, int]] = {
    "write_files": 3,
    "scan": 3,
    "claim": 6,
    "go_on": 24,
    "renew": 1,
    "put_off": 1,
    "look_for_retired": 1,
    "retire": 1,
    "drop": 2,
    "wait": 6,
}


@pytest.mark.parametrize("seed", range(1))
async def test_in_the_end_there_is_what_the_files_say_and_nothing_else(
    index: IndexLedger, seed: int
) -> None:
    crowd = Crowd(index, seed)
    before = await index.edition()
    for act in crowd.random.choices([*_ACTS], [*_ACTS.values()], k=STEPS):
        step: Callable[[], Coroutine[Any, Any, None]] = getattr(crowd, act)
        await step()
    await crowd.settle()
    assert crowd.lost > 0, "nobody came late"
    documents = await index.documents.list(TENANT, index.collection.id, limit=100)
    assert {each.path for each in documents} == crowd.files.keys()
    wanted: set[str] = set()
    for each in documents:
        size, keys = crowd.files[each.path]
        assert (each.state, each.size_bytes) == (DocumentState.COMPLETED, size)
        assert each.passages == len(keys)
        assert await index.current(each) == {*keys}
        wanted |= {chunk.point_id for chunk in chunks_of(each, keys)}
    assert crowd.store.points.keys() == wanted
    assert await index.chunks() == len(wanted)
    assert await index.edition() > before + len(documents)


def _fields(of: Document) -> dict[str, Any]:
    return {name: getattr(of, name) for name in of.__struct_fields__}
