"""Celery tasks: the edge between the queue and the pipeline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from celery import Celery

from indexer.crew import IndexCrew
from shared.errors import Unavailable
from shared.queueing.task_names import TaskName
from shared.telemetry.logs import get_logger

_WAKE_UP: Final = frozenset({"about"})
_ABOUT: Final = re.compile(r"(?:job|vs)_[0-9A-Za-z_-]{1,59}")


def complaint_about_arguments(task: str, args: object, kwargs: object) -> str | None:
    """What keeps these from being arguments of a task of ours; None where they fit."""
    if task != TaskName.INDEX or not isinstance(kwargs, dict):
        return None
    if args or kwargs.keys() != _WAKE_UP:
        return "a wake-up of indexers has the keyword argument about and no others"
    about = kwargs["about"]
    if not isinstance(about, str) or _ABOUT.fullmatch(about) is None:
        return "'about' is not the id of a job or of a collection"
    return None


def register_tasks(app: Celery, running: Sequence[IndexCrew]) -> None:
    """Register the tasks of this app; `running` holds the process's own crew while it runs."""

    @app.task(name=TaskName.INDEX.value, ignore_result=True)
    async def index(about: str) -> str:
        """Works off one slice of what waits and wakes the next; what it did, for Flower.

        Its loss is harmless, and so is its repetition: the ledger says what is to be done, and
        the crew looks there by itself once a second.
        """
        try:
            return await running[0].work(about)
        except Unavailable as error:
            get_logger(__name__).warning("index_put_off", about=about, code=error.code)
            return error.code
