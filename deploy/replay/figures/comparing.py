"""A run beside the day, or beside another run: each figure with its difference and interval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from deploy.replay.day.recorded_day import NANO
from deploy.replay.figures.sample import STRETCHES, ReplayFigures, seconds_of_bin
from shared.messages.lane import Lane

_DRAWS: Final = 200
_LOW, _HIGH = 2.5, 97.5
_PERCENT: Final = 100.0
_QUANTILES: Final = (("p50", 0.5), ("p95", 0.95))


class ReplayFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the day and of the run, None where there is none.

    The interval is of the difference, 95 %: stretches of the day are drawn again, for both at once.
    It says how much the figure depends on which hours there were, not how well replay knows them.
    """

    name: str
    unit: str
    recorded: float | None
    replayed: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def compared(
    recorded: ReplayFigures, replayed: ReplayFigures, *, seed: int = 0
) -> list[ReplayFigure]:
    """All that is told of both."""
    return list(_figures(recorded, replayed, _draws(seed)))


def _figures(
    recorded: ReplayFigures, replayed: ReplayFigures, draws: np.ndarray
) -> Iterator[ReplayFigure]:
    for lane in Lane:
        for name, part in _QUANTILES:
            before, after = (each.quantile(lane, part) for each in (recorded, replayed))
            if before is None and after is None:
                continue
            spread = None
            if before is not None and after is not None:
                of_both = (
                    _quantiles(draws @ each.bins[lane], part) for each in (replayed, recorded)
                )
                # Bins are 2 % wide: what they are off by is the same in each draw.
                spread = np.subtract(*of_both) - _off(recorded, replayed, lane, part)
            yield _figure(f"wait, {lane}, {name}", "s", before, after, spread)
    for name, unit, key, scale in (
        ("accepted", "messages", "accepted", 1.0),
        ("refused", "messages", "refused", 1.0),
        ("not answered in time, or failed", "messages", "late", 1.0),
        ("cost", "dollars", "cost", 1 / NANO),
        ("false hits", "messages", "false_hits", 1.0),
    ):
        before, after = recorded.total(key) * scale, replayed.total(key) * scale
        spread = draws @ (replayed.sums[key] - recorded.sums[key]) * scale
        yield _figure(name, unit, before, after, spread)
    yield _figure(
        "cache hits",
        "%",
        _share(recorded),
        _share(replayed),
        _shares(replayed, draws) - _shares(recorded, draws),
    )


def _figure(
    name: str, unit: str, before: float | None, after: float | None, spread: np.ndarray | None
) -> ReplayFigure:
    if before is None or after is None or spread is None:
        return ReplayFigure(name=name, unit=unit, recorded=before, replayed=after)
    low, high = np.nanpercentile(spread, [_LOW, _HIGH])
    return ReplayFigure(
        name=name,
        unit=unit,
        recorded=before,
        replayed=after,
        difference=after - before,
        low=float(low),
        high=float(high),
    )


def _draws(seed: int) -> np.ndarray:
    """How often each stretch is in each draw."""
    chosen = np.random.default_rng(seed).integers(0, STRETCHES, size=(_DRAWS, STRETCHES))
    return np.stack([np.bincount(row, minlength=STRETCHES) for row in chosen]).astype(float)


def _quantiles(counts: np.ndarray, part: float) -> np.ndarray:
    """Of each row; not a number where it is empty."""
    sums = counts.cumsum(axis=1)
    totals = sums[:, -1:]
    places = (sums < part * totals).sum(axis=1) + 1
    found: np.ndarray = np.where(totals[:, 0] > 0, seconds_of_bin(places), np.nan)
    return found


def _off(recorded: ReplayFigures, replayed: ReplayFigures, lane: Lane, part: float) -> float:
    """By how much the bins are wrong about the difference of both."""
    off = 0.0
    for sample, sign in ((replayed, 1.0), (recorded, -1.0)):
        binned = _quantiles(sample.bins[lane].sum(axis=0, keepdims=True), part)[0]
        off += sign * (float(binned) - (sample.quantile(lane, part) or 0.0))
    return off


def _share(sample: ReplayFigures) -> float:
    return _PERCENT * sample.total("hits") / max(1.0, sample.total("accepted"))


def _shares(sample: ReplayFigures, draws: np.ndarray) -> np.ndarray:
    hits, accepted = draws @ sample.sums["hits"], draws @ sample.sums["accepted"]
    found: np.ndarray = _PERCENT * hits / np.maximum(accepted, 1.0)
    return found
