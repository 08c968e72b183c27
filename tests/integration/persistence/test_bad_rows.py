"""What cannot be claimed, or cannot be read, costs its neighbours nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.identifiers import key_digest
from shared.messages.dead_letter import DeadReason
from shared.messages.record import MessageRecord
from shared.messages.tenant import KeyScope
from shared.persistence.dead_letters import DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.statements import transaction
from shared.persistence.tenants import TenantRepository

from .conftest import NewMessage


async def _spoil(database: Database, record: MessageRecord, **values: object) -> None:
    """As a newer version, or a hand, may have written it."""
    changes = ", ".join(f"{name} = :{name}" for name in values)
    async with transaction(database.durable) as connection:
        await connection.execute(
            text(f"UPDATE message SET {changes} WHERE id = :id"), {**values, "id": record.id}
        )


async def test_a_row_that_cannot_be_read_costs_its_claim_alone(
    ledger: MessageLedger, claims: ClaimGroup, database: Database, new_message: NewMessage
) -> None:
    first, bad, last = records = [new_message() for _ in range(3)]
    for record in records:
        await ledger.accept(record)
    await _spoil(database, bad, lane="express")
    outcomes = await claims.flush([record.id for record in records])
    assert [getattr(outcome, "id", None) for outcome in outcomes] == [first.id, None, last.id]


async def test_a_row_that_cannot_be_read_is_an_error_for_those_alone_who_asked_for_it(
    ledger: MessageLedger, database: Database, new_message: NewMessage
) -> None:
    first, bad, last = records = [new_message() for _ in range(3)]
    for record in records:
        await ledger.accept(record)
    await _spoil(database, bad, lane="express")
    ids = [first.id, bad.id, last.id, "resp_none", "resp_\0", "resp_\ud800", first.id]
    found = await asyncio.gather(*map(ledger.find, ids), return_exceptions=True)
    assert isinstance(found[1], ValueError | LookupError)
    assert [getattr(each, "id", None) for each in found if each is not found[1]] == [
        first.id,
        last.id,
        None,
        None,
        None,
        first.id,
    ]


async def test_a_row_that_cannot_be_claimed_costs_its_claim_alone(
    ledger: MessageLedger, claims: ClaimGroup, database: Database, new_message: NewMessage
) -> None:
    first, bad, last = records = [new_message() for _ in range(3)]
    for record in records:
        await ledger.accept(record)
    await _spoil(database, bad, attempt=2**31 - 1)  # one more does not fit on Postgres
    outcomes = await claims.flush([record.id for record in records])
    assert [getattr(outcomes[n], "id", None) for n in (0, 2)] == [first.id, last.id]
    assert isinstance(outcomes[1], Exception) is not database.is_sqlite


async def test_an_id_that_no_database_takes_costs_its_claim_alone(
    ledger: MessageLedger, claims: ClaimGroup, new_message: NewMessage
) -> None:
    record = new_message()
    await ledger.accept(record)
    none, also_none, claimed = await claims.flush(["resp_\0", "resp_\ud800", record.id])
    assert (none, also_none, getattr(claimed, "id", None)) == (None, None, record.id)


async def test_a_row_that_cannot_be_read_ends_with_the_others_and_holds_up_no_sweep(
    ledger: MessageLedger,
    sweeps: LedgerSweeps,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    bad, good = (new_message(deadline=clock.now() + timedelta(seconds=5)) for _ in range(2))
    for record in (bad, good):
        await ledger.accept(record)
    await _spoil(database, bad, lane="express")
    clock.advance(15)
    assert [due.wake_up.message_id for due in await sweeps.due()] == [good.id]
    assert [record.id for record in await sweeps.expire_deadlines()] == [good.id]
    letters = await DeadLetterRepository(database, clock).list()
    assert {letter.message_id for letter in letters} == {bad.id, good.id}
    assert {letter.reason for letter in letters} == {DeadReason.DEADLINE_PASSED}
    assert await sweeps.due() == []


@pytest.mark.parametrize(
    "spoilt",
    ["UPDATE tenant SET plan = '{\"newer\": 1}'", "UPDATE api_key SET scope = 'newer'"],
    ids=["plan", "scope"],
)
async def test_a_key_that_cannot_be_read_costs_those_asked_for_with_it_nothing(
    database: Database, clock: ManualClock, spoilt: str
) -> None:
    tenants = TenantRepository(database, clock)
    bad = await tenants.create_key(await tenants.create("bad"), scope=KeyScope.ADMIN)
    async with transaction(database.durable) as connection:
        await connection.execute(text(spoilt))
    good = await tenants.create_key(await tenants.create("good"), scope=KeyScope.ADMIN)

    found = await tenants.by_digests([key_digest(made.key) for made in (bad, good)])

    assert isinstance(found[key_digest(good.key)], tuple)
    with pytest.raises((ValueError, msgspec.ValidationError)):
        await tenants.by_key(bad.key)
