"""How fast an exact hit answers, beside a provider that takes no time.

Two readings of one run. "The answer alone" is the part of a turn that differs: from the recalled
message to its end, in one process, at the same concurrency, with real Redis and real HTTP. "The
whole worker" adds what every message pays for: queue, claim, settlement, reply.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import msgspec
from redis.asyncio import Redis

from shared.clock import SystemClock
from shared.costs.prices import open_prices
from shared.messages.tenant import Tenant
from shared.persistence.engine import open_database
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import Wakeups
from shared.settings import Settings, load_settings
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import SilentTracing
from tests.benchmarks.ground.backlog import Unclaimed, fill_ours, new_record
from tests.benchmarks.ground.forebay import scripted, worker
from tests.benchmarks.ground.provider import ScriptedProvider
from tests.benchmarks.ground.stage import Broker, Ground, Stage
from tests.benchmarks.measurement import Better, Progress, Rounds, Row
from workers.building.caching import AnswerCaching, CachingParts
from workers.building.chain import open_chain
from workers.building.recall import open_files
from workers.pipeline import Step
from workers.steps.answer import AnswerStep
from workers.steps.judging import Judging
from workers.steps.meter import Meter
from workers.turn import Turn, begin_turn
from workers.validation.building import build_guardrail

ROUNDS: Final = 3
AT_ONCE: Final = 64
TARGET: Final = 3.0
MESSAGES_PER_SECOND: Final = 600
_EXACT: Final = {"FOREBAY_CACHING__EXACT": "true"}
_TENANT: Final = Tenant("ten_benchmark", "benchmark")


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Answers per second of hits (ours) and of calls that take 0 ms (beside them)."""
    say("exact hits beside calls of 0 ms")
    alone = asyncio.run(_answers_alone(stage.ground(Broker.REDIS), seconds / ROUNDS))
    yield _row("the answer alone", "one process", alone, target=TARGET)
    whole = Rounds()
    for turn in range(ROUNDS):
        say(f"exact hits in a whole worker, round {turn + 1} of {ROUNDS}")
        _whole_worker(stage, "hit", int(MESSAGES_PER_SECOND * seconds), whole)
        _whole_worker(stage, "call", int(MESSAGES_PER_SECOND * seconds), whole)
    yield _row("the whole worker", Broker.RABBITMQ, whole)


def _row(part: str, on: str, rounds: Rounds, *, target: float | None = None) -> Row:
    return Row(
        what=f"exact hits beside calls of 0 ms, {part}",
        on=on,
        unit="/s",
        ours=rounds["hit"],
        stock=rounds["call"],
        better=Better.HIGHER,
        target=target,
    )


async def _answers_alone(ground: Ground, seconds: float) -> Rounds:
    rounds = Rounds()
    with ScriptedProvider(ground.folder, seconds=0) as provider:
        environment = {
            **ground.environment,
            **_EXACT,
            "FOREBAY_PROVIDERS": msgspec.json.encode([scripted(provider.url)]).decode(),
        }
        async with _bench(load_settings(environment)) as bench:
            await bench.fill()
            for _ in range(ROUNDS):
                rounds.add(hit=await _rate(bench.caching.before[0], seconds))
                rounds.add(call=await _rate(bench.answer, seconds))
    return rounds


@dataclass(frozen=True)
class _Bench:
    caching: AnswerCaching
    answer: Step

    async def fill(self) -> None:
        """Have the one question answered and its answer stored."""
        turn = _turn()
        async with turn.resources:
            for step in (*self.caching.before, self.answer, *self.caching.afterwards):
                await step(turn)


@asynccontextmanager
async def _bench(settings: Settings) -> AsyncIterator[_Bench]:
    clock, metrics = SystemClock(), Metrics()
    async with AsyncExitStack() as stack:
        redis: Redis = open_redis(settings.redis)
        stack.push_async_callback(redis.aclose)
        replies = ReplyStream(redis, ttl_seconds=60)
        stack.push_async_callback(replies.close)
        wakeups = Wakeups(redis)
        stack.push_async_callback(wakeups.close)
        judging = Judging(build_guardrail(settings.validation), metrics)
        chain = await open_chain(
            settings, redis, stack, metrics=metrics, tracing=SilentTracing(), clock=clock
        )
        caching = await CachingParts(
            settings=settings,
            redis=redis,
            stack=stack,
            judging=judging,
            replies=replies,
            wakeups=wakeups,
            metrics=metrics,
            clock=clock,
        ).open()
        database = open_database(settings.ledger)
        stack.push_async_callback(database.close)
        answer = AnswerStep(
            chain,
            replies,
            files=open_files(database, clock),
            stream_interval_seconds=0.03,
            judging=judging,
            meter=Meter(open_prices(settings.costs.prices, settings.providers), metrics),
            metrics=metrics,
            clock=clock,
        )
        yield _Bench(caching, answer)


async def _rate(step: Step, seconds: float) -> float:
    """Turns a second that the step ends, so many at once."""
    until = time.monotonic() + seconds

    async def one_after_the_other() -> int:
        done = 0
        while time.monotonic() < until:
            turn = _turn()
            await step(turn)
            assert turn.settlement is not None
            done += 1
        return done

    began = time.monotonic()
    done = sum(await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE))))
    return done / (time.monotonic() - began)


def _turn() -> Turn:
    turn = begin_turn(new_record(_TENANT))
    turn.items = turn.body.input
    return turn


def _whole_worker(stage: Stage, kind: str, count: int, rounds: Rounds) -> None:
    """While what is left goes from four fifths to one fifth."""
    ground = stage.ground(Broker.RABBITMQ)
    fill_ours(ground, count)
    extra = _EXACT if kind == "hit" else {}
    with (
        ScriptedProvider(ground.folder, seconds=0) as provider,
        worker(ground, provider_url=provider.url, extra=extra) as program,
        Unclaimed(ground) as unclaimed,
    ):
        program.wait_until(lambda: unclaimed() < count * 0.8, "beginning", every_seconds=0.02)
        before, began = unclaimed(), time.monotonic()
        program.wait_until(lambda: unclaimed() < count * 0.2, "end", every_seconds=0.02)
        rounds.add(**{kind: (before - unclaimed()) / (time.monotonic() - began)})
        assert provider.calls <= (1 if kind == "hit" else count)
