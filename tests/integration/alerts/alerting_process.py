"""A process that leads and sends as a worker does: `python -m … LEDGER RECEIVER DOES`.

One alert fires in it. It DOES `look` alone, or `all`, and then waits to be killed.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from shared.clock import ManualClock
from shared.persistence.engine import open_database
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.alerts.conftest import WatchedLedger, send_round, told_to, webhook_sink


async def main(ledger_url: str, receiver_url: str, does: str) -> None:
    clock = ManualClock(datetime.now(UTC))
    database = open_database(LedgerSettings(url=ServerUrl(ledger_url), timeout_seconds=60.0))
    watched = WatchedLedger(database, clock)
    watched.figures.values = {"ten_1": 20.0}
    settings = told_to(webhook_sink(receiver_url, timeout_seconds=600.0))
    await watched.rounds(watched.leader(settings), seconds=60)
    print("looked", flush=True)
    if does == "all":
        await send_round(watched.sending(settings))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3]))
