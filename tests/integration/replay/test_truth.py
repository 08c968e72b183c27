"""A day really lived, and the same day in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.replay.figures.comparing import ReplayFigure, compared
from deploy.replay.figures.report import sample_of_day, sample_of_run
from deploy.replay.world.world import run_day
from tests.integration.replay.lived_day import Servers, live, postings
from tests.servers.ports import free_port

SLOTS = 8


@pytest.fixture
def servers(redis_url: str, migrated_postgres_url: str, tmp_path: Path) -> Servers:
    return Servers(redis_url, migrated_postgres_url, free_port(), tmp_path)


def close(figure: ReplayFigure, *, part: float, least: float) -> bool:
    """Whether both are within that part of the recorded figure, or `least` apart."""
    assert figure.recorded is not None
    assert figure.replayed is not None
    return abs(figure.replayed - figure.recorded) <= max(part * figure.recorded, least)


async def test_a_day_of_a_real_stack_is_reproduced(servers: Servers) -> None:
    """Bounds are wide: few messages on a busy machine. Days that are kept are held to narrow ones,
    in tests/unit/deploy/replay/test_lived_days.py."""
    came = postings(seconds=8.0, per_second=22.0)
    lived = await live(servers, came, concurrency=SLOTS, chosen={"FOREBAY_CACHING__EXACT": "true"})
    day = lived.day

    rerun = run_day(day, lived.settings, slots=day.slots)

    figures = {each.name: each for each in compared(sample_of_day(day), sample_of_run(day, rerun))}
    assert day.slots == SLOTS
    assert len(day.messages) == len(came)
    assert any(each.held for each in day.messages), "nothing waited: the day proves nothing"
    assert figures["cache hits"].recorded != 0
    for name, figure in figures.items():
        if name.startswith("wait"):
            assert close(figure, part=0.4, least=0.25), figure
    assert close(figures["cost"], part=0.03, least=0.0), figures["cost"]
    assert close(figures["cache hits"], part=0.0, least=2.0), figures["cache hits"]
    assert figures["accepted"].replayed == len(came)
