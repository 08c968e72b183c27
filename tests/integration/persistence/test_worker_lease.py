"""One row is the lease of all that a worker holds."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.persistence.engine import Database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.ledger.worker_lease import Lease
from shared.persistence.message_history import read_history
from shared.persistence.statements import reading

from .conftest import NewMessage

HELD = 100
RENEWALS = 20
BEFORE_BYTES = 450
"""What renewing one message wrote on Postgres when its lease was in its row."""


async def test_renewing_writes_next_to_nothing_however_much_is_held(
    database: Database, ledger: MessageLedger, claims: ClaimGroup, new_message: NewMessage
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite tells nobody what it wrote.")
    messages = [new_message(body="x" * 100_000) for _ in range(HELD)]
    for each in messages:
        await ledger.accept(each)
    await claims.flush([each.id for each in messages])
    leases = {Lease(each.id, 1) for each in messages}
    before = await _written(database)
    for _ in range(RENEWALS):
        assert await claims.renew([*leases]) == leases
    assert await _written(database) - before < 0.1 * BEFORE_BYTES * HELD * RENEWALS


async def test_what_a_living_worker_does_not_know_of_goes_back_after_a_lease(
    ledger: MessageLedger,
    claims: ClaimGroup,
    sweeps: LedgerSweeps,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    """As where the answer to its claim was lost."""
    known, unknown = new_message(), new_message()
    for each in (known, unknown):
        await ledger.accept(each)
    await claims.flush([known.id, unknown.id])
    mine = Lease(known.id, 1)
    for _ in range(3):
        assert await claims.renew([mine]) == {mine}
        assert await sweeps.expire_leases() == ([], [])
        clock.advance(5)
    assert await claims.renew([mine]) == {mine}
    clock.advance(1)
    assert await sweeps.expire_leases() == ([unknown.id], [])
    assert await claims.renew([mine]) == {mine}


async def test_a_worker_whose_lease_is_gone_has_another_before_it_claims(
    database: Database,
    ledger: MessageLedger,
    claims: ClaimGroup,
    sweeps: LedgerSweeps,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    """As one that was frozen: sweeps forget the leases of the dead."""
    first, second = new_message(), new_message()
    for each in (first, second):
        await ledger.accept(each)
    await claims.flush([first.id])
    clock.advance(16)
    assert await sweeps.expire_leases() == ([first.id], [])
    assert await claims.flush([second.id]) != [None]
    assert await sweeps.expire_leases() == ([], [])
    assert (await read_history(database, second.id)).lease_until is not None
    assert (await read_history(database, first.id)).lease_until is None


async def _written(database: Database) -> int:
    async with reading(database.relaxed) as connection:
        place = text("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(await connection.scalar(place) or 0)
