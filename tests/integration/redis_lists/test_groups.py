"""What waits in Redis lists comes in groups, recorded as kombu records it, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from random import Random
from typing import Any

import pytest
from kombu import Connection
from redis import Redis

from shared.settings.servers import BrokerSettings
from tests.integration.queueing.conftest import broker_at
from tests.integration.redis_lists.listener import (
    QUEUE,
    Listen,
    Listener,
    element,
    push,
    restored_by_plain_kombu,
)
from tests.servers.redis import RedisServer

QUEUES = ("agent.interactive", QUEUE, "agent.batch")
GROUP = 64


@pytest.fixture
def broker(own_redis: RedisServer) -> BrokerSettings:
    """A Redis of the test's own: what it counts, it counts for this test."""
    return broker_at(own_redis.url)


def numbers(count: int) -> list[str]:
    return [f"{number:04}" for number in range(count)]


def calls(lists: Redis, command: str) -> int:
    counted: dict[str, Any] = lists.info("commandstats").get(f"cmdstat_{command}", {})
    return int(counted.get("calls", 0))


def test_what_waits_comes_in_groups_and_in_order(lists: Redis, listen: Listen) -> None:
    push(lists, *numbers(4 * GROUP))
    listener = listen()
    listener.read(4 * GROUP)
    assert listener.bodies == numbers(4 * GROUP)
    assert calls(lists, "brpop") <= 5
    assert calls(lists, "hset") == calls(lists, "zadd") == 4 * GROUP
    assert calls(lists, "evalsha") <= 5, "one a group, and one more since nothing was loaded"


def test_the_order_over_queues_and_priorities_is_that_of_kombu(
    lists: Redis, listen: Listen, own_redis: RedisServer
) -> None:
    random = Random(7)
    pushed = [(random.choice(QUEUES), random.choice((0, 3, 6, 9))) for _ in range(300)]
    for number, (queue, priority) in enumerate(pushed):
        name = f"{queue}\x06\x16{priority}" if priority else queue
        sent = element(f"{number}", queue)
        lists.lpush(name, sent)
        Redis.from_url(own_redis.database_url(1)).lpush(name, sent)
    with Connection(own_redis.database_url(1)) as connection:
        plain = Listener(connection, *QUEUES)
        plain.read(300)
    ours = listen(*QUEUES)
    ours.read(300)
    assert ours.bodies == plain.bodies


def test_never_more_than_the_prefetch_is_taken(lists: Redis, listen: Listen) -> None:
    push(lists, *numbers(100))
    listener = listen(prefetch=10)
    listener.read(10)
    listener.read_all()
    assert listener.bodies == numbers(10)
    assert (lists.hlen("unacked"), lists.zcard("unacked_index"), lists.llen(QUEUE)) == (10, 10, 90)
    for message in listener.taken[:3]:
        message.ack()
    listener.read(13)
    listener.read_all()
    assert listener.bodies == numbers(13)
    assert lists.llen(QUEUE) == 87


def test_a_record_is_what_kombu_would_have_written(lists: Redis, listen: Listen) -> None:
    push(lists, *numbers(3))
    listen().read(3)
    records = {tag: json.loads(record) for tag, record in lists.hgetall("unacked").items()}
    assert records == {
        f"tag-{body}".encode(): [json.loads(element(body, QUEUE)), "", QUEUE] for body in numbers(3)
    }
    index = dict(lists.zrange("unacked_index", 0, -1, withscores=True))
    assert index.keys() == records.keys()
    assert all(abs(at - time.time()) < 60 for at in index.values())


def test_an_acknowledgement_removes_both_records(lists: Redis, listen: Listen) -> None:
    push(lists, *numbers(GROUP))
    listener = listen()
    listener.read(GROUP)
    for message in listener.taken[::2]:
        message.ack()
    kept = {message.delivery_tag.encode() for message in listener.taken[1::2]}
    assert set(lists.hkeys("unacked")) == set(lists.zrange("unacked_index", 0, -1)) == kept


def test_what_a_killed_reader_had_comes_again_by_any_kombu(
    lists: Redis, broker: BrokerSettings
) -> None:
    push(lists, *numbers(150))
    reader = [sys.executable, "-m", "tests.integration.redis_lists.listener"]
    with subprocess.Popen([*reader, str(broker.url), QUEUE, "100"], stdout=subprocess.PIPE) as it:
        assert it.stdout is not None
        assert it.stdout.readline() == b"has read\n"
        it.kill()
    assert lists.llen(QUEUE) == 50
    assert restored_by_plain_kombu(broker, 150) == [body.encode() for body in numbers(150)]
    assert lists.hlen("unacked") == lists.zcard("unacked_index") == lists.llen(QUEUE) == 0


def test_a_reader_that_fails_in_the_midst_of_a_group_puts_all_of_it_back(
    lists: Redis, listen: Listen
) -> None:
    push(lists, *numbers(GROUP))
    listener = listen()
    take = listener.taken.append

    def fail(message: Any) -> None:
        take(message)
        if len(listener.taken) == 5:
            raise RuntimeError

    listener.consumer.on_message = fail
    with pytest.raises(RuntimeError):
        listener.read(GROUP)
    listener.channel.close()
    assert lists.llen(QUEUE) == GROUP
    assert lists.hlen("unacked") == 0


def test_a_redis_that_forgets_its_scripts_is_given_them_again(lists: Redis, listen: Listen) -> None:
    push(lists, *numbers(3))
    listener = listen()
    listener.read(3)
    lists.script_flush()
    push(lists, *numbers(3))
    listener.read(6)
    assert listener.bodies == numbers(3) * 2


def test_a_full_redis_loses_nothing(lists: Redis, listen: Listen) -> None:
    push(lists, *numbers(10))
    listener = listen()
    lists.config_set("maxmemory", 1)
    listener.read(10)
    assert lists.hlen("unacked") == lists.zcard("unacked_index") == 10


def test_what_comes_for_a_queue_that_was_cancelled_lies_in_it_again(
    lists: Redis, listen: Listen
) -> None:
    listener = listen()
    listener.begin_to_wait()
    listener.consumer.cancel()
    push(lists, *numbers(2))
    listener.read_all()
    assert listener.bodies == []
    assert (lists.llen(QUEUE), lists.hlen("unacked")) == (2, 0)
