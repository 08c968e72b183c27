"""What a choice costs, and how long a leader takes to know again what waits."""

from __future__ import annotations

import gc
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from shared.messages.lane import Lane
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Progress, Rounds, Row
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.scheduler import Scheduler

LIMIT_MICROSECONDS: Final = 10.0
_FLOWS: Final = (10, 1_000, 100_000)
_ROUNDS: Final = 9
_A_ROUND: Final = 2_000
_QUEUED: Final = 100_000 if os.environ.get("SCALE") != "full" else 1_000_000
_QUEUED_FLOWS: Final = 2_000
_LANES: Final = tuple(Lane)


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU of this process: of a release and its settlement, and of adding what waits."""
    for flows in _FLOWS:
        say(f"releases of {flows:,} flows")
        rounds = _decisions(flows)
        yield Row(
            what=f"choice among {flows:,} flows, CPU; its settlement apart",
            on="memory",
            unit="µs",
            ours=rounds["pick"],
            limit=LIMIT_MICROSECONDS,
            apart={"settled": rounds["settle"]},
        )
    say(f"{_QUEUED:,} messages that wait, of {_QUEUED_FLOWS:,} flows")
    cpu, size = _rebuild()
    what = f"{_QUEUED:,} messages of {_QUEUED_FLOWS:,} flows into the order"
    yield Row(what=f"{what}, CPU", on="memory", unit="s", ours=cpu)
    yield Row(what=f"{what}, memory of each", on="memory", unit="B", ours=size / _QUEUED)


def _decisions(flows: int) -> Rounds:
    """As many wait all the time: who ends makes room for another message of the same tenant."""
    scheduler, random, rounds = Scheduler(), Random(1), Rounds()
    waiting = max(2 * flows, 4 * _A_ROUND)
    for number in range(waiting):
        scheduler.add(_message(number, number % flows, random), 0.0)
    for number in range(waiting, waiting + _ROUNDS * _A_ROUND, _A_ROUND):
        began = time.process_time()
        picked = [scheduler.pick(1.0, _LANES) for _ in range(_A_ROUND)]
        chosen = time.process_time()
        for message in picked:
            assert message is not None
            scheduler.settle(message.id, message.units * 1.1, 2.0)
        settled = time.process_time()
        rounds.add(
            pick=(chosen - began) / _A_ROUND * 1e6, settle=(settled - chosen) / _A_ROUND * 1e6
        )
        for at, message in enumerate(picked):
            assert message is not None
            scheduler.add(_message(number + at, int(message.tenant), random), 2.0)
    return rounds


def _rebuild() -> tuple[float, float]:
    """Seconds and bytes, with the records as they come from a ledger."""
    random, scheduler = Random(1), Scheduler()
    gc.collect()
    began, resident = time.process_time(), _resident_bytes()
    for number in range(_QUEUED):
        scheduler.add(_message(number, number % _QUEUED_FLOWS, random), 0.0)
    return time.process_time() - began, _resident_bytes() - resident


def _resident_bytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return float(pages * resource.getpagesize())


def _message(number: int, tenant: int, random: Random) -> HeldMessage:
    units = random.uniform(100.0, 2_000.0)
    accepted_at = float(number)
    return HeldMessage(
        f"resp_{number}", Lane.STANDARD, str(tenant), accepted_at, accepted_at + 1e9, units
    )
