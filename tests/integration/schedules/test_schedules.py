"""A time comes once: beside others, after a death, and late where nobody looked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import ManualClock
from shared.errors import Conflict, NotFound
from shared.files.stored_file import FileLabel, FilePurpose, StoredFile
from shared.index.states import JobState
from shared.schedules.schedule import ScheduleRun
from tests.integration.persistence.shelf import shelf_on
from tests.integration.schedules.conftest import TENANT, Planner

HOUR = 3_600


@pytest.fixture
async def file(planner: Planner) -> StoredFile:
    shelf = shelf_on(planner.database, planner.clock)
    return await shelf.keep(b"{}\n", label=FileLabel("in.jsonl", FilePurpose.BATCH))


async def test_an_index_job_begins_at_its_time_and_not_before(
    planner: Planner, clock: ManualClock
) -> None:
    made = await planner.nightly_index()
    assert made.next_at == datetime(2026, 5, 5, 0, 30, tzinfo=UTC)
    await planner.round()()
    assert await planner.jobs() == []
    clock.advance(12.5 * HOUR)
    for _ in range(2):
        await planner.round()()
    (job,) = await planner.jobs()
    assert (job.source, job.state) == ("folder:/srv/docs", JobState.QUEUED)
    assert job.collection_id == made.job.collection_id
    last = await planner.schedules.last_run(made.id)
    assert last is not None
    assert (last.due_at, last.late_seconds, last.result_id) == (made.next_at, 0, job.id)
    (found,) = await planner.schedules.list(TENANT)
    assert found.next_at == datetime(2026, 5, 6, 0, 30, tzinfo=UTC)


async def test_two_leaders_begin_one_job(
    planner: Planner, clock: ManualClock, file: StoredFile
) -> None:
    await planner.hourly_batch(file.id)
    for hour in range(1, 4):
        clock.advance(HOUR)
        await asyncio.gather(*(planner.round()() for _ in range(3)))
        assert len(await planner.batches()) == hour


async def test_times_that_passed_while_nobody_looked_are_made_up_for_once_and_late(
    planner: Planner, clock: ManualClock, file: StoredFile
) -> None:
    made = await planner.hourly_batch(file.id)
    clock.advance(10.5 * HOUR)
    await planner.round()()
    (batch,) = await planner.batches()
    last = await planner.schedules.last_run(made.id)
    assert last is not None
    assert last.due_at == made.next_at
    assert last.late_seconds == 9.5 * HOUR
    assert last.result_id == batch.id
    clock.advance(HOUR / 2)
    await planner.round()()
    assert len(await planner.batches()) == 2


async def test_what_a_worker_took_and_did_not_begin_is_begun_by_the_next(
    planner: Planner, clock: ManualClock, file: StoredFile
) -> None:
    await planner.hourly_batch(file.id)
    clock.advance(HOUR)
    await planner.schedules.come()
    assert len(await planner.schedules.take()) == 1
    await planner.round()()
    assert await planner.batches() == [], "somebody has it"
    clock.advance(21)
    await planner.round()()
    assert len(await planner.batches()) == 1


async def test_what_a_worker_began_and_did_not_note_is_found_and_not_begun_again(
    planner: Planner, clock: ManualClock, file: StoredFile
) -> None:
    made = await planner.hourly_batch(file.id)
    clock.advance(HOUR)
    dying = planner.round()
    await dying.schedules.come()
    ((what, run),) = await dying.schedules.take()
    begun = await dying.begin(what, run)
    clock.advance(10 * 60)
    await planner.round()()
    assert [each.id for each in await planner.batches()] == [begun]
    last = await planner.schedules.last_run(made.id)
    assert last is not None
    assert last.result_id == begun


async def test_a_job_that_cannot_begin_says_why_and_the_next_time_is_tried(
    planner: Planner, clock: ManualClock
) -> None:
    made = await planner.hourly_batch("file-gone")
    for _ in range(2):
        clock.advance(HOUR)
        await planner.round()()
        last = await planner.schedules.last_run(made.id)
        assert last is not None
        assert last.due_at == clock.now()
        assert "'file-gone' is gone" in str(last.error)


async def test_one_that_is_asked_for_now_begins_beside_its_own_times(
    planner: Planner, clock: ManualClock
) -> None:
    made = await planner.nightly_index()
    run = await planner.schedules.run_now(made)
    assert run == ScheduleRun(schedule_id=made.id, due_at=clock.now(), late_seconds=0)
    await planner.round()()
    assert len(await planner.jobs()) == 1
    assert (await planner.schedules.named(TENANT, "nightly")).next_at == made.next_at


async def test_a_name_is_used_once_and_a_removed_schedule_begins_nothing(
    planner: Planner, clock: ManualClock
) -> None:
    made = await planner.nightly_index()
    with pytest.raises(Conflict, match="'nightly' already"):
        await planner.nightly_index()
    await planner.schedules.run_now(made)
    await planner.schedules.remove(TENANT, "nightly")
    with pytest.raises(NotFound):
        await planner.schedules.named("ten_other", "nightly")
    clock.advance(timedelta(days=2).total_seconds())
    await planner.round()()
    assert await planner.jobs() == []
