"""What a message costs the door and the worker, beside the same in the older build.

The door accepts 1 KB messages over HTTP; then a worker answers all of them with a scripted
provider. The builds take turns, and each begins every other round. A round is so many messages and
not so long: a queue that a quick door has filled takes minutes to empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
ROUNDS: Final = 2
MESSAGES_A_SECOND: Final = 500
"""Of what is asked for with --seconds: 1,500 messages a round as a rule."""
WARM_UP_MESSAGES: Final = 300
LOAD_SECONDS: Final = 60.0
DOOR_TARGET: Final = 0.8
WORKER_TARGET: Final = 0.9


@dataclass(frozen=True)
class Side:
    """A build, the ledger that it prepared, and a key that is good in each copy of it."""

    build: Checkout
    prepared: Ground
    key: str


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU a message of both processes, on both brokers."""
    messages = int(seconds * MESSAGES_A_SECOND)
    with builds() as both:
        sides = {name: _side(build, stage) for name, build in both.items()}
        folder = sides["ours"].prepared.folder
        with ScriptedProvider(folder, seconds=CALL_SECONDS) as provider:
            for broker in Broker:
                rounds = {name: Rounds() for name in sides}
                for turn in range(ROUNDS):
                    say(f"beside {REVISION} on {broker}, round {turn + 1} of {ROUNDS}")
                    for name in sorted(sides, reverse=bool(turn % 2)):
                        ground = stage.copied_ground(broker, sides[name].prepared)
                        _run(sides[name], ground, provider, messages, rounds[name])
                yield _row(broker, "door", rounds, target=DOOR_TARGET)
                yield _row(broker, "worker", rounds, target=WORKER_TARGET)


def _side(build: Checkout, stage: Stage) -> Side:
    ground = stage.bare_ground(Broker.REDIS)
    return Side(build, ground, build.prepare(ground))


def _row(broker: Broker, process: str, rounds: dict[str, Rounds], *, target: float) -> Row:
    return Row(
        what=f"{process}, CPU a message (stock: {REVISION})",
        on=broker,
        unit="µs",
        ours=rounds["ours"][process],
        stock=rounds["stock"][process],
        target=target,
    )


def _run(
    side: Side, ground: Ground, provider: ScriptedProvider, messages: int, rounds: Rounds
) -> None:
    called = provider.calls
    count = _accept(side, ground, messages, rounds)
    with side.build.worker(ground, provider_url=provider.url) as program:
        _answer(program, provider, called, count, rounds)


def _accept(side: Side, ground: Ground, messages: int, rounds: Rounds) -> int:
    """Loads the door, and returns how many messages wait now."""
    with side.build.door(ground) as program:
        program.wait_until(ground.is_served, "open door")
        warm = _load(ground, side.key, WARM_UP_MESSAGES)
        with metered(program) as cpu:
            report = _load(ground, side.key, messages)
    rounds.add(door=cpu.seconds / report.answers * 1e6)
    return warm.answers + report.answers


def _load(ground: Ground, key: str, messages: int) -> Report:
    return post(
        ground.port, key=key, connections=CONNECTIONS, seconds=LOAD_SECONDS, messages=messages
    )


def _answer(
    program: Program, provider: ScriptedProvider, called: int, count: int, rounds: Rounds
) -> None:
    """From a fifth of the calls to nine tenths: neither the start nor the end of the queue."""

    def have_been(share: float) -> bool:
        return provider.calls - called > count * share

    program.wait_until(lambda: have_been(0.2), "first calls", every_seconds=0.05)
    calls, cpu = provider.calls, program.cpu_seconds()
    program.wait_until(lambda: have_been(0.9), "last calls", every_seconds=0.05)
    rounds.add(worker=(program.cpu_seconds() - cpu) / (provider.calls - calls) * 1e6)
