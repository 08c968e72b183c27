"""How long a leader of the dispatch takes to take over: a million held messages, 2,000 flows.

MESSAGES=20000 pytest tests/trials/test_taking_over.py -s
"""

from __future__ import annotations

import os
import time
from typing import Final

import pytest
from sqlalchemy import text

from shared.clock import SystemClock
from shared.persistence.engine import open_database
from shared.persistence.statements import transaction
from shared.redis.client import open_redis
from shared.redis.guarded import GuardedRedis
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings, RedisSettings
from shared.telemetry.metrics import Metrics
from tests.integration.dispatch.scene import NotedPublisher
from workers.dispatch.leading.term import DispatchTerm

MESSAGES: Final = int(os.environ.get("MESSAGES", "1000000"))
FLOWS: Final = 2_000
MOST_SECONDS: Final = 2.0
_HELD: Final = text(
    "INSERT INTO message (id, tenant_id, lane, surface, state, attempt, body, body_digest, "
    "estimated_tokens, accepted_at, held_at, deadline, wakes) "
    "SELECT 'resp_' || lpad(n::text, 12, '0'), 'ten_' || n % :flows, 'batch', 'responses', "
    "'queued', 0, '{\"input\":\"What is a forebay?\"}', '', 100, now(), now(), "
    "now() + interval '1 day', 0 FROM generate_series(1, :messages) AS n"
)


@pytest.mark.timeout(900)
async def test_a_million_held_messages_are_taken_over_in_two_seconds(
    migrated_postgres_url: str, redis_url: str
) -> None:
    ledger = LedgerSettings(url=ServerUrl(migrated_postgres_url), timeout_seconds=600.0)
    database = open_database(ledger)
    async with transaction(database.durable) as connection:
        await connection.execute(_HELD, {"flows": FLOWS, "messages": MESSAGES})
        await connection.execute(text("ANALYZE message"))
    redis = open_redis(RedisSettings(url=ServerUrl(redis_url)))
    guarded = GuardedRedis(redis, SystemClock())
    term = DispatchTerm(
        Settings(ledger=ledger),
        database,
        NotedPublisher(),
        guarded,
        Metrics(),
        SystemClock(),
        leader="worker-1",
        lease_seconds=5.0,
    )
    began = time.perf_counter()
    await term.begin()
    seconds = time.perf_counter() - began
    await term.each_second()
    await term.release()
    began = time.perf_counter()
    await term.each_second()
    each = time.perf_counter() - began
    print(
        f"{MESSAGES} held in {FLOWS} flows: taken over in {seconds:.2f} s, a second's {each:.2f} s"
    )
    assert term.has_waiting
    await guarded.close()
    await redis.aclose()
    await database.close()
    assert seconds < MOST_SECONDS
