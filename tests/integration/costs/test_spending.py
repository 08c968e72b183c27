"""What the ledger says was spent, on Postgres and on SQLite."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from shared.clock import ManualClock
from shared.costs.spending import Spending, SpendingBy, SpendingRow
from shared.messages.lane import Lane
from shared.messages.response import response_object
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.tenants import TenantRepository
from tests.integration.costs.conftest import SettleTurn


async def test_costs_come_back_as_they_were_booked(settle_turn: SettleTurn) -> None:
    record = await settle_turn("0.000123456", "0.1")
    assert record.cost == Decimal("0.100123456")
    cost = response_object(record).cost
    assert cost is not None
    assert (cost.amount, cost.currency) == ("0.100123456", "USD")


async def test_a_row_holds_failed_and_unknown_attempts_too(
    database: Database, settle_turn: SettleTurn
) -> None:
    await settle_turn(None, "0.1", "0.2")
    await settle_turn("0.000000001")
    (row,) = await Spending(database).report(SpendingBy.MODEL)
    assert row == SpendingRow(
        of="m",
        messages=2,
        attempts=4,
        input_tokens=30,
        cached_tokens=12,
        cache_write_tokens=6,
        output_tokens=15,
        reasoning_tokens=9,
        cost=Decimal("0.300000001"),
        unknown=1,
        estimated=0,
    )


async def test_costs_are_told_apart_by_all_that_they_can_be(
    database: Database, settle_turn: SettleTurn, clock: ManualClock
) -> None:
    acme = await TenantRepository(database, clock).create("acme")
    await settle_turn("1", tenant=acme.id, user="ann", lane=Lane.BATCH, model="small")
    await settle_turn("2", tenant="ten_gone", model="large")
    clock.advance(86_400)
    await settle_turn("4", tenant=acme.id, user="ann", model="large")

    async def costs(by: SpendingBy) -> dict[str, Decimal]:
        return {row.of: row.cost for row in await Spending(database).report(by)}

    assert await costs(SpendingBy.TENANT) == {"acme": 5, "ten_gone": 2}
    assert await costs(SpendingBy.USER) == {"ann": 5, "": 2}
    assert await costs(SpendingBy.MODEL) == {"large": 6, "small": 1}
    assert await costs(SpendingBy.LANE) == {"standard": 6, "batch": 1}
    assert await costs(SpendingBy.PROVIDER) == {"first": 7}
    today = clock.now()
    assert await costs(SpendingBy.DAY) == {
        f"{today - timedelta(days=1):%Y-%m-%d}": 3,
        f"{today:%Y-%m-%d}": 4,
    }


async def test_a_report_begins_when_it_is_told_to(
    database: Database, settle_turn: SettleTurn, clock: ManualClock
) -> None:
    await settle_turn("1")
    clock.advance(60)
    since = clock.now()
    await settle_turn("2")
    (row,) = await Spending(database).report(SpendingBy.TENANT, since=since)
    assert row.cost == 2


async def test_what_was_spent_on_a_deleted_message_stays_spent(
    database: Database, ledger: MessageLedger, settle_turn: SettleTurn
) -> None:
    record = await settle_turn("1", user="ann")
    assert await ledger.delete(record.id, tenant_id=record.tenant_id)
    (row,) = await Spending(database).report(SpendingBy.USER)
    assert (row.of, row.cost) == ("ann", 1)
