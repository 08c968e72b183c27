"""What waits is delivered, no more than may be held; what is not settled comes again."""

from __future__ import annotations

import asyncio

import pytest
from kombu import Connection, Queue
from redis import Redis

from tests.integration.consuming.conftest import QUEUE, Consume, declare
from tests.integration.queueing.conftest import eventually
from tests.integration.redis_lists.listener import element


def put(url: str, *bodies: str, queue: str = QUEUE) -> None:
    with Connection(url) as connection:
        producer = connection.Producer()
        for body in bodies:
            producer.publish(body.encode(), routing_key=queue, content_type="text/x", retry=False)


def readers(url: str, queue: str) -> int:
    """How many read a queue of RabbitMQ; Redis knows nobody."""
    if url.startswith("redis"):
        return 0
    with Connection(url) as connection, connection.channel() as channel:
        return int(channel.queue_declare(queue, passive=True).consumer_count)


def numbers(count: int) -> list[str]:
    return [f"{number:03}" for number in range(count)]


async def test_all_that_waits_comes_once_in_order(broker_url: str, consume: Consume) -> None:
    declare(broker_url)
    await asyncio.to_thread(put, broker_url, *numbers(150))
    taker = consume(broker_url)
    for message in list(await taker.has(150)):
        message.ack()
    assert taker.bodies == numbers(150)
    await eventually(lambda: taker.unsettled(broker_url) == 0)
    await taker.consumer.close()
    again = consume(broker_url)
    await asyncio.to_thread(put, broker_url, "last")
    await again.has(1)
    assert again.bodies == ["last"], "the others were acknowledged"


async def test_no_more_is_held_than_the_prefetch(broker_url: str, consume: Consume) -> None:
    declare(broker_url)
    await asyncio.to_thread(put, broker_url, *numbers(30))
    taker = consume(broker_url, prefetch=10)
    await taker.has(10)
    await taker.has_no_more_than(10)
    for message in taker.taken[:4]:
        message.ack()
    await taker.has(14)
    await taker.has_no_more_than(14)
    taker.consumer.set_prefetch(20)
    await taker.has(24)  # RabbitMQ counts anew from here: what is out already is not in the 20
    assert len(set(taker.bodies)) == len(taker.bodies)


async def test_what_is_not_settled_is_given_back_at_the_end(
    broker_url: str, consume: Consume
) -> None:
    declare(broker_url)
    await asyncio.to_thread(put, broker_url, *numbers(20))
    taker = consume(broker_url)
    for message in list(await taker.has(20))[::2]:
        message.ack()
    await taker.consumer.close()
    again = consume(broker_url)
    for message in await again.has(10):
        assert (message.delivery_info or {})["redelivered"]
    assert again.bodies == numbers(20)[1::2]


async def test_a_rejected_message_comes_again_or_does_not(
    broker_url: str, consume: Consume
) -> None:
    declare(broker_url)
    await asyncio.to_thread(put, broker_url, "back", "away")
    taker = consume(broker_url)
    back, away = await taker.has(2)
    back.requeue()
    away.reject()
    (*_, again) = await taker.has(3)
    assert taker.bodies == ["back", "away", "back"]
    assert (again.delivery_info or {})["redelivered"]
    again.ack()
    await eventually(lambda: taker.unsettled(broker_url) == 0)


async def test_queues_come_and_go(broker_url: str, consume: Consume) -> None:
    declare(broker_url, QUEUE, "other")
    taker = consume(broker_url)
    taker.consumer.consume(Queue("other", routing_key="other"))
    await asyncio.to_thread(put, broker_url, "a", queue="other")
    await taker.has(1)
    taker.consumer.cancel("other")
    # A round trip that was under way may still take from it, and what comes after that does not.
    for number, body in enumerate(("c", "d"), start=2):
        await asyncio.to_thread(put, broker_url, body)
        await taker.has(number)
    await eventually(lambda: readers(broker_url, "other") == 0)
    await asyncio.to_thread(put, broker_url, "b", queue="other")
    await asyncio.to_thread(put, broker_url, "e")
    await taker.has(4)
    await taker.has_no_more_than(4)
    assert taker.bodies == ["a", "c", "d", "e"]


async def test_a_body_of_any_size_comes_whole(broker_url: str, consume: Consume) -> None:
    declare(broker_url)
    bodies = ["", "x", "y" * 300_000, "z" * 131_072]
    await asyncio.to_thread(put, broker_url, *bodies)
    taker = consume(broker_url)
    await taker.has(4)
    assert taker.bodies == bodies


@pytest.mark.parametrize("number", [1, 40])
async def test_consumers_share_what_waits(broker_url: str, consume: Consume, number: int) -> None:
    declare(broker_url)
    takers = [consume(broker_url, prefetch=5) for _ in range(3)]
    await asyncio.to_thread(put, broker_url, *numbers(number))
    done: set[str] = set()

    def is_done() -> bool:
        for taker in takers:
            for message in taker.taken:
                if not message.acknowledged:
                    message.ack()
                    done.add(bytes(message.body).decode())
        return len(done) == number

    await eventually(is_done)
    assert sum(len(taker.taken) for taker in takers) == number
    await eventually(lambda: takers[0].unsettled(broker_url) == 0)


async def test_consumers_that_idle_share_a_small_crowd(broker_url: str, consume: Consume) -> None:
    declare(broker_url)
    takers, asked = [consume(broker_url) for _ in range(2)], 0
    for taker in takers:
        while not taker.taken:  # both have begun to wait
            await asyncio.to_thread(put, broker_url, "there?")
            await asyncio.sleep(0.05)
            asked += 1
    await eventually(lambda: sum(len(taker.taken) for taker in takers) == asked)
    before = [len(taker.taken) for taker in takers]
    if broker_url.startswith("redis"):
        with Redis.from_url(broker_url) as redis:
            await eventually(lambda: redis.info("clients")["blocked_clients"] >= len(takers))
            redis.lpush(QUEUE, *[element(body, QUEUE) for body in numbers(16)])
    else:
        await asyncio.to_thread(put, broker_url, *numbers(16))
    await eventually(lambda: sum(len(taker.taken) for taker in takers) == sum(before) + 16)
    assert all(len(taker.taken) - had >= 2 for taker, had in zip(takers, before, strict=True))


async def test_queues_take_turns(broker_url: str, consume: Consume) -> None:
    names = ("first", "second", "third")
    declare(broker_url, *names)
    for name in names:
        await asyncio.to_thread(put, broker_url, *[name] * 6, queue=name)
    taker = consume(broker_url, *names, prefetch=1)
    for number in range(9):
        (await taker.has(number + 1))[number].ack()
    assert set(taker.bodies[:9]) == set(names), "none waits until another is empty"
