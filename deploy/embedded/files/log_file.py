"""The children's logs: appended to, and never larger than two files of a bounded size."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

LIMIT_BYTES: Final = 10 * 1_048_576
_LOOK_SECONDS: Final = 20.0
_LONGEST_LINE: Final = 400


def bound_log(log: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
    """Move a log that grew past the limit to `….1` and empty it.

    The writer keeps its file open in append mode and goes on at the new start. Lines written
    between copying and emptying are lost; that is the price of not having the writer reopen it.
    """
    if log.exists() and log.stat().st_size > limit_bytes:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        with log.open("r+b") as emptied:
            emptied.truncate(0)


async def keep_bounded(logs: Iterable[Path]) -> None:
    """Look after these logs until cancelled."""
    watched = tuple(logs)
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        for log in watched:
            await asyncio.to_thread(bound_log, log)


def log_tail(log: Path, *, lines: int = 8) -> str:
    """Its last lines, for an error message."""
    if not log.exists():
        return ""
    with log.open("rb") as content:
        content.seek(max(0, log.stat().st_size - 8192))
        tail = content.read().decode(errors="replace").splitlines()
    return "\n".join(line[:_LONGEST_LINE] for line in tail[-lines:])
