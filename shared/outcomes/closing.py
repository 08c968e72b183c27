"""The round of outcomes: what has been quiet for a while is closed, and reckoned up once more when
it goes on or is judged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Integer, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.feedback.tables import feedback
from shared.messages.state import ResponseState
from shared.outcomes.keeping import OutcomeKeeping
from shared.outcomes.ledger_turns import LedgerTurns, TalkedTurn
from shared.outcomes.outcome import ConversationOutcome
from shared.outcomes.reckoning import key_of, reckoned
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.statements import is_alone, transaction
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics

QUIET: Final = timedelta(minutes=10)
"""After its last answer a conversation is closed: as long as somebody may ask again."""
_TURNS, _VERDICTS = "turns", "verdicts"
_LOCK: Final = 7_151_604
"""Whoever adds to the sums of days has it until its commit."""
_COMMITTED: Final = timedelta(minutes=1)
"""What was given longer ago is there, however long its transaction took."""


class OutcomeRound:
    """Each page is one transaction with the note of how far it is: whoever follows a leader that
    died goes on there. Two that believe they lead do it one after the other, and no conversation is
    counted twice.

    Raises LedgerUnavailable.
    """

    def __init__(
        self,
        database: Database,
        settings: LedgerSettings,
        metrics: Metrics,
        clock: Clock,
        *,
        version: str,
    ) -> None:
        self._database = database
        self._kept = timedelta(days=settings.retention_days)
        self._metrics = metrics
        self._clock = clock
        self._version = version
        self._turns = LedgerTurns(database)
        self._keeping = OutcomeKeeping(database)

    async def __call__(self, limit: int = 200) -> None:
        """A page of each: what has ended, what was judged, what is too old."""
        before = self._clock.now() - QUIET
        for page in (self._ended, self._judged, self._forget):
            async with transaction(self._database.durable) as connection:
                if await connection.run_sync(is_alone, _LOCK):
                    await page(connection, before, limit)

    async def _ended(self, connection: AsyncConnection, before: datetime, limit: int) -> None:
        place = await self._keeping.place(connection, _TURNS, latest=before)
        ended = await self._turns.ended(connection, place=place, before=before, limit=limit)
        await self._close(connection, ended, before)
        times = [each.finished_at for each in ended if each.finished_at is not None]
        await self._keeping.go_on(connection, _TURNS, place, times, limit=limit)

    async def _judged(self, connection: AsyncConnection, before: datetime, limit: int) -> None:
        """What was closed and was judged since."""
        settled = self._clock.now() - _COMMITTED
        place = await self._keeping.place(connection, _VERDICTS, latest=settled)
        bounds = {"place": place, "before": settled, "limit": limit}
        rows = (await connection.execute(_GIVEN, bounds)).all()
        named = await self._turns.named(connection, [*{row.response_id for row in rows}])
        quiet = [each for each in named if each.finished_at and each.finished_at < before]
        await self._close(connection, quiet, before)
        await self._keeping.go_on(
            connection, _VERDICTS, place, [row.given_at for row in rows], limit=limit
        )

    async def _forget(self, connection: AsyncConnection, _before: datetime, limit: int) -> None:
        old = self._clock.now() - self._kept
        await self._keeping.forget(connection, before=old, limit=limit)

    async def _close(
        self, connection: AsyncConnection, ended: Sequence[TalkedTurn], before: datetime
    ) -> None:
        talks = [each async for each in self._talks(connection, ended, before)]
        if not talks:
            return
        ids = [turn.id for each in talks for turn in each]
        costs = await self._turns.costs(connection, ids)
        handed_off = await self._turns.handed_off(connection, ids)
        said = await self._turns.said(connection, ids)
        found = [
            reckoned(
                talk,
                costs=costs,
                handed_off=handed_off,
                said=said,
                version=self._version,
                closed_at=talk[-1].finished_at or before,
            )
            for talk in talks
        ]
        self._count(await self._keeping.keep(connection, found))

    async def _talks(
        self, connection: AsyncConnection, ended: Sequence[TalkedTurn], before: datetime
    ) -> AsyncIterator[list[TalkedTurn]]:
        """The turns of each conversation that is over, in their order."""
        seen = set[str]()
        for turn in ended:
            key = key_of(turn)
            if key in seen:
                continue
            seen.add(key)
            whole = [turn]
            if turn.conversation_id is not None:
                about = turn.tenant_id, turn.conversation_id
                whole = await self._turns.conversation(connection, *about) or whole
            if all(_is_quiet(each, before) for each in whole) and not all(map(_is_off, whole)):
                yield whole

    def _count(self, new: Iterable[ConversationOutcome]) -> None:
        for each in new:
            self._metrics.outcomes.labels(each.end, each.variant).inc()
            self._metrics.outcome_cost.labels(each.variant).inc(float(each.cost))
            self._metrics.outcome_turns.labels("caught", each.variant).inc(each.caught)
            clean = each.turns - each.caught
            self._metrics.outcome_turns.labels("clean", each.variant).inc(clean)


def _is_quiet(turn: TalkedTurn, before: datetime) -> bool:
    return turn.finished_at is not None and turn.finished_at < before


def _is_off(turn: TalkedTurn) -> bool:
    return turn.state == ResponseState.CANCELLED


_GIVEN: Final = (
    select(feedback.c.response_id, feedback.c.given_at)
    .where(
        feedback.c.given_at >= bindparam("place", type_=UtcDateTime),
        feedback.c.given_at < bindparam("before", type_=UtcDateTime),
    )
    .order_by(feedback.c.given_at)
    .limit(bindparam("limit", type_=Integer))
)
