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
"""What the cached tokens of a window are held against: it and so many before it."""
_P95: Final = 0.05
_FRESH: Final = 60
_Question = tuple[float, tuple[Dimension, ...]]


class ServiceFigures:
    """Shares are unknown where there was too little traffic; all raise LedgerUnavailable.

    One reading of a window serves every figure that wants it, and is good for a sixtieth of the
    window: what is asked of hours is not read every 15 seconds.
    """

    def __init__(self, rollups: Rollups, settings: AlertSettings, clock: Clock) -> None:
        self._rollups = rollups
        self._settings = settings
        self._clock = clock
        self._known: dict[_Question, tuple[float, list[RollupRow]]] = {}

    async def error_rate(self, window_seconds: float) -> FigureReading:
        """The share of messages that ended as failed."""
        rows = await self._ends(window_seconds)
        failed = sum(
            row.messages for row in rows if row.dims[Dimension.STATE] == ResponseState.FAILED
        )
        return _one(_share(failed, sum(row.messages for row in rows)), FigureUnit.SHARE)

    async def latency(self, window_seconds: float) -> FigureReading:
        """Seconds from acceptance to the end of interactive messages, on average."""
        ends = _interactive(await self._ends(window_seconds))
        number = sum(latency.count for latency in ends)
        whole = sum(latency.seconds for latency in ends)
        return _one(whole / number if number >= _FEWEST else None, FigureUnit.SECONDS)

    async def deadline_burn(self, window_seconds: float) -> FigureReading:
        """How many times faster than the objective allows messages miss their deadline: over the
        window and over a twelfth of it, whichever is less."""
        allowed = 1 - self._settings.deadline_objective
        burns = [
            _times(_missed(await self._ends(seconds)), allowed)
            for seconds in (window_seconds, window_seconds / _SHORT)
        ]
        return _one(_least(burns), FigureUnit.TIMES)

    async def latency_burn(self, window_seconds: float) -> FigureReading:
        """The same for the 95th percentile of latency of interactive messages: how many times more
        than one in twenty take longer than the objective."""
        objective = self._settings.latency_objective_seconds
        burns = [
            _times(_slower(_interactive(await self._ends(seconds)), objective), _P95)
            for seconds in (window_seconds, window_seconds / _SHORT)
        ]
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
        rows = await self._sums(window_seconds, Dimension.MODEL)
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
        now = _cached(await self._sums(window_seconds))
        whole = await self._sums(window_seconds * (_BEFORE + 1))
        usual = _cached(whole)
        change = _times(now, usual) if usual else None
        return _one(change, FigureUnit.SHARE)

    async def _ends(self, window_seconds: float) -> list[RollupRow]:
        return await self._sums(window_seconds, Dimension.LANE, Dimension.STATE)

    async def _sums(self, window_seconds: float, *by: Dimension) -> list[RollupRow]:
        wanted, at = (window_seconds, by), self._clock.monotonic()
        if (known := self._known.get(wanted)) and at - known[0] < window_seconds / _FRESH:
            return known[1]
        end = self._clock.now()
        span = TimeSpan(end - timedelta(seconds=window_seconds), end)
        rows = await self._rollups.sums(span, by=by)
        self._known[wanted] = at, rows
        return rows


def _one(value: float | None, unit: FigureUnit) -> FigureReading:
    return FigureReading([FigureValue({}, value, unit)])


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole >= _FEWEST else None


def _missed(rows: Sequence[RollupRow]) -> float | None:
    messages = sum(row.messages for row in rows)
    return _share(messages - sum(row.in_deadline for row in rows), messages)


def _interactive(rows: Sequence[RollupRow]) -> list[Histogram]:
    return [row.latency for row in rows if row.dims[Dimension.LANE] == Lane.INTERACTIVE]


def _slower(latencies: Sequence[Histogram], objective: float) -> float | None:
    number = sum(latency.count for latency in latencies)
    within = sum(latency.count * (latency.share_within(objective) or 0) for latency in latencies)
    return 1 - within / number if number >= _FEWEST else None


def _cached(rows: Sequence[RollupRow]) -> float | None:
    read = sum(row.input_tokens for row in rows)
    cached = sum(row.cached_tokens for row in rows)
    return cached / read if read >= _FEWEST_TOKENS else None


def _times(share: float | None, of: float | None) -> float | None:
    return None if share is None or not of else share / of


def _least(burns: Sequence[float | None]) -> float | None:
    known = [burn for burn in burns if burn is not None]
    return min(known) if len(known) == len(burns) else None
