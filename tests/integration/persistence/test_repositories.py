"""Tenants and keys, handoffs, dead letters, conversations, migrations."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import inspect, text

from shared.clock import ManualClock
from shared.conversations.history import ConversationRepository
from shared.errors import Conflict, NotFound
from shared.identifiers import DEAD_LETTER, new_id
from shared.messages.dead_letter import DeadReason
from shared.messages.state import ResponseState
from shared.messages.tenant import KeyScope, Plan
from shared.persistence.dead_letters import DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.handoffs import HandoffRepository
from shared.persistence.key_records import KeyReach, Opened
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.migrating import apply_migrations, missing_migrations, take_back
from shared.persistence.statements import connected
from shared.persistence.tables import DeadLetterState
from shared.persistence.tenants import TenantRepository

from .conftest import AnswerMessage, NewMessage
from .worker_before import WorkerBefore, message_rows

MANY = 1_000_000
FILE_TABLES = {"content", "content_chunk", "file", "tenant_storage"}


async def test_migrations_are_applied_once(database: Database) -> None:
    assert await missing_migrations(database) == []
    await asyncio.gather(*(apply_migrations(database) for _ in range(2)))


async def test_files_come_to_a_filled_ledger_and_go_again(
    database: Database, ledger: MessageLedger, clock: ManualClock, new_message: NewMessage
) -> None:
    before, waiting, other = WorkerBefore(database, clock), new_message(), new_message()
    for each in (waiting, other):
        await ledger.accept(each)
    rows = await message_rows(database)
    async with connected(database.durable) as connection:
        await connection.run_sync(lambda sync: take_back(sync, "0004"))
        await connection.commit()
        tables = await connection.run_sync(lambda sync: {*inspect(sync).get_table_names()})
    assert not tables & FILE_TABLES
    assert await message_rows(database) == rows
    assert (await missing_migrations(database))[0] == "0005"
    assert await before.claim(waiting.id) == 1
    between = await message_rows(database)
    await apply_migrations(database)
    async with connected(database.durable) as connection:
        tables = await connection.run_sync(lambda sync: {*inspect(sync).get_table_names()})
    assert tables >= FILE_TABLES
    assert await message_rows(database) == between
    assert await before.renew(waiting.id)


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
    assert await tenants.by_key(made.key) == Opened(acme, KeyScope.PRODUCER)
    assert made.key not in repr(await tenants.keys())
    newer = await tenants.rotate_key(made.record.id, overlap=timedelta(hours=1))
    assert await tenants.by_key(made.key) is not None
    clock.advance(3601)
    assert await tenants.by_key(made.key) is None
    assert await tenants.by_key(newer.key) == Opened(acme, KeyScope.PRODUCER)
    await tenants.revoke_key(newer.record.id)
    assert await tenants.by_key(newer.key) is None
    with pytest.raises(NotFound, match="keys list"):
        await tenants.revoke_key("key_none")


async def test_a_key_goes_on_seeing_what_it_saw_when_it_is_replaced(
    database: Database, clock: ManualClock
) -> None:
    tenants = TenantRepository(database, clock)
    acme = await tenants.create("acme")
    reach = KeyReach(("user:ann", "group:sales"), delegates=True)
    made = await tenants.create_key(acme, scope=KeyScope.PRODUCER, reach=reach)
    newer = await tenants.rotate_key(made.record.id, overlap=timedelta(hours=1))
    for each in (made, newer):
        assert await tenants.by_key(each.key) == Opened(acme, KeyScope.PRODUCER, *reach)
        assert KeyReach(each.record.principals, delegates=each.record.delegates) == reach
    assert [one.principals for one in await tenants.keys()] == [reach.principals] * 2


async def test_a_human_answers_once(
    database: Database,
    answer_message: AnswerMessage,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    record = await answer_message(
        new_message(),
        state=ResponseState.REQUIRES_ACTION,
        output_text="A person will answer.",
        handoff_reason="No provider could answer.",
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
    answer_message: AnswerMessage,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    previous: str | None = None
    for number in range(3):
        record = new_message(
            body=f'{{"input":"question {number}"}}', conversation_id="conv_1", previous_id=previous
        )
        clock.advance(1)
        await answer_message(record, output_text=f"answer {number}")
        previous = record.id
    conversations = ConversationRepository(database)

    async def texts(limit: int = 10, limit_bytes: int = MANY, **link: Any) -> list[str]:
        record = new_message(**({"previous_id": None} | link))
        earlier, _ = await conversations.before(record, [], limit=limit, limit_bytes=limit_bytes)
        return [item.text() for item in earlier]

    by_name = await texts(limit=2, conversation_id="conv_1")
    assert by_name == ["question 1", "answer 1", "question 2", "answer 2"]
    by_chain = await texts(previous_id=previous)
    assert by_chain == ["question 0", "answer 0", *by_name]
    for link in ({"conversation_id": "conv_1"}, {"previous_id": previous}):
        assert await texts(limit_bytes=59, **link) == ["question 2", "answer 2"]
        assert await texts(limit=1, **link) == ["question 2", "answer 2"]
        assert await texts(limit_bytes=1, **link) == ["question 2", "answer 2"]
    assert await texts(conversation_id="conv_1", tenant_id="ten_2") == []
    with pytest.raises(NotFound, match="resp_gone"):
        await texts(previous_id="resp_gone")
