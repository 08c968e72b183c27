"""While a version is rolled out, workers of the one before claim, renew and sweep beside it."""

from __future__ import annotations

from sqlalchemy import inspect

from shared.clock import ManualClock
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.worker_lease import Lease
from shared.persistence.migrating import apply_migrations, missing_migrations, take_back
from shared.persistence.statements import connected

from .both_versions import BothVersions
from .conftest import NewMessage
from .plans.crowd import fill
from .worker_before import WorkerBefore, message_rows

BEFORE = "0005"


async def test_neither_version_takes_what_a_living_worker_of_the_other_holds(
    both: BothVersions, clock: ManualClock, new_message: NewMessage
) -> None:
    before, claims, sweeps = both.worker_before, both.claims, both.sweeps
    ours, theirs = new_message(), new_message()
    for each in (ours, theirs):
        await both.ledger.accept(each)
    await claims.flush([ours.id])
    assert await before.claim(theirs.id) == 1
    assert await before.claim(ours.id) is None
    assert await claims.flush([theirs.id]) == [None]
    for _ in range(4):
        clock.advance(6)
        assert await claims.renew([Lease(ours.id, 1)]) == {Lease(ours.id, 1)}
        assert await before.renew(theirs.id)
        assert not await before.renew(ours.id)
        assert await sweeps.expire_leases() == ([], [])
        assert await before.sweep() == []
    assert await before.settle(theirs.id, 1, "A basin.")


async def test_what_a_silent_worker_of_the_version_before_held_is_taken_back(
    both: BothVersions, clock: ManualClock, new_message: NewMessage
) -> None:
    before, ledger, theirs = both.worker_before, both.ledger, new_message()
    await ledger.accept(theirs)
    await before.claim(theirs.id)
    clock.advance(16)
    assert await both.sweeps.expire_leases() == ([theirs.id], [])
    (record,) = await both.claims.flush([theirs.id])
    assert record is not None
    assert not await before.settle(theirs.id, 1, "too late")
    clock.advance(16)
    assert await before.sweep() == []
    assert await ledger.find(theirs.id) == record


async def test_a_full_ledger_of_the_version_before_is_migrated_while_its_workers_go_on(
    database: Database, clock: ManualClock, ledger: MessageLedger, new_message: NewMessage
) -> None:
    await fill(database, clock.now(), statistics="absent", scale=0.1)
    before, waiting = WorkerBefore(database, clock, "worker-2"), new_message()
    await ledger.accept(waiting)
    async with connected(database.durable) as connection:
        await connection.run_sync(lambda sync: take_back(sync, BEFORE))
        await connection.commit()
        indexes = await connection.run_sync(
            lambda sync: {each["name"] for each in inspect(sync).get_indexes("message")}
        )
    assert "ix_message_leased" in indexes
    assert "ix_message_held" not in indexes
    assert (await missing_migrations(database))[0] == "0006"
    # What a worker of this version held goes back to whom it was taken back to.
    assert "resp_r1" in await before.sweep()
    assert await before.claim(waiting.id) == 1
    rows = await message_rows(database)
    await apply_migrations(database)
    assert await missing_migrations(database) == []
    assert await message_rows(database) == rows
    assert await before.renew(waiting.id)
