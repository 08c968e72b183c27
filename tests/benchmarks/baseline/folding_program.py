"""What it costs to fold the figures that are in a ledger, as the messages there left them.

It runs by itself. Its one argument is the ledger's address; it prints one JSON object: the
microseconds of this process' CPU a message, and how many messages a delta has.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from sqlalchemy import delete, insert, select

from shared.persistence.engine import Database, open_database
from shared.persistence.statements import transaction
from shared.rollups.delta import decode_delta
from shared.rollups.folding import Folding
from shared.rollups.tables import rollup_delta
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings


async def _append(database: Database, deltas: list[str]) -> None:
    async with transaction(database.durable) as connection:
        await connection.execute(insert(rollup_delta), [{"figures": each} for each in deltas])


async def _measure(url: str) -> dict[str, float]:
    database = open_database(LedgerSettings(url=ServerUrl(url)))
    folding = Folding(database)
    async with transaction(database.durable) as connection:
        first, *others = (await connection.scalars(select(rollup_delta.c.figures))).all()
        await connection.execute(delete(rollup_delta))
    await _append(database, [first])
    await folding.fold()  # connects, and makes its statements
    await _append(database, others)
    began = time.process_time()
    assert await folding.fold() == len(others)
    spent = time.process_time() - began
    await database.close()
    messages = sum(len(decode_delta(each).turns) for each in others)
    return {"fold": spent / messages * 1e6, "size": messages / len(others)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(sys.argv[1]))))
