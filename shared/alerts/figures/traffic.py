"""How messages fare: errors, latency, deadlines, refusals, unknown costs and cached tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from shared.alerts.deciding import FigureReading
from shared.alerts.machine import FigureValue
from shared.alerts.unit import FigureUnit
from shared.clock import Clock
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.rollups.histogram import Histogram
from shared.rollups.reading import Dimension, RollupRow, Rollups, TimeSpan
from shared.settings.watching.alerts import AlertSettings

_FEWEST: Final = 20
"""Messages below which a share says nothing: one in three failed is no rate of errors."""
_FEWEST_TOKENS: Final = 100_000
_SHORT: Final = 12
"""The short window of a burn rate is this part of the long one: 5 minutes of an hour."""
_BEFORE: Final = 24
"""What the cached tokens of a window are held against: so many windows before it."""
_P95: Final = 0.05
_INTERACTIVE: Final = {Dimension.LANE: str(Lane.INTERACTIVE)}


class ServiceFigures:
    """Shares are unknown where there was too little traffic; all raise LedgerUnavailable."""

    def __init__(self, rollups: Rollups, settings: AlertSettings, clock: Clock) -> None:
        self._rollups = rollups
        self._settings = settings
        self._clock = clock

    async def error_rate(self, window_seconds: float) -> FigureReading:
        """The share of messages that ended as failed."""
        rows = await self._sums(window_seconds, by=[Dimension.STATE])
        failed = sum(
            row.messages for row in rows if row.dims[Dimension.STATE] == ResponseState.FAILED
        )
        return _one(_share(failed, sum(row.messages for row in rows)), FigureUnit.SHARE)

    async def latency(self, window_seconds: float) -> FigureReading:
        """Seconds from acceptance to the end of interactive messages, on average."""
        latency = _latency(await self._sums(window_seconds, where=_INTERACTIVE))
        mean = latency.mean if latency.count >= _FEWEST else None
        return _one(mean, FigureUnit.SECONDS)

    async def deadline_burn(self, window_seconds: float) -> FigureReading:
        """How many times faster than the objective allows messages miss their deadline: over the
        window and over a twelfth of it, whichever is less."""
        allowed = 1 - self._settings.deadline_objective
        burns = [
            _times(_missed(await self._sums(seconds)), allowed)
            for seconds in (window_seconds, window_seconds / _SHORT)
        ]
        return _one(_least(burns), FigureUnit.TIMES)

    async def latency_burn(self, window_seconds: float) -> FigureReading:
        """The same for the 95th percentile of latency of interactive messages: how many times more
        than one in twenty take longer than the objective."""
        objective = self._settings.latency_objective_seconds
        burns = list[float | None]()
        for seconds in (window_seconds, window_seconds / _SHORT):
            latency = _latency(await self._sums(seconds, where=_INTERACTIVE))
            within = latency.share_within(objective) if latency.count >= _FEWEST else None
            burns.append(_times(None if within is None else 1 - within, _P95))
        return _one(_least(burns), FigureUnit.TIMES)

    async def refusal_rate(self, window_seconds: float) -> FigureReading:
        """The share of requests that doors refused, by reason."""
        rows = await self._sums(window_seconds)
        refused = dict[str, int]()
        for row in rows:
            for reason, number in row.refused.items():
                refused[reason] = refused.get(reason, 0) + number
        asked = sum(row.accepted for row in rows) + sum(refused.values())
        shares = [
            FigureValue({"reason": reason}, _share(number, asked), FigureUnit.SHARE)
            for reason, number in refused.items()
        ]
        return FigureReading(shares, absent=0.0 if asked >= _FEWEST else None)

    async def unknown_cost(self, window_seconds: float) -> FigureReading:
        """Attempts whose cost is not known, by model."""
        rows = await self._sums(window_seconds, by=[Dimension.MODEL])
        return FigureReading(
            [
                FigureValue({"model": row.dims[Dimension.MODEL]}, float(row.unknown))
                for row in rows
                if row.attempts
            ],
            absent=0.0 if rows else None,
        )

    async def cached_tokens_change(self, window_seconds: float) -> FigureReading:
        """The share of input tokens that providers had cached, as a part of what it was over 24
        such windows before."""
        end = self._clock.now()
        begin = end - timedelta(seconds=window_seconds)
        now = await self._rollups.sums(TimeSpan(begin, end))
        earlier = TimeSpan(begin - timedelta(seconds=window_seconds * _BEFORE), begin)
        usual = _cached(await self._rollups.sums(earlier))
        change = _times(_cached(now), usual) if usual else None
        return _one(change, FigureUnit.SHARE)

    async def _sums(
        self,
        window_seconds: float,
        *,
        by: Sequence[Dimension] = (),
        where: dict[Dimension, str] | None = None,
    ) -> list[RollupRow]:
        end = self._clock.now()
        span = TimeSpan(end - timedelta(seconds=window_seconds), end)
        return await self._rollups.sums(span, by=by, where=where)


def _one(value: float | None, unit: FigureUnit) -> FigureReading:
    return FigureReading([FigureValue({}, value, unit)])


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole >= _FEWEST else None


def _missed(rows: Sequence[RollupRow]) -> float | None:
    messages = sum(row.messages for row in rows)
    return _share(messages - sum(row.in_deadline for row in rows), messages)


def _latency(rows: Sequence[RollupRow]) -> Histogram:
    return next((row.latency for row in rows), Histogram())


def _cached(rows: Sequence[RollupRow]) -> float | None:
    read = sum(row.input_tokens for row in rows)
    cached = sum(row.cached_tokens for row in rows)
    return cached / read if read >= _FEWEST_TOKENS else None


def _times(share: float | None, of: float | None) -> float | None:
    return None if share is None or not of else share / of


def _least(burns: Sequence[float | None]) -> float | None:
    known = [burn for burn in burns if burn is not None]
    return min(known) if len(known) == len(burns) else None
