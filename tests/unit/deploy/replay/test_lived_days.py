"""Days that were really lived, held to their replay. They are kept: this gives the same anywhere.

The aim is a tenth, and a fifth under other settings. Wider is what two real runs of a day differ by
themselves, as docs/replay.md tells: medians where half of the messages find a slot, and waits of a
lane of few messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median, quantiles

import pytest
from msgspec.structs import replace

from deploy.replay.day.recorded_day import RecordedDay
from deploy.replay.figures.sample import Seen, seen_in, seen_on
from deploy.replay.world.world import run_day
from shared.messages.lane import Lane
from shared.settings import Settings
from tests.unit.deploy.replay.lived_days import Lived, lived, settings_of

SEEDS = range(7)
ON_AN_EDGE = 0.3
OF_FEW = 0.2
OWN = {
    "interactive, p50": OF_FEW,
    "interactive, p95": OF_FEW,
    "standard, p50": ON_AN_EDGE,
    "standard, p95": 0.1,
    "batch, p50": 0.1,
    "batch, p95": 0.1,
    "cost": 0.01,
}
OTHER = dict.fromkeys(OWN, 0.2) | {"cost": 0.01}


def figures_of(seen: Iterable[Seen]) -> dict[str, float]:
    """Waits, cost, refused, and stored answers in a hundred of those that were let in."""
    all_seen = [*seen]
    let_in = [each for each in all_seen if each.refused is None]
    figures = {"refused": float(len(all_seen) - len(let_in))}
    for lane in Lane:
        waits = [each.waited for each in let_in if each.lane is lane and each.waited is not None]
        parts = quantiles(waits, n=20)
        figures |= {f"{lane}, p50": parts[9], f"{lane}, p95": parts[18]}
    figures["cost"] = float(sum(each.cost for each in let_in))
    figures["hits"] = 100.0 * sum(each.hit is not None for each in let_in) / len(let_in)
    return figures


def replayed(
    day: RecordedDay, settings: Settings, beside: RecordedDay
) -> dict[str, tuple[float, float]]:
    """Of each figure what was lived, and the median of some runs."""
    runs = [
        figures_of(seen_in(run_day(day, settings, slots=beside.slots, seed=seed))) for seed in SEEDS
    ]
    lived_figures = figures_of(seen_on(beside))
    return {
        name: (lived_figures[name], median(run[name] for run in runs)) for name in lived_figures
    }


def off(
    figures: dict[str, tuple[float, float]], bounds: dict[str, float]
) -> dict[str, tuple[float, float]]:
    """Those that are further from what was lived than that part of it."""
    return {
        name: figures[name]
        for name, part in bounds.items()
        if abs(figures[name][1] - figures[name][0]) > part * figures[name][0]
    }


@pytest.fixture(scope="module")
def eight_slots() -> RecordedDay:
    return lived(Lived.EIGHT_SLOTS)


def test_a_day_through_its_own_settings_is_as_it_was(eight_slots: RecordedDay) -> None:
    settings = settings_of(eight_slots, stores_answers=True)

    figures = replayed(eight_slots, settings, eight_slots)

    assert off(figures, OWN) == {}
    lived_hits, hits = figures["hits"]
    assert lived_hits > 10
    assert abs(hits - lived_hits) <= 1.0


def test_a_day_through_other_settings_is_as_when_they_were_tried(eight_slots: RecordedDay) -> None:
    """With two slots more, and without stored answers."""
    settings = settings_of(eight_slots, stores_answers=False)
    wider = lived(Lived.TEN_SLOTS)

    figures = replayed(eight_slots, settings, wider)

    assert wider.slots > eight_slots.slots
    assert off(figures, OTHER) == {}
    assert figures["hits"] == (0.0, 0.0)


def test_a_day_with_limits_refuses_as_it_did_and_answers_the_others_as_then() -> None:
    day = lived(Lived.FORTY_A_MINUTE)

    figures = replayed(day, settings_of(day, stores_answers=True), day)

    refused, again = figures["refused"]
    assert refused > 100
    assert abs(again - refused) <= 0.02 * refused
    assert abs(figures["hits"][1] - figures["hits"][0]) <= 1.0
    bounds = {"cost": 0.01, "standard, p95": 0.1, "batch, p95": 0.1}
    assert off(figures, bounds) == {}


@pytest.mark.parametrize(("a_minute", "really"), [(20, 414), (30, 309), (50, 61)])
def test_other_limits_refuse_about_as_many_as_with_the_very_arrivals(
    a_minute: int, really: int
) -> None:
    """Who was refused nobody kept. With all that came as it came, which was noted beside that day
    alone, the rules refuse `really` so many; at 40 a minute they decided all as the door did."""
    day = lived(Lived.FORTY_A_MINUTE)
    settings = settings_of(day, stores_answers=True)
    limits = replace(settings.limits, user_requests_per_minute=a_minute)

    rerun = run_day(day, replace(settings, limits=limits), slots=day.slots)

    refused = sum(job.refused_by is not None for job in rerun.jobs)
    assert refused == pytest.approx(really, rel=0.05)
