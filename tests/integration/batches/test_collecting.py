"""How batches end: each once, with all that was answered."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from shared.batches.batch import Batch, BatchCounts
from shared.batches.batch_budget import BatchBudget
from shared.batches.state import BatchEndpoint, BatchState, BatchSurface
from shared.batches.tables import batch
from shared.clock import ManualClock
from shared.files.stored_file import FilePurpose
from shared.files.tables import stored_file
from shared.messages.state import ResponseState
from shared.persistence.statements import reading, transaction
from shared.persistence.tables import message

from .bench import TENANT, Bench, chat, lines_of
from .cutting import dying_at

LINES = lines_of(*(chat(n) for n in range(6)))
PARTLY = BatchCounts(total=6, completed=2)


async def test_collectors_side_by_side_end_it_once(bench: Bench) -> None:
    of = await bench.answered()
    others = [bench.collecting() for _ in range(4)]
    await asyncio.gather(*(collector.step(of) for collector in others))
    finalizing = await bench.now(of)
    assert finalizing.state is BatchState.FINALIZING
    await asyncio.gather(*(collector.step(finalizing) for collector in others))
    ended = await bench.now(of)
    assert ended.state is BatchState.COMPLETED
    assert await _outputs(bench) == 1
    for late in (of, finalizing):
        await bench.collector.step(late)
    assert await bench.now(of) == ended
    assert await _outputs(bench) == 1


async def test_a_batch_whose_lines_have_ended_ends_in_one_round(bench: Bench) -> None:
    of = await bench.answered()
    await bench.collector()
    assert (await bench.now(of)).state is BatchState.COMPLETED


class SlowBudget(BatchBudget):
    """Takes eleven seconds to count the lines of a batch."""

    looks: list[str]
    clock: ManualClock

    async def keep(self, of: Batch) -> None:
        self.looks.append(of.id)
        self.clock.advance(11)


async def test_no_batch_waits_behind_those_whose_lines_take_long_to_count(
    sqlite_bench: Bench,
) -> None:
    bench, clock = sqlite_bench, sqlite_bench.clock
    ids = sorted([(await bench.ask(lines_of(chat(n)))).id for n in range(3)])
    async with transaction(bench.database.durable) as connection:
        await connection.execute(update(batch).values(set_aside_each=1))
    budget = bench.budget = SlowBudget(bench.database, None, clock)  # type: ignore[arg-type]
    budget.looks, budget.clock = [], clock
    collector = bench.collecting()
    for _ in ids:
        await collector()
    assert budget.looks == ids, "ten seconds are a round, and half a minute the pause behind it"
    clock.advance(30)
    await collector()
    assert budget.looks == [*ids, ids[0]]


async def test_who_dies_at_any_statement_of_the_end_leaves_one_file(bench: Bench) -> None:
    for number in count(1, 2):
        of = await bench.answered()
        before = await _outputs(bench)
        with dying_at(bench.database, number) as statements:
            await bench.collector()
            await bench.collector()
        ended = await bench.collected(of)
        assert ended.state is BatchState.COMPLETED
        assert len(await bench.read(ended.output_file_id)) == 6
        assert await _outputs(bench) - before == 1
        bench.clock.advance(60)
        if not statements.has_died:
            break
    assert number > 9


async def test_a_late_worker_changes_nothing_of_what_has_ended(bench: Bench) -> None:
    of = await bench.partly()
    await bench.catalogue.cancel(of.id, tenant_id=TENANT)
    ended = await bench.collected(of)
    # As a settlement does that has lost its fence, if it had none.
    async with transaction(bench.database.durable) as connection:
        await connection.execute(update(message).values(state=ResponseState.COMPLETED))
    assert await bench.items.counts(ended) == ended.counts
    assert await bench.collected(of) == ended
    assert not await bench.work.move(ended, BatchState.COMPLETED)
    assert not await bench.work.move(ended, BatchState.FINALIZING)


async def test_a_response_that_was_deleted_is_told_as_that(bench: Bench) -> None:
    of = await bench.answered()
    gone = (await bench.messages())[0].id
    async with transaction(bench.database.durable) as connection:
        await connection.execute(delete(message).where(message.c.id == gone))
    ended = await bench.collected(of)
    assert ended.counts == BatchCounts(total=6, completed=5, failed=1)
    (told,) = await bench.read(ended.error_file_id)
    assert told["response"]["body"]["error"]["code"] == "response_deleted"


async def test_files_go_when_whoever_asked_said_so(bench: Bench) -> None:
    of = await bench.answered()
    async with transaction(bench.database.durable) as connection:
        await connection.execute(update(batch).values(output_expires_after=7200))
    ended = await bench.collected(await bench.now(of))
    file = await bench.files.find(ended.output_file_id or "", tenant_id=TENANT)
    assert file is not None
    assert file.expires_at is not None
    assert (file.expires_at - file.created_at).total_seconds() == 7200


async def test_full_files_of_a_tenant_cost_no_answers(bench: Bench) -> None:
    of = await bench.answered()
    await bench.fill()
    ended = await bench.collected(of)
    assert len(await bench.read(ended.output_file_id)) == 6


async def test_anthropics_results_are_one_file(sqlite_bench: Bench) -> None:
    params = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"%d"}]}'
    lines = [b'{"custom_id":"c%d","params":%b}' % (n, params % n) for n in range(3)]
    bad = b'{"custom_id":"bad","params":{"model":"m"}}'
    asked = {"surface": BatchSurface.ANTHROPIC, "endpoint": BatchEndpoint.MESSAGES}
    of = await sqlite_bench.expanded(lines_of(*lines, bad), **asked)
    answered, *others = [each.id for each in await sqlite_bench.messages()]
    await sqlite_bench.answer([answered])
    await sqlite_bench.answer(others[:1], state=ResponseState.CANCELLED)
    await sqlite_bench.expire()
    ended = await sqlite_bench.collected(of)
    assert ended.error_file_id is None
    told = await sqlite_bench.read(ended.output_file_id)
    kinds = sorted(each["result"]["type"] for each in told)
    assert kinds == ["canceled", "errored", "expired", "succeeded"]


async def test_a_response_that_cannot_be_read_is_told_as_that(bench: Bench) -> None:
    of = await bench.answered()
    await bench.set((await bench.messages())[0].id, body="no JSON")
    ended = await bench.collected(of)
    assert ended.state is BatchState.COMPLETED
    told = await bench.read(ended.output_file_id)
    answers = [each["response"]["body"] for each in told]
    (fault,) = [each["error"]["code"] for each in answers if "error" in each]
    assert fault == "response_unreadable"


async def test_a_fault_in_one_batch_keeps_no_other_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, of = await bench.answered(), await bench.expanded(lines_of(chat(1, "other")))
    await bench.answer()
    for role in (bench.collector, bench.expander):
        taken = role.step

        async def step(each: Batch, taken: Any = taken) -> object:
            if each.id == broken.id:
                raise RuntimeError("a fault of ours")
            return await taken(each)

        monkeypatch.setattr(role, "step", step)
    later = await bench.expanded(lines_of(chat(1, "later")))
    assert later.expanded_at is not None
    assert (await bench.collected(of)).state is BatchState.COMPLETED
    assert (await bench.now(broken)).state is BatchState.IN_PROGRESS


async def _outputs(bench: Bench) -> int:
    query = select(func.count()).where(stored_file.c.purpose == FilePurpose.BATCH_OUTPUT)
    async with reading(bench.database.relaxed) as connection:
        return await connection.scalar(query) or 0
