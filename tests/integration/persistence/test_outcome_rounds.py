"""What may happen to the rounds of outcomes, and costs no conversation its place in the figures."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import text, update

from shared.clock import ManualClock
from shared.outcomes.closing import QUIET, OutcomeRound
from shared.outcomes.reading import OutcomeFigures, Outcomes
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import message
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics

from .conftest import Close, Talk


async def whole(database: Database, clock: ManualClock) -> OutcomeFigures:
    today = clock.now().date()
    (found,) = await Outcomes(database).figures(today - timedelta(days=9), today)
    return found


async def test_leaders_that_all_believe_in_themselves_count_each_conversation_once(
    talk: Talk, database: Database, settings: LedgerSettings, clock: ManualClock
) -> None:
    for _ in range(12):
        await talk(None, "1")
    clock.advance(QUIET.total_seconds() + 1)
    rounds = [OutcomeRound(database, settings, Metrics(), clock, version="1") for _ in range(3)]
    for _ in range(3):
        await asyncio.gather(*(each(limit=5) for each in rounds))
    found = await whole(database, clock)
    assert (found.conversations, found.turns, found.cost) == (12, 12, 12.0)


async def test_what_nobody_can_read_any_more_keeps_no_other_conversation_from_being_counted(
    talk: Talk, close: Close, database: Database, clock: ManualClock
) -> None:
    await talk("first", "1")
    strange = await talk("first", "1")
    await talk("second", "1")
    stranger = await talk(None, "1")
    async with transaction(database.durable) as connection:
        unreadable = update(message).where(message.c.id == strange.id).values(body='{"shape":9}')
        await connection.execute(unreadable)
        no_state = text("UPDATE message SET state = 'of another version' WHERE id = :id")
        await connection.execute(no_state, {"id": stranger.id})
    clock.advance(QUIET.total_seconds() + 1)
    await close()
    found = await whole(database, clock)
    assert (found.conversations, found.turns) == (3, 4)


async def test_a_clock_that_was_far_ahead_once_ends_no_counting(
    talk: Talk, close: Close, database: Database, clock: ManualClock
) -> None:
    clock.jump(timedelta(days=400))
    await talk(None, "1")
    clock.advance(QUIET.total_seconds() + 1)
    await close()
    clock.jump(timedelta(days=-400))
    await close()
    await talk(None, "1")
    clock.advance(QUIET.total_seconds() + 1)
    await close()
    assert (await whole(database, clock)).conversations == 1
