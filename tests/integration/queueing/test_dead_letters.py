"""Everything on the queue `dead` ends as a row with its reason, or as a failed message."""

from __future__ import annotations

import asyncio
import json
from typing import Final

import pytest
from kombu import Connection

from shared.messages.dead_letter import Bury, DeadReason
from shared.messages.lane import Lane
from shared.persistence.dead_letters import DeadLetter
from shared.queueing.amqp import session
from shared.queueing.dead_letters.letter import letter_about
from shared.queueing.dead_letters.sink import build_dead_letter_sink
from shared.queueing.reading.delivery import Delivery
from tests.integration.queueing.conftest import eventually, started, until, wake_up
from tests.integration.queueing.intake_door import IntakeDoor
from tests.integration.queueing.queue_contents import put

SMALLEST_FRAME: Final = 4_096


async def test_a_letter_is_one_row_however_often_it_is_buried(door: IntakeDoor) -> None:
    async def last() -> list[DeadLetter]:
        return [letter for letter in await door.dead() if letter.body == b"last"]

    sink = build_dead_letter_sink(door.broker)
    await sink.start()
    headers = {"task": "evil", "authorization": "Bearer fb_secret_key_of_a_tenant"}
    delivery = Delivery(body=b"\x00\xff" * 50_000, headers=headers)
    verdict = Bury(DeadReason.UNKNOWN_TASK, "nul \0")
    for _ in range(2):  # whoever dies before acknowledging buries again
        await sink.bury(letter_about(delivery, verdict, queue="index"))
    await sink.bury(letter_about(Delivery(body=b"last", headers={}), verdict, queue="index"))
    await until(last, 1)
    await until(door.dead, 2)
    letter, _ = sorted(await door.dead(), key=lambda letter: letter.body != delivery.body[:65_536])
    assert len(await door.dead()) == 2
    assert (letter.reason, letter.queue) == (DeadReason.UNKNOWN_TASK, "index")
    assert letter.body == (b"\x00\xff" * 50_000)[:65_536]
    assert "fb_secret" not in (letter.headers or "")
    await sink.close()


async def test_headers_that_fit_no_frame_of_the_broker_do_not_keep_a_letter_away(
    door: IntakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_FRAME_MAX", SMALLEST_FRAME)  # what is agreed upon is the smaller
    sink = build_dead_letter_sink(door.broker)
    await sink.start()
    # A table of 3 KiB, which fits, and as text grows to six times that.
    headers = {"strange": "\x01" * 3_000}
    verdict = Bury(DeadReason.MALFORMED, "日" * 1_000)
    await sink.bury(letter_about(Delivery(body=b"{}", headers=headers), verdict, queue="intake"))
    await until(door.dead, 1)
    [letter] = await door.dead()
    kept = json.loads(letter.headers or "")
    assert kept == headers if door.broker.is_redis else "bytes" in kept["left_out"]
    assert (letter.reason, letter.body) == (DeadReason.MALFORMED, b"{}")
    await sink.close()


async def test_a_wake_up_that_was_delivered_too_often_fails_its_message(door: IntakeDoor) -> None:
    if door.broker.is_redis:
        pytest.skip("Redis counts no deliveries; the ledger counts claims on either broker")
    publisher = await started(door.broker)
    sent = wake_up(Lane.BATCH)
    await publisher.publish([sent])
    await asyncio.to_thread(_refuse_until_gone, str(door.broker.url), "agent.batch")
    await eventually(lambda: door.failed)
    [(message_id, reason, detail)] = door.failed
    assert (message_id, reason) == (sent.message_id, DeadReason.DELIVERY_LIMIT)
    assert "agent.batch" in detail
    assert await door.dead() == []
    await publisher.close()


async def test_each_message_of_a_bundle_that_died_has_its_own_end(door: IntakeDoor) -> None:
    if door.broker.is_redis:
        pytest.skip("Redis carries each by itself")
    publisher = await started(door.broker)
    known, unknown = [wake_up(Lane.BATCH) for _ in range(3)], wake_up(Lane.BATCH)
    door.unknown.add(unknown.message_id)
    await publisher.publish([*known, unknown])
    await asyncio.to_thread(_refuse_until_gone, str(door.broker.url), "agent.batch")
    await until(door.dead, 1)
    await eventually(lambda: len(door.failed) == len(known))
    assert {(message_id, reason) for message_id, reason, _ in door.failed} == {
        (each.message_id, DeadReason.DELIVERY_LIMIT) for each in known
    }
    [letter] = await door.dead()
    assert (letter.reason, letter.message_id) == (DeadReason.DELIVERY_LIMIT, unknown.message_id)
    assert known[0].message_id.encode() not in letter.body
    await publisher.close()


async def test_what_a_worker_rejects_on_rabbitmq_is_kept(door: IntakeDoor) -> None:
    if door.broker.is_redis:
        pytest.skip("a rejected message is gone on Redis; workers use the sink")
    await asyncio.to_thread(put, door.broker, "index", '{"a": 1}', message_id="m1")
    with Connection(str(door.broker.url)) as connection, connection.channel() as channel:
        while (message := channel.basic_get("index")) is None:  # nobody confirmed it
            pass
        channel.basic_reject(message.delivery_tag, requeue=False)
        await until(door.dead, 1)
    [letter] = await door.dead()
    assert (letter.reason, letter.queue, letter.message_id) == (
        DeadReason.MALFORMED,
        "index",
        "m1",
    )
    assert letter.body == b'{"a": 1}'


async def test_what_fits_no_queue_is_kept_on_rabbitmq(door: IntakeDoor) -> None:
    if door.broker.is_redis:
        pytest.skip("on Redis every name is a queue")
    with Connection(str(door.broker.url)) as connection:
        producer = connection.Producer()
        producer.publish({"a": 1}, exchange="forebay", routing_key="no.such.queue")
    await until(door.dead, 1)
    [letter] = await door.dead()
    assert letter.reason is DeadReason.UNROUTABLE


def _refuse_until_gone(url: str, queue: str) -> None:
    with Connection(url) as connection, connection.channel() as channel:
        deliveries = 0
        while deliveries < 4:
            message = channel.basic_get(queue)
            if message is not None:
                deliveries += 1
                channel.basic_reject(message.delivery_tag, requeue=True)
