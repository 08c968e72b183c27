"""A batch followed to its end."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.cli.batch.door import BatchesOfDoor
from deploy.cli.batch.showing import is_ended
from deploy.cli.output import say_json

_FIRST_SECONDS: Final = 0.25
_LONGEST_SECONDS: Final = 5.0
_GROWTH: Final = 1.3


async def watch_batch(door: BatchesOfDoor, batch_id: str, *, as_json: bool) -> dict[str, Any]:
    """The batch as it ended: looked at again and again, less often the longer it takes.

    With `as_json` each change is a line; else a bar on stderr, where somebody looks at it.
    """
    pause, last = _FIRST_SECONDS, None
    with _bar(is_shown=not as_json) as bar:
        task = bar.add_task("", total=None)
        while True:
            batch = await door.find(batch_id)
            counts, status = batch["request_counts"], batch["status"]
            ended = counts["completed"] + counts["failed"]
            bar.update(task, description=status, completed=ended, total=counts["total"] or None)
            if as_json and (status, counts) != last:
                say_json(batch)
            if is_ended(batch):
                return batch
            pause = _FIRST_SECONDS if (status, counts) != last else pause * _GROWTH
            last = status, counts
            await asyncio.sleep(min(pause, _LONGEST_SECONDS))


def _bar(*, is_shown: bool) -> Progress:
    return Progress(
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        TextColumn("lines"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not is_shown or not sys.stderr.isatty(),
        transient=True,
    )
