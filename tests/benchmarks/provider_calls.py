"""Workers whose provider takes 50 ms: our whole pipeline beside gevent with a synchronous client.

A queue is filled beforehand; what is measured is the middle of its emptying.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from tests.benchmarks.ground.backlog import TEXT, fill_ours, fill_stock
from tests.benchmarks.ground.forebay import worker
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.provider import ScriptedProvider
from tests.benchmarks.ground.stage import Broker, Stage
from tests.benchmarks.ground.stock import TASKS, stock_producer, stock_worker
from tests.benchmarks.measurement import Better, Progress, Rounds, Row

CALL_SECONDS: Final = 0.05
CONCURRENCY: Final = 500
ROUNDS: Final = 2
OURS_PER_SECOND: Final = 600
STOCK_PER_SECOND: Final = 300
"""About what they manage, to size the backlog by; the result does not depend on it."""


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Calls per second and CPU a message, on both brokers."""
    for broker in Broker:
        ours, stock = Rounds(), Rounds()
        for turn in range(ROUNDS):
            say(f"50 ms calls on {broker}, round {turn + 1} of {ROUNDS}")
            _run_ours(stage, broker, int(OURS_PER_SECOND * seconds), ours)
            _run_stock(stage, broker, int(STOCK_PER_SECOND * seconds), stock)
        yield Row(
            what="worker, 50 ms calls",
            on=broker,
            unit="/s",
            ours=ours["rate"],
            stock=stock["rate"],
            better=Better.HIGHER,
            target=2.7 if broker is Broker.RABBITMQ else 4.0,
        )
        yield Row(
            what="worker, CPU a 50 ms call",
            on=broker,
            unit="µs",
            ours=ours["cpu"],
            stock=stock["cpu"],
            limit=380.0 if broker is Broker.RABBITMQ else 420.0,
        )


def _run_ours(stage: Stage, broker: Broker, count: int, rounds: Rounds) -> None:
    ground = stage.ground(broker)
    fill_ours(ground, count)
    with ScriptedProvider(ground.folder, seconds=CALL_SECONDS) as provider:
        program = worker(ground, provider_url=provider.url, concurrency=CONCURRENCY)
        with program:
            _watch(program, provider, count, rounds)


def _run_stock(stage: Stage, broker: Broker, count: int, rounds: Rounds) -> None:
    ground = stage.ground(broker)
    with stock_producer(ground, confirms=False) as producer:
        fill_stock(producer, f"{TASKS}.answer", count, {"input": TEXT})
    with ScriptedProvider(ground.folder, seconds=CALL_SECONDS) as provider:
        program = stock_worker(
            ground, pool="gevent", concurrency=CONCURRENCY, provider_url=provider.url
        )
        with program:
            _watch(program, provider, count, rounds)


def _watch(program: Program, provider: ScriptedProvider, count: int, rounds: Rounds) -> None:
    """From a fifth of the calls to nine tenths: neither the start nor the end of the queue."""
    program.wait_until(lambda: provider.calls > count * 0.2, "first calls", every_seconds=0.05)
    calls, began, cpu = provider.calls, time.monotonic(), program.cpu_seconds()
    program.wait_until(lambda: provider.calls > count * 0.9, "last calls", every_seconds=0.05)
    done = provider.calls - calls
    rounds.add(
        rate=done / (time.monotonic() - began),
        cpu=(program.cpu_seconds() - cpu) / done * 1e6,
    )
