"""A process of workers: from its arguments to its exit code.

The same worker as `celery -A APP worker`, without the rest of Celery's command: that loads every
plugin, Flower with its web server among them, before the worker begins.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from shared.collector import collect_seldom
from shared.errors import SettingsError
from shared.optional_packages import left_out
from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from celery import Celery

_UNUSABLE_SETTINGS: Final = 78  # EX_CONFIG

UNUSED: Final = ("opentelemetry.sdk.metrics", "tornado", "yaml")
"""What redis-py, pybreaker and kombu load where it is installed: a tenth of a worker's memory, and
of its start. It measures with its own metrics, has one event loop, and reads JSON alone."""


def worker_parser(program: str, description: str, *, concurrency: str) -> ArgumentParser:
    """A parser with what every worker takes; `concurrency` says what is done at once."""
    parser = ArgumentParser(prog=program, description=description)
    parser.add_argument("--concurrency", type=int, help=concurrency)
    parser.add_argument("--name", help="its name among the workers; a new one when not given")
    return parser


def run_worker(
    options: Namespace,
    load: Callable[[], tuple[Celery, Sequence[str]]],
    require_secrets: Callable[[Settings], object],
    *,
    role: str,
) -> int:
    """Work until told to end; 78 when the settings cannot be used, 1 when it cannot start.

    `load` gives the application and its queues; what they are made of is imported there and not
    before. `require_secrets` raises SettingsError for one that is missing. `role` begins the name
    of a worker that is given none.
    """
    # billiard reads it when it is imported: SIGTERM lets work end for a while, then gives it back
    # to the queue.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    # Modules stay: the collector need not walk them while more of them come.
    collect_seldom()
    try:
        require_secrets(load_settings())
        with left_out(*UNUSED):
            app, queues = load()
        return _work(options, app, queues, role=role)
    except SettingsError as error:
        print("\n".join(error.findings), file=sys.stderr)  # noqa: T201
        return _UNUSABLE_SETTINGS


def _work(options: Namespace, app: Celery, queues: Sequence[str], *, role: str) -> int:
    from celery.utils.nodenames import default_nodename, host_format

    from shared.pool.errors import PoolRefused
    from shared.pool.pool import AsyncioPool
    from shared.queueing.celery_app import unique_node_name

    worker = app.Worker(
        hostname=host_format(default_nodename(options.name or unique_node_name(role))),
        pool_cls=AsyncioPool,
        concurrency=options.concurrency,
        queues=queues,
        task_events=True,
        # What was cancelled is in the ledger, so workers need not tell each other.
        without_mingle=True,
        without_gossip=True,
        loglevel="INFO",
    )
    try:
        worker.start()
    except PoolRefused as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        return 1
    return worker.exitcode or 0
