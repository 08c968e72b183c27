"""A worker of the version before this one: its statements, as they were."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import TextClause, bindparam, select, text

from shared.clock import Clock
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import message

LEASE: Final = timedelta(seconds=15)

LATER = frozenset(
    {"cache_write_tokens", "erased_at", "held_at", "output_items", "reasoning_tokens"}
    | {"released_at", "saved", "store", "variant", "waits"}
)
"""Columns of `message` that the version before has not."""


def _timed(statement: str, *times: str) -> TextClause:
    return text(statement).bindparams(*(bindparam(name, type_=UtcDateTime()) for name in times))


_CLAIM = _timed(
    "UPDATE message SET state = 'in_progress', attempt = attempt + 1, claimed_at = :now, "
    "claimed_by = :worker, lease_until = :until WHERE id = :id AND state = 'queued' "
    "AND (not_before IS NULL OR not_before <= :now) RETURNING attempt",
    "now",
    "until",
)
_RENEW = _timed(
    "UPDATE message SET lease_until = :until WHERE id = :id AND state = 'in_progress' "
    "AND claimed_by = :worker RETURNING attempt",
    "until",
)
_SILENT = _timed(
    "SELECT id FROM message WHERE state || '/leased' = 'in_progress/leased' "
    "AND lease_until < :now ORDER BY lease_until",
    "now",
)
_DUE = _timed(
    "SELECT id FROM message WHERE state || '/due' = 'queued/due' AND wake_at <= :now "
    "AND (not_before IS NULL OR not_before <= :now) ORDER BY wake_at",
    "now",
)
_QUEUE_AGAIN = _timed(
    "UPDATE message SET state = 'queued', lease_until = NULL, wake_at = :now WHERE id = :id", "now"
)
_SETTLE = _timed(
    "UPDATE message SET lease_until = NULL, wake_at = NULL, state = 'completed', "
    "finished_at = :now, output_text = :said WHERE id = :id AND attempt = :attempt "
    "AND state = 'in_progress' RETURNING id",
    "now",
)


class WorkerBefore:
    """Claims, renews and settles, and sweeps for all; a lease is in its message's row."""

    def __init__(self, database: Database, clock: Clock, name: str = "worker-before") -> None:
        self._engine = database.relaxed
        self._clock = clock
        self._name = name

    async def claim(self, message_id: str) -> int | None:
        """The attempt; None where there was nothing to take."""
        now = self._clock.now()
        rows = await self._run(_CLAIM, id=message_id, now=now, until=now + LEASE, worker=self._name)
        return rows[0] if rows else None

    async def renew(self, message_id: str) -> bool:
        """Whether it is still held."""
        until: datetime = self._clock.now() + LEASE
        return bool(await self._run(_RENEW, id=message_id, until=until, worker=self._name))

    async def settle(self, message_id: str, attempt: int, said: str) -> bool:
        """Whether its end was taken."""
        values = {"id": message_id, "attempt": attempt, "said": said, "now": self._clock.now()}
        return bool(await self._run(_SETTLE, **values))

    async def sweep(self) -> list[str]:
        """What was queued again of turns whose worker fell silent."""
        now = self._clock.now()
        silent: list[str] = await self._run(_SILENT, now=now)
        for message_id in silent:
            await self._run(_QUEUE_AGAIN, id=message_id, now=now)
        return silent

    async def due(self) -> list[str]:
        """What it would publish again."""
        return await self._run(_DUE, now=self._clock.now())

    async def _run(self, statement: TextClause, **values: Any) -> list[Any]:
        async with transaction(self._engine) as connection:
            result = await connection.execute(statement, values)
            return [*result.scalars()] if result.returns_rows else []


async def message_rows(database: Database) -> list[object]:
    """Every message as its row stands, in the columns that versions before had as well."""
    kept = [column for column in message.c if column.name not in LATER]
    async with database.relaxed.connect() as connection:
        return [*await connection.execute(select(*kept).order_by(message.c.id))]
