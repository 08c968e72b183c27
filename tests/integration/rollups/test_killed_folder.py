"""Whoever folds may be killed within its transaction: nothing is lost, and nothing counts twice."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import timedelta
from typing import Final

from shared.clock import ManualClock
from shared.persistence.engine import Database
from shared.rollups.delta import Delta
from shared.rollups.folding import Folding
from shared.rollups.reading import Rollups, TimeSpan
from tests.integration.rollups.conftest import append
from tests.integration.rollups.facts import attempt_fact, turn_fact

# It dies when it has taken deltas out, and has added to the first table alone.
_FOLDER: Final = """
import asyncio, os, signal, sys
from shared.persistence.engine import open_database
from shared.rollups import folding
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

add, added = folding._CubeRows.add, []

def add_and_die(self, connection, sums):
    add(self, connection, sums)
    added.append(self)
    if len(added) == 1:
        os.kill(os.getpid(), signal.SIGKILL)

folding._CubeRows.add = add_and_die
asyncio.run(folding.Folding(open_database(LedgerSettings(url=ServerUrl(sys.argv[1])))).fold())
"""


async def test_a_folder_that_is_killed_in_the_middle_has_done_nothing(
    database: Database, migrated_ledger_url: str, clock: ManualClock
) -> None:
    now = clock.now()
    await append(database, *(Delta((turn_fact(now),), (attempt_fact(now),)) for _ in range(20)))
    rollups, span = Rollups(database), TimeSpan(now, now + timedelta(minutes=1))
    before = await rollups.sums(span)
    assert [(row.messages, row.attempts) for row in before] == [(20, 20)]
    folder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _FOLDER, migrated_ledger_url
    )
    assert await folder.wait() == -signal.SIGKILL
    assert await rollups.sums(span) == before
    assert sum(await asyncio.gather(*(Folding(database).fold() for _ in range(2)))) == 20
    assert await rollups.sums(span) == before
