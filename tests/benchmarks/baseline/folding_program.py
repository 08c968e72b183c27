"""What it costs to fold the figures of a message, by the size of the groups that were settled.

It runs by itself. Its one argument is the address of a ledger with its tables; it prints one JSON
object: by size, the microseconds of this process' CPU a message.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Final

from sqlalchemy import insert

from shared.clock import SystemClock
from shared.persistence.engine import Database, open_database
from shared.persistence.statements import transaction
from shared.rollups.delta import AttemptFact, Delta, TurnFact, encode_delta
from shared.rollups.folding import Folding
from shared.rollups.tables import rollup_delta
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

SIZES: Final = (8, 64)
MESSAGES: Final = 6_400
_TENANTS: Final = 20


def _delta(size: int, begun_ms: int) -> str:
    turns = tuple(
        TurnFact(
            *(f"ten_{n % _TENANTS}", "m", "standard", "completed", "worker-1", "p"),
            *(begun_ms + n, 40, 900, 1, 200, 0, 60, 1_000_000, None),
        )
        for n in range(size)
    )
    attempts = tuple(
        AttemptFact(
            *(turn.tenant_id, "p", "m", "standard", None, turn.ended_ms, 800),
            *(200, 0, 0, 60, 0, 1_000_000, 0),
        )
        for turn in turns
    )
    return encode_delta(Delta(turns, attempts))


async def _fold(database: Database, size: int) -> float:
    now_ms = round(SystemClock().now().timestamp() * 1_000)
    rows = [{"figures": _delta(size, now_ms)} for _ in range(MESSAGES // size)]
    async with transaction(database.durable) as connection:
        await connection.execute(insert(rollup_delta), rows)
    began = time.process_time()
    assert await Folding(database).fold() == len(rows)
    return (time.process_time() - began) / MESSAGES * 1e6


async def _measure(url: str) -> dict[str, float]:
    database = open_database(LedgerSettings(url=ServerUrl(url)))
    await _fold(database, SIZES[0])  # connects, and prepares its statements
    costs = {str(size): await _fold(database, size) for size in SIZES}
    await database.close()
    return costs


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(sys.argv[1]))))
