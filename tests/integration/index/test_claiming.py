"""One holder at a time: claims, leases, and what a late holder can still do (nothing)."""

from __future__ import annotations

import asyncio

from shared.index.document import GAVE_UP
from shared.index.states import DocumentState

from .index_ledger import LEASE, IndexLedger


async def test_a_document_is_claimed_once(index: IndexLedger) -> None:
    await index.offer(*(f"{n}.md" for n in range(20)))
    claims = [index.claim(3, f"worker-{n}") for n in range(10)]
    claimed = [each.id for some in await asyncio.gather(*claims) for each in some]
    assert len(claimed) == len({*claimed}) == 20
    assert await index.claim() == []


async def test_half_of_a_claim_is_of_the_oldest_and_half_of_the_newest(index: IndexLedger) -> None:
    await index.offer(*(f"{n:04}.md" for n in range(400)), job="job_large")
    index.clock.advance(1)
    await index.offer("posted.md", job="job_small")
    paths = {each.path for each in await index.claim(4)}
    assert paths == {"0000.md", "0001.md", "posted.md", "0399.md"}


async def test_claims_of_one_take_turns_between_both_ends(index: IndexLedger) -> None:
    await index.offer("a.md", "b.md", "c.md", "d.md")
    assert [(await index.one()).path for _ in range(4)] == ["a.md", "d.md", "b.md", "c.md"]


async def test_a_silent_holder_loses_the_document_and_writes_nothing(index: IndexLedger) -> None:
    await index.offer("a.md")
    first = await index.one("worker-1")
    index.clock.advance(LEASE + 1)
    second = await index.one("worker-2")
    assert (second.attempt, second.claimed_by) == (2, "worker-2")
    assert not await index.plan(first, "x")
    assert not await index.finish(first, "x")
    assert not await index.indexing.fail(first, "broken", "It is broken.")
    await index.claims.put_off(first, "no store", seconds=5)
    await index.claims.give_back([first])
    assert await index.claims.renew([first]) == set()
    assert await index.find("a.md") == second
    assert await index.chunks() == 0


async def test_a_lease_that_is_renewed_does_not_end(index: IndexLedger) -> None:
    await index.offer("a.md", "b.md")
    held, lost = await index.claim(2)
    index.clock.advance(LEASE - 1)
    assert await index.claims.renew([held]) == {(held.collection_id, held.id)}
    index.clock.advance(LEASE - 1)
    assert [each.id for each in await index.claim()] == [lost.id]


async def test_a_document_that_kills_its_holders_fails(index: IndexLedger) -> None:
    before = await index.index("a.md", "x", size=1)
    await index.offer("a.md", size=2)
    for _ in range(3):
        await index.one()
        index.clock.advance(LEASE + 1)
    assert await index.claim() == []
    failed = await index.find("a.md")
    assert (failed.state, failed.error_code) == (DocumentState.FAILED, GAVE_UP)
    assert failed.passages == 0
    assert not failed.is_searchable
    assert await index.current(before) == set()
    assert (await index.offer("a.md", size=2, job="job_2")).changed == 1
    assert (await index.one()).ver > failed.ver


async def test_a_document_that_kills_its_holders_holds_up_no_other(index: IndexLedger) -> None:
    await index.offer("a.md")
    for nth in range(3):
        await index.one()
        if nth == 2:
            await index.offer("b.md")
        index.clock.advance(LEASE + 1)
    assert [each.path for each in await index.claim(1)] == ["b.md"]
    assert (await index.find("a.md")).error_code == GAVE_UP


async def test_to_be_put_off_does_not_count_as_an_attempt(index: IndexLedger) -> None:
    await index.offer("a.md")
    for _ in range(10):
        held = await index.one()
        await index.claims.put_off(held, "The store is away.", seconds=5)
        assert await index.claim() == []
        assert (await index.find("a.md")).reason == "The store is away."
        index.clock.advance(5)
    assert (await index.one()).attempt == 11


async def test_what_is_given_back_is_there_at_once(index: IndexLedger) -> None:
    await index.offer("a.md")
    for _ in range(10):
        await index.claims.give_back([await index.one()])
    assert (await index.one()).excused == 10


async def test_a_held_document_that_is_offered_anew_waits_for_its_holder(
    index: IndexLedger,
) -> None:
    await index.offer("a.md", size=1)
    held = await index.one()
    assert (await index.offer("a.md", size=2)).changed == 1
    assert await index.claim() == []
    assert await index.claims.renew([held]) == set()
    assert not await index.finish(held, "x")
    await index.claims.give_back([held])
    again = await index.one()
    assert (again.size_bytes, again.ver) == (2, held.ver + 1)


async def test_the_wait_for_a_dead_holder_ends_with_its_lease(index: IndexLedger) -> None:
    await index.offer("a.md", size=1)
    await index.one()
    await index.offer("a.md", size=2)
    index.clock.advance(LEASE - 1)
    assert await index.claim() == []
    index.clock.advance(1)
    assert (await index.one()).size_bytes == 2
