"""The typed producer, and the door behind it, from posting to the answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from shared.errors import BrokerUnavailable, InvalidRequest
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.queueing.answers.answers import response_answer
from shared.queueing.producer import AnswerTimeout, MessageRefused, Producer, build_message
from tests.integration.queueing.conftest import until
from tests.integration.queueing.intake_door import IntakeDoor
from tests.servers.ports import free_port


async def test_a_posted_message_is_accepted_once_however_often_it_comes(door: IntakeDoor) -> None:
    with Producer(str(door.broker.url), door.key) as producer:
        for _ in range(3):
            await asyncio.to_thread(
                producer.post, "Hello", lane=Lane.BATCH, idempotency_key="once", user="ann"
            )
        await asyncio.to_thread(producer.post, "Good bye")
    await until(door.accepted, 2)
    records = {record.idempotency_key: record for record in await door.accepted()}
    assert len(records) == 2
    assert (records["once"].lane, records["once"].user_id) == (Lane.BATCH, "ann")


async def test_asking_returns_the_response_object(door: IntakeDoor) -> None:
    with Producer(str(door.broker.url), door.key) as producer:
        asking = asyncio.create_task(
            asyncio.to_thread(producer.ask, "What is the capital of France?", timeout_seconds=60)
        )
        await until(door.accepted, 1)
        [record] = await door.accepted()
        await _answer(door, record, b'{"id": "resp_1", "output_text": "Paris"}')
        assert await asking == {"id": "resp_1", "output_text": "Paris"}


async def test_asking_with_a_wrong_key_says_so(door: IntakeDoor) -> None:
    with (
        Producer(str(door.broker.url), "fb_wrong") as producer,
        pytest.raises(MessageRefused, match="unknown, expired or revoked") as raised,
    ):
        await asyncio.to_thread(producer.ask, "Hello", timeout_seconds=60)
    assert raised.value.reason == "unauthenticated"


async def test_asking_gives_up_in_time(door: IntakeDoor) -> None:
    with Producer(str(door.broker.url), door.key) as producer, pytest.raises(AnswerTimeout):
        await asyncio.to_thread(producer.ask, "Hello", timeout_seconds=0.2)


async def test_many_messages_report_their_progress(door: IntakeDoor) -> None:
    seen: list[int] = []
    messages = [build_message(f"Message {number}") for number in range(250)]
    with Producer(str(door.broker.url), door.key) as producer:
        safe = await asyncio.to_thread(producer.post_many, messages, on_progress=seen.append)
    assert (safe, seen) == (250, [100, 200, 250])
    await until(door.accepted, 250)
    keys = Counter(record.idempotency_key for record in await door.accepted())
    assert keys == Counter(message.idempotency_key for message in messages)


def test_a_field_of_a_wrong_type_is_refused_before_it_is_sent() -> None:
    with pytest.raises(InvalidRequest, match="temperature"):
        build_message("Hello", temperature=7.0)


@pytest.mark.parametrize("does", [Producer.post, Producer.ask], ids=["post", "ask"])
def test_a_producer_without_a_broker_says_so_in_time(does: Callable[..., object]) -> None:
    url = f"amqp://127.0.0.1:{free_port()}"
    with (
        Producer(url, "fb_key", patience_seconds=0.5) as producer,
        pytest.raises(BrokerUnavailable, match=rf"at {url}.* does not answer .*: start it"),
    ):
        does(producer, "Hello")


async def _answer(door: IntakeDoor, record: MessageRecord, response: bytes) -> None:
    assert record.reply_to is not None
    assert record.reply_shape is not None
    await door.answers.send(
        response_answer(
            response,
            reply_to=record.reply_to,
            correlation_id=record.reply_correlation or "",
            shape=record.reply_shape,
        )
    )
