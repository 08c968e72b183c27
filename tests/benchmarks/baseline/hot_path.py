"""What a message costs the door and the worker, beside the same in the older build.

The door accepts 1 KB messages over HTTP; then one worker answers half of them by a rule, and
another the rest with a scripted provider. The builds take turns, and each begins every other
round. A round is so many messages and not so long: a queue that a quick door has filled takes
minutes to empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.baseline.checkout import REVISION, Checkout, builds
from tests.benchmarks.ground.backlog import Unclaimed
from tests.benchmarks.ground.forebay import rules, scripted
from tests.benchmarks.ground.program import Program, metered
from tests.benchmarks.ground.provider import ScriptedProvider
from tests.benchmarks.ground.stage import Broker, Ground, Stage
from tests.benchmarks.load.__main__ import Report
from tests.benchmarks.load.posting import post
from tests.benchmarks.measurement import Progress, Rounds, Row

CALL_SECONDS: Final = 0.05
CONNECTIONS: Final = 64
ROUNDS: Final = 2
MESSAGES_A_SECOND: Final = 800
"""Of what is asked for with --seconds: 2,400 messages a round as a rule."""
WARM_UP_MESSAGES: Final = 300
LOAD_SECONDS: Final = 60.0
TARGETS: Final = {
    Broker.RABBITMQ: {"door": 0.55, "no-op": 0.30, "50 ms": 0.36},
    Broker.REDIS: {"door": 0.55, "no-op": 0.12, "50 ms": 0.16},
}
WHAT: Final = {
    "door": "door, CPU a message",
    "no-op": "worker, CPU a no-op message",
    "50 ms": "worker, CPU a 50 ms call",
}


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
                for figure, target in TARGETS[broker].items():
                    yield _row(broker, figure, rounds, target=target)


def _side(build: Checkout, stage: Stage) -> Side:
    ground = stage.bare_ground(Broker.REDIS)
    return Side(build, ground, build.prepare(ground))


def _row(broker: Broker, figure: str, rounds: dict[str, Rounds], *, target: float) -> Row:
    return Row(
        what=f"{WHAT[figure]} (stock: {REVISION})",
        on=broker,
        unit="µs",
        ours=rounds["ours"][figure],
        stock=rounds["stock"][figure],
        target=target,
    )


def _run(
    side: Side, ground: Ground, provider: ScriptedProvider, messages: int, rounds: Rounds
) -> None:
    count = _accept(side, ground, messages, rounds)
    with (
        Unclaimed(ground) as left,
        side.build.worker(ground, chain=[rules(ground)]) as program,
    ):
        spent = _answer(program, lambda: count - left(), (0.1 * count, 0.5 * count))
    rounds.add(**{"no-op": spent})
    with side.build.worker(ground, chain=[scripted(provider.url)]) as program:
        called = provider.calls
        spent = _answer(program, lambda: provider.calls - called, (0.1 * count, 0.35 * count))
    rounds.add(**{"50 ms": spent})


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


def _answer(program: Program, answered: Callable[[], int], window: tuple[float, float]) -> float:
    """CPU a message in microseconds, of those between the start and the end of a queue."""
    first, last = window
    program.wait_until(lambda: answered() > first, "first answers", every_seconds=0.02)
    known, cpu = answered(), program.cpu_seconds()
    program.wait_until(lambda: answered() > last, "last answers", every_seconds=0.02)
    return (program.cpu_seconds() - cpu) / (answered() - known) * 1e6
