"""While a version is rolled out, doors of the one before accept beside it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import func, select, update

from shared.accepting.arrival import keep
from shared.clock import ManualClock
from shared.files.content_ledger import ContentLedger
from shared.files.database_content import DatabaseContent
from shared.large_content import APART_CHARACTERS
from shared.messages.body import Body, body_digest, encode_body
from shared.messages.item import MessageItem, Role
from shared.messages.part import FilePart, ImagePart
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database
from shared.persistence.ledger.records import Accepted, AlreadyAccepted
from shared.persistence.statements import reading, transaction
from shared.persistence.tables import message
from workers.providers.wire.asking.answered_calls import UncarriedError
from workers.providers.wire.asking.chat_messages import chat_messages
from workers.providers.wire.asking.documents import document, image
from workers.providers.wire.asking.thoughts import OwnThoughts, RefusedThoughts

from .both_versions import BothVersions
from .conftest import NewMessage

LARGE = ImagePart("data:image/png;base64," + "iVBO" * APART_CHARACTERS)


async def test_each_version_knows_the_keys_that_the_other_accepted(
    both: BothVersions, new_message: NewMessage
) -> None:
    before, ledger = both.door_before, both.ledger
    theirs, ours = new_message(idempotency_key="theirs"), new_message(idempotency_key="ours")
    assert await before.accept(theirs) == (theirs.id, True)
    assert await ledger.accept(ours) == Accepted(ours)
    for digest, is_same in (("d1", True), ("d2", False)):
        again = new_message(idempotency_key="theirs", body_digest=digest)
        assert await ledger.accept(again) == AlreadyAccepted(theirs.id, same_body=is_same)
        again = new_message(idempotency_key="ours", body_digest=digest)
        assert await before.accept(again) == (ours.id, is_same)


async def test_one_key_posted_at_doors_of_both_versions_at_once_is_one_message(
    both: BothVersions, database: Database, new_message: NewMessage
) -> None:
    async def post_to_this_version() -> str:
        outcome = await both.ledger.accept(new_message(idempotency_key="k"))
        return outcome.message_id if isinstance(outcome, AlreadyAccepted) else outcome.record.id

    async def post_to_the_one_before() -> str:
        return (await both.door_before.accept(new_message(idempotency_key="k")))[0]

    posts = [post() for _ in range(10) for post in (post_to_this_version, post_to_the_one_before)]
    assert len({*await asyncio.gather(*posts)}) == 1
    async with reading(database.relaxed) as connection:
        assert await connection.scalar(select(func.count()).select_from(message)) == 1


async def test_workers_of_both_versions_find_and_take_what_an_old_door_accepted(
    both: BothVersions, clock: ManualClock, new_message: NewMessage
) -> None:
    door, worker, claims = both.door_before, both.worker_before, both.claims
    first, second, ours = new_message(), new_message(), new_message()
    await door.accept(first)
    await door.accept(second)
    await both.ledger.accept(ours)
    clock.advance(16)
    waiting = {first.id, second.id, ours.id}
    assert {each.wake_up.message_id for each in await both.sweeps.due()} == waiting
    assert {*await worker.due()} == waiting
    (record,) = await claims.flush([first.id])
    assert record is not None
    assert (record.body, record.attempt, record.store) == (first.body, 1, None)
    assert await worker.claim(first.id) is None
    assert await worker.claim(second.id) == 1
    assert await claims.flush([second.id]) == [None]


async def test_an_image_is_the_same_message_whole_at_an_old_door_and_apart_at_a_new_one(
    both: BothVersions, database: Database, clock: ManualClock, new_message: NewMessage
) -> None:
    before = both.door_before
    accepts = ContentLedger(both.ledger, database, DatabaseContent(database), clock)
    body = Body(input=[MessageItem(Role.USER, [LARGE])])
    kept = await keep(body)

    def whole(key: str) -> MessageRecord:
        said = {"body": encode_body(body).decode(), "body_digest": body_digest(body)}
        return new_message(idempotency_key=key, **said)

    def apart(key: str) -> MessageRecord:
        said = {"body": kept.raw.decode(), "body_digest": kept.digest}
        return new_message(idempotency_key=key, **said)

    theirs, ours = whole("theirs"), apart("ours")
    await before.accept(theirs)
    assert await accepts.accept(ours, kept.contents) == Accepted(ours)
    again = await accepts.accept(apart("theirs"), kept.contents)
    assert again == AlreadyAccepted(theirs.id, same_body=True)
    assert await before.accept(whole("ours")) == (ours.id, True)


async def test_a_worker_before_answers_nothing_without_an_image_that_a_new_door_kept_apart(
    both: BothVersions, database: Database, clock: ManualClock, new_message: NewMessage
) -> None:
    """Workers are restarted first; one that was forgotten asks no model without the image."""
    accepts = ContentLedger(both.ledger, database, DatabaseContent(database), clock)
    thoughts = OwnThoughts(by="m", refused=RefusedThoughts())
    for part in (LARGE, FilePart(file_data=LARGE.image_url)):
        kept = await keep(Body(input=[MessageItem(Role.USER, [part])]))
        record = new_message(body=kept.raw.decode(), body_digest=kept.digest)
        await accepts.accept(record, kept.contents)
        assert await both.worker_before.claim(record.id) == 1
        (item,) = msgspec.json.decode(record.body)["input"]
        (told,) = item["content"]
        # What it knows of a part, and what it did not: it leaves out what it has no field for.
        assert told.keys() - {"type", "content"} == set()
        bare = type(part)()
        with pytest.raises(UncarriedError):
            chat_messages([MessageItem(Role.USER, [bare])], thoughts)
        with pytest.raises(UncarriedError):
            image(bare) if isinstance(bare, ImagePart) else document(bare)


async def test_neither_version_publishes_what_nobody_gave_a_time_to_be_woken(
    both: BothVersions, database: Database, clock: ManualClock, new_message: NewMessage
) -> None:
    worker, sweeps, held = both.worker_before, both.sweeps, new_message()
    await both.ledger.accept(held)
    async with transaction(database.durable) as connection:
        await connection.execute(update(message).values(wake_at=None))
    clock.advance(timedelta(minutes=9).total_seconds())
    assert await sweeps.due(by=clock.now() + timedelta(days=1)) == []
    assert await worker.due() == []
    # It is not forgotten: it is released by a time, or fails when its deadline has passed.
    assert await sweeps.wake_again(held.id)
    assert (
        [each.wake_up.message_id for each in await sweeps.due()] == await worker.due() == [held.id]
    )
    clock.advance(timedelta(minutes=2).total_seconds())
    assert [each.id for each in await sweeps.expire_deadlines()] == [held.id]
