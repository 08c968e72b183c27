"""`python -m tests.trials.million --messages 1000000`: through door, queue, workers and provider.

Producers post until each message is accepted, while workers answer; nothing is killed. Prints the
account and the rates as JSON; its exit code is 1 where a message was lost, or answered twice.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import msgspec
import psycopg

from tests.benchmarks.ground.backlog import unended
from tests.benchmarks.ground.forebay import create_key, door, worker
from tests.benchmarks.ground.program import Program, cpu_seconds
from tests.benchmarks.ground.provider import ScriptedProvider
from tests.benchmarks.ground.stage import Broker, Ground, Stage
from tests.benchmarks.load.__main__ import Report
from tests.benchmarks.load.posting import post_all
from tests.chaos.ground import witness
from tests.trials.million.account import MillionAccount, account_of

CALL_SECONDS: Final = 0.05
CONCURRENCY: Final = 500
_LOOK_SECONDS: Final = 1.0
_SAY_SECONDS: Final = 10.0
_STALLED_SECONDS: Final = 120.0
_BYTES: Final = b"SELECT pg_database_size(current_database())"


class MillionRun(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, how long it took, and what became of it."""

    broker: Broker
    workers: int
    cores: int
    posting_seconds: float
    seconds: float
    per_second: float
    door_p99_ms: float
    refused: dict[str, int]
    peak_mebibytes: dict[str, float]
    cpu_microseconds: dict[str, float]
    """A message, of each process of ours and each server."""
    ledger_bytes: int
    """A message, with its indexes, its attempts and what Postgres keeps beside."""
    account: MillionAccount
    is_kept: bool


def main() -> int:
    """Runs it and says what became of every message."""
    parser = argparse.ArgumentParser(prog="python -m tests.trials.million", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--broker", type=Broker, choices=list(Broker), default=Broker.RABBITMQ)
    wanted = parser.parse_args()
    with Stage() as stage:
        ground = stage.ground(wanted.broker)
        done = run(stage, ground, messages=wanted.messages, workers=wanted.workers)
    print(msgspec.json.format(msgspec.json.encode(done)).decode())
    return 0 if done.is_kept else 1


def run(stage: Stage, ground: Ground, *, messages: int, workers: int) -> MillionRun:
    """One door and so many workers on this ground, until every message has ended."""
    witness(ground.ledger_url)
    with _running(ground, workers) as (provider, programs), _ledger(ground) as ledger:
        told, began = ground.folder / "told", time.monotonic()
        report = _posted(ground, messages, told, ledger)
        posted = time.monotonic() - began
        _wait_until_all_ended(ledger)
        seconds = time.monotonic() - began
        account = account_of(ledger, told, provider_calls=provider.calls)
        return MillionRun(
            broker=ground.broker,
            workers=workers,
            cores=os.cpu_count() or 1,
            posting_seconds=round(posted, 1),
            seconds=round(seconds, 1),
            per_second=round(messages / seconds, 1),
            door_p99_ms=round(report.p99, 1),
            refused=report.refused,
            peak_mebibytes={
                name: round(each.peak_bytes() / 2**20, 1) for name, each in programs.items()
            },
            cpu_microseconds={
                name: round(spent / messages * 1e6, 1)
                for name, spent in _spent(stage, programs).items()
            },
            ledger_bytes=_bytes(ledger) // messages,
            account=account,
            is_kept=account.is_kept and account.told == messages,
        )


def _spent(stage: Stage, programs: dict[str, Program]) -> dict[str, float]:
    ours = {name: program.cpu_seconds() for name, program in programs.items()}
    return ours | {name: cpu_seconds(pids) for name, pids in stage.servers().items()}


@contextmanager
def _running(ground: Ground, workers: int) -> Iterator[tuple[ScriptedProvider, dict[str, Program]]]:
    with ExitStack() as stack:
        provider = stack.enter_context(ScriptedProvider(ground.folder, seconds=CALL_SECONDS))
        programs = {"door": stack.enter_context(door(ground))}
        programs["door"].wait_until(ground.is_served, "open door")
        for number in range(workers):
            log = f"worker-{number}.log"
            program = worker(ground, provider_url=provider.url, concurrency=CONCURRENCY, log=log)
            programs[f"worker {number}"] = stack.enter_context(program)
        yield provider, programs


@contextmanager
def _ledger(ground: Ground) -> Iterator[psycopg.Connection]:
    """Past all of the product's code."""
    url = ground.ledger_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def _posted(ground: Ground, messages: int, told: Path, ledger: psycopg.Connection) -> Report:
    """Says how far it is meanwhile."""
    ended = threading.Event()
    saying = threading.Thread(target=_say, args=(ground, ended), daemon=True)
    saying.start()
    try:
        return post_all(ground.port, key=create_key(ground), messages=messages, told=told)
    finally:
        ended.set()
        saying.join()


def _say(ground: Ground, ended: threading.Event) -> None:
    with _ledger(ground) as ledger:
        began = time.monotonic()
        while not ended.wait(_SAY_SECONDS):
            states = dict(
                ledger.execute(b"SELECT state, count(*) FROM message GROUP BY state").fetchall()
            )
            seconds = time.monotonic() - began
            print(f"{seconds:.0f} s: {sum(states.values()):,} {states}", file=sys.stderr)


def _wait_until_all_ended(ledger: psycopg.Connection) -> None:
    """Raises where nothing ends any more for two minutes."""
    least, changed = sys.maxsize, time.monotonic()
    while left := unended(ledger):
        if left < least:
            least, changed = left, time.monotonic()
        assert time.monotonic() - changed < _STALLED_SECONDS, f"{left:,} messages never end"
        time.sleep(_LOOK_SECONDS)


def _bytes(ledger: psycopg.Connection) -> int:
    row = ledger.execute(_BYTES).fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    sys.exit(main())
