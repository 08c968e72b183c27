"""What figures cost: settling beside the build that had none, and folding what it appended.

A worker's message costs some 300 µs of CPU in all: what ours has over stock's is to be 3 % of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tests.benchmarks.baseline.checkout import Checkout, builds
from tests.benchmarks.baseline.hot_statements import statement_costs
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Rounds, Row

BEFORE: Final = "e6edd361"
"""The last build without figures."""
PROGRAM: Final = Path(__file__).with_name("folding_program.py")


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU a message of the process that settles, in groups of 1, 8 and 64, and of who folds."""
    with builds(BEFORE) as both:
        for ledger in Ledger:
            rounds = {name: Rounds() for name in both}
            folding = Rounds()
            for turn in range(max(2, int(seconds))):
                say(f"figures on {ledger} beside {BEFORE}, round {turn + 1}")
                for name in sorted(both, reverse=bool(turn % 2)):
                    ground = stage.bare_ground(Broker.REDIS, ledger)
                    for what, cost in statement_costs(both[name], ground).items():
                        if what.startswith("settle"):
                            rounds[name].add(**{what: cost["client"] + cost["server"]})
                folding.add(**_folding(both["ours"], stage.bare_ground(Broker.REDIS, ledger)))
            yield from _rows(ledger, rounds["ours"], rounds["stock"], folding)


def _rows(ledger: Ledger, ours: Rounds, stock: Rounds, folding: Rounds) -> Iterator[Row]:
    for what in ours:
        yield Row(
            what=f"{what} with figures, CPU a message, Postgres' too (stock: {BEFORE}, none)",
            on=ledger,
            unit="µs",
            ours=ours[what],
            stock=stock[what],
        )
    for size in folding:
        what = f"fold what groups of {size} appended, CPU a message"
        yield Row(what=what, on=ledger, unit="µs", ours=folding[size])


def _folding(build: Checkout, ground: Ground) -> dict[str, float]:
    build.prepare(ground)
    told = build.run_python(ground, str(PROGRAM), ground.ledger_url)
    return msgspec.json.decode(told, type=dict[str, float])
