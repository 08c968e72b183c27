"""What dispatch costs where it has nothing to do, and one tenant where it has all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from time import perf_counter
from typing import Final

import psycopg
from msgspec.structs import replace

from deploy.cli.demo.visitor import Visitor, open_session
from shared.clock import SystemClock
from shared.messages.tenant import Tenant
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.tenants import TenantRepository
from shared.telemetry.metrics import Metrics
from tests.benchmarks.ground.backlog import new_record, unended
from tests.benchmarks.ground.forebay import create_key, door, opened_ledger, settings_of, worker
from tests.benchmarks.ground.stage import Broker, Ground, Stage
from tests.benchmarks.measurement import Better, Progress, Rounds, Row

ROUNDS: Final = 3
ROUND_TRIP: Final = 1.05
SETTLE_RATE: Final = 0.95
_TRIPS_PER_SECOND: Final = 30
_WARM_UP_TRIPS: Final = 20
_HELD_PER_SECOND: Final = 500
_SLOTS: Final = 200
"""Of both workers together."""
_GROUP: Final = 500


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Round trips with dispatch and without; held messages of one tenant and of two."""
    yield from _round_trips(stage, int(_TRIPS_PER_SECOND * seconds), say)
    yield _settling(stage, int(_HELD_PER_SECOND * seconds), say)


def _round_trips(stage: Stage, trips: int, say: Progress) -> Iterator[Row]:
    rounds = {dispatched: Rounds() for dispatched in (True, False)}
    for turn in range(ROUNDS):
        say(f"round trips with dispatch and without, round {turn + 1} of {ROUNDS}")
        for dispatched in (turn % 2 == 0, turn % 2 == 1):
            took = sorted(_trips(stage.ground(Broker.RABBITMQ), trips, dispatched=dispatched))
            rounds[dispatched].add(
                p50=took[len(took) // 2] * 1e3, p99=took[int(len(took) * 0.99)] * 1e3
            )
    for name in ("p50", "p99"):
        yield Row(
            what=f"round trip through an idle system, {name} (stock: without dispatch)",
            on="RabbitMQ + Postgres",
            unit="ms",
            ours=rounds[True][name],
            stock=rounds[False][name],
            target=ROUND_TRIP if name == "p50" else None,
        )


def _trips(ground: Ground, trips: int, *, dispatched: bool) -> list[float]:
    told = {"FOREBAY_DISPATCH__ENABLED": str(dispatched).lower()}
    with door(ground, extra=told) as opened, worker(ground, extra=told) as hand:
        opened.wait_until(ground.is_served, "open door")
        hand.wait_until(lambda: " ready." in hand.log_text(), "worker")
        return asyncio.run(_ask(ground, create_key(ground), trips))


async def _ask(ground: Ground, key: str, trips: int) -> list[float]:
    took = []
    async with open_session() as session:
        visitor = Visitor(session, f"http://127.0.0.1:{ground.port}", key)
        for number in range(trips + _WARM_UP_TRIPS):
            began = perf_counter()
            heard = await visitor.post(f"Question {number}")
            took.append(perf_counter() - began)
            if heard.state != "completed":
                raise RuntimeError(f"A message ended as {heard.state}: {heard.body}")
    return took[_WARM_UP_TRIPS:]


def _settling(stage: Stage, count: int, say: Progress) -> Row:
    rounds = {tenants: Rounds() for tenants in (1, 2)}
    for turn in range(ROUNDS):
        say(f"{count} held messages of one tenant and of two, round {turn + 1} of {ROUNDS}")
        for tenants in (1, 2) if turn % 2 == 0 else (2, 1):
            rounds[tenants].add(rate=_settled(stage.ground(Broker.RABBITMQ), count, tenants))
    return Row(
        what="held messages settled by two workers, of one tenant (stock: of two)",
        on="RabbitMQ + Postgres",
        unit="/s",
        ours=rounds[1]["rate"],
        stock=rounds[2]["rate"],
        better=Better.HIGHER,
        target=SETTLE_RATE,
    )


def _settled(ground: Ground, count: int, tenants: int) -> float:
    """Messages a second, from when workers may go on until none is left."""
    with ExitStack() as stack:
        hands = [worker(ground, concurrency=_SLOTS // 2, log=f"{each}.log") for each in range(2)]
        for hand in hands:
            stack.enter_context(hand)
            hand.wait_until(lambda each=hand: " ready." in each.log_text(), "worker")  # type: ignore[misc]
        for hand in hands:
            hand.pause()
        asyncio.run(_hold(ground, count, tenants))
        began = perf_counter()
        for hand in hands:
            hand.resume()
        url = ground.ledger_url.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as ledger:
            hands[0].wait_until(lambda: unended(ledger) == 0, "end", every_seconds=0.05)
        return count / (perf_counter() - began)


async def _hold(ground: Ground, count: int, tenants: int) -> None:
    async with opened_ledger(ground) as (database, first):
        repository = TenantRepository(database, SystemClock())
        owners: list[Tenant] = [first]
        owners += [await repository.create(f"other-{each}") for each in range(1, tenants)]
        ledger = MessageLedger(database, settings_of(ground).ledger, SystemClock(), Metrics())
        for begin in range(0, count, _GROUP):
            records = [
                new_record(owners[number % tenants])
                for number in range(begin, min(begin + _GROUP, count))
            ]
            await asyncio.gather(
                *[ledger.accept(replace(each, held_at=each.accepted_at)) for each in records]
            )
        await ledger.close()
