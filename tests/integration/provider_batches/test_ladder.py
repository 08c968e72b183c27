"""What a batch does not bring in time is taken back, and answered once all the same."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from deploy.scripted_provider.batches.batch_script import BatchBehaviour
from shared.batches.provider_batch import ProviderBatch
from shared.batches.provider_tables import HandedOverState
from shared.messages.state import ResponseState
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.statements import reading
from shared.persistence.tables import message
from shared.settings.providers import ProviderKind
from shared.settings.servers import LedgerSettings
from tests.integration.provider_batches.ground import BATCH, DAY_SECONDS, BatchGround
from workers.batching.provider_batches.ladder import latest_wait

QUEUED, RUNNING = ResponseState.QUEUED, ResponseState.IN_PROGRESS
COMPLETED = ResponseState.COMPLETED
NEVER = BatchBehaviour(never_ends=True, answered=1)


async def due(ground: BatchGround) -> list[str]:
    found = await LedgerSweeps(ground.database, LedgerSettings(), ground.clock).due()
    return [each.wake_up.message_id for each in found]


@pytest.mark.parametrize("kind", [ProviderKind.OPENAI_COMPATIBLE, ProviderKind.ANTHROPIC])
async def test_what_never_ends_is_taken_back_in_time_and_the_loser_is_booked(
    ground: BatchGround, kind: ProviderKind
) -> None:
    ground.kind = kind
    ground.scripted.script_batches(NEVER)
    executor = ground.executor()
    ids = await ground.accept("one", "two")
    await ground.rounds(executor, 2)
    assert await ground.states(ids) == {RUNNING}
    (batch,) = await ground.batches()
    record = (await ground.records(ids))[0]
    assert batch.pull_at == latest_wait(record.accepted_at, record.deadline)
    assert record.deadline - batch.pull_at >= timedelta(minutes=59)

    left = (batch.pull_at - ground.clock.now()).total_seconds()
    await ground.rounds(executor, seconds=left - 30)
    assert await ground.states(ids) == {RUNNING}
    await ground.rounds(executor, seconds=31)
    assert await ground.states(ids) == {QUEUED}
    assert sorted(await due(ground)) == sorted(ids), "they are published at once"
    assert (await ground.batches())[0].state is HandedOverState.PULLED

    # A worker answers them meanwhile; the item that the provider had run is paid for, and no more.
    await claimed_by_a_worker(ground, ids)
    await ground.rounds(executor, 3, seconds=300)
    (batch,) = await ground.batches()
    assert batch.state is HandedOverState.ENDED
    assert "taken back" in (batch.reason or "")
    (lost,) = await ground.attempts(ids)
    (text,) = ground.scripted.calls.by_content  # either may be the first of the batch
    asked = dict(zip(("one", "two"), ids, strict=True))[text]
    assert (lost.message_id, lost.claim, lost.error_class) == (asked, 1, "hedged_away")
    full = Decimal(lost.input_tokens) / 1_000 + Decimal(lost.output_tokens) / 100
    assert lost.cost == full / 2
    assert await ground.states(ids) == {RUNNING}
    assert await ground.book.enqueued_tokens("first") == 0


async def claimed_by_a_worker(ground: BatchGround, ids: list[str]) -> None:
    claims = ClaimGroup(ground.database, ground.clock, worker="w1", lease_seconds=DAY_SECONDS)
    records = await claims.flush(ids)
    assert [getattr(each, "attempt", None) for each in records] == [2] * len(ids)


async def test_a_batch_whose_provider_is_away_is_taken_back_in_time(ground: BatchGround) -> None:
    ground.scripted.script_batches(BatchBehaviour(look_fails_with=500))
    executor = ground.executor()
    ids = await ground.accept("one")
    await ground.rounds(executor, 2)
    await ground.rounds(executor, seconds=DAY_SECONDS - 3_500)

    assert await ground.states(ids) == {QUEUED}
    assert await due(ground) == ids
    await ground.rounds(executor, 2, seconds=2 * DAY_SECONDS)
    (batch,) = await ground.batches()
    assert (batch.state, batch.reason) == (HandedOverState.ENDED, "it never ended")


async def test_without_anybody_who_attends_the_sweep_takes_messages_back(
    ground: BatchGround,
) -> None:
    ground.scripted.script_batches(NEVER)
    executor = ground.executor()
    ids = await ground.accept("one")
    await ground.rounds(executor, 2)
    sweeps = LedgerSweeps(ground.database, LedgerSettings(), ground.clock)
    assert await sweeps.expire_leases() == ([], []), "its batch holds it"

    ground.clock.advance(DAY_SECONDS - 3_400)
    assert await sweeps.expire_leases() == (ids, [])
    assert await ground.states(ids) == {QUEUED}


async def test_a_message_that_is_cancelled_meanwhile_is_booked_and_stays_so(
    ground: BatchGround,
) -> None:
    ground.scripted.script_batches(BatchBehaviour(never_ends=True))
    executor = ground.executor()
    ids = await ground.accept("one", "two")
    await ground.rounds(executor, 2)
    await ground.ledger.cancel(ids[0], tenant_id="ten_1")
    ground.scripted.end_batches()
    await ground.rounds(executor, 3)

    states = [each.state for each in await ground.records(ids)]
    assert states == [ResponseState.CANCELLED, COMPLETED]
    booked = {row.message_id: row.error_class for row in await ground.attempts(ids)}
    assert booked == {ids[0]: "hedged_away", ids[1]: None}
    assert (await ground.records(ids))[0].cost, "its message names it"


async def test_a_batch_that_nobody_waits_for_is_cancelled(ground: BatchGround) -> None:
    ground.scripted.script_batches(NEVER)
    executor = ground.executor()
    ids = await ground.accept("one", "two")
    await ground.rounds(executor, 2)
    for each in ids:
        await ground.ledger.cancel(each, tenant_id="ten_1")
    await ground.rounds(executor, 3, seconds=60)

    (batch,) = await ground.batches()
    assert batch.state is HandedOverState.ENDED
    assert [row.error_class for row in await ground.attempts(ids)] == ["hedged_away"]
    assert ground.scripted.calls.count == 1


async def test_messages_with_other_deadlines_travel_by_themselves(ground: BatchGround) -> None:
    ground.scripted.script_batches(NEVER)
    executor = ground.executor()
    tomorrow = await ground.accept("tomorrow")
    soon = await ground.accept("soon", seconds=3_600)
    await ground.rounds(executor, 3)

    first, second = await ground.batches()
    assert (first.requests, second.requests) == (1, 1)
    assert second.pull_at - first.pull_at > timedelta(hours=20)
    assert await ground.states([*tomorrow, *soon]) == {RUNNING}


async def test_what_batches_took_decides_what_can_wait_for_one(ground: BatchGround) -> None:
    ground.batch = replace(BATCH, expected_seconds=2 * DAY_SECONDS)
    executor = ground.executor()
    ids = await ground.accept("one")
    await ground.rounds(executor, 2)
    assert await ground.batches() == [], "it is believed to take too long"

    now = ground.clock.now()
    for nth in range(5):
        batch = ProviderBatch(
            id=f"pbatch_{nth}",
            provider="first",
            requests=1,
            created_at=now,
            pull_at=now,
            look_at=now,
        )
        await ground.book.claim(batch, [])
        await ground.book.submitted(batch.id, "remote", look_at=now)
        ground.clock.advance(60)
        await ground.book.end(batch.id)
    await ground.rounds(executor, 2)
    assert await ground.states(ids) == {COMPLETED}


async def test_what_goes_back_waits_as_it_did_before(ground: BatchGround) -> None:
    """Held by the dispatcher, it is held again; where it is urgent, it is published."""
    held_at = ground.clock.now()
    ground.scripted.script_batches(BatchBehaviour(fails="no reason", times=1))
    ground.scripted.script_batches(NEVER)
    executor = ground.executor()
    (held,) = await ground.accept("held", held_at=held_at)
    columns = select(message.c.wake_at, message.c.released_at).where(message.c.id == held)

    await ground.rounds(executor, 2)
    async with reading(ground.database.relaxed) as connection:
        assert (await connection.execute(columns)).one() == (None, None)
    await ground.rounds(executor, 2, seconds=60)
    assert await ground.states([held]) == {RUNNING}
    await ground.rounds(executor, seconds=DAY_SECONDS - 3_500)
    async with reading(ground.database.relaxed) as connection:
        now = ground.clock.now()
        assert (await connection.execute(columns)).one() == (now, now)
