"""Minutes of a real stack, run again in virtual time; and through settings under which the same
minutes were then really lived.

SECONDS=160 pytest tests/trials/test_replay.py -s
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import inf
from pathlib import Path
from statistics import median

import pytest

from deploy.replay.day.recorded_day import RecordedDay
from deploy.replay.figures.comparing import ReplayFigure, compared
from deploy.replay.figures.report import sample_of_day, sample_of_run
from deploy.replay.world.world import run_day
from shared.settings import Settings
from tests.integration.replay.lived_day import Servers, live, postings
from tests.servers.ports import free_port

SECONDS = float(os.environ.get("SECONDS", "160"))
PACE = 4.0
SLOTS, MORE_SLOTS = 8, 10
LIMITS = {
    "FOREBAY_LIMITS__USER_REQUESTS_PER_MINUTE": "60",
    "FOREBAY_LIMITS__BURST_SHARE": "0.25",
}
CACHED = {**LIMITS, "FOREBAY_CACHING__EXACT": "true"}
SEEDS = range(5)
STEADY = ("wait, standard, p95", "wait, batch, p50", "wait, batch, p95")
"""Of which two real runs of a day differ by less than a tenth, where nothing else runs."""
MOST_OFF = {"its own settings": 0.1, "other settings": 0.2}


def _figures(
    day: RecordedDay, settings: Settings, beside: RecordedDay, slots: int
) -> Iterator[ReplayFigure]:
    """The day through these settings, beside what was lived; the median of some seeds."""
    runs = []
    for seed in SEEDS:
        rerun = run_day(day, settings, slots=slots, seed=seed)
        runs.append(compared(sample_of_day(beside), sample_of_run(day, rerun)))
    for same in zip(*runs, strict=True):
        replayed = [each.replayed for each in same if each.replayed is not None]
        yield ReplayFigure(
            name=same[0].name,
            unit=same[0].unit,
            recorded=same[0].recorded,
            replayed=median(replayed) if replayed else None,
        )


def _off(figure: ReplayFigure) -> float:
    """By which part of the lived figure it is off."""
    lived, replayed = figure.recorded or 0.0, figure.replayed or 0.0
    return abs(replayed - lived) / lived if lived else abs(replayed)


@pytest.mark.timeout(1_200)
async def test_minutes_of_a_stack_are_reproduced_and_foretold(
    redis_url: str, migrated_postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    came = postings(seconds=SECONDS, per_second=22.0 / PACE, pace=PACE)
    one = Servers(redis_url, migrated_postgres_url, free_port(), tmp_path)
    lived = await live(one, came, concurrency=SLOTS, chosen=CACHED, pace=PACE)
    (folder := tmp_path / "other").mkdir()
    two = Servers(redis_url, migrated_postgres_url, free_port(), folder)
    other = await live(two, came, concurrency=MORE_SLOTS, chosen=LIMITS, pace=PACE, prefix="other")

    own = list(_figures(lived.day, lived.settings, lived.day, SLOTS))
    told = list(_figures(lived.day, other.settings, other.day, MORE_SLOTS))
    both = {"its own settings": own, "other settings": told}
    with capsys.disabled():
        for name, figures in both.items():
            print(f"\n{len(came)} messages, {name}")
            for each in figures:
                print(f"{each.name:34} {each.recorded!s:.8} {each.replayed!s:.8} {_off(each):.1%}")

    hits = next(each for each in own if each.name == "cache hits")
    assert abs((hits.replayed or 0.0) - (hits.recorded or 0.0)) <= 1.0
    for name, figures in both.items():
        bounds = {"cost": 0.01, "refused": 0.02} | dict.fromkeys(STEADY, MOST_OFF[name])
        assert [each for each in figures if _off(each) > bounds.get(each.name, inf)] == []
