"""The audit log is only added to, has no gaps, and shows what was changed behind its back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.audit.audit_log import AuditLog
from shared.audit.entry import BEGINNING, Actor
from shared.clock import ManualClock
from shared.errors import LedgerUnavailable, NotFound
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from tests.integration.persistence.conftest import database, settings

__all__ = ["database", "settings"]

ANN = Actor("key_ann", "operator")
_KEPT = {
    False: ["ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_is_kept"],
    True: ["DROP TRIGGER audit_entry_no_update", "DROP TRIGGER audit_entry_no_delete"],
}


@pytest.fixture
async def log(database: Database) -> AuditLog:
    return AuditLog(database, ManualClock(datetime(2026, 5, 4, 12, 0, 0, 5, tzinfo=UTC)))


async def _behind_its_back(database: Database, *statements: str) -> None:
    async with transaction(database.durable) as connection:
        for statement in (*_KEPT[database.is_sqlite], *statements):
            await connection.execute(text(statement))


async def test_entries_of_many_at_once_are_numbered_without_a_gap_and_fit(log: AuditLog) -> None:
    acts = (log.record(ANN, "dead.discard", f"dead_{n}", {"n": n}) for n in range(40))
    await asyncio.gather(*acts)
    entries = await log.page(100)
    assert [each.number for each in entries] == list(range(40, 0, -1))
    assert {each.target for each in entries} == {f"dead_{n}" for n in range(40)}
    assert entries[-1].previous == BEGINNING
    found = await log.verify()
    assert (found.entries, found.head, found.broken) == (40, entries[0].digest, None)
    assert await log.has(entries[7].digest)
    assert not await log.has(BEGINNING)


async def test_pages_go_on_where_the_last_one_ended_and_are_of_one_who_acted(log: AuditLog) -> None:
    for number in range(5):
        await log.record(Actor(f"key_{number % 2}", "admin"), "keys.revoke", "key_x")
    first = await log.page(2)
    rest = await log.page(10, before=first[-1].number)
    assert [each.number for each in (*first, *rest)] == [5, 4, 3, 2, 1]
    assert [each.number for each in await log.page(10, actor="key_1")] == [4, 2]


async def test_an_act_that_failed_says_so_and_names_its_beginning(log: AuditLog) -> None:
    with pytest.raises(NotFound):
        async with log.acting(ANN, "dead.replay", "dead_1"):
            raise NotFound("There is no dead letter 'dead_1'.")
    async with log.acting(ANN, "keys.create", "acme") as came_of_it:
        came_of_it["made"] = "key_9"
    details = [(each.act, each.detail) for each in await log.page(10)]
    assert details == [
        ("keys.create", '{"made":"key_9","of":3}'),
        ("keys.create", "{}"),
        ("dead.replay", '{"failed":"not_found","of":1}'),
        ("dead.replay", "{}"),
    ]


@pytest.mark.parametrize("change", ["UPDATE audit_entry SET act = 'x'", "DELETE FROM audit_entry"])
async def test_the_database_refuses_to_change_what_is_there(
    log: AuditLog, database: Database, change: str
) -> None:
    await log.record(ANN, "keys.revoke", "key_1")
    with pytest.raises((LedgerUnavailable, DBAPIError), match="only added to"):
        async with transaction(database.durable) as connection:
            await connection.execute(text(change))
    assert len(await log.page(10)) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE audit_entry SET target = 'key_9' WHERE number = 2", "entry 2 was changed"),
        ("DELETE FROM audit_entry WHERE number = 2", "entry 2 is missing"),
        ("UPDATE audit_entry SET previous = digest WHERE number = 2", "entry 2 is not bound"),
        ("DELETE FROM audit_entry WHERE number = 1", "entry 1 is missing"),
    ],
)
async def test_what_was_changed_behind_its_back_is_found(
    log: AuditLog, database: Database, change: str, why: str
) -> None:
    for number in range(1, 4):
        await log.record(ANN, "keys.revoke", f"key_{number}")
    await _behind_its_back(database, change)
    found = await log.verify()
    assert found.why is not None
    assert found.why.startswith(why)
    assert found.broken == int(why.split()[1])


async def test_a_log_whose_end_was_cut_off_fits_and_lacks_the_head_that_was_noted(
    log: AuditLog, database: Database
) -> None:
    for number in range(3):
        last = await log.record(ANN, "keys.revoke", f"key_{number}")
    await _behind_its_back(database, "DELETE FROM audit_entry WHERE number = 3")
    assert (await log.verify()).broken is None
    assert not await log.has(last.digest)
