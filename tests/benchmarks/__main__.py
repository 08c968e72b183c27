"""`python -m tests.benchmarks [NAME] [--only NAME] [--seconds N] [--json]`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.console import Console

from tests.benchmarks import (
    active_keys,
    alerts,
    batches,
    beside_indexing,
    concurrent_calls,
    encoders,
    indexing,
    ingress,
    ledger_growth,
    ledger_layouts,
    message_cost,
    provider_calls,
    redis_bytes,
    round_trip,
    virtual_days,
    worker_fleet,
)
from tests.benchmarks.baseline import aggregates, command_start, hot_path, hot_statements, waiters
from tests.benchmarks.batching import beside_batch, whole_batch
from tests.benchmarks.console import beside_console, screens
from tests.benchmarks.day import saving
from tests.benchmarks.deployments import spread
from tests.benchmarks.dispatch import decisions, overhead, real_flood, waits
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Progress, Row
from tests.benchmarks.search import hybrid, vectors
from tests.benchmarks.table import as_json, print_table
from tests.benchmarks.turn import (
    cache_hits,
    context_fit,
    guardrail,
    large_bodies,
    model_choice,
    protected_calls,
    semantic_lookup,
    traced_worker,
)

Benchmark = Callable[[Stage, float, Progress], Iterator[Row]]

BENCHMARKS: Final[dict[str, Benchmark]] = {
    "ingress": ingress.measure,
    "active_keys": active_keys.measure,
    "provider_calls": provider_calls.measure,
    "concurrent_calls": concurrent_calls.measure,
    "message_cost": message_cost.measure,
    "worker_fleet": worker_fleet.measure,
    "ledger_growth": ledger_growth.measure,
    "ledger_layouts": ledger_layouts.measure,
    "round_trip": round_trip.measure,
    "redis_bytes": redis_bytes.measure,
    "alerts": alerts.measure,
    "batches": batches.measure,
    "whole_batch": whole_batch.measure,
    "beside_batch": beside_batch.measure,
    "indexing": indexing.measure,
    "beside_indexing": beside_indexing.measure,
    "baseline": hot_path.measure,
    "hot_statements": hot_statements.measure,
    "aggregates": aggregates.measure,
    "waiters": waiters.measure,
    "command_start": command_start.measure,
    "guardrail": guardrail.measure,
    "large_bodies": large_bodies.measure,
    "cache_hits": cache_hits.measure,
    "context_fit": context_fit.measure,
    "model_choice": model_choice.measure,
    "semantic_lookup": semantic_lookup.measure,
    "traced_worker": traced_worker.measure,
    "encoders": encoders.measure,
    "day": saving.measure,
    "protected_calls": protected_calls.measure,
    "deployments": spread.measure,
    "dispatch_waits": waits.measure,
    "dispatch_decisions": decisions.measure,
    "dispatch_flood": real_flood.measure,
    "dispatch_overhead": overhead.measure,
    "virtual_replay": virtual_days.measure,
    "hybrid_search": hybrid.measure,
    "vector_search": vectors.measure,
    "console_screens": screens.measure,
    "beside_console": beside_console.measure,
}

ON_REQUEST: Final = frozenset(
    {
        "active_keys",
        "beside_indexing",
        "command_start",
        "deployments",
        "dispatch_flood",
        "dispatch_overhead",
        "encoders",
        "hot_statements",
        "large_bodies",
        "ledger_growth",
        "ledger_layouts",
        "redis_bytes",
        "traced_worker",
        "waiters",
        "worker_fleet",
    }
)
"""What is measured by its name alone, so that all others together stay under 15 minutes.

Each decided something once, and either little of ours changes it or another one would show it.
"""


def main() -> int:
    """Measures, says what it is at on stderr, prints the table or its JSON on stdout.

    1 when a benchmark could not be carried out; a target that is not reached is a finding.
    """
    wanted = _arguments()
    # As on an interrupt, servers are stopped and the older build's worktree is taken away.
    signal.signal(signal.SIGTERM, _end)
    progress, began = Console(stderr=True), time.monotonic()
    rows: list[Row] = []
    failed = False
    with progress.status("starting RabbitMQ, Redis and Postgres") as status, Stage() as stage:
        say = _sayer(progress, status.update)
        for name in _names(wanted):
            began_one = time.monotonic()
            try:
                rows.extend(BENCHMARKS[name](stage, wanted.seconds, say))
            except Exception as error:  # noqa: BLE001 - the border of one of them
                failed = True
                progress.print(f"{name} could not be measured: {error!r}", markup=False)
            progress.print(f"{name}: {time.monotonic() - began_one:.0f} s")
    if wanted.json:
        print(as_json(rows))
    else:
        _conclude(rows, seconds=time.monotonic() - began)
    return 1 if failed else 0


def _end(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Ours beside what it replaces, on the same servers, in one run.",
    )
    parser.add_argument("name", choices=BENCHMARKS, nargs="?", help="this one alone")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="may be repeated")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one round")
    parser.add_argument("--json", action="store_true", help="the rows as JSON")
    return parser.parse_args()


def _names(wanted: argparse.Namespace) -> Sequence[str]:
    if wanted.name:
        return [wanted.name]
    return wanted.only or [name for name in BENCHMARKS if name not in ON_REQUEST]


def _conclude(rows: list[Row], *, seconds: float) -> None:
    console = Console()
    print_table(rows, console if console.is_terminal else Console(width=140))
    print(
        f"\nOne run of {seconds:.0f} s; {os.cpu_count()} cores for everything, load and servers "
        "included. Trust ratios and CPU; absolute times drift."
    )


def _sayer(console: Console, show: Callable[[str], None]) -> Progress:
    """On a terminal one line that changes, elsewhere a line each."""
    return show if console.is_terminal else console.print


if __name__ == "__main__":
    sys.exit(main())
