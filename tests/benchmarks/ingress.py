"""The door: 1 KB messages from 64 connections, accepted with everything on.

Ours commits each to the ledger and publishes it; the stock door checks a limit and calls
`.delay()` with confirms. Both in one process, alternating on the same servers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.benchmarks.ground.forebay import create_key, door
from tests.benchmarks.ground.program import Program, metered
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.ground.stock import KEY, stock_door
from tests.benchmarks.load.posting import post
from tests.benchmarks.measurement import Better, Progress, Rounds, Row

CONNECTIONS: Final = 64
ROUNDS: Final = 2
WARM_UP_SECONDS: Final = 1.0
VARIANTS: Final = (
    (Broker.RABBITMQ, Ledger.POSTGRES),
    (Broker.RABBITMQ, Ledger.SQLITE),
    (Broker.REDIS, Ledger.POSTGRES),
)


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Requests per second, latency and CPU of both doors on every ground."""
    for broker, ledger in VARIANTS:
        ours, stock = Rounds(), Rounds()
        for turn in range(ROUNDS):
            say(f"ingress on {broker} and {ledger}, round {turn + 1} of {ROUNDS}")
            ground = stage.ground(broker, ledger)
            _load(door(ground), ground, create_key(ground), seconds, ours)
            ground = stage.ground(broker)
            _load(stock_door(ground), ground, KEY, seconds, stock)
        yield from _rows(f"{broker} + {ledger}", ours, stock)


def _load(program: Program, ground: Ground, key: str, seconds: float, rounds: Rounds) -> None:
    with program:
        program.wait_until(ground.is_served, "open door")
        post(ground.port, key=key, connections=CONNECTIONS, seconds=WARM_UP_SECONDS)
        with metered(program) as cpu:
            report = post(ground.port, key=key, connections=CONNECTIONS, seconds=seconds)
    rounds.add(
        rate=report.answers / report.seconds,
        p50=report.p50,
        p99=report.p99,
        cpu=cpu.seconds / report.answers * 1e6,
    )


def _rows(on: str, ours: Rounds, stock: Rounds) -> Iterator[Row]:
    yield Row(
        what="ingress, accepted messages",
        on=on,
        unit="/s",
        ours=ours["rate"],
        stock=stock["rate"],
        better=Better.HIGHER,
        target=9.0,
    )
    yield Row(
        what="ingress, CPU a message",
        on=on,
        unit="µs",
        ours=ours["cpu"],
        stock=stock["cpu"],
        limit=150.0 if on.endswith(Ledger.SQLITE) else 120.0,
    )
    yield Row(what="ingress, p50", on=on, unit="ms", ours=ours["p50"], stock=stock["p50"])
    yield Row(
        what="ingress, p99",
        on=on,
        unit="ms",
        ours=ours["p99"],
        stock=stock["p99"],
        limit=60.0,
    )
