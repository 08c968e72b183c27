"""Figures of any span, by any names, as fresh as the last end: what is not folded yet is added."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.engine import Database
from shared.persistence.statements import reading, snapshot
from shared.rollups.assembling import Assembly
from shared.rollups.cubes import Dimension, Resolution, TimeSpan
from shared.rollups.delta import decode_delta, latest_of
from shared.rollups.question import RollupQuestion
from shared.rollups.row import RollupRow
from shared.rollups.spans import SpanPiece, pieces_of
from shared.rollups.tables import rollup_attempt, rollup_delta, rollup_turn
from shared.rollups.tally import tally_of

__all__ = ["Dimension", "RollupRow", "Rollups", "TimeSpan"]

_READ_BESIDE: Final = 5_000
_UNFOLDED: Final = select(rollup_delta.c.figures).order_by(rollup_delta.c.id).limit(_READ_BESIDE)
"""What is read beside what is folded: some seconds of a busy system."""
_MORE: Final = (
    select(rollup_delta.c.figures).order_by(rollup_delta.c.id).offset(_READ_BESIDE).limit(1)
)
_OLDEST: Final = tuple(
    select(func.min(table.c.starts_at)).where(table.c.seconds == bindparam("seconds"))
    for table in (rollup_turn, rollup_attempt)
)
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Rollups:
    """Reads figures and never messages: what it costs depends on the span and the names alone.

    Everything raises LedgerUnavailable, and InvalidRequest for names that are not kept together.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sums(
        self,
        span: TimeSpan,
        *,
        by: Sequence[Dimension] = (),
        where: Mapping[Dimension, str] | None = None,
    ) -> list[RollupRow]:
        """One row for each set of names that has figures in the span, in the order of the names.

        Without names it is one row, or none where there is nothing at all. Where minutes, or hours,
        are not kept any more, the span is widened to whole hours, or days.
        """
        question = RollupQuestion(by, where or {})
        async with snapshot(self._database.relaxed) as connection:
            minutes, hours = await _kept_since(connection)
            pieces = pieces_of(span, minutes_since=minutes, hours_since=hours)
            return await _answer(connection, question, pieces, step=None)

    async def series(
        self,
        span: TimeSpan,
        step: timedelta,
        *,
        by: Sequence[Dimension] = (),
        where: Mapping[Dimension, str] | None = None,
    ) -> list[RollupRow]:
        """The same for each step of the span that has figures, in the order of time.

        A step is whole minutes, hours or days, and begins at a multiple of itself since 1970, in
        UTC. Steps of less than an hour, or a day, are there as long as minutes, or hours, are kept.
        Raises ValueError for another step.
        """
        resolution, question = _resolution_of(step), RollupQuestion(by, where or {})
        piece = SpanPiece(resolution, resolution.floor(span.begin), resolution.ceil(span.end))
        async with snapshot(self._database.relaxed) as connection:
            return await _answer(connection, question, [piece], step=step)

    async def are_behind(self) -> bool:
        """Whether more is not folded than is read beside: then what ended last is missing."""
        return await self.missing_since() is not None

    async def missing_since(self) -> datetime | None:
        """When the first of what is missing ended; None where nothing is."""
        async with reading(self._database.relaxed) as connection:
            figures = await connection.scalar(_MORE)
        return None if figures is None else latest_of(decode_delta(figures))


async def _answer(
    connection: AsyncConnection,
    question: RollupQuestion,
    pieces: Sequence[SpanPiece],
    *,
    step: timedelta | None,
) -> list[RollupRow]:
    assembly = Assembly(question.by, question.cubes, step)
    if not pieces:
        return []
    for cube in question.cubes:
        told, by_time = len(question.told(cube)), step is not None
        statement = question.statement(cube, pieces, by_time=by_time)
        for row in await connection.execute(statement):
            starts = row[told] if by_time else None
            sums = row[told + by_time :]
            if any(sum_ is not None for sum_ in sums):  # one row of nothing where nothing groups
                assembly.add(cube, row[:told], starts, sums)
    unfolded = (await connection.scalars(_UNFOLDED)).all()
    # There may be thousands: whoever else is served by this loop must not wait for all of them.
    await asyncio.to_thread(_add_unfolded, assembly, question, pieces, unfolded)
    return assembly.rows()


def _add_unfolded(
    assembly: Assembly,
    question: RollupQuestion,
    pieces: Sequence[SpanPiece],
    unfolded: Sequence[str],
) -> None:
    cubes = tally_of(unfolded, {piece.resolution for piece in pieces}).cubes
    for cube in question.cubes:
        for key, sums in cubes[cube.name].items():
            if (found := question.tallied(cube, key, pieces)) is not None:
                assembly.add(cube, *found, sums)


async def _kept_since(connection: AsyncConnection) -> tuple[datetime, datetime]:
    """Since when there are minutes, and hours; where there is nothing at all, since ever."""
    told: list[datetime] = []
    for resolution in reversed(Resolution):
        oldest = [await connection.scalar(each, {"seconds": int(resolution)}) for each in _OLDEST]
        found = min((each for each in oldest if each is not None), default=None)
        since = found or (_NEVER if told and told[-1] > _EVER else _EVER)
        told.append(since)
    _, hours, minutes = told
    return minutes, hours


def _resolution_of(step: timedelta) -> Resolution:
    seconds = step.total_seconds()
    for resolution in reversed(Resolution):
        if seconds >= resolution and seconds % resolution == 0:
            return resolution
    raise ValueError(f"A step is whole minutes, hours or days, not {step}.")
