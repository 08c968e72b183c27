"""`python -m workers`: an agent worker as a process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from shared.messages.lane import Lane
from shared.pool.worker_process import run_worker, worker_parser
from shared.settings import with_secrets

if TYPE_CHECKING:
    from celery import Celery


def main() -> int:
    """Answer until told to end; 78 when the settings cannot be used, 1 when it cannot start."""
    parser = worker_parser(
        "python -m workers",
        "Answer messages until Ctrl-C.",
        concurrency="turns at once; `worker.concurrency` of the settings when not given",
    )
    parser.add_argument(
        "--lane",
        action="append",
        type=Lane,
        choices=list(Lane),
        help="answer this lane only; several times for several, all when not given",
    )
    options = parser.parse_args()

    def load() -> tuple[Celery, list[str]]:
        from shared.queueing.topology import lane_queue
        from workers.app import app

        return app, [str(lane_queue(lane)) for lane in options.lane or Lane]

    return run_worker(options, load, with_secrets, role="agent")


if __name__ == "__main__":
    sys.exit(main())
