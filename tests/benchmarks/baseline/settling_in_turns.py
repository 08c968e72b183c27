"""What a message's end costs with figures and without, in one process and moments apart.

Two processes, or two seconds of one, differ by more than what is looked for. It runs by itself.
Its arguments are the address of a ledger with its tables, and how many messages a group has; it
prints one JSON list: for each pair of groups by how much more the one with figures cost, in
microseconds of CPU a message, of this process and of Postgres beside it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from random import Random
from typing import Any, Final

from sqlalchemy import literal_column, select

from shared.clock import SystemClock
from shared.persistence.engine import open_database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.settlement import in_thread
from shared.persistence.ledger.settlement.figures_in_thread import FiguresInThread
from shared.persistence.ledger.settlement.one_statement import OneStatement
from shared.persistence.ledger.settling import SettleGroup
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.benchmarks.baseline.statement_program import Costs, end_of, new_record, of_claim

PAIRS: Final = 120
WARM: Final = 15
"""Pairs that are not counted."""
_WITH: Final = "with"
_WITHOUT: Final = "without"


class Switch:
    """Whether ends are appended to figures now."""

    def __init__(self) -> None:
        self.is_on = True
        texts: dict[bool, dict[Any, Any]] = {True: {}, False: {}}
        write = OneStatement.write

        async def write_so(writer: Any, settlements: Any) -> Any:
            writer._texts = texts[self.is_on]
            return await write(writer, settlements)

        self._put(FiguresInThread, "append", lambda *_: None)
        self._put(in_thread, "attempt_fact", lambda *_: ())
        # What nobody reads of a statement, Postgres does not run.
        self._put(OneStatement, "_figures_of", lambda *_: select(literal_column("1")))
        setattr(OneStatement, "write", write_so)  # noqa: B010 - mypy knows what it is

    def _put(self, where: Any, name: str, instead: Callable[..., Any]) -> None:
        told = getattr(where, name)

        def tell(*given: Any) -> Any:
            return told(*given) if self.is_on else instead(*given)

        setattr(where, name, tell)


async def _measure(url: str, size: int) -> list[dict[str, float]]:
    settings, clock = LedgerSettings(url=ServerUrl(url)), SystemClock()
    database = open_database(settings)
    accepts = AcceptGroup(database, wake_after_seconds=15)
    claims = ClaimGroup(database, clock, worker="worker-1", lease_seconds=600)
    settles, costs = SettleGroup(database), Costs(database)
    switch, dice = Switch(), Random()
    for turn in range(WARM + PAIRS):
        if turn == WARM:
            await costs.look_at_backends()
        first = dice.random() < 0.5
        for switch.is_on in (first, not first):
            records = [new_record() for _ in range(size)]
            await accepts.flush(records)
            claimed = await claims.flush([each.id for each in records])
            ends = [of_claim(end_of(each.id), each) for each in claimed]
            what = _WITH if switch.is_on else _WITHOUT
            assert all(await costs.of(what, size, lambda ends=ends: settles.flush(ends)))
    await database.close()
    pairs = zip(costs.found[f"{_WITH} {size}"], costs.found[f"{_WITHOUT} {size}"], strict=True)
    return [{"client": one[0] - other[0], "server": one[1] - other[1]} for one, other in pairs][
        WARM:
    ]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(sys.argv[1], int(sys.argv[2])))))
