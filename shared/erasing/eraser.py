"""The eraser: takes an erasure one step further, until nothing is left of its subject but costs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, assert_never

import msgspec
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.conversations.catalogue import Conversations
from shared.erasing.cancelling import GroupCancelling
from shared.erasing.erasures import Erasure, Erasures
from shared.erasing.pages import QUIET, KeyPage, MessagePage, Pages
from shared.erasing.tables import ErasureStage, ErasureSubject
from shared.erasing.traces import RedisTraces
from shared.errors import NotFound
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import attempt, dead_letter, message
from shared.persistence.tombstones import Tombstones
from shared.replies.reply_stream import ReplyStream
from shared.reservations.reservations import Reservations

_NEXT: Final = {
    ErasureStage.MESSAGES: ErasureStage.BOOKINGS,
    ErasureStage.BOOKINGS: ErasureStage.LETTERS,
    ErasureStage.LETTERS: ErasureStage.ANSWERS,
    ErasureStage.ANSWERS: ErasureStage.SUMMARIES,
    ErasureStage.SUMMARIES: ErasureStage.DONE,
}


class Eraser:
    """Each step is short, and one transaction with the note of how far it is.

    So it goes on wherever it was interrupted, and any number may work on one erasure. Raises
    Unavailable: the step is taken again then.
    """

    def __init__(
        self,
        database: Database,
        erasures: Erasures,
        traces: RedisTraces,
        replies: ReplyStream,
        reservations: Reservations,
        clock: Clock,
    ) -> None:
        self._database = database
        self._erasures = erasures
        self._pages = Pages(database)
        self._conversations = Conversations(database, clock)
        self._traces = traces
        self._replies = replies
        self._clock = clock
        self._tombstones = Tombstones(database)
        ids = self._ids = IdList(database.durable.dialect)
        self._cancelling = GroupCancelling(database, replies, reservations, clock)
        self._unname = (
            update(message).where(ids.holds(message.c.id)).values(user_id=None),
            update(attempt)
            .where(ids.holds(attempt.c.message_id))
            .values(user_id=None, detail=None),
        )
        self._drop_letters = delete(dead_letter).where(ids.holds(dead_letter.c.id))

    async def step(self, erasure: Erasure) -> None:
        """Take it one step further; nothing where somebody else was first."""
        match erasure.stage:
            case ErasureStage.MESSAGES:
                await self._messages(erasure)
            case ErasureStage.BOOKINGS:
                await self._bookings(erasure)
            case ErasureStage.LETTERS:
                await self._letters(erasure)
            case ErasureStage.ANSWERS:
                dropped = await self._traces.forget_answers(erasure.tenant_id)
                await self._note(erasure, stored_answers=erasure.stored_answers + dropped)
            case ErasureStage.SUMMARIES:
                await self._summaries(erasure)
            case ErasureStage.DONE:
                return
            case _:
                assert_never(erasure.stage)

    async def _messages(self, erasure: Erasure) -> None:
        now = self._clock.now()
        page = await self._pages.messages(erasure, now=now)
        cancelled = await self._cancelling.cancel(page.running)
        await self._replies.delete_all(page.ended)
        async with transaction(self._database.durable) as connection:
            erased = await self._tombstones.lay(connection, page.ended, now=now)
            if erasure.subject is ErasureSubject.USER:
                await self._forget_user(connection, page.ended)
            changed = _after(erasure, page, erased=len(erased), cancelled=cancelled, now=now)
            await self._erasures.advance(connection, erasure, changed)

    async def _forget_user(self, connection: AsyncConnection, ids: Sequence[str]) -> None:
        for statement in self._unname if ids else ():
            await connection.execute(statement, self._ids.parameters(ids))

    async def _bookings(self, erasure: Erasure) -> None:
        if erasure.subject is ErasureSubject.CONVERSATION:
            # Its messages led to all that was booked for them.
            with suppress(NotFound):
                await self._conversations.delete(erasure.tenant_id, erasure.name or "")
            await self._note(erasure)
            return
        page = await self._pages.bookings(erasure)
        async with transaction(self._database.durable) as connection:
            await self._forget_user(connection, page.keys)
            await self._turn(connection, erasure, page)

    async def _letters(self, erasure: Erasure) -> None:
        page = await self._pages.letters(erasure)
        async with transaction(self._database.durable) as connection:
            if page.keys:
                await connection.execute(self._drop_letters, self._ids.parameters(page.keys))
            await self._turn(connection, erasure, page)

    async def _summaries(self, erasure: Erasure) -> None:
        cursor = await self._traces.forget_summaries(erasure.tenant_id, int(erasure.place or 0))
        if cursor:
            await self._write(erasure, msgspec.structs.replace(erasure, place=str(cursor)))
            return
        await self._note(erasure, name=None, due_at=None, completed_at=self._clock.now())

    async def _turn(self, connection: AsyncConnection, erasure: Erasure, page: KeyPage) -> None:
        changes = {"place": page.last}
        if page.is_last:
            changes = {"stage": _NEXT[erasure.stage], "place": ""}
        await self._erasures.advance(
            connection, erasure, msgspec.structs.replace(erasure, **changes)
        )

    async def _note(self, erasure: Erasure, **changes: object) -> None:
        """That its stage is over."""
        onward = msgspec.structs.replace(erasure, stage=_NEXT[erasure.stage], place="", **changes)
        await self._write(erasure, onward)

    async def _write(self, old: Erasure, new: Erasure) -> None:
        async with transaction(self._database.durable) as connection:
            await self._erasures.advance(connection, old, new)


def _after(
    erasure: Erasure, page: MessagePage, *, erased: int, cancelled: int, now: datetime
) -> Erasure:
    counted = msgspec.structs.replace(
        erasure,
        place=page.last,
        messages=erasure.messages + erased,
        cancelled=erasure.cancelled + cancelled,
        waits_for=erasure.waits_for + len(page.running) + page.left,
    )
    if not page.is_last:
        return counted
    if counted.waits_for:
        # What was cancelled just now, or stood on earlier pages, may have ended just now.
        is_all_here = not (page.running or erasure.waits_for)
        due_at = page.quiet_at if is_all_here else now + QUIET
        return msgspec.structs.replace(counted, place="", waits_for=0, due_at=due_at)
    return msgspec.structs.replace(counted, stage=ErasureStage.BOOKINGS, place="")
