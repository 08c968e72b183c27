"""What is done to those who work on batches, in the middle of one."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import psycopg

from tests.chaos.faults import Fault
from tests.chaos.ground import Ground

_PATIENCE_SECONDS: Final = 5.0
"""Where no batch comes to that point in time, the process is killed all the same."""
_EXPANDING: Final = b"SELECT 1 FROM batch WHERE state = 'in_progress' AND expanded_at IS NULL"
_COLLECTING: Final = b"SELECT 1 FROM batch WHERE state = 'finalizing'"


async def kill_expanding_worker(ground: Ground) -> None:
    """SIGKILL of the worker that makes messages of lines, while some are not made yet."""
    await asyncio.to_thread(_kill_leader, ground, "expander", _EXPANDING)


async def kill_collecting_worker(ground: Ground) -> None:
    """SIGKILL of the worker that writes the files of batches, while one has none yet."""
    await asyncio.to_thread(_kill_leader, ground, "collector", _COLLECTING)


def _kill_leader(ground: Ground, role: str, moment: bytes) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until and not _has_come(ground, moment):
        time.sleep(0.005)
    ground.leading_worker(role).replace()


def _has_come(ground: Ground, moment: bytes) -> bool:
    try:
        with ground.query() as connection:
            return connection.execute(moment).fetchone() is not None
    except psycopg.OperationalError:
        return False


BATCH_FAULTS: dict[str, Fault] = {
    fault.__name__: fault for fault in (kill_expanding_worker, kill_collecting_worker)
}
