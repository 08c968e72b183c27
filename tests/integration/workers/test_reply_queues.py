"""A producer that named a queue finds the answer there, from the worker or from the janitor."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from kombu import Connection
from sqlalchemy import select, update

from shared.identifiers import new_id
from shared.messages.record import MessageRecord, ReplyShape
from shared.persistence.tables import message
from tests.integration.queueing.queue_contents import drain
from tests.integration.workers.road import Road, eventually
from tests.integration.workers.stack import Stack

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def reply_to(stack: Stack) -> str:
    """A queue of the producer's own."""
    name = new_id("reply").replace("_", ".")
    broker = stack.settings.broker
    if not broker.is_redis:
        with Connection(str(broker.url)) as connection, connection.channel() as channel:
            channel.queue_declare(name, auto_delete=False)
    return name


async def test_an_answer_goes_to_the_queue_its_producer_named(
    road: Road, stack: Stack, reply_to: str
) -> None:
    record = await road.accept("plain please", reply_to=reply_to, reply_correlation="mine-1")
    answer, properties = await _answer(stack, reply_to)
    assert answer["id"] == record.id
    assert answer["status"] == "completed"
    assert answer["output"][0]["content"][0]["text"] == "You said: plain please"
    assert properties["correlation_id"] == "mine-1"


async def test_a_celery_producer_gets_its_own_shape(
    road: Road, stack: Stack, reply_to: str
) -> None:
    record = await road.accept(
        "celery please", reply_to=reply_to, reply_shape=ReplyShape.CELERY, reply_correlation="t-1"
    )
    answer, _ = await _answer(stack, reply_to)
    assert (answer["task_id"], answer["status"]) == ("t-1", "SUCCESS")
    assert answer["result"]["id"] == record.id


async def test_a_message_that_fails_is_answered_too(
    road: Road, stack: Stack, reply_to: str
) -> None:
    await road.accept("nobody waits", reply_to=reply_to, seconds=-1)
    answer, _ = await _answer(stack, reply_to)
    assert answer["status"] == "failed"
    assert "deadline" in answer["error"]["message"]


async def test_the_janitor_sends_what_a_worker_could_not(
    road: Road, stack: Stack, reply_to: str
) -> None:
    record = await road.accept("twice please", reply_to=reply_to)
    first, _ = await _answer(stack, reply_to)
    await eventually(lambda: _replied_at(road, record), "the note that it was sent")
    await _forget_that_it_was_sent(road, record)
    second, _ = await _answer(stack, reply_to)
    assert (second["id"], second["output"]) == (first["id"], first["output"])
    assert await eventually(lambda: _replied_at(road, record), "the note of the janitor")


async def test_no_producer_can_name_one_of_our_own_queues(road: Road, stack: Stack) -> None:
    record = await road.accept("to the intake with it", reply_to="intake")
    await eventually(lambda: _replied_at(road, record), "the note")
    assert list(await asyncio.to_thread(lambda: list(drain(stack.settings.broker, "intake")))) == []


async def _answer(stack: Stack, queue: str) -> tuple[Any, dict[str, Any]]:
    """The next answer in the queue: its JSON and its properties."""

    async def taken() -> Any:
        return await asyncio.to_thread(lambda: list(drain(stack.settings.broker, queue)))

    (found,) = await eventually(taken, f"an answer in {queue}")
    return json.loads(found.body), found.properties


async def _replied_at(road: Road, record: MessageRecord) -> object:
    async with road.database.relaxed.connect() as connection:
        return await connection.scalar(
            select(message.c.replied_at).where(message.c.id == record.id)
        )


async def _forget_that_it_was_sent(road: Road, record: MessageRecord) -> None:
    long_ago = road.clock.now() - timedelta(minutes=1)
    async with road.database.relaxed.begin() as connection:
        await connection.execute(
            update(message)
            .where(message.c.id == record.id)
            .values(replied_at=None, finished_at=long_ago)
        )
