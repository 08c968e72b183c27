"""What callers put into conversations: kept as long as messages, and taken out for good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, inspect, select

from shared.clock import ManualClock
from shared.conversations.catalogue import Conversations
from shared.conversations.history import ConversationRepository
from shared.conversations.joining import NamedItem
from shared.conversations.sweeps import ConversationSweeps
from shared.conversations.tables import conversation, conversation_item
from shared.errors import InvalidRequest, NotFound
from shared.messages.item import MessageItem, Role
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.migrating import apply_migrations, missing_migrations, take_back
from shared.persistence.statements import connected
from shared.settings.servers import LedgerSettings

from .conftest import AnswerMessage, NewMessage
from .plans.crowd import fill
from .worker_before import message_rows

MINE = "conv_mine"
Answered = Callable[[str], Awaitable[MessageRecord]]


def user(text: str) -> NamedItem:
    return NamedItem(f"item_{text}", MessageItem(Role.USER, text))


@pytest.fixture
def conversations(database: Database, clock: ManualClock) -> Conversations:
    return Conversations(database, clock)


@pytest.fixture
def answered(
    answer_message: AnswerMessage, clock: ManualClock, new_message: NewMessage
) -> Answered:
    """Settles a message in the conversation, a second later."""

    async def settle(text: str) -> MessageRecord:
        record = new_message(conversation_id=MINE, body=f'{{"input":"{text}"}}')
        clock.advance(1)
        return await answer_message(record, output_text=f"{text}!")

    return settle


async def texts(database: Database, *, limit: int = 100, limit_bytes: int = 10_000) -> list[str]:
    history = ConversationRepository(database)
    found = await history.within("ten_1", MINE, limit=limit, limit_bytes=limit_bytes)
    return [each.item.text() for each in found]


async def _rows(database: Database) -> dict[str, int]:
    async with connected(database.durable) as connection:
        return {
            table.name: await connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (conversation, conversation_item)
        }


async def test_the_end_is_read_whoever_said_it(
    database: Database, conversations: Conversations, answered: Answered, clock: ManualClock
) -> None:
    await answered("a")
    clock.advance(1)
    await conversations.add("ten_1", MINE, [user("b"), user("c")])
    clock.advance(1)
    await answered("d")
    assert await texts(database) == ["a", "a!", "b", "c", "d", "d!"]
    assert await texts(database, limit=2) == ["c", "d", "d!"]
    assert await texts(database, limit_bytes=25) == ["d", "d!"]


async def test_what_was_taken_out_stays_out_as_long_as_its_message_is_there(
    database: Database,
    conversations: Conversations,
    answered: Answered,
    ledger: MessageLedger,
    settings: LedgerSettings,
    clock: ManualClock,
) -> None:
    record, other = await answered("a"), await answered("b")
    clock.advance(-60)  # a door whose clock is late
    await conversations.remove("ten_1", MINE, f"msg_{record.id.removeprefix('resp_')}")
    await conversations.remove("ten_1", MINE, f"msg_{record.id.removeprefix('resp_')}")
    assert await texts(database) == ["a", "b", "b!"]
    clock.advance(timedelta(days=settings.retention_days + 1).total_seconds())
    sweeps = ConversationSweeps(database, settings, clock)
    assert not any((await sweeps.forget_old()).values())
    assert await texts(database) == ["a", "b", "b!"]
    for message_id in (record.id, other.id):
        await ledger.delete(message_id, tenant_id="ten_1")
    assert (await sweeps.forget_old())["taken_out"] == 1
    assert await _rows(database) == {"conversation": 1, "conversation_item": 0}


async def test_what_was_taken_out_and_is_put_in_again_stands_where_it_was_put(
    database: Database, conversations: Conversations, answered: Answered, clock: ManualClock
) -> None:
    record = await answered("a")
    answer = f"msg_{record.id.removeprefix('resp_')}"
    await answered("b")
    await conversations.remove("ten_1", MINE, answer)
    clock.advance(1)
    await conversations.add("ten_1", MINE, [NamedItem(answer, user("a?").item), user("c")])
    assert await texts(database) == ["a", "b", "b!", "a?", "c"]
    await conversations.remove("ten_1", MINE, answer)
    assert await texts(database) == ["a", "b", "b!", "c"]


async def test_what_was_put_in_is_forgotten_after_its_time_and_the_conversation_stays(
    database: Database, conversations: Conversations, settings: LedgerSettings, clock: ManualClock
) -> None:
    made = await conversations.create("ten_1", {"a": "b"}, [user("a"), user("b")])
    sweeps = ConversationSweeps(database, settings, clock)
    clock.advance(timedelta(days=settings.retention_days).total_seconds())
    assert not any((await sweeps.forget_old()).values())
    clock.advance(1)
    assert (await sweeps.forget_old(limit=1))["conversation_item"] == 1
    assert (await sweeps.forget_old())["conversation_item"] == 1
    assert await conversations.find("ten_1", made.id) == made


async def test_a_deleted_conversation_is_remembered_until_its_messages_are_forgotten(
    database: Database,
    conversations: Conversations,
    answered: Answered,
    ledger: MessageLedger,
    settings: LedgerSettings,
    clock: ManualClock,
) -> None:
    record = await answered("a")
    await conversations.add("ten_1", MINE, [user("b")])
    await conversations.delete("ten_1", MINE)
    assert await _rows(database) == {"conversation": 1, "conversation_item": 0}
    assert await texts(database) == []
    sweeps = ConversationSweeps(database, settings, clock)
    clock.advance(timedelta(days=settings.retention_days + 1).total_seconds())
    await sweeps.forget_old()
    with pytest.raises(NotFound, match="was deleted"):
        await conversations.check("ten_1", MINE)
    await ledger.delete(record.id, tenant_id="ten_1")
    assert (await sweeps.forget_old())["conversation"] == 1
    await conversations.check("ten_1", MINE)


async def test_an_id_is_taken_once(conversations: Conversations) -> None:
    made = await conversations.create("ten_1", {}, [user("a")])
    with pytest.raises(InvalidRequest, match="put into this conversation"):
        await conversations.add("ten_1", made.id, [user("b"), user("a")])
    with pytest.raises(InvalidRequest, match="one twice"):
        await conversations.add("ten_1", made.id, [user("b"), user("b")])
    await conversations.add("ten_1", made.id, [user("b")])
    with pytest.raises(NotFound):
        await conversations.add("ten_2", made.id, [user("c")])


async def test_conversations_come_to_a_filled_ledger_and_go_again(
    database: Database, clock: ManualClock
) -> None:
    await fill(database, clock.now(), statistics="absent", scale=0.02)
    rows = await message_rows(database)
    async with connected(database.durable) as connection:
        await connection.run_sync(lambda sync: take_back(sync, "0007"))
        await connection.commit()
        tables = await connection.run_sync(lambda sync: {*inspect(sync).get_table_names()})
    assert not tables & {"conversation", "conversation_item"}
    assert (await missing_migrations(database))[0] == "0008"
    await apply_migrations(database)
    assert await message_rows(database) == rows
    assert await _rows(database) == {"conversation": 0, "conversation_item": 0}
    found = await ConversationRepository(database).within(
        "ten_1", "conv_resp_e8", limit=10, limit_bytes=10_000
    )
    assert [each.item.text() for each in found] == ["What is a forebay?", "So it is."]
