"""Tenants and keys, handoffs, dead letters, conversations, migrations."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import inspect, select, text

from shared.clock import ManualClock
from shared.errors import Conflict, NotFound
from shared.identifiers import DEAD_LETTER, new_id
from shared.messages.dead_letter import DeadReason
from shared.messages.state import ResponseState
from shared.messages.tenant import KeyScope, Plan
from shared.persistence.conversations import ConversationRepository
from shared.persistence.dead_letters import DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.handoffs import HandoffRepository
from shared.persistence.ledger.claiming import ClaimGroup, Lease
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Settlement
from shared.persistence.migrating import apply_migrations, missing_migrations, take_back
from shared.persistence.statements import connected
from shared.persistence.tables import DeadLetterState, message
from shared.persistence.tenants import TenantRepository

from .conftest import NewMessage

MANY = 1_000_000
FILE_TABLES = {"content", "content_chunk", "file", "tenant_storage"}


async def test_migrations_are_applied_once(database: Database) -> None:
    assert await missing_migrations(database) == []
    await asyncio.gather(*(apply_migrations(database) for _ in range(2)))


async def test_the_newest_migration_can_be_taken_back_and_applied_again(
    database: Database,
) -> None:
    async with connected(database.durable) as connection:
        await connection.run_sync(lambda sync: take_back(sync, "0003"))
        await connection.commit()
        indexes = await connection.run_sync(
            lambda sync: {each["name"] for each in inspect(sync).get_indexes("message")}
        )
    assert "ix_message_open" in indexes
    assert "ix_message_due" not in indexes
    assert await missing_migrations(database) == ["0004", "0005"]
    await apply_migrations(database)
    assert await missing_migrations(database) == []


async def test_files_come_to_a_filled_ledger_and_go_again(
    database: Database, ledger: MessageLedger, claims: ClaimGroup, new_message: NewMessage
) -> None:
    waiting, running = new_message(), new_message()
    for each in (waiting, running):
        await ledger.accept(each)
    await claims.flush([running.id])
    before = await _rows(database)
    async with connected(database.durable) as connection:
        await connection.run_sync(lambda sync: take_back(sync, "0004"))
        await connection.commit()
        tables = await connection.run_sync(lambda sync: {*inspect(sync).get_table_names()})
    assert not tables & FILE_TABLES
    assert await _rows(database) == before
    assert await missing_migrations(database) == ["0005"]
    await claims.flush([waiting.id])
    between = await _rows(database)
    await apply_migrations(database)
    async with connected(database.durable) as connection:
        tables = await connection.run_sync(lambda sync: {*inspect(sync).get_table_names()})
    assert tables >= FILE_TABLES
    assert await _rows(database) == between
    assert await claims.renew([Lease(running.id, 1)]) == {Lease(running.id, 1)}


async def test_what_runs_meanwhile_outlives_a_migration_and_its_taking_back(
    database: Database, ledger: MessageLedger, claims: ClaimGroup, new_message: NewMessage
) -> None:
    waiting, running, ended = messages = [new_message() for _ in range(3)]
    for each in messages:
        await ledger.accept(each)
    await claims.flush([running.id, ended.id])
    end = Settlement(
        message_id=ended.id,
        tenant_id=ended.tenant_id,
        attempt=1,
        state=ResponseState.COMPLETED,
        finished_at=ended.accepted_at,
        output_text="A basin in front of turbines.",
    )
    assert await ledger.settle(end)
    before = await _rows(database)

    async with connected(database.durable) as connection:
        await connection.run_sync(lambda sync: take_back(sync, "0003"))
        await connection.commit()
    assert await _rows(database) == before
    # A worker of the version before goes on, and is still there when the new one has come.
    await claims.flush([waiting.id])
    held = {Lease(running.id, 1), Lease(waiting.id, 1)}
    between = await _rows(database)
    await apply_migrations(database)
    assert await _rows(database) == between
    assert await claims.renew([*held]) == held


async def _rows(database: Database) -> list[object]:
    async with database.relaxed.connect() as connection:
        return [*await connection.execute(select(message).order_by(message.c.id))]


async def test_a_process_may_start_again_while_a_later_version_is_rolled_out(
    database: Database,
) -> None:
    async with database.durable.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert await missing_migrations(database) == []


async def test_a_key_opens_its_tenant_until_it_is_revoked(
    database: Database, clock: ManualClock
) -> None:
    tenants = TenantRepository(database, clock)
    plan = Plan(60, 6000, 6, 600, 10)
    acme = await tenants.create("acme", plan)
    with pytest.raises(Conflict, match="acme"):
        await tenants.create("acme")
    made = await tenants.create_key(acme, scope=KeyScope.PRODUCER)
    assert await tenants.by_key(made.key) == (acme, KeyScope.PRODUCER)
    assert made.key not in repr(await tenants.keys())
    newer = await tenants.rotate_key(made.record.id, overlap=timedelta(hours=1))
    assert await tenants.by_key(made.key) is not None
    clock.advance(3601)
    assert await tenants.by_key(made.key) is None
    assert await tenants.by_key(newer.key) == (acme, KeyScope.PRODUCER)
    await tenants.revoke_key(newer.record.id)
    assert await tenants.by_key(newer.key) is None
    with pytest.raises(NotFound, match="keys list"):
        await tenants.revoke_key("key_none")


async def test_a_human_answers_once(
    database: Database,
    ledger: MessageLedger,
    claims: ClaimGroup,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    record = new_message()
    await ledger.accept(record)
    await claims.flush([record.id])
    await ledger.settle(
        Settlement(
            message_id=record.id,
            tenant_id=record.tenant_id,
            attempt=1,
            state=ResponseState.REQUIRES_ACTION,
            finished_at=clock.now(),
            output_text="A person will answer.",
            handoff_reason="No provider could answer.",
        )
    )
    handoffs = HandoffRepository(database, clock)
    (open_one,) = await handoffs.list()
    assert open_one.message_id == record.id
    answered = await handoffs.answer(open_one.id, text="Here you are.", answered_by="ann")
    assert (answered.state, answered.output_text) == (ResponseState.COMPLETED, "Here you are.")
    with pytest.raises(Conflict, match="answered already"):
        await handoffs.answer(open_one.id, text="Again.", answered_by="bob")
    assert await handoffs.list() == []


async def test_a_dead_letter_is_closed_once(database: Database, clock: ManualClock) -> None:
    letters = DeadLetterRepository(database, clock)
    letter_id = new_id(DEAD_LETTER)
    for kept in (True, False):
        assert kept is await letters.add(
            letter_id,
            reason=DeadReason.MALFORMED,
            detail="not JSON",
            queue="intake",
            body=b"\x00" * 70_000,
        )
    letter = await letters.show(letter_id)
    assert letter.body is not None
    assert len(letter.body) == 65_536
    await letters.close_letter(letter_id, state=DeadLetterState.DISCARDED)
    with pytest.raises(Conflict, match="discarded already"):
        await letters.close_letter(letter_id, state=DeadLetterState.REPLAYED)
    assert await letters.list() == []


async def test_a_conversation_is_read_back_in_order(
    database: Database,
    ledger: MessageLedger,
    claims: ClaimGroup,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    previous: str | None = None
    for number in range(3):
        record = new_message(
            body=f'{{"input":"question {number}"}}', conversation_id="conv_1", previous_id=previous
        )
        await ledger.accept(record)
        await claims.flush([record.id])
        clock.advance(1)
        await ledger.settle(
            Settlement(
                message_id=record.id,
                tenant_id=record.tenant_id,
                attempt=1,
                state=ResponseState.COMPLETED,
                finished_at=clock.now(),
                output_text=f"answer {number}",
            )
        )
        previous = record.id
    conversations = ConversationRepository(database)
    by_name = await conversations.before(
        new_message(conversation_id="conv_1"), limit=2, limit_bytes=MANY
    )
    assert [item.text() for item in by_name] == ["question 1", "answer 1", "question 2", "answer 2"]
    by_chain = await conversations.before(
        new_message(previous_id=previous), limit=10, limit_bytes=MANY
    )
    assert [item.text() for item in by_chain][:2] == ["question 0", "answer 0"]
    assert len(by_chain) == 6
    for link in ({"conversation_id": "conv_1"}, {"previous_id": previous}):
        newest = await conversations.before(new_message(**link), limit=10, limit_bytes=59)
        assert [item.text() for item in newest] == ["question 2", "answer 2"]
        assert await conversations.before(new_message(**link), limit=1, limit_bytes=MANY) == newest
        assert await conversations.before(new_message(**link), limit=9, limit_bytes=1) == []
    stranger = new_message(conversation_id="conv_1", tenant_id="ten_2", previous_id=None)
    assert await conversations.before(stranger, limit=10, limit_bytes=MANY) == []
    with pytest.raises(NotFound, match="resp_gone"):
        await conversations.before(new_message(previous_id="resp_gone"), limit=10, limit_bytes=MANY)
