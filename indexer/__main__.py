"""`python -m indexer`: an indexer as a process.

The same as `celery -A indexer.app worker`, without the rest of Celery's command: that loads every
plugin, Flower with its web server among them, before the worker begins.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from typing import Final

from indexer.keys import require_keys
from shared.collector import collect_seldom
from shared.errors import SettingsError
from shared.settings import load_settings

_UNUSABLE_SETTINGS: Final = 78  # EX_CONFIG


def main() -> int:
    """Index until told to end; 78 when the settings cannot be used, 1 when it cannot start."""
    options = _parser().parse_args()
    # billiard reads it when it is imported: SIGTERM lets a slice finish for a while, then its
    # documents are given back.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    collect_seldom()
    try:
        require_keys(load_settings())
        return _work(options)
    except SettingsError as error:
        print("\n".join(error.findings), file=sys.stderr)  # noqa: T201
        return _UNUSABLE_SETTINGS


def _work(options: Namespace) -> int:
    from celery.utils.nodenames import default_nodename, host_format

    from indexer.app import app
    from shared.pool.errors import PoolRefused
    from shared.pool.pool import AsyncioPool
    from shared.queueing.celery_app import unique_node_name
    from shared.queueing.topology import QueueName

    worker = app.Worker(
        hostname=host_format(default_nodename(options.name or unique_node_name("indexer"))),
        pool_cls=AsyncioPool,
        concurrency=options.concurrency,
        queues=[QueueName.INDEX.value],
        task_events=True,
        # What was cancelled is in the ledger, so indexers need not tell each other.
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


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m indexer", description="Index documents until Ctrl-C.")
    parser.add_argument(
        "--concurrency",
        type=int,
        help="slices at once; `index.concurrency` of the settings when not given",
    )
    parser.add_argument("--name", help="its name among the workers; a new one when not given")
    return parser


if __name__ == "__main__":
    sys.exit(main())
