"""What waits in the batch lane travels in a provider's batch, at half the price, and is settled."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from deploy.scripted_provider.batches.batch_script import BatchBehaviour
from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.batches.provider_tables import HandedOverState
from shared.messages.state import ResponseState
from shared.persistence.ledger.wait_notes import WaitCause
from shared.persistence.message_history import read_history
from shared.settings.providers import ProviderKind
from tests.integration.provider_batches.ground import BATCH, BatchGround

QUEUED, RUNNING = ResponseState.QUEUED, ResponseState.IN_PROGRESS
COMPLETED = ResponseState.COMPLETED


@pytest.mark.parametrize("kind", [ProviderKind.OPENAI_COMPATIBLE, ProviderKind.ANTHROPIC])
async def test_messages_are_answered_by_one_batch_at_half_the_price(
    ground: BatchGround, kind: ProviderKind
) -> None:
    ground.kind = kind
    executor = ground.executor()
    ids = await ground.accept("one", "two", "three")
    await ground.rounds(executor, seconds=5)
    assert await ground.states(ids) == {QUEUED}, "they wait for company"
    await ground.rounds(executor, 2)

    records = await ground.records(ids)
    assert [each.output_text for each in records] == [
        f"You said: {w}" for w in ("one", "two", "three")
    ]
    assert {each.state for each in records} == {COMPLETED}
    assert {(each.answered_by, each.attempt) for each in records} == {("first", 1)}
    (batch,) = await ground.batches()
    assert (batch.state, batch.requests, batch.reason) == (HandedOverState.ENDED, 3, None)
    assert {call.batch for call in ground.scripted.calls} == {batch.remote_id}
    for row in await ground.attempts(ids):
        full = Decimal(row.input_tokens) / 1_000 + Decimal(row.output_tokens) / 100
        assert row.cost == full / 2
    assert await ground.book.enqueued_tokens("first") == 0


async def test_what_cannot_wait_is_left_to_the_workers(ground: BatchGround) -> None:
    executor = ground.executor()
    soon = await ground.accept("soon", seconds=660)
    streamed = await ground.accept("streamed", body={"stream": True})
    await ground.rounds(executor, 3)

    assert await ground.states([*soon, *streamed]) == {QUEUED}
    assert ground.scripted.calls.count == 0
    reasons = {batch.reason for batch in await ground.batches()}
    assert reasons == {"none of its messages was for a batch"}


async def test_models_and_sizes_make_batches_of_their_own(ground: BatchGround) -> None:
    ground.batch = replace(BATCH, most_bytes=2_000)
    executor = ground.executor()
    ids = await ground.accept(*["x" * 800] * 3)
    large = await ground.accept("y" * 3_000)
    await ground.rounds(executor, 3)

    assert await ground.states(ids) == {COMPLETED}
    assert await ground.states(large) == {QUEUED}
    sizes = [batch.requests for batch in await ground.batches() if batch.requests]
    assert sum(sizes) == 3
    assert max(sizes) < 3


async def test_results_of_nobody_lost_ones_and_doubles_settle_nothing(
    ground: BatchGround,
) -> None:
    ground.scripted.script_batches(
        BatchBehaviour(unknown=2, repeated=1, lost=1, unordered=True, times=1)
    )
    executor = ground.executor()
    ids = await ground.accept("one", "two", "three")
    await ground.rounds(executor, 2)

    records = await ground.records(ids)  # which of them was the last of the batch, nobody says
    (lost,) = [each for each in records if each.state is QUEUED]
    settled = {each.id for each in records if each.state is COMPLETED}
    assert settled == {*ids} - {lost.id}
    assert (ground.items("unknown"), ground.items("repeated")) == (2, 1)
    assert sorted(row.message_id for row in await ground.attempts(ids)) == sorted(settled)
    assert lost.attempt == 1
    await ground.rounds(executor, 3)
    assert await ground.states(ids) == {COMPLETED}, "it went with another batch"


@pytest.mark.parametrize(
    "behaviour",
    [
        BatchBehaviour(fails="no reason"),
        BatchBehaviour(expires=True),
        BatchBehaviour(refused_with=429),
        BatchBehaviour(refused_with=503),
    ],
)
async def test_what_a_batch_did_not_run_is_queued_again_and_costs_nothing(
    ground: BatchGround, behaviour: BatchBehaviour
) -> None:
    ground.scripted.script_batches(behaviour)
    executor = ground.executor()
    ids = await ground.accept("one", "two")
    await ground.rounds(executor, 2, seconds=15)

    assert await ground.states(ids) == {QUEUED}
    assert await ground.attempts(ids) == []
    waits = (await read_history(ground.database, ids[0])).waits
    assert [each.cause for each in waits] == [WaitCause.LEFT_BATCH]
    (batch, *_) = await ground.batches()
    assert batch.state is HandedOverState.ENDED
    assert batch.reason
    await ground.rounds(executor, 20, seconds=1_000)
    assert len(await ground.batches()) == 2, "a message is claimed for two batches at the most"
    assert await ground.states(ids) == {QUEUED}


async def test_an_item_that_failed_or_was_caught_is_queued_again_and_booked(
    ground: BatchGround,
) -> None:
    ground.scripted.script(Behaviour(kind=Kind.SERVER_ERROR, times=1), contains="bad")
    ground.scripted.script(Behaviour(kind=Kind.EMPTY, times=1), contains="empty")
    executor = ground.executor()
    ids = await ground.accept("good", "bad", "empty")
    await ground.rounds(executor, 2)

    states = [each.state for each in await ground.records(ids)]
    assert states == [COMPLETED, QUEUED, QUEUED]
    classes = {row.error_class for row in await ground.attempts(ids)}
    assert classes == {None, "server_error", "empty_answer"}
    await ground.rounds(executor, 3)
    assert await ground.states(ids) == {COMPLETED}


async def test_what_lies_at_the_provider_is_bounded_and_freed(ground: BatchGround) -> None:
    ground.batch = replace(BATCH, enqueued_tokens=100, most_requests=10)
    ground.scripted.script_batches(BatchBehaviour(never_ends=True, times=1))
    executor = ground.executor()
    first = await ground.accept("one", estimated_tokens=80)
    await ground.rounds(executor, 2)
    assert await ground.states(first) == {RUNNING}
    assert 0 < await ground.book.enqueued_tokens("first") < 100
    second = await ground.accept("two", estimated_tokens=100)
    await ground.rounds(executor, 3)
    assert await ground.states(second) == {QUEUED}

    ground.scripted.end_batches()
    await ground.rounds(executor, 3, seconds=400)
    assert await ground.states([*first, *second]) == {COMPLETED}
    assert await ground.book.enqueued_tokens("first") == 0


async def test_one_batch_that_cannot_be_seen_keeps_no_other_waiting(ground: BatchGround) -> None:
    ground.batch = replace(BATCH, most_requests=1)
    ground.scripted.script_batches(BatchBehaviour(look_fails_with=500, times=1))
    executor = ground.executor()
    ids = await ground.accept("stuck", "free")
    await ground.rounds(executor, 4)

    assert sorted([each.state for each in await ground.records(ids)]) == [COMPLETED, RUNNING]
    stuck = next(each for each in await ground.batches() if each.state != HandedOverState.ENDED)
    assert stuck.looks >= 1
    assert stuck.look_at > ground.clock.now()
    assert stuck.look_at - ground.clock.now() <= timedelta(seconds=300)
