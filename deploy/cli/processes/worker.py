"""`forebay worker`: starts a worker."""

from __future__ import annotations

import os
import re
import sys
from typing import Annotated, Final, NoReturn

from cyclopts import Parameter
from cyclopts.validators import Number

from shared.errors import InvalidRequest
from shared.messages.lane import Lane
from shared.settings import load_settings, with_secrets

_NAME: Final = re.compile(r"[A-Za-z0-9._%-]{1,100}(@[A-Za-z0-9._%-]{1,100})?")


def worker(
    *,
    lane: Annotated[tuple[Lane, ...], Parameter(consume_multiple=True)] = (),
    concurrency: Annotated[int | None, Parameter(validator=Number(gte=1, lte=100_000))] = None,
    name: str | None = None,
) -> NoReturn:
    """Answer messages, in one process, until Ctrl-C.

    Becomes `python -m workers`, which is `celery -A workers.app worker` with our asyncio pool, and
    starts in about two thirds of its time. It ends with 0 when it is told to.

    Parameters
    ----------
    lane
        Answer messages of this lane only; give several, or none for all. Some worker must answer
        each lane.
    concurrency
        Turns at once; `worker.concurrency` of the settings when not given.
    name
        Its name among the workers, such as worker1@host; a new one when not given.
    """
    named = checked_node_name(name)
    with_secrets(load_settings())
    command = [sys.executable, "-m", "workers"]
    command += [f"--lane={each}" for each in dict.fromkeys(lane)]
    if concurrency is not None:
        command.append(f"--concurrency={concurrency}")
    if named is not None:
        command.append(f"--name={named}")
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted


def checked_node_name(name: str | None) -> str | None:
    """The same; raises InvalidRequest where Celery could not use it."""
    if name is not None and not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"'{name}' is no name for a worker: write letters, digits, '.', '_' and '-', with or "
            "without @host."
        )
    return name
