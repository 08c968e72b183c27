"""A group of settlements is one transaction of named parts, on either database as in a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from shared.clock import ManualClock
from shared.messages.dead_letter import DeadReason
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.persistence.ledger.settlement.one_statement import OneStatement
from shared.persistence.ledger.settlement.parts import PARTS
from shared.persistence.ledger.settling import SettleGroup
from shared.persistence.ledger.worker_lease import Lease
from shared.persistence.tables import attempt, dead_letter, handoff, message

from .conftest import NewMessage
from .settlement_model import ENDS, SettlementDice, SettlementModel

MESSAGES = 40
GROUPS = 12


@pytest.mark.parametrize("seed", range(4))
async def test_groups_of_settlements_leave_what_their_model_has(
    ledger: MessageLedger,
    claims: ClaimGroup,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
    seed: int,
) -> None:
    dice = SettlementDice(seed, clock)
    ids = [new_message().id for _ in range(MESSAGES)]
    model = SettlementModel(await _claimed(ledger, claims, new_message, ids, dice))
    settles = SettleGroup(database)
    for _ in range(GROUPS):
        chosen = dice.random.sample(ids, dice.random.choice((1, 2, 9, 20)))
        group = [dice.settlement(each) for each in chosen]
        if dice.random.random() < 0.3:
            group.append(dice.random.choice(group))
        told = await settles.flush(group)
        expected = [model.write(item) for item in group]
        assert told == expected
    assert any(model.ends)
    await _require(database, model)


async def _claimed(
    ledger: MessageLedger,
    claims: ClaimGroup,
    new_message: NewMessage,
    ids: list[str],
    dice: SettlementDice,
) -> dict[str, int | None]:
    """Messages of every standing: held under the first or the second claim, queued, cancelled."""
    for each in ids:
        await ledger.accept(new_message(id=each))
    await claims.flush(ids)
    held: dict[str, int | None] = dict.fromkeys(ids, 1)
    for each in ids:
        match dice.random.randrange(6):
            case 0:
                await ledger.cancel(each, tenant_id="ten_1")
                held[each] = None
            case 1:
                await claims.release(Lease(each, 1))
                held[each] = None
            case 2:
                await claims.release(Lease(each, 1))
                await claims.flush([each])
                held[each] = 2
    return held


async def _require(database: Database, model: SettlementModel) -> None:
    async with database.relaxed.connect() as connection:
        rows = (await connection.execute(select(message))).mappings().all()
        booked = (await connection.execute(select(attempt))).mappings().all()
        letters = (await connection.execute(select(dead_letter))).mappings().all()
        inbox = (await connection.execute(select(handoff))).mappings().all()
    for row in rows:
        end = model.ends.get(row["id"])
        if end is None:
            assert row["finished_at"] is None or row["state"] is ResponseState.CANCELLED
            continue
        _require_end(row, end)
    assert {(row["message_id"], row["claim"], row["ordinal"]) for row in booked} == model.attempts
    assert {row["provider"] for row in booked} == {"primary"}
    ends = model.ends.values()
    assert {(row["message_id"], row["reason"], row["detail"]) for row in letters} == {
        (end.message_id, end.dead_reason, end.error_message or "")
        for end in ends
        if end.dead_reason is not None
    }
    assert {(row["message_id"], row["created_at"]) for row in inbox} == {
        (end.message_id, end.finished_at) for end in ends if end.handoff_reason is not None
    }


def _require_end(row: Mapping[str, Any], end: Settlement) -> None:
    for name in ("attempt", "state", "finished_at", "output_text", "cost", "error_message"):
        assert row[name] == getattr(end, name), name
    assert row["wake_at"] is None
    assert row["lease_until"] is None


async def test_all_parts_are_one_statement_on_postgres(
    ledger: MessageLedger,
    claims: ClaimGroup,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite takes one for each row, in one transaction.")
    records = [new_message() for _ in range(4)]
    for record in records:
        await ledger.accept(record)
    await claims.flush([record.id for record in records])
    road = _CountedRoad(database)
    group = [_of(record, state, clock) for record, state in zip(records, ENDS, strict=True)]
    written = await OneStatement(road, database.durable.dialect).write(group)
    assert len(written) == 4
    (statement,) = road.statements
    for table in (dead_letter, handoff):
        assert f"INSERT INTO {table.name} " in statement
    assert f"INSERT INTO {attempt.name} " not in statement, "a part without rows is left out"


class _CountedRoad:
    def __init__(self, database: Database) -> None:
        self._road = database.roads.durable
        self.statements: list[str] = []

    async def rows(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        self.statements.append(statement)
        return await self._road.rows(statement, values)

    async def close(self) -> None:
        await self._road.close()


def _of(record: MessageRecord, state: ResponseState, clock: ManualClock) -> Settlement:
    return Settlement(
        message_id=record.id,
        tenant_id=record.tenant_id,
        attempt=1,
        state=state,
        finished_at=clock.now(),
        dead_reason=DeadReason.CHAIN_EXHAUSTED if state is ResponseState.FAILED else None,
        handoff_reason="asked" if state is ResponseState.REQUIRES_ACTION else None,
    )


async def test_an_end_of_which_a_part_is_refused_is_not_written_and_costs_nobody_else(
    ledger: MessageLedger,
    claims: ClaimGroup,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    records = [new_message() for _ in range(3)]
    for record in records:
        await ledger.accept(record)
    await claims.flush([record.id for record in records])
    huge = AttemptRecord(
        provider="p", model="m", started_at=clock.now(), latency_seconds=1, input_tokens=2**63
    )
    ends = [_of(record, ResponseState.COMPLETED, clock) for record in records]
    ends[1] = msgspec.structs.replace(ends[1], attempts=(huge,))
    first, refused, last = await SettleGroup(database).flush(ends)
    assert (first, last) == (True, True)
    assert isinstance(refused, DBAPIError)
    found = await ledger.find(records[1].id)
    assert found is not None
    assert found.state is ResponseState.IN_PROGRESS


async def test_a_group_waits_for_no_other_workers_group(
    ledger: MessageLedger,
    claims: ClaimGroup,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    """Each has a message of the same tenant with every part; the other's is not committed yet."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer.")
    records = [new_message(user_id="u1") for _ in range(8)]
    for record in records:
        await ledger.accept(record)
    await claims.flush([record.id for record in records])
    async with database.durable.connect() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = '2s'"))
        for one, other in zip(records[:4], records[4:], strict=True):
            state = ENDS[records.index(one)]
            held = OneStatement(_OpenRoad(connection), database.durable.dialect)
            assert await held.write([_paid(one, state, clock)])
            assert await SettleGroup(database).flush([_paid(other, state, clock)]) == [True]
        await connection.rollback()


class _OpenRoad:
    """A transaction that does not end."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def rows(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        found = await self._connection.exec_driver_sql(statement, values)
        return [tuple(row) for row in found]

    async def close(self) -> None:
        await self._connection.close()


def _paid(record: MessageRecord, state: ResponseState, clock: ManualClock) -> Settlement:
    tried = AttemptRecord(provider="p", model="m", started_at=clock.now(), latency_seconds=1)
    return msgspec.structs.replace(_of(record, state, clock), attempts=(tried,), user_id="u1")


@pytest.mark.parametrize("part", PARTS, ids=[part.name for part in PARTS])
def test_a_part_names_all_that_its_table_needs_and_locks_no_row_of_another(part: Any) -> None:
    needed = {column.name for column in part.table.c if not column.nullable}
    assert needed <= {*part.columns} <= {*part.table.c.keys()}
    assert "message_id" in part.table.c
    assert not part.table.foreign_keys
