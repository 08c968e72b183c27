"""What is old is deleted, a little at a time; who leads, and who follows a leader that died."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from shared.clock import ManualClock
from shared.erasing.retention import Retention
from shared.identifiers import first_id, new_id, new_response_id
from shared.messages.dead_letter import DeadReason
from shared.messages.state import ResponseState
from shared.persistence.dead_letters import DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.handoffs import HandoffRepository
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AttemptRecord
from shared.persistence.ledger.role_leases import RoleLease
from shared.persistence.statements import transaction
from shared.persistence.tables import attempt, dead_letter, handoff, message
from shared.persistence.tenants import TenantRepository
from shared.settings.servers import LedgerSettings

from .conftest import AnswerMessage, NewMessage

_TABLES = (message, attempt, dead_letter, handoff)


async def _counts(database: Database) -> dict[str, int]:
    async with transaction(database.relaxed) as connection:
        return {
            table.name: await connection.scalar(select(func.count()).select_from(table)) or 0
            for table in _TABLES
        }


async def _answered_by_a_human(
    answer_message: AnswerMessage,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    """A message with an attempt, a dead letter beside it, and a handoff that was answered."""
    called = AttemptRecord(provider="p", model="m", started_at=clock.now(), latency_seconds=1.0)
    await answer_message(
        new_message(id=first_id("resp", clock.now())),
        state=ResponseState.REQUIRES_ACTION,
        attempts=(called,),
        handoff_reason="nobody else could",
    )
    inbox = HandoffRepository(database, clock)
    (waiting,) = await inbox.list()
    await inbox.answer(waiting.id, text="So it is.", answered_by="ann")
    await DeadLetterRepository(database, clock).add("dead_1", reason=DeadReason.INVALID, detail="")


async def test_everything_old_is_forgotten_and_what_was_spent_later(
    answer_message: AnswerMessage,
    database: Database,
    settings: LedgerSettings,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    await _answered_by_a_human(answer_message, database, clock, new_message)
    retention = Retention(database, settings, clock)
    assert set((await retention.forget_old()).values()) == {0}
    clock.advance(timedelta(days=settings.retention_days, seconds=1).total_seconds())
    assert await retention.forget_old() == {
        "message": 1,
        "batch": 0,
        "dead_letter": 1,
        "handoff": 0,  # it went with its message
        "feedback": 0,
        "attempt": 0,
    }
    counts = await _counts(database)
    assert counts == {"message": 0, "attempt": 1, "dead_letter": 0, "handoff": 0}
    clock.advance(timedelta(days=settings.attempt_retention_days).total_seconds())
    assert (await retention.forget_old())["attempt"] == 1
    assert set((await _counts(database)).values()) == {0}


async def test_an_open_handoff_waits_however_long_and_a_round_deletes_a_few_rows_only(
    database: Database, settings: LedgerSettings, clock: ManualClock
) -> None:
    letters = DeadLetterRepository(database, clock)
    for _ in range(3):
        await letters.add(new_id("dead"), reason=DeadReason.INVALID, detail="")
    async with transaction(database.durable) as connection:
        await connection.execute(
            handoff.insert().values(
                id="hand_1",
                message_id=new_response_id(),
                tenant_id="ten_1",
                state="open",
                reason="",
                created_at=clock.now(),
            )
        )
    clock.advance(timedelta(days=settings.retention_days * 2).total_seconds())
    retention = Retention(database, settings, clock)
    assert [(await retention.forget_old(limit=2))["dead_letter"] for _ in range(3)] == [2, 1, 0]
    assert (await _counts(database))["handoff"] == 1


async def test_a_tenant_keeps_for_as_long_as_it_was_given_and_others_as_the_settings_say(
    ledger: MessageLedger,
    database: Database,
    settings: LedgerSettings,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    tenants = TenantRepository(database, clock)
    brief, long, usual = [await tenants.create(name) for name in ("brief", "long", "usual")]
    await tenants.keep_for(brief, 1)
    await tenants.keep_for(long, settings.retention_days + 10)
    made = {each.name: new_message(tenant_id=each.id) for each in (long, usual, brief)}
    for record in made.values():
        await ledger.accept(record)
        await ledger.cancel(record.id, tenant_id=record.tenant_id)
        clock.advance(1)
    retention = Retention(database, settings, clock)

    async def kept() -> set[str]:
        for _ in range(4):  # one time of a tenant's own in each round
            await retention.forget_old()
        return {name for name, each in made.items() if await ledger.find(each.id) is not None}

    assert await kept() == {"brief", "long", "usual"}
    clock.advance(86_400)
    assert await kept() == {"long", "usual"}
    clock.advance((settings.retention_days - 1) * 86_400)
    assert await kept() == {"long"}
    # What was looked at before and left alone is found when it is not to be kept any more.
    await tenants.keep_for(long, None)
    assert await kept() == set()


async def test_rounds_pass_what_others_keep_longer_though_it_is_of_one_moment(
    database: Database, settings: LedgerSettings, clock: ManualClock
) -> None:
    tenants = TenantRepository(database, clock)
    long = await tenants.keep_for(await tenants.create("long"), 1_000)
    letters = DeadLetterRepository(database, clock)
    for tenant_id in [long.id] * 4 + ["ten_1"] * 2:
        await letters.add(new_id("dead"), reason=DeadReason.INVALID, detail="", tenant_id=tenant_id)
        clock.advance(tenant_id == "ten_1")
    clock.advance(settings.retention_days * 86_400)
    retention = Retention(database, settings, clock)
    gone = [(await retention.forget_old(limit=5))["dead_letter"] for _ in range(3)]
    assert sum(gone) == 2
    assert (await _counts(database))["dead_letter"] == 4


async def test_one_process_leads_and_a_dead_leader_is_followed(
    database: Database, clock: ManualClock
) -> None:
    first, second = (
        RoleLease(database, clock, role="janitor", holder=name, lease_seconds=4)
        for name in ("worker-1", "worker-2")
    )
    assert [await first.take(), await second.take()] == [True, False]
    clock.advance(3)
    assert [await first.take(), await second.take()] == [True, False]
    clock.advance(5)
    assert [await second.take(), await first.take()] == [True, False]
    await first.give_back()  # not its own
    assert not await first.take()
    await second.give_back()
    assert await first.take()


async def test_a_dead_leader_whose_clock_was_a_day_ahead_is_followed_at_once(
    database: Database, clock: ManualClock
) -> None:
    first, second = (
        RoleLease(database, clock, role="janitor", holder=name, lease_seconds=4)
        for name in ("worker-1", "worker-2")
    )
    clock.advance(86_400)
    assert await first.take()
    clock.advance(-86_400)
    assert await second.take()
