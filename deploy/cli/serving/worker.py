"""`forebay worker`: starts a worker."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from shared.settings import load_settings, with_secrets


def worker(*, concurrency: int | None = None, name: str | None = None) -> NoReturn:
    """Answer messages, in one process, until Ctrl-C.

    Becomes `python -m workers`, which is `celery -A workers.app worker` with our asyncio pool, on
    all lanes, and starts in about two thirds of its time.

    Parameters
    ----------
    concurrency
        Turns at once; `worker.concurrency` of the settings when not given.
    name
        Its name among the workers, such as worker1@host; a new one when not given.
    """
    with_secrets(load_settings())
    command = [sys.executable, "-m", "workers"]
    if concurrency is not None:
        command.append(f"--concurrency={concurrency}")
    if name is not None:
        command.append(f"--name={name}")
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted
