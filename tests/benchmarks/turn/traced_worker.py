"""What traces cost a worker: the same messages with spans to a collector on loopback, and without.

Messages are answered by a provider that takes no time, so that each has the spans of a turn, its
steps and a call. The collector is in this process: what it costs is in no figure.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from tests.benchmarks.ground.backlog import Unclaimed, fill_ours
from tests.benchmarks.ground.forebay import worker
from tests.benchmarks.ground.provider import ScriptedProvider
from tests.benchmarks.ground.stage import Broker, Stage
from tests.benchmarks.measurement import Progress, Rounds, Row
from tests.benchmarks.message_cost import watch
from tests.servers.collector import Collector, running_collector

ROUNDS: Final = 4
MESSAGES_PER_SECOND: Final = 700
_PATIENCE_SECONDS: Final = 12.0
"""Batches of spans leave every five."""
_RATIOS: Final = {"none": None, "all": 1.0, "one in 100": 0.01}


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU of the worker for each message, and which part of its turns the collector missed."""
    count, missed = int(MESSAGES_PER_SECOND * seconds), 0
    costs = {name: Rounds() for name in _RATIOS}
    with _collector() as (collector, endpoint):
        for turn in range(ROUNDS):
            for name, ratio in _RATIOS.items():
                say(f"traces of {name}, round {turn + 1} of {ROUNDS}")
                collector.exports.clear()
                with _answered(stage, _told(endpoint, ratio), count, costs[name]):
                    if name == "all":
                        missed += count - _arrived(collector, count)
    for name in ("all", "one in 100"):
        yield Row(
            what=f"worker, CPU a message with a call of 0 ms, traces of {name} (stock: none)",
            on=Broker.RABBITMQ,
            unit="µs",
            ours=costs[name]["cpu"],
            stock=costs["none"]["cpu"],
        )
    part = missed / (count * ROUNDS) * 100
    yield Row(what="turns that no collector heard of", on=Broker.RABBITMQ, unit="%", ours=part)


def _told(endpoint: str, ratio: float | None) -> dict[str, str]:
    if ratio is None:
        return {}
    return {
        "FOREBAY_TELEMETRY__TRACES_ENDPOINT": endpoint,
        "FOREBAY_TELEMETRY__SAMPLE_RATIO": str(ratio),
    }


@contextmanager
def _answered(stage: Stage, told: Mapping[str, str], count: int, rounds: Rounds) -> Iterator[None]:
    """All of them answered and measured; the worker runs on while the context is open."""
    ground = stage.ground(Broker.RABBITMQ)
    fill_ours(ground, count)
    with (
        ScriptedProvider(ground.folder, seconds=0) as provider,
        worker(ground, provider_url=provider.url, extra=told) as program,
        Unclaimed(ground) as left,
    ):
        watch(program, left, count, rounds)
        program.wait_until(lambda: left() == 0, "end")
        yield


def _arrived(collector: Collector, count: int) -> int:
    """How many turns the collector heard of, once all are there or no more come."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        arrived = sum(span.name == "turn" for span in collector.all_spans)
        if arrived >= count or time.monotonic() > until:
            return arrived
        time.sleep(0.5)


@contextmanager
def _collector() -> Iterator[tuple[Collector, str]]:
    """One in a thread of its own."""
    opened = threading.Event()
    found = dict[str, tuple[Collector, str]]()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with running_collector() as collector:
            found["it"] = collector
            opened.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    opened.wait(60)
    try:
        yield found["it"]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        loop.close()
