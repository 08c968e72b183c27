"""What a message costs when nothing is to be done: our whole pipeline beside an empty task.

Ours claims, recalls, answers by a rule, settles durably, replies and frees its reservation. The
empty task does nothing, in Celery's prefork pool and in our own asyncio pool.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from tests.benchmarks.ground.backlog import QueueDepth, Unclaimed, fill_ours, fill_stock
from tests.benchmarks.ground.forebay import worker
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.stage import Broker, Ground, Stage
from tests.benchmarks.ground.stock import QUEUE, TASKS, stock_producer, stock_worker
from tests.benchmarks.measurement import Progress, Rounds, Row

ROUNDS: Final = 2
MESSAGES_PER_SECOND: Final = 700
POOLS: Final = {"prefork": (2, "empty"), "custom": (500, "empty_coroutine")}


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU of the worker's process or processes for each message, on both brokers."""
    count = int(MESSAGES_PER_SECOND * seconds)
    for broker in Broker:
        ours, stock = Rounds(), {pool: Rounds() for pool in POOLS}
        for turn in range(ROUNDS):
            say(f"cost of a message on {broker}, round {turn + 1} of {ROUNDS}")
            _run_ours(stage.ground(broker), count, ours)
            for pool, rounds in stock.items():
                _run_stock(stage.ground(broker), pool, count, rounds)
        yield _row(broker, "the prefork pool", ours, stock["prefork"], target=0.5)
        yield _row(broker, "our pool", ours, stock["custom"])


def _row(
    broker: Broker, pool: str, ours: Rounds, stock: Rounds, *, target: float | None = None
) -> Row:
    return Row(
        what=f"worker, CPU a no-op message (stock: an empty task in {pool})",
        on=broker,
        unit="µs",
        ours=ours["cpu"],
        stock=stock["cpu"],
        target=target,
    )


def _run_ours(ground: Ground, count: int, rounds: Rounds) -> None:
    fill_ours(ground, count)
    with worker(ground) as program, Unclaimed(ground) as left:
        watch(program, left, count, rounds)


def _run_stock(ground: Ground, pool: str, count: int, rounds: Rounds) -> None:
    concurrency, task = POOLS[pool]
    with stock_producer(ground, confirms=False) as producer:
        fill_stock(producer, f"{TASKS}.{task}", count)
    with (
        stock_worker(ground, pool=pool, concurrency=concurrency) as program,
        QueueDepth(ground.broker_url, QUEUE) as depth,
    ):
        watch(program, depth, count, rounds)


def watch(program: Program, left: Callable[[], int], count: int, rounds: Rounds) -> None:
    """While what is left goes from four fifths to one fifth."""
    program.wait_until(lambda: left() < count * 0.8, "beginning", every_seconds=0.02)
    before, began, cpu = left(), time.monotonic(), program.cpu_seconds()
    program.wait_until(lambda: left() < count * 0.2, "end", every_seconds=0.02)
    done = before - left()
    rounds.add(
        rate=done / (time.monotonic() - began),
        cpu=(program.cpu_seconds() - cpu) / done * 1e6,
    )
