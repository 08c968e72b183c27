"""What a command costs before it does anything, beside the same in the older build."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from typing import Final

from tests.benchmarks.baseline.checkout import REVISION, builds
from tests.benchmarks.ground.stage import Broker, Ledger, Stage
from tests.benchmarks.measurement import Progress, Rounds, Row

COMMANDS: Final = (
    ("--help",),
    ("check", "--help"),
    ("send", "--help"),
    ("keys", "list"),
)
TARGET: Final = 0.6
ROUNDS_A_SECOND: Final = 3


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """User and system time of a process that starts, prints and ends."""
    with builds() as both:
        grounds = {name: stage.bare_ground(Broker.REDIS, Ledger.SQLITE) for name in both}
        for name, build in both.items():
            build.prepare(grounds[name])  # with it, its modules are compiled
        for command in COMMANDS:
            say(f"start of forebay {' '.join(command)} beside {REVISION}")
            rounds = Rounds()
            for turn in range(max(2, int(seconds * ROUNDS_A_SECOND))):
                for name in sorted(both, reverse=bool(turn % 2)):
                    before = _children_seconds()
                    both[name].run(grounds[name], *command)
                    rounds.add(**{name: (_children_seconds() - before) * 1e3})
            yield Row(
                what=f"CPU of forebay {' '.join(command)} (stock: {REVISION})",
                on=Ledger.SQLITE,
                unit="ms",
                ours=rounds["ours"],
                stock=rounds["stock"],
                target=TARGET,
            )


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
