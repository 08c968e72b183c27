"""`forebay worker`: types the command that starts a worker."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from shared.settings import load_settings


def worker(*, concurrency: int | None = None, name: str | None = None) -> NoReturn:
    """Answer messages, in one process, until Ctrl-C.

    Becomes `celery -A workers.app worker` with our asyncio pool, on all lanes.

    Parameters
    ----------
    concurrency
        Turns at once; `worker.concurrency` of the settings when not given.
    name
        Its name among the workers, such as worker1@host; a new one when not given.
    """
    settings = load_settings()
    command = _command(name, concurrency or settings.worker.concurrency)
    environment = {
        **os.environ,
        "CELERY_CUSTOM_WORKER_POOL": "workers.pool.pool:AsyncioPool",
        # SIGTERM lets turns finish for a while, then gives them back to the queue.
        "REMAP_SIGTERM": "SIGQUIT",
    }
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell is wanted


def _command(name: str | None, concurrency: int) -> list[str]:
    from shared.queueing.celery_app import unique_node_name
    from shared.queueing.topology import AGENT_QUEUES

    return [
        sys.executable,
        "-m",
        "celery",
        "--app=workers.app",
        "worker",
        "--pool=custom",
        f"--concurrency={concurrency}",
        f"--hostname={name or unique_node_name('agent')}",
        f"--queues={','.join(AGENT_QUEUES)}",
        "--task-events",
        # Who has been cancelled is in the ledger, so workers need not tell each other.
        "--without-mingle",
        "--without-gossip",
        "--loglevel=INFO",
    ]
