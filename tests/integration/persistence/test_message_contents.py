"""Large content of messages: once in its tenant, for as long as a message refers to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import delete, select

from shared.clock import ManualClock
from shared.errors import LedgerUnavailable, NotFound
from shared.files.content_ledger import ContentLedger
from shared.files.database_content import DatabaseContent
from shared.files.file_sweeps import FileSweeps
from shared.files.message_contents import MessageContents
from shared.files.tables import content
from shared.index.documents.of_files import FileDocuments
from shared.messages.item import MessageItem, Role
from shared.messages.record import MessageRecord
from shared.messages.stored_body import decode_body
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Accepted, AlreadyAccepted
from shared.persistence.statements import reading, transaction
from shared.persistence.tables import message

from .conftest import NewMessage
from .pictures import FILE, IMAGE, LATE, Pictures
from .shelf import shelf_on


@pytest.fixture
async def pictures(
    database: Database, ledger: MessageLedger, clock: ManualClock, new_message: NewMessage
) -> AsyncIterator[Pictures]:
    store = DatabaseContent(database)
    accepts = ContentLedger(ledger, database, store, clock)
    sweeps = FileSweeps(database, store, clock, take_out=FileDocuments(database, clock).remove)
    reader = MessageContents(database, store)
    yield Pictures(accepts, reader, sweeps, database, clock, new_message)
    await accepts.close()


async def test_the_same_content_is_kept_once_in_its_tenant(pictures: Pictures) -> None:
    first = await pictures.post(IMAGE)
    kept = await pictures.rows()
    assert kept == (1, 3, 1)
    again = [await pictures.post(IMAGE, IMAGE) for _ in range(3)]
    assert await pictures.rows() == (1, 3, 4)
    other = await pictures.post(IMAGE, tenant_id="ten_2")
    assert await pictures.rows() == (2, 6, 5)
    for record in (first, *again, other):
        (item,) = await pictures.said(record)
        assert isinstance(item, MessageItem)
        assert {*item.content} == {IMAGE}
    items = decode_body(other.body.encode()).input
    with pytest.raises(NotFound):
        await pictures.contents.whole(items, tenant_id="ten_3")


async def test_a_message_is_small_beside_its_content(
    pictures: Pictures, ledger: MessageLedger
) -> None:
    record = await pictures.post(IMAGE, FILE)
    found = await ledger.find(record.id)
    assert found is not None
    assert found.body == record.body
    assert len(found.body) < 1_000


async def test_content_goes_with_the_last_message_that_refers_to_it(
    pictures: Pictures, ledger: MessageLedger
) -> None:
    first, second = await pictures.post(IMAGE, FILE), await pictures.post(IMAGE)
    await ledger.cancel(first.id, tenant_id="ten_1")
    assert await ledger.delete(first.id, tenant_id="ten_1")
    await pictures.sweep()
    assert await pictures.rows() == (1, 3, 1)
    assert await pictures.said(second) == [MessageItem(Role.USER, [IMAGE])]
    # As retention takes a message, of whatever version.
    async with transaction(pictures.database.durable) as connection:
        await connection.execute(delete(message).where(message.c.id == second.id))
    await pictures.sweep()
    assert await pictures.rows() == (0, 0, 0)


async def test_whoever_reads_content_that_is_let_go_has_time_to_end(
    pictures: Pictures, ledger: MessageLedger
) -> None:
    record = await pictures.post(IMAGE)
    async with reading(pictures.database.relaxed) as connection:
        content_id: str = (await connection.execute(select(content.c.id))).scalar_one()
    await ledger.cancel(record.id, tenant_id="ten_1")
    await ledger.delete(record.id, tenant_id="ten_1")
    assert await pictures.sweeps.release() == 1
    assert await pictures.sweeps.remove() == 0
    assert await DatabaseContent(pictures.database).read(content_id, 2)
    # It may be sent anew meanwhile, and stays then.
    again = await pictures.post(IMAGE)
    await pictures.sweep()
    assert await pictures.said(again) == [MessageItem(Role.USER, [IMAGE])]
    assert await pictures.rows() == (1, 3, 1)


async def test_a_sweep_looks_at_every_reference_in_turn(
    pictures: Pictures, ledger: MessageLedger
) -> None:
    posted = [await pictures.post(IMAGE) for _ in range(5)]
    records = sorted(posted, key=lambda record: record.id)  # some may be of one millisecond
    for record in (records[1], records[4]):
        await ledger.cancel(record.id, tenant_id="ten_1")
        await ledger.delete(record.id, tenant_id="ten_1")
    assert [await pictures.sweeps.release(limit=2) for _ in range(4)] == [1, 0, 1, 0]
    assert await pictures.rows() == (1, 3, 3)


async def test_what_was_accepted_before_is_told_and_leaves_nothing(pictures: Pictures) -> None:
    first = await pictures.message(IMAGE, idempotency_key="k")
    assert await pictures.accept(first) == Accepted(first.record)
    # Its commit was not heard of, and it is sent once more under its id.
    assert await pictures.accept(first) == Accepted(first.record)
    same = await pictures.message(IMAGE, idempotency_key="k")
    assert await pictures.accept(same) == AlreadyAccepted(first.record.id, same_body=True)
    other = await pictures.message(FILE, idempotency_key="k")
    assert await pictures.accept(other) == AlreadyAccepted(first.record.id, same_body=False)
    await pictures.sweep()
    pictures.clock.advance(LATE)
    await pictures.sweep()
    assert await pictures.rows() == (1, 3, 1)


async def test_what_was_not_committed_leaves_nothing(
    pictures: Pictures, ledger: MessageLedger, clock: ManualClock
) -> None:
    class StandsStill(DatabaseContent):
        """Every last chunk takes longer than a draft is left alone."""

        async def write(self, content_id: str, ordinal: int, chunk: bytes) -> None:
            await super().write(content_id, ordinal, chunk)
            if ordinal == 2:
                clock.advance(LATE)

    sent = await pictures.message(IMAGE)
    slow = ContentLedger(ledger, pictures.database, StandsStill(pictures.database), clock)
    with pytest.raises(LedgerUnavailable, match="was removed a moment ago"):
        await slow.accept(sent.record, sent.contents)

    assert await ledger.find(sent.record.id) is None
    contents, chunks, references = await pictures.rows()
    assert (contents > 0, chunks > 0, references) == (True, True, 0)
    await pictures.sweep()
    assert await pictures.rows() == (0, 0, 0)
    assert await pictures.accept(sent) == Accepted(sent.record)


async def test_messages_and_sweeps_at_once_lose_no_content(
    pictures: Pictures, ledger: MessageLedger
) -> None:
    records: list[MessageRecord] = []

    async def post_and_delete() -> None:
        for _ in range(6):
            gone = await pictures.post(IMAGE)
            await ledger.cancel(gone.id, tenant_id="ten_1")
            await ledger.delete(gone.id, tenant_id="ten_1")
            again = await pictures.post(IMAGE)
            await ledger.cancel(again.id, tenant_id="ten_1")
            await ledger.delete(again.id, tenant_id="ten_1")

    async def release() -> None:
        for _ in range(30):
            await pictures.sweeps.release()
            await asyncio.sleep(0)

    async def post() -> None:
        records.extend([await pictures.post(IMAGE) for _ in range(6)])

    await asyncio.gather(post_and_delete(), release(), release(), post())
    await pictures.sweep()
    assert len(records) == 6
    for record in records:
        assert await pictures.said(record) == [MessageItem(Role.USER, [IMAGE])]
    assert await pictures.rows() == (1, 3, 6)


async def test_a_message_that_is_sent_again_refers_to_what_is_there(pictures: Pictures) -> None:
    first = await pictures.message(IMAGE)
    await pictures.accept(first)
    without = dict.fromkeys(first.contents, ())
    again = pictures.new_message(body=first.record.body, body_digest=first.record.body_digest)
    assert await pictures.ledger.accept(again, without) == Accepted(again)
    assert await pictures.rows() == (1, 3, 2)
    elsewhere = pictures.new_message(body=first.record.body, tenant_id="ten_2")
    with pytest.raises(LedgerUnavailable, match="was removed a moment ago"):
        await pictures.ledger.accept(elsewhere, without)
    async with reading(pictures.database.relaxed) as connection:
        query = select(message.c.id).where(message.c.id == elsewhere.id)
        assert await connection.scalar(query) is None


async def test_a_file_of_the_same_bytes_is_content_of_its_own(
    pictures: Pictures, clock: ManualClock
) -> None:
    """So an older door that deletes the file takes nothing from the message."""
    shelf = shelf_on(pictures.database, clock)
    record = await pictures.post(FILE)
    held = FILE.file_data or ""
    file = await shelf.keep(held.encode())
    assert await pictures.rows() == (2, 2, 1)
    assert await shelf.catalogue.delete(file.id, tenant_id="ten_1")
    await pictures.sweep()
    assert await pictures.said(record) == [MessageItem(Role.USER, [FILE])]
