"""How much comes, how it ends, and how long that takes."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Final

import msgspec

from shared.clock import Clock
from shared.messages.state import ResponseState
from shared.rollups.histogram import Histogram
from shared.rollups.reading import Dimension, RollupRow, Rollups, TimeSpan

_LATELY: Final = timedelta(minutes=5)
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_FAILED: Final = ResponseState.FAILED.value


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """Of the last `seconds`. Times are in seconds, from acceptance to the end; shares are of 1."""

    seconds: float
    messages: int = 0
    accepted: int = 0
    failed: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    attempts: int = 0
    errors: dict[str, int] = {}
    refused: dict[str, int] = {}
    cached_tokens: int = 0
    input_tokens: int = 0
    answered_by: dict[str, int] = {}


class TrafficSeries(msgspec.Struct, frozen=True, kw_only=True):
    """Lines over time: one value of each for each of `times`, seconds since 1970; None is a gap."""

    times: list[int] = []
    messages: list[int] = []
    failed: list[int] = []
    p50: list[float | None] = []
    p95: list[float | None] = []


class TrafficFigures:
    """Everything raises LedgerUnavailable."""

    def __init__(self, rollups: Rollups, clock: Clock) -> None:
        self._rollups = rollups
        self._clock = clock

    async def lately(self) -> Traffic:
        """Of the last five minutes."""
        now = self._clock.now()
        span = TimeSpan(now - _LATELY, now + _MINUTE)
        rows = await self._rollups.sums(span)
        names = (Dimension.STATE, Dimension.ANSWERED_BY)
        ends = await self._rollups.sums(span, by=names)
        whole = rows[0] if rows else RollupRow(dims={})
        return Traffic(
            seconds=_LATELY.total_seconds(),
            messages=whole.messages,
            accepted=whole.accepted,
            failed=_failed(ends),
            p50=whole.latency.quantile(0.5),
            p95=whole.latency.quantile(0.95),
            p99=whole.latency.quantile(0.99),
            attempts=whole.attempts,
            errors=whole.errors,
            refused=whole.refused,
            cached_tokens=whole.cached_tokens,
            input_tokens=whole.input_tokens,
            answered_by=_answered_by(ends),
        )

    async def of_the_hour(self) -> TrafficSeries:
        """Of each of the last sixty minutes that are over."""
        end = self._clock.now().replace(second=0, microsecond=0)
        span = TimeSpan(end - _HOUR, end)
        found = await self._rollups.series(span, _MINUTE, by=(Dimension.STATE,))
        times = [end - _HOUR + _MINUTE * place for place in range(60)]
        series = TrafficSeries()
        for at in times if found else []:
            rows = [row for row in found if row.starts_at == at]
            latency = _together([row.latency for row in rows])
            series.times.append(int(at.timestamp()))
            series.messages.append(sum(row.messages for row in rows))
            series.failed.append(_failed(rows))
            series.p50.append(latency.quantile(0.5))
            series.p95.append(latency.quantile(0.95))
        return series


def _failed(rows: list[RollupRow]) -> int:
    return sum(row.messages for row in rows if row.dims.get(Dimension.STATE) == _FAILED)


def _answered_by(rows: list[RollupRow]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in rows:
        if name := row.dims.get(Dimension.ANSWERED_BY):
            counts[name] += row.messages
    return dict(counts.most_common())


def _together(histograms: list[Histogram]) -> Histogram:
    counts = [each.counts for each in histograms]
    return Histogram(tuple(map(sum, zip(*counts, strict=True)))) if counts else Histogram()
