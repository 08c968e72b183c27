"""Whose documents and jobs wait, and claims of one tenant's."""

from __future__ import annotations

from shared.index.document import OfferedDocument
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.waiting_tenants import WaitingTenants
from shared.messages.tenant import Plan
from shared.persistence.tenants import TenantRepository

from .index_ledger import GENERATION, LEASE, SOURCE, TENANT, IndexLedger


async def test_tenants_with_something_to_claim_are_told_with_their_weights(
    index: IndexLedger,
) -> None:
    tenants = WaitingTenants(index.database, index.clock)
    assert await tenants.with_documents() == {}
    await index.offer("a.md", "b.md")
    heavy = await a_tenant(index, weight=2.5)
    light = await a_tenant(index, weight=None)
    assert await tenants.with_documents() == {TENANT: 1.0, heavy: 2.5, light: 1.0}
    await index.claim()
    assert await tenants.with_documents() == {heavy: 2.5, light: 1.0}
    index.clock.advance(LEASE)
    assert TENANT in await tenants.with_documents()


async def test_tenants_with_a_job_to_scan_are_told(index: IndexLedger) -> None:
    tenants = WaitingTenants(index.database, index.clock)
    jobs = IndexJobs(index.database, index.clock)
    job = await jobs.create(TENANT, index.collection.id, SOURCE)
    assert await tenants.with_jobs() == {TENANT: 1.0}
    await jobs.cancel(TENANT, job.id)
    assert await tenants.with_jobs() == {}


async def test_a_claim_takes_documents_of_its_tenant_alone(index: IndexLedger) -> None:
    await index.offer("a.md")
    await a_tenant(index, weight=None)
    assert [each.path for each in await index.claim()] == ["a.md"]
    assert await index.claim() == []


async def test_a_claim_takes_no_more_bytes_than_it_may(index: IndexLedger) -> None:
    await index.offer(*(f"{nth}.md" for nth in range(9)), size=100)
    assert len(await claimed(index, limit_bytes=700)) == 7
    assert len(await claimed(index, limit_bytes=1)) == 1
    assert len(await claimed(index, limit_bytes=250)) == 1
    assert await claimed(index, limit_bytes=250) == []


async def test_large_documents_are_claimed_from_both_ends_in_turn(index: IndexLedger) -> None:
    await index.offer("a.md", "b.md", "c.md", "d.md", size=100)
    taken = [await claimed(index, limit_bytes=100) for _ in range(4)]
    assert taken == [["a.md"], ["d.md"], ["b.md"], ["c.md"]]


async def claimed(index: IndexLedger, *, limit_bytes: int) -> list[str]:
    some = await index.claims.claim("worker-1", tenant_id=TENANT, limit=10, limit_bytes=limit_bytes)
    return [each.path for each in some]


async def a_tenant(index: IndexLedger, *, weight: float | None) -> str:
    """A new one with a document that waits."""
    repository = TenantRepository(index.database, index.clock)
    owner = await repository.create(f"of weight {weight}, {index.collection.id}")
    if weight is not None:
        await repository.set_plan(owner, Plan(*[None] * 5, weight=weight))
    collection = await index.catalogue.create(owner.id, name="own", generation=GENERATION)
    offered = [OfferedDocument("own.md", 1, 1)]
    await index.offers.offer(owner.id, collection.id, SOURCE, offered, job_id="job_own")
    return owner.id
