"""The statements of the index, and how to run them on a full ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from shared.index.chunk import CachedVector, FinishedDocument, StoredChunk, Symbol, WrittenBeside
from shared.index.collections.figures import CollectionFigures
from shared.index.document import Document, NewDocument, OfferedDocument
from shared.index.documents.of_files import FileDocuments
from shared.index.documents.offering import DocumentOffers
from shared.index.documents.passage_rows import PassageRows
from shared.index.documents.rebuilding import Rebuilding
from shared.index.embedding_cache import EmbeddingCache
from shared.index.jobs.job import ScanOutcome
from shared.index.jobs.skipped_files import SkippedFiles, SkippedPath
from shared.index.repairs import IndexRepairs, LostPoint, StoredPoint
from shared.index.states import DocumentState, SymbolRole
from shared.index.waiting_tenants import WaitingTenants

from .full_index import FullIndex
from .index_crowd import FULL, NOW

_PLACE: Final = ("ten_1", FULL)
_HELD: Final = 16


async def _offer(full: FullIndex) -> object:
    offers = DocumentOffers(full.database, full.clock)
    offered = [OfferedDocument(f"new{number}.md", 1, 1) for number in range(100)]
    for size in (1, 1, 2):
        seen = [OfferedDocument(each.path, size, size) for each in offered]
        await offers.offer(*_PLACE, "folder:/new", seen, job_id="job_new")
    return None


async def _held(full: FullIndex) -> list[Document]:
    held = await full.claims.claim("worker-9", tenant_id="ten_1", limit=_HELD, limit_bytes=1_000)
    assert len(held) == _HELD
    return held


async def _end(full: FullIndex) -> object:
    point = StoredChunk("pt_new", 0, "p", 1, 1)
    vectors = [CachedVector("ten_1", "mini", f"new{number}", b"x") for number in range(32)]
    first, second, third, *rest = await _held(full)
    assert await full.indexing.plan(NOW, [(first, [point])], vectors)
    symbols = (Symbol(role=SymbolRole.CALL, name="a", qualified="a", kind="call", line=1),)
    done = FinishedDocument(
        generation=NOW,
        digest="d",
        size_bytes=1,
        chunks=("pt_new",),
        symbols=symbols,
        beside=WrittenBeside(NOW, ("pt_new",), ("pt_new",)),
    )
    assert await full.indexing.finish([(first, done)])
    assert await full.indexing.fail(second, "broken", "It is broken.")
    assert await full.indexing.skip(third, "binary", "It is binary.")
    assert len(await full.claims.renew(rest)) == len(rest)
    await full.claims.put_off(rest.pop(), "The store is away.", seconds=5)
    await full.claims.give_back(rest)
    return None


async def _scan(full: FullIndex) -> object:
    for end in ("scanned", "fail", "give_back"):
        job = await full.scans.claim("worker-9", tenant_id="ten_1")
        assert job is not None
        assert await full.scans.renew(job)
        assert await full.scans.tell(job, found=1, changed=1, skipped=1)
        if end == "scanned":
            assert await full.scans.scanned(job, ScanOutcome(found=1, changed=1))
            await SkippedFiles(full.database).add(job, [SkippedPath(0, "p", "r", "w")])
        elif end == "fail":
            assert await full.scans.fail(job, "gone")
        else:
            await full.scans.give_back(job)
    return None


async def _retire(full: FullIndex) -> object:
    await full.retired.forget(await full.retired.retiring(limit=100))
    return await full.retired.drop_removed(limit=50)


async def _put(full: FullIndex) -> object:
    new = NewDocument(path="posted.md", digest="d", size_bytes=1, body=b"x")
    await full.posts.put(*_PLACE, new)
    return await full.posts.put(*_PLACE, new)


async def _list(full: FullIndex) -> object:
    waiting = (DocumentState.PENDING, DocumentState.IN_PROGRESS)
    await full.documents.list(*_PLACE, limit=100, after="doc_c5")
    await full.documents.list(*_PLACE, limit=100, states=waiting)
    await full.documents.list(*_PLACE, limit=100, source="folder:/s", newest_first=False)
    await full.documents.list(*_PLACE, limit=100, batch_id="vsfb_1")
    await full.documents.missing(*_PLACE, "folder:/s", job_id="job_2", limit=100)
    return await full.documents.find(*_PLACE, "doc_c9")


async def _catalogue(full: FullIndex) -> object:
    made = await full.catalogue.create("ten_1", name="new", generation=NOW)
    for name in (made.id, "new"):
        assert await full.catalogue.named("ten_1", name) == made
    await full.catalogue.change("ten_1", made.id, name="other")
    await full.catalogue.touch("ten_1", [f"vs_k{number}" for number in range(1, 9)])
    await full.catalogue.list("ten_1", limit=100, after="vs_k5")
    return await full.catalogue.delete("ten_1", made.id)


async def _generations(full: FullIndex) -> object:
    await full.generations.begin("ten_1", "vs_k7", "g-next")
    await full.generations.abandon("ten_1", "vs_k7")
    await full.generations.adopt("ten_1", "vs_k8", NOW)
    await full.generations.swap("ten_1", "vs_n7")
    await Rebuilding(full.database, full.clock).offer_next(*_PLACE, limit=100)
    return await full.named.building(limit=100)


async def _jobs(full: FullIndex) -> object:
    made = await full.jobs.create(*_PLACE, "folder:/new")
    await full.jobs.list("ten_1", collection_id=FULL, limit=100)
    await full.jobs.list("ten_1", limit=100, after=made.id)
    await full.settling.count(made.id, embedded=1, reused=1)
    await full.settling.source(FULL, "folder:/s1")
    await SkippedFiles(full.database).list("ten_1", "job_q1", limit=100)
    return await full.jobs.cancel("ten_1", made.id)


async def _symbols(full: FullIndex) -> object:
    found = await full.symbols.search("ten_1", [FULL], "run", limit=100)
    return await full.symbols.points(NOW, found[:10])


async def _change(full: FullIndex) -> object:
    await full.changes.label(*_PLACE, "doc_c11", principals=["ann"])
    return await full.changes.remove(*_PLACE, [f"doc_c{number}" for number in range(20, 60)])


async def _repair(full: FullIndex) -> object:
    repairs = IndexRepairs(full.database, full.clock)
    lost = [LostPoint(f"doc_c{number}", 1) for number in range(20, 40)]
    await repairs.lost(*_PLACE, NOW, lost)
    known = [StoredPoint(f"pt_c{number}", f"doc_c{number}", 9) for number in range(60)]
    unknown = [StoredPoint(f"pt_u{number}", f"doc_u{number}", 1) for number in range(60)]
    return await repairs.stored(*_PLACE, NOW, [*known, *unknown])


IndexProbe = Callable[[FullIndex], Awaitable[object]]


def _one(full: FullIndex) -> Document:
    return Document(
        collection_id=FULL,
        id="doc_c5",
        tenant_id="ten_1",
        source="",
        path="",
        state=DocumentState.COMPLETED,
        ver=1,
        size_bytes=1,
        created_at=full.clock.now(),
    )


INDEX_PROBES: Final[dict[str, IndexProbe]] = {
    "CollectionCatalogue.find": _catalogue,
    "CollectionFigures.freshness": lambda full: CollectionFigures(full.database).freshness(
        "ten_1", ["vs_k1", "vs_k2"]
    ),
    "CollectionGenerations.begin": _generations,
    "CollectionSweeps.expire": lambda full: full.sweeps.expire(limit=20),
    "CollectionSweeps.remove_deleted": lambda full: full.sweeps.remove_deleted(limit=200),
    "CollectionSweeps.take_down": lambda full: full.sweeps.take_down(limit=200),
    "DocumentChanges.label": _change,
    "DocumentClaims.claim": _held,
    "DocumentIndexing.finish": _end,
    "DocumentIndexing.current": lambda full: full.indexing.current(_one(full), NOW),
    "DocumentIndexing.written": lambda full: full.indexing.written(_one(full), NOW),
    "DocumentOffers.offer": _offer,
    "DocumentPosts.put": _put,
    "Documents.list": _list,
    "EmbeddingCache.find": lambda full: EmbeddingCache(full.database, full.clock).find(
        "ten_1", "mini", [f"d{number}" for number in range(500)]
    ),
    **{
        # First those that chunks name and those that none does, then those that go.
        f"EmbeddingSweeps.sweep {nth}": lambda full: full.embedding_sweeps.sweep(limit=200)
        for nth in ("first", "again")
    },
    "FileDocuments.remove": lambda full: FileDocuments(full.database, full.clock).remove(
        "ten_1", "file-c9"
    ),
    "IndexJobs.create": _jobs,
    "IndexRepairs.stored": _repair,
    "JobSettling.settle": lambda full: full.settling.settle(limit=50),
    "JobSettling.forget_old": lambda full: full.settling.forget_old(),
    "PassageRows.of_points": lambda full: PassageRows(full.database).of_points(
        "ten_1", [(NOW, f"pt_c{number}") for number in range(100)]
    ),
    "RetiredChunks.drop_removed": _retire,
    "Scans.claim": _scan,
    "SymbolTable.search": _symbols,
    "WaitingTenants.with_documents": lambda full: WaitingTenants(
        full.database, full.clock
    ).with_documents(),
    "WaitingTenants.with_jobs": lambda full: WaitingTenants(full.database, full.clock).with_jobs(),
}
