"""A Redis that is killed while the second door has messages in hand keeps them in its file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

from shared.queueing.broker_connection import connect_broker
from shared.queueing.producer import Producer, build_message
from shared.queueing.reading import reader
from shared.queueing.redis_lists.transport import GuardedTransport
from tests.integration.queueing.conftest import broker_at, eventually, until
from tests.integration.queueing.intake_door import IntakeDoor, open_intake_door
from tests.servers.redis import RedisServer

IN_HAND = 8


@pytest.fixture(autouse=True)
def short_visibility(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader left comes again after two seconds, not after two minutes.

    It looks for that each tenth time that it comes back from listening, and so does its close.
    """
    monkeypatch.setattr(reader, "_REDIS_VISIBILITY_SECONDS", 2)
    monkeypatch.setattr(reader, "_IDLE_SECONDS", 0.05)
    monkeypatch.setattr(GuardedTransport, "brpop_timeout", 0.1)


@pytest.fixture
async def door(
    own_redis: RedisServer, redis_url: str, migrated_sqlite_url: str
) -> AsyncIterator[IntakeDoor]:
    """Of a broker that has each message in its file before it says so."""
    own_redis.command("CONFIG", "SET", "appendfsync", "always")
    broker = broker_at(own_redis.url)
    opening = open_intake_door(broker, redis_url=redis_url, ledger_url=migrated_sqlite_url)
    async with opening as opened:
        yield opened


@contextmanager
def _locked(ledger_url: str) -> Iterator[None]:
    """Nobody else can write to the ledger meanwhile."""
    with sqlite3.connect(ledger_url.removeprefix("sqlite+aiosqlite:///")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


async def _has_all_in_hand(broker: RedisServer, door: IntakeDoor) -> None:
    """Post, and return when the door has taken everything and acknowledged nothing."""
    with Producer(broker.url, door.key) as producer:
        messages = [build_message(f"Question {number}") for number in range(IN_HAND)]
        await asyncio.to_thread(producer.post_many, messages)
    await eventually(lambda: _held(broker) == IN_HAND)


def _held(broker: RedisServer) -> int:
    with Redis.from_url(broker.url) as redis:
        return int(redis.hlen("intake.unacked"))


def _leave_the_lock_of_a_sweep(broker: RedisServer) -> None:
    """As a reader or Redis does that is killed between taking it and giving it back."""
    with connect_broker(broker_at(broker.url)) as connection:
        seconds = connection.channel().unacked_mutex_expire
    with Redis.from_url(broker.url) as redis:
        assert redis.set("intake.unacked.mutex", "of one that is gone", ex=seconds)


async def _is_each_accepted_once(broker: RedisServer, door: IntakeDoor) -> None:
    await eventually(lambda: _held(broker) == 0)
    assert len(await door.accepted()) == IN_HAND
    assert await door.dead() == []


@pytest.mark.parametrize("died_with_it", ["nobody", "a sweep"])
async def test_what_was_in_hand_comes_again_and_is_accepted(
    own_redis: RedisServer, door: IntakeDoor, migrated_sqlite_url: str, died_with_it: str
) -> None:
    with _locked(migrated_sqlite_url):
        await _has_all_in_hand(own_redis, door)
        if died_with_it == "a sweep":
            _leave_the_lock_of_a_sweep(own_redis)
        await asyncio.to_thread(own_redis.kill)
    await asyncio.to_thread(own_redis.start)
    await until(door.accepted, IN_HAND)
    await _is_each_accepted_once(own_redis, door)


async def test_what_was_accepted_and_not_acknowledged_comes_again_and_is_accepted_once(
    own_redis: RedisServer, door: IntakeDoor, migrated_sqlite_url: str
) -> None:
    with _locked(migrated_sqlite_url):
        await _has_all_in_hand(own_redis, door)
        own_redis.pause()
    await until(door.accepted, IN_HAND)
    await asyncio.to_thread(own_redis.kill)
    await asyncio.to_thread(own_redis.start)
    existing = door.metrics.intake_messages.labels("existing")
    await eventually(lambda: existing._value.get() >= IN_HAND)
    await _is_each_accepted_once(own_redis, door)
