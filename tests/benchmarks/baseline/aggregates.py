"""What figures cost a worker: to append them with each end, and to fold what all have appended.

What it costs to append is told by one process that ends groups with figures and without in turns,
in groups as large as a worker's; what it costs to fold, by who folds what a worker has left. Held
to the aim is their sum, as a share of what a message costs a worker that answers by a rule. Beside
it stands the same of the last build without figures: all else differs there too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

import msgspec

from tests.benchmarks.baseline.checkout import Checkout, builds
from tests.benchmarks.ground.backlog import Unanswered
from tests.benchmarks.ground.forebay import rules
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Rounds, Row

BEFORE: Final = "e6edd361"
"""The last build without figures."""
ROUNDS_A_SECOND: Final = 0.7
MESSAGES: Final = 4_000
WINDOW: Final = 0.1, 0.9
"""How many have ended, of all, when it begins to count, and when it ends."""
LIMIT_PERCENT: Final = 3.0
_FOLDER: Final = Path(__file__).parent
FILLING: Final = str(_FOLDER / "filling_program.py")
FOLDING: Final = str(_FOLDER / "folding_program.py")
SETTLING: Final = str(_FOLDER / "settling_in_turns.py")
_DRAWS: Final = 2_000

_Costs = dict[str, float]


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU a message of a worker, of appending and of folding, and the share of these two."""
    with builds(BEFORE) as both:
        for ledger in Ledger:
            rounds, pairs = Rounds(), list[_Costs]()
            for turn in range(max(2, int(seconds * ROUNDS_A_SECOND))):
                say(f"a worker on {ledger} with figures, and beside {BEFORE}, round {turn + 1}")
                for name in sorted(both, reverse=bool(turn % 2)):
                    ground = stage.bare_ground(Broker.REDIS, ledger)
                    rounds.add(**{name: answer(both[name], ground)})
                    if name == "ours":
                        rounds.add(**fold(both[name], ground))
                pairs += settle(both["ours"], stage.bare_ground(Broker.REDIS, ledger), rounds)
            yield from rows_of(ledger, rounds, pairs)


def answer(build: Checkout, ground: Ground) -> float:
    """CPU a message of a worker, in microseconds."""
    build.prepare(ground)
    told = msgspec.json.encode(msgspec.structs.asdict(ground) | {"folder": str(ground.folder)})
    build.run_python(ground, FILLING, str(MESSAGES), told.decode())
    first, last = (MESSAGES * (1 - share) for share in WINDOW)
    with Unanswered(ground) as left, build.worker(ground, chain=[rules(ground)]) as program:
        program.wait_until(lambda: left() < first, "first answers", every_seconds=0.02)
        known, cpu = left(), program.cpu_seconds()
        program.wait_until(lambda: left() < last, "last answers", every_seconds=0.02)
        return (program.cpu_seconds() - cpu) / (known - left()) * 1e6


def fold(build: Checkout, ground: Ground) -> _Costs:
    """What a worker has left in this ledger: CPU a message, and how many were in a group."""
    told = build.run_python(ground, FOLDING, ground.ledger_url)
    return msgspec.json.decode(told, type=_Costs)


def settle(build: Checkout, ground: Ground, rounds: Rounds) -> list[_Costs]:
    """By how much more a message with figures cost, of this process and of the database's."""
    build.prepare(ground)
    told = build.run_python(ground, SETTLING, ground.ledger_url, f"{rounds['size']:.0f}")
    return msgspec.json.decode(told, type=list[_Costs])


def rows_of(ledger: Ledger, rounds: Rounds, pairs: Sequence[_Costs]) -> Iterator[Row]:
    """What is told of a ledger."""
    whole, folding = rounds["ours"], rounds["fold"]
    more = [pair["client"] for pair in pairs]
    low, high = _interval(more)
    yield Row(
        what=f"worker, CPU a no-op message, but for folding (stock: {BEFORE})",
        on=ledger,
        unit="µs",
        ours=whole,
        stock=rounds["stock"],
    )
    yield Row(
        what=f"to append figures in groups of {rounds['size']:.0f}, CPU a message",
        on=ledger,
        unit="µs",
        ours=median(more),
        apart={"from": low, "to": high, "Postgres": median(pair["server"] for pair in pairs)},
    )
    yield Row(what="to fold them, CPU a message", on=ledger, unit="µs", ours=folding)
    without = whole - median(more)
    yield Row(
        what="both, of a worker's CPU a message without",
        on=ledger,
        unit="%",
        ours=(median(more) + folding) / without * 100,
        apart={"from": (low + folding) / without * 100, "to": (high + folding) / without * 100},
        limit=LIMIT_PERCENT,
    )


def _interval(found: Sequence[float]) -> tuple[float, float]:
    """Within which the median lies, at 95 %, as far as these tell."""
    dice = Random(0)
    drawn = sorted(median(dice.choices(found, k=len(found))) for _ in range(_DRAWS))
    return drawn[_DRAWS // 40], drawn[-_DRAWS // 40]
