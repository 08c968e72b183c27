"""How many files of the cache a stored answer is found and given through: printed, held from above.

What every answer goes through, stored or not, is left out: Redis, the guardrail, the turn's end.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

from shared.clock import SystemClock
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import Wakeups
from shared.settings import load_settings
from shared.telemetry.metrics import Metrics
from tests.architecture.road import recorded
from workers.building.caching import CachingParts
from workers.steps.judging import Judging
from workers.turn import Turn, begin_turn
from workers.validation.building import build_guardrail

MOST_OF_A_HIT: Final = 6
OF_THE_CACHE: Final = ("shared/answer_cache/", "workers/caching/", "workers/steps/caching/")
CLOCK: Final = SystemClock()
SETTINGS: Final = {
    "FOREBAY_CACHING__EXACT": "true",
    "FOREBAY_PROVIDERS": '[{"name":"model","kind":"openai_compatible","model":"m",'
    '"base_url":"http://127.0.0.1:9/v1"}]',
}


def asked(message_id: str) -> Turn:
    now = CLOCK.now()
    record = MessageRecord(
        id=message_id,
        tenant_id="ten_1",
        lane=Lane.STANDARD,
        body='{"model":"m","input":"How many roads?","temperature":0}',
        accepted_at=now,
        deadline=now + timedelta(seconds=60),
        claimed_at=now,
        attempt=1,
    )
    turn = begin_turn(record)
    turn.items = turn.body.input
    return turn


async def test_one_cache_hit(redis_url: str) -> None:
    settings, metrics = load_settings({**SETTINGS, "FOREBAY_REDIS__URL": redis_url}), Metrics()
    async with AsyncExitStack() as stack:
        redis = open_redis(settings.redis)
        stack.push_async_callback(redis.aclose)
        replies, wakeups = ReplyStream(redis, ttl_seconds=60), Wakeups(redis)
        stack.push_async_callback(replies.close)
        stack.push_async_callback(wakeups.close)
        caching = await CachingParts(
            settings=settings,
            redis=redis,
            stack=stack,
            judging=Judging(build_guardrail(settings.validation), metrics),
            replies=replies,
            wakeups=wakeups,
            metrics=metrics,
            clock=CLOCK,
        ).open()
        [look_up], [store] = caching.before, caching.afterwards
        first, second = asked("resp_1"), asked("resp_2")
        async with first.resources:
            await look_up(first)
            assert first.settlement is None
            end = {"output_text": "Many.", "answered_by": "model", "model": "m"}
            first.end(ResponseState.COMPLETED, CLOCK.now(), **end)
            await store(first)
        with recorded() as road:
            await look_up(second)

    assert second.settlement is not None
    assert second.settlement.output_text == "Many."
    files = road.printed("one cache hit")
    assert len([file for file in files if file.startswith(OF_THE_CACHE)]) <= MOST_OF_A_HIT
