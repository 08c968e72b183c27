"""`python -m indexer`: an indexer as a process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from indexer.keys import require_keys
from shared.pool.worker_process import run_worker, worker_parser

if TYPE_CHECKING:
    from celery import Celery


def main() -> int:
    """Index until told to end; 78 when the settings cannot be used, 1 when it cannot start."""
    parser = worker_parser(
        "python -m indexer",
        "Index documents until Ctrl-C.",
        concurrency="slices at once; `index.concurrency` of the settings when not given",
    )
    return run_worker(parser.parse_args(), _load, require_keys, role="indexer")


def _load() -> tuple[Celery, list[str]]:
    from indexer.app import app
    from shared.queueing.topology import QueueName

    return app, [QueueName.INDEX.value]


if __name__ == "__main__":
    sys.exit(main())
