"""Batches as callers know them, and what is told of their lines."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, update

from shared.batches.batch import Batch, BatchCounts, BatchUsage, NewBatch
from shared.batches.catalogue import SAME_WITHIN, BatchCatalogue
from shared.batches.items import BatchItems
from shared.batches.state import (
    BATCH_TRANSITIONS,
    BatchEndpoint,
    BatchState,
    ItemOutcome,
    batch_sources_of,
)
from shared.batches.tables import batch, batch_item
from shared.clock import ManualClock
from shared.errors import Conflict, NotFound
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.persistence.statements import transaction
from shared.persistence.tables import message
from tests.queued_message import queued_message

ASKED = NewBatch(
    tenant_id="ten_1",
    endpoint=BatchEndpoint.CHAT_COMPLETIONS,
    content_id="cont_1",
    input_bytes=1000,
    input_file_id="file-1",
    window_seconds=3600,
    notes={"project": "x"},
    principals=("user:ann",),
)


async def test_a_batch_is_found_as_it_was_asked_for(
    catalogue: BatchCatalogue, clock: ManualClock
) -> None:
    made = await catalogue.create(ASKED)
    assert made.id.startswith("batch_")
    assert made.state is BatchState.VALIDATING
    assert made.expires_at == clock.now() + timedelta(hours=1)
    assert await catalogue.find(made.id, tenant_id="ten_1") == made


async def test_another_batch_is_not_found(catalogue: BatchCatalogue) -> None:
    for batch_id in ("batch_none", "", "a\0b", "\ud800"):
        with pytest.raises(NotFound, match="No batch found"):
            await catalogue.find(batch_id, tenant_id="ten_1")
        with pytest.raises(NotFound):
            await catalogue.cancel(batch_id, tenant_id="ten_1")


async def test_anothers_batch_is_neither_found_nor_listed_nor_cancelled(
    catalogue: BatchCatalogue,
) -> None:
    made = await catalogue.create(ASKED)
    with pytest.raises(NotFound):
        await catalogue.find(made.id, tenant_id="ten_2")
    with pytest.raises(NotFound):
        await catalogue.cancel(made.id, tenant_id="ten_2")
    assert not await catalogue.list("ten_2", limit=10)
    assert (await catalogue.find(made.id, tenant_id="ten_1")).state is BatchState.VALIDATING


async def test_who_asks_again_gets_the_same_batch_for_a_while(
    catalogue: BatchCatalogue, clock: ManualClock
) -> None:
    asked = [catalogue.create(ASKED) for _ in range(5)]
    first, *others = await asyncio.gather(*asked)
    assert {each.id for each in others} == {first.id}
    changes: list[dict[str, Any]] = [
        {"notes": {"project": "y"}},
        {"input_file_id": "file-2"},
        {"endpoint": BatchEndpoint.RESPONSES},
        {"tenant_id": "ten_2"},
    ]
    made = [await catalogue.create(replace(ASKED, **change)) for change in changes]
    assert len({first.id, *(each.id for each in made)}) == 5
    clock.advance(SAME_WITHIN.total_seconds() + 1)
    assert (await catalogue.create(ASKED)).id != first.id


async def test_a_batch_that_was_cancelled_is_not_what_asking_again_gives(
    catalogue: BatchCatalogue,
) -> None:
    cancelled = await catalogue.create(ASKED)
    await catalogue.cancel(cancelled.id, tenant_id="ten_1")
    again = await catalogue.create(ASKED)
    assert (again.id != cancelled.id, again.state) == (True, BatchState.VALIDATING)
    assert await catalogue.create(ASKED) == again


async def test_without_a_file_the_same_content_is_the_same_batch(catalogue: BatchCatalogue) -> None:
    inline = replace(ASKED, input_file_id=None)
    first = await catalogue.create(inline)
    assert (await catalogue.create(inline)).id == first.id
    assert (await catalogue.create(replace(inline, content_id="cont_2"))).id != first.id


async def test_a_list_is_read_page_by_page_in_either_direction(catalogue: BatchCatalogue) -> None:
    ids = [
        (await catalogue.create(replace(ASKED, input_file_id=f"file-{n}"))).id for n in range(5)
    ][::-1]
    ids.sort(reverse=True)
    pages = [await catalogue.list("ten_1", limit=2)]
    while pages[-1]:
        pages.append(await catalogue.list("ten_1", after=pages[-1][-1].id, limit=2))
    assert [each.id for page in pages for each in page] == ids
    ahead = await catalogue.list("ten_1", before=ids[3], limit=2)
    assert [each.id for each in ahead] == ids[1:3]


async def test_cancelling_moves_what_may_be_moved_and_says_what_has_ended(
    catalogue: BatchCatalogue, database: Database
) -> None:
    for state in BatchState:
        asked = replace(ASKED, input_file_id=f"file-{state}")
        made = await _in_state(await catalogue.create(asked), state, database)
        if BatchState.CANCELLING in BATCH_TRANSITIONS[state]:
            cancelled = await catalogue.cancel(made.id, tenant_id="ten_1")
            assert cancelled.state is BatchState.CANCELLING
            assert cancelled.cancelling_at is not None
        elif state.is_terminal and state is not BatchState.CANCELLED:
            with pytest.raises(Conflict, match=str(state)):
                await catalogue.cancel(made.id, tenant_id="ten_1")
        else:
            assert (await catalogue.cancel(made.id, tenant_id="ten_1")).state is state


def test_every_state_but_the_first_is_reached_from_another() -> None:
    for state in BatchState:
        assert bool(batch_sources_of(state)) is (state is not BatchState.VALIDATING)


async def test_lines_are_told_with_what_their_messages_came_to(
    catalogue: BatchCatalogue, items: BatchItems, database: Database, clock: ManualClock
) -> None:
    of = replace(await catalogue.create(ASKED), total=9)
    await _put_lines(of, database, clock)
    page = await items.page(of, limit=100)
    assert [(each.line, each.outcome, each.error_code) for each in page] == [
        (1, ItemOutcome.COMPLETED, None),
        (2, ItemOutcome.COMPLETED, None),
        (3, ItemOutcome.FAILED, "invalid_prompt"),
        (4, ItemOutcome.EXPIRED, "batch_expired"),
        (5, ItemOutcome.CANCELLED, "batch_cancelled"),
        (6, ItemOutcome.WAITING, None),
        (7, ItemOutcome.FAILED, "invalid_value"),
        (8, ItemOutcome.FAILED, "response_deleted"),
        (9, ItemOutcome.CANCELLED, "batch_cancelled"),
    ]
    assert page[0].message is not None
    assert page[0].message.output_text == "Fine."
    assert [each.line for each in await items.page(of, after_line=3, limit=2)] == [4, 5]
    assert [each.line async for each in items.each(of)] == [*range(1, 10)]
    counts = BatchCounts(total=9, completed=2, failed=3, expired=1, cancelled=2)
    assert await items.counts(of) == counts
    assert counts.waiting == 1
    assert await items.waiting(of, limit=10) == [(6, "resp_waits")]
    assert not await items.waiting(of, after_line=6, limit=10)
    # The first two lines are one message, which is paid for once.
    assert await items.usage(of) == BatchUsage(10, 0, 5, 0, Decimal("0.25"))


async def test_nothing_is_told_of_a_batch_without_lines(
    catalogue: BatchCatalogue, items: BatchItems
) -> None:
    of = await catalogue.create(ASKED)
    assert await items.page(of, limit=10) == []
    assert await items.counts(of) == BatchCounts()
    assert await items.usage(of) == BatchUsage()
    assert not await items.waiting(of, limit=10)


async def _in_state(made: Batch, state: BatchState, database: Database) -> Batch:
    async with transaction(database.durable) as connection:
        await connection.execute(update(batch).where(batch.c.id == made.id).values(state=state))
    return replace(made, state=state)


async def _put_lines(of: Batch, database: Database, clock: ManualClock) -> None:
    now = clock.now()
    ends: list[tuple[str, ResponseState, dict[str, Any]]] = [
        ("done", ResponseState.COMPLETED, {"output_text": "Fine.", "input_tokens": 10}),
        ("bad", ResponseState.FAILED, {"error_code": "invalid_prompt"}),
        ("late", ResponseState.FAILED, {"finished_at": now + timedelta(hours=2)}),
        ("ended", ResponseState.CANCELLED, {}),
        ("waits", ResponseState.QUEUED, {"finished_at": None}),
        ("erased", ResponseState.COMPLETED, {"erased_at": now}),
    ]
    ends[0][2].update(output_tokens=5, cost=Decimal("0.25"))
    records = [
        queued_message(id=f"resp_{name}", accepted_at=now, deadline=now + timedelta(hours=1))
        for name, *_ in ends
    ]
    lines: list[dict[str, Any]] = [
        {"line": line, "message_id": f"resp_{name}"}
        for line, name in [(1, "done"), (2, "done"), (3, "bad"), (4, "late"), (5, "ended")]
    ]
    lines += [{"line": 6, "message_id": "resp_waits"}, {"line": 7, "error_code": "invalid_value"}]
    lines += [{"line": 8, "message_id": "resp_erased"}]
    lines += [{"line": 9, "error_code": "batch_cancelled"}]
    usual = {"batch_id": of.id, "message_id": None, "error_code": None}
    async with transaction(database.durable) as connection:
        await AcceptGroup(database, wake_after_seconds=1).insert(connection, records)
        for name, state, values in ends:
            ended = update(message).where(message.c.id == f"resp_{name}")
            told = {"state": state, "finished_at": now} | values
            await connection.execute(ended.values(told))
        rows = [usual | {"custom_id": f"c{each['line']}"} | each for each in lines]
        await connection.execute(insert(batch_item), rows)
