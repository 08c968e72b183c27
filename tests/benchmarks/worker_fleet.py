"""No-op messages shared by one, two and four worker processes: what all processes spend on each.

A backlog is published while the workers are stopped, so that each begins with its share. Counted
are the workers and their servers: more processes must not make a message dearer somewhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Final

import psycopg

from tests.benchmarks.ground.backlog import fill_ours, unended
from tests.benchmarks.ground.forebay import worker
from tests.benchmarks.ground.program import Program, cpu_seconds
from tests.benchmarks.ground.stage import Broker, Ground, Stage
from tests.benchmarks.measurement import Progress, Rounds, Row

FLEETS: Final = (1, 2, 4)
SLOTS: Final = 400
"""Of all workers together."""
ROUNDS: Final = 2
MESSAGES_PER_SECOND: Final = 700
WARM_UP_MESSAGES: Final = 400
TARGET: Final = 1.1


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU a message of workers, broker, Redis and Postgres together, beside that of one worker."""
    count = int(MESSAGES_PER_SECOND * seconds)
    broker = Broker.RABBITMQ
    rounds = {fleet: Rounds() for fleet in FLEETS}
    for turn in range(ROUNDS):
        say(f"several workers on {broker}, round {turn + 1} of {ROUNDS}")
        for fleet in sorted(FLEETS, reverse=bool(turn % 2)):
            _run(stage, broker, fleet, count, rounds[fleet])
    for fleet in FLEETS[1:]:
        yield Row(
            what=f"all CPU a no-op message, {fleet} workers (stock: one)",
            on=broker,
            unit="µs",
            ours=rounds[fleet]["all"],
            stock=rounds[1]["all"],
            target=TARGET,
            apart={"workers": rounds[fleet]["workers"], "one worker": rounds[1]["workers"]},
        )


def _run(stage: Stage, broker: Broker, fleet: int, count: int, rounds: Rounds) -> None:
    ground = stage.ground(broker)
    with ExitStack() as stack:
        programs = [
            stack.enter_context(worker(ground, concurrency=SLOTS // fleet, log=f"{number}.log"))
            for number in range(fleet)
        ]
        for program in programs:
            program.wait_until(lambda each=program: " ready." in each.log_text(), "worker")
        _answer(stage, ground, programs, WARM_UP_MESSAGES)
        workers, servers = _answer(stage, ground, programs, count)
        rounds.add(all=(workers + servers) / count * 1e6, workers=workers / count * 1e6)


def _answer(
    stage: Stage, ground: Ground, programs: Sequence[Program], count: int
) -> tuple[float, float]:
    """CPU seconds of the workers and of the servers until all of them have ended."""
    for program in programs:
        program.pause()
    fill_ours(ground, count)
    workers, servers = _spent(programs), cpu_seconds(stage.server_pids())
    for program in programs:
        program.resume()
    url = ground.ledger_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as ledger:
        programs[0].wait_until(lambda: unended(ledger) == 0, "end", every_seconds=0.05)
    return _spent(programs) - workers, cpu_seconds(stage.server_pids()) - servers


def _spent(programs: Sequence[Program]) -> float:
    return sum(program.cpu_seconds() for program in programs)
