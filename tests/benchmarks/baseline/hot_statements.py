"""What the ledger's hot statements cost in groups of 1, 8 and 64, beside the older build.

The same program runs on the code of each, in turns, on a new database each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tests.benchmarks.baseline.checkout import IMPORTED_REVISION, Checkout, builds
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Rounds, Row

PROGRAM: Final = Path(__file__).with_name("statement_program.py")
ROUNDS_A_SECOND: Final = 1
AIMS: Final[dict[Ledger, dict[str, float]]] = {
    Ledger.POSTGRES: {
        "accept 1": 143,
        "claim 1": 174,
        "settle 1": 169,
        "accept 8": 26,
        "claim 8": 41,
        "settle 8": 28,
        "accept 64": 5.4,
        "claim 64": 17,
        "settle 64": 12,
    },
    Ledger.SQLITE: {"accept 1": 278, "accept 64": 27},
}
"""Microseconds of the client's CPU a message, as tried on 2 cores."""


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU a message of the process that asks, and of Postgres beside it."""
    with builds(IMPORTED_REVISION) as both:
        for ledger in Ledger:
            client = {name: Rounds() for name in both}
            server = {name: Rounds() for name in both}
            for turn in range(max(2, int(seconds * ROUNDS_A_SECOND))):
                say(f"hot statements on {ledger} beside {IMPORTED_REVISION}, round {turn + 1}")
                for name in sorted(both, reverse=bool(turn % 2)):
                    ground = stage.bare_ground(Broker.REDIS, ledger)
                    for what, cost in statement_costs(both[name], ground).items():
                        client[name].add(**{what: cost["client"]})
                        server[name].add(**{what: cost["server"]})
            for what in client["ours"]:
                yield Row(
                    what=f"{what}, CPU a message (stock: {IMPORTED_REVISION})",
                    on=ledger,
                    unit="µs",
                    ours=client["ours"][what],
                    stock=client["stock"][what],
                    apart={"Postgres": server["ours"][what], "stock's": server["stock"][what]},
                    limit=AIMS[ledger].get(what),
                )


def statement_costs(build: Checkout, ground: Ground) -> dict[str, dict[str, float]]:
    """By statement and size of the group, what it costs on this build."""
    build.prepare(ground)
    finished = build.run_python(ground, str(PROGRAM), ground.ledger_url)
    return msgspec.json.decode(finished, type=dict[str, dict[str, float]])
