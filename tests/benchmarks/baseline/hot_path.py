"""What a message costs the door and the worker, beside the same in the older build.

The door accepts 1 KB messages over HTTP; then a worker answers all of them with a scripted
provider. The builds take turns, and each begins every other round.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.benchmarks.baseline.checkout import REVISION, Checkout, builds
from tests.benchmarks.ground.program import Program, metered
from tests.benchmarks.ground.provider import ScriptedProvider
from tests.benchmarks.ground.stage import Broker, Ground, Stage
from tests.benchmarks.load.__main__ import Report
from tests.benchmarks.load.posting import post
from tests.benchmarks.measurement import Progress, Rounds, Row

CALL_SECONDS: Final = 0.01
CONNECTIONS: Final = 64
ROUNDS: Final = 4
WARM_UP_SECONDS: Final = 0.5
WORKER_TARGET: Final = 0.9


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU a message of both processes, on both brokers."""
    with builds() as both:
        for broker in Broker:
            rounds = {name: Rounds() for name in both}
            for turn in range(ROUNDS):
                say(f"beside {REVISION} on {broker}, round {turn + 1} of {ROUNDS}")
                for name in sorted(both, reverse=bool(turn % 2)):
                    _run(both[name], stage.bare_ground(broker), seconds, rounds[name])
            yield _row(broker, "door", rounds)
            yield _row(broker, "worker", rounds, target=WORKER_TARGET)


def _row(
    broker: Broker, process: str, rounds: dict[str, Rounds], *, target: float | None = None
) -> Row:
    return Row(
        what=f"{process}, CPU a message (stock: {REVISION})",
        on=broker,
        unit="µs",
        ours=rounds["ours"][process],
        stock=rounds["stock"][process],
        target=target,
    )


def _run(build: Checkout, ground: Ground, seconds: float, rounds: Rounds) -> None:
    count = _accept(build, ground, seconds, rounds)
    with ScriptedProvider(ground.folder, seconds=CALL_SECONDS) as provider:
        program = build.worker(ground, provider_url=provider.url)
        with program:
            _answer(program, provider, count, rounds)


def _accept(build: Checkout, ground: Ground, seconds: float, rounds: Rounds) -> int:
    """Loads the door for so long, and returns how many messages wait now."""
    key = build.prepare(ground)
    with build.door(ground) as program:
        program.wait_until(ground.is_served, "open door")
        warm = _load(ground, key, WARM_UP_SECONDS)
        with metered(program) as cpu:
            report = _load(ground, key, seconds)
    rounds.add(door=cpu.seconds / report.answers * 1e6)
    return warm.answers + report.answers


def _load(ground: Ground, key: str, seconds: float) -> Report:
    return post(ground.port, key=key, connections=CONNECTIONS, seconds=seconds)


def _answer(program: Program, provider: ScriptedProvider, count: int, rounds: Rounds) -> None:
    """From a fifth of the calls to nine tenths: neither the start nor the end of the queue."""
    program.wait_until(lambda: provider.calls > count * 0.2, "first calls", every_seconds=0.05)
    calls, cpu = provider.calls, program.cpu_seconds()
    program.wait_until(lambda: provider.calls > count * 0.9, "last calls", every_seconds=0.05)
    rounds.add(worker=(program.cpu_seconds() - cpu) / (provider.calls - calls) * 1e6)
