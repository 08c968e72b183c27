"""The figures of a day or of a run, kept by stretches of time so that they can be drawn again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from deploy.replay.day.recorded_day import RecordedDay
from deploy.replay.world.world import Rerun
from shared.messages.lane import Lane
from shared.messages.state import ResponseState

STRETCHES: Final = 48
_FIRST_SECONDS: Final = 1e-3
_STEP: Final = 1.02
_BINS: Final = 1_100
"""From a millisecond on, each 2 % wider than the one before: up to a month."""


class Seen(NamedTuple):
    """What became of one message; `waited` None where it was never claimed."""

    at: float
    lane: Lane
    waited: float | None
    refused: str | None
    cost: int
    hit: str | None
    is_false_hit: bool
    is_late: bool


@dataclass(slots=True)
class ReplayFigures:
    """By stretch: waits of each lane in bins, and sums."""

    waits: dict[Lane, list[float]]
    bins: dict[Lane, np.ndarray]
    sums: dict[str, np.ndarray]
    hits: Counter[str]
    refused: Counter[str]

    def quantile(self, lane: Lane, part: float) -> float | None:
        """Of all waits of the lane, exactly."""
        waits = self.waits[lane]
        return float(np.quantile(waits, part)) if waits else None

    def total(self, name: str) -> float:
        return float(self.sums[name].sum())


SUMS: Final = ("came", "accepted", "refused", "cost", "hits", "false_hits", "late")


def sample_of(seen: Iterable[Seen], *, began: float, ended: float) -> ReplayFigures:
    """The figures of these messages."""
    sums = {name: np.zeros(STRETCHES) for name in SUMS}
    waits: dict[Lane, list[float]] = {lane: [] for lane in Lane}
    places: dict[Lane, list[int]] = {lane: [] for lane in Lane}
    hits: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    seconds = max(ended - began, 1e-9)
    for each in seen:
        place = min(STRETCHES - 1, max(0, int((each.at - began) / seconds * STRETCHES)))
        sums["came"][place] += 1
        if each.refused is not None:
            sums["refused"][place] += 1
            refused[each.refused] += 1
            continue
        sums["accepted"][place] += 1
        sums["cost"][place] += each.cost
        sums["late"][place] += each.is_late
        if each.hit is not None:
            sums["hits"][place] += 1
            sums["false_hits"][place] += each.is_false_hit
            hits[each.hit] += 1
        if each.waited is not None:
            waits[each.lane].append(each.waited)
            places[each.lane].append(place)
    bins = {lane: _binned(waits[lane], places[lane]) for lane in Lane}
    return ReplayFigures(waits, bins, sums, hits, refused)


def seconds_of_bin(number: np.ndarray) -> np.ndarray:
    """The middle of a bin."""
    middle: np.ndarray = _FIRST_SECONDS * _STEP ** (number - 0.5)
    return middle


def seen_on(day: RecordedDay) -> Iterator[Seen]:
    """The day as it was."""
    for each in day.messages:
        is_late = each.waited is None and each.refused is None
        yield Seen(
            each.at,
            each.lane,
            each.waited,
            each.refused,
            each.cost,
            each.hit,
            each.is_false_hit,
            is_late or each.state is ResponseState.FAILED,
        )


def seen_in(rerun: Rerun) -> Iterator[Seen]:
    """The run."""
    for job in rerun.jobs:
        yield Seen(
            job.message.at,
            job.message.lane,
            job.waited,
            job.refused_by,
            job.cost,
            job.hit,
            job.is_false_hit,
            job.refused_by is None and job.state is not ResponseState.COMPLETED,
        )


def _binned(waits: list[float], places: list[int]) -> np.ndarray:
    counts = np.zeros((STRETCHES, _BINS))
    if waits:
        found = np.log(np.maximum(waits, _FIRST_SECONDS) / _FIRST_SECONDS) / np.log(_STEP)
        np.add.at(counts, (places, np.minimum(found.astype(int), _BINS - 1)), 1)
    return counts
