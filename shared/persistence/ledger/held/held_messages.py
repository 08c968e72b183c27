"""Held messages: accepted and queued, and no worker hears of them until they are released.

What is asked here costs by the flows that there are and not by the messages that wait: of each flow
the first ones are read, in the order in which they are to be answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    false,
    func,
    not_,
    or_,
    select,
    text,
    tuple_,
    update,
)

from shared.clock import Clock
from shared.messages.lane import Lane, WakeUp
from shared.messages.state import ResponseState
from shared.messages.stored_body import asked_model
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.ledger.held.held_rows import (
    FLOW_ORDER,
    HELD_COLUMNS,
    HeldRow,
    heads_of_flows,
)
from shared.persistence.ledger.sweeping import wake_up_of
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote, noted
from shared.persistence.message_conditions import UNRELEASED
from shared.persistence.statements import readable, reading, transaction
from shared.persistence.tables import message


class GivenBack(NamedTuple):
    """A turn that lost its message to the dispatcher, and the worker that runs it still."""

    message_id: str
    attempt: int
    worker: str | None


class HeldMessages:
    """What the leader of the dispatch asks of the ledger; all raise LedgerUnavailable.

    Two leaders do each other no harm: each message is released by one of them.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        wake_after_seconds: float,
        batches_first_seconds: float = 0.0,
        unwanted: ColumnElement[bool] | None = None,
    ) -> None:
        """Messages of the batch lane are not seen for `batches_first_seconds`, unless they are
        wanted soon: so long they are left to those who hand them to providers in batches. Those
        that are `unwanted`, as it is asked of each alone, are not released."""
        self._batches_first = timedelta(seconds=batches_first_seconds)
        self._database = database
        self._clock = clock
        self._wake_after = timedelta(seconds=wake_after_seconds)
        self._ids = IdList(database.relaxed.dialect)
        self._heads = heads_of_flows(is_sqlite=database.is_sqlite)
        self._bodies = select(message.c.id, message.c.body).where(self._ids.holds(message.c.id))
        is_wanted = or_(
            message.c.lane != Lane.BATCH, not_(false() if unwanted is None else unwanted)
        )
        self._release = _RELEASE.where(self._ids.holds(message.c.id), is_wanted)
        self._release_noted = self._release.values(noted())
        self._note = _NOTE.where(self._ids.holds(message.c.id))

    async def heads(self, each: int) -> list[HeldRow]:
        """The first `each` messages of every flow, flow by flow, the earliest deadline first."""
        return await self._rows(self._heads, {"each": each})

    async def following(self, last: HeldRow, limit: int) -> list[HeldRow]:
        """What comes behind `last` in its flow."""
        place = {"deadline": last.deadline, "id": last.id}
        flow = {"lane": last.lane, "tenant_id": last.tenant_id}
        return await self._rows(_FOLLOWING, place | flow | {"limit": limit})

    async def arrived(self, since: datetime, limit: int) -> list[tuple[datetime, HeldRow]]:
        """What was held from then on, with the time, in its order."""
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_ARRIVED, {"since": since, "limit": limit})
            found = [(row[0], HeldRow._make(row[1:])) for row in readable(rows)]
        return [each for each in found if not self._is_left_to_batches(each[1])]

    async def counted(self) -> dict[tuple[Lane, str], int]:
        """How many each flow has. It reads them all, in an index: for whoever begins to lead."""
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_COUNTED)
            return {(row.lane, row.tenant_id): row.number for row in readable(rows)}

    async def models(self, message_ids: Sequence[str]) -> dict[str, str | None]:
        """Which model each of these asks for; None where the body cannot be read, which is for the
        turn to say."""
        asked: dict[str, str | None] = {}
        for at in range(0, len(message_ids), _BODIES_AT_ONCE):
            values = self._ids.parameters(message_ids[at : at + _BODIES_AT_ONCE])
            async with reading(self._database.relaxed) as connection:
                rows = await connection.execute(self._bodies, values)
                asked |= {row.id: _asked_model(row.body) for row in readable(rows)}
        return asked

    async def release(
        self, message_ids: Sequence[str], *, notes: Mapping[str, str] | None = None
    ) -> list[WakeUp]:
        """The wake-ups of those that are released hereby, to be published at once.

        The others have ended or are not wanted, or another leader released them. What is not
        published within `wake_after_seconds` is the reconciler's. `notes` are lines of wait notes
        by ids; many messages have the same.
        """
        now = self._clock.now()
        times = {"b_now": now, "b_wake_at": now + self._wake_after}
        found: list[WakeUp] = []
        async with transaction(self._database.relaxed) as connection:
            for note, ids in _by_note(message_ids, notes or {}).items():
                values = times | self._ids.parameters(ids) | ({"b_note": note} if note else {})
                query = self._release_noted if note else self._release
                found += map(wake_up_of, readable(await connection.execute(query, values)))
        return found

    async def note(self, notes: Mapping[str, str]) -> None:
        """Keep why these waited that are over without a release: lines of wait notes by ids."""
        async with transaction(self._database.relaxed) as connection:
            for note, ids in _by_note([*notes], notes).items():
                await connection.execute(self._note, self._ids.parameters(ids) | {"b_note": note})

    async def give_back(self, message_id: str, *, attempts: int) -> GivenBack | None:
        """Hold a batch message anew whose turn runs, so that it makes room for others.

        None where no such turn runs, or where `attempts` turns of it began: a turn that is taken
        away counts as one that a worker died of.
        """
        note = WaitNote(cause=WaitCause.GAVE_WAY, since=self._clock.now(), why=_GAVE_WAY)
        bounds = {"b_id": message_id, "b_attempts": attempts, "b_note": note.line()}
        async with transaction(self._database.relaxed) as connection:
            row = (await connection.execute(_GIVE_BACK, bounds)).one_or_none()
        return None if row is None else GivenBack(row.id, row.attempt, row.claimed_by)

    async def _rows(self, query: Select[Any], values: dict[str, Any]) -> list[HeldRow]:
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(query, values)
            found = [HeldRow._make(row) for row in readable(rows)]
        return [each for each in found if not self._is_left_to_batches(each)]

    def _is_left_to_batches(self, row: HeldRow) -> bool:
        if not self._batches_first or row.lane is not Lane.BATCH:
            return False
        now = self._clock.now()
        return row.accepted_at > now - self._batches_first and row.deadline > now + _SOON


def _by_note(message_ids: Sequence[str], notes: Mapping[str, str]) -> dict[str, list[str]]:
    groups = defaultdict[str, list[str]](list)
    for message_id in message_ids:
        groups[notes.get(message_id, "")].append(message_id)
    return groups


def _asked_model(body: bytes) -> str | None:
    try:
        return asked_model(body)
    except msgspec.DecodeError:
        return None


_GAVE_WAY: Final = "Its turn made room for messages that people wait for."
_SOON: Final = timedelta(minutes=5)
_BODIES_AT_ONCE: Final = 64
_IS_HELD: Final = text(UNRELEASED)
_LIMIT: Final = bindparam("limit", type_=Integer)
_FOLLOWING: Final = (
    select(*HELD_COLUMNS)
    .where(
        _IS_HELD,
        message.c.lane == bindparam("lane"),
        message.c.tenant_id == bindparam("tenant_id"),
        tuple_(*FLOW_ORDER)
        > tuple_(*(bindparam(each.name, type_=each.type) for each in FLOW_ORDER)),
    )
    .order_by(*FLOW_ORDER)
    .limit(_LIMIT)
)
_ARRIVED: Final = (
    select(message.c.held_at, *HELD_COLUMNS)
    .where(_IS_HELD, message.c.held_at >= bindparam("since"))
    .order_by(message.c.held_at)
    .limit(_LIMIT)
)
_COUNTED: Final = (
    select(message.c.lane, message.c.tenant_id, func.count().label("number"))
    .where(_IS_HELD)
    .group_by(message.c.lane, message.c.tenant_id)
)
_RELEASE: Final = (
    update(message)
    .where(
        # Spelt plainly, so that they are found by their ids.
        message.c.state == ResponseState.QUEUED,
        message.c.held_at.is_not(None),
        message.c.released_at.is_(None),
    )
    .values(released_at=bindparam("b_now"), wake_at=bindparam("b_wake_at"), wakes=0)
    .returning(message.c.id, message.c.lane, message.c.deadline, message.c.traceparent)
)
_NOTE: Final = (
    update(message)
    .where(message.c.held_at.is_not(None), message.c.released_at.is_(None))
    .values(noted())
)
_GIVE_BACK: Final = (
    update(message)
    .where(
        message.c.id == bindparam("b_id"),
        message.c.state == ResponseState.IN_PROGRESS,
        message.c.lane == Lane.BATCH,
        message.c.held_at.is_not(None),
        message.c.attempt <= bindparam("b_attempts"),
    )
    .values(state=ResponseState.QUEUED, released_at=None, wake_at=None, lease_until=None, **noted())
    .returning(message.c.id, message.c.attempt, message.c.claimed_by)
)
