"""How fast a day runs again in virtual time: a million messages a day, on one core."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from typing import Final

from deploy.replay.day.generating import GeneratedTraffic, Shape, generated_day
from deploy.replay.day.recorded_day import RecordedDay
from deploy.replay.world.world import run_day
from shared.settings import Settings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.turn.caching import CachingSettings
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Better, Progress, Row

LEAST: Final = 500.0
MESSAGES_A_DAY: Final = 1_000_000
_HOURS: Final = 1.0 if os.environ.get("SCALE") != "full" else 24.0
_TIGHT: Final = 24
"""Slots that the height of the day is more than enough for; twice as many are ample."""


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Seconds of the day for each second of CPU, with slots to spare and at what they can do."""
    for name, slots in (("slots to spare", 4 * _TIGHT), ("slots all taken at times", _TIGHT)):
        say(f"{_HOURS:g} hours of a day of {MESSAGES_A_DAY:,} messages, {name}")
        day = generated_day(_traffic(), slots=slots)
        speed, waited = _run(day, slots)
        yield Row(
            what=f"virtual replay, {MESSAGES_A_DAY:,} messages a day, {name}: times real time",
            on="one core, memory",
            unit="x",
            ours=speed,
            limit=LEAST,
            better=Better.HIGHER,
            apart={"part that was held": waited},
        )


def _traffic() -> GeneratedTraffic:
    return GeneratedTraffic(
        messages=int(MESSAGES_A_DAY * _HOURS / 24), hours=_HOURS, shape=Shape.FLAT
    )


def _run(day: RecordedDay, slots: int) -> tuple[float, float]:
    link = ProviderSettings(
        name="generated",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url="http://127.0.0.1:1",
        model="generated",
    )
    settings = Settings(providers=(link,), caching=CachingSettings(exact=True))
    gc.collect()
    began = time.process_time()
    rerun = run_day(day, settings, slots=slots)
    took = time.process_time() - began
    held = sum(job.held for job in rerun.jobs) / len(rerun.jobs)
    return (day.ended - day.began) / took, held
