"""A ledger that is full: thousands of rows of every kind, made by the database itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    CompoundSelect,
    Insert,
    String,
    Table,
    cast,
    insert,
    literal,
    null,
    select,
    text,
)

from shared.erasing.tables import ErasureStage, ErasureSubject, erasure
from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.messages.record import Surface
from shared.messages.state import ResponseState
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import (
    DeadLetterState,
    HandoffState,
    api_key,
    attempt,
    dead_letter,
    handoff,
    message,
    metadata,
    tenant,
    worker_lease,
)

from .batch_crowd import batches
from .conversation_crowd import conversations
from .file_crowd import files
from .held_probes import held
from .index_crowd import index
from .rollup_probes import figures
from .schedule_probes import schedules
from .webhook_crowd import webhooks

ENDED: Final = 12_000
QUEUED: Final = 12_000
DUE: Final = 3_000
RUNNING: Final = 4_000
"""Held by workers that live, 1,700 of them by one; as many by workers of the version before."""
HELD_BY_ONE: Final = 1_700
_WORKERS: Final = 20
BESIDE: Final = 4_000
"""Rows of every other table."""
STATISTICS: Final = ("fresh", "stale", "absent")

_Values = dict[str, Any]
_TENANT: Final[_Values] = {"id": "ten_", "name": "tenant "}


async def fill(database: Database, now: datetime, *, statistics: str, scale: float = 1.0) -> None:
    """Fill an empty ledger.

    Statistics are taken of all of it (`fresh`), before the queue was full (`stale`), or never.
    """
    await leave_unwatched(database)
    await fill_more(database, now, statistics=statistics, scale=scale)


async def leave_unwatched(database: Database) -> None:
    """Nobody takes statistics by himself."""
    if not database.is_sqlite:
        await _run(database, *(_unwatched(table) for table in metadata.sorted_tables))


async def fill_more(
    database: Database, now: datetime, *, statistics: str, scale: float = 1.0
) -> None:
    """The rows alone, which no plan that is kept hears of."""
    await _run(
        database, *_ended(now, scale), *_beside(now, scale), *files(_rows, BESIDE * scale, now)
    )
    await _run(database, *conversations(_rows, BESIDE * scale, now))
    await _run(database, *index(_rows, BESIDE * scale, now))
    await _run(database, *batches(_rows, BESIDE * scale, now))
    told = (_rows, BESIDE * scale, now)
    await _run(database, *webhooks(*told), *figures(*told), *schedules(*told))
    if statistics == "stale":
        await _run(database, text("ANALYZE"))
    await _run(database, *_open(now, scale))
    if statistics == "fresh":
        await _run(database, text("ANALYZE"))


async def _run(database: Database, *statements: Any) -> None:
    async with transaction(database.durable) as connection:
        for statement in statements:
            await connection.execute(statement)


def _unwatched(table: Table) -> Any:
    return text(f"ALTER TABLE {table.name} SET (autovacuum_enabled = false)")


def _ended(now: datetime, scale: float) -> list[Insert]:
    ended: _Values = {"state": ResponseState.COMPLETED, "output_text": "So it is."}
    old, lately = now - timedelta(days=1), now - timedelta(seconds=2)
    unstored: _Values = ended | {"store": False, "finished_at": lately}
    return [
        _messages("resp_u", BESIDE * scale, now, **unstored, replied_at=now),
        _messages("resp_v", BESIDE * scale, now, **unstored | {"finished_at": old}),
        _messages("resp_w", BESIDE * scale, now, **unstored, replied_at=old),
        _messages("resp_x", BESIDE * scale, now, **unstored, erased_at=now),
        _messages("resp_e", ENDED * scale, now, **ended, finished_at=old),
        _messages("resp_f", BESIDE * scale, now, **ended, finished_at=lately),
        _messages(
            "resp_g",
            BESIDE * scale,
            now,
            **ended,
            finished_at=old,
            reply_to="answers",
            replied_at=old,
            conversation_id=None,
            user_id="ann",
        ),
    ]


def _open(now: datetime, scale: float) -> list[Insert]:
    queued: _Values = {"state": ResponseState.QUEUED}
    later = now + timedelta(seconds=10)
    crowded: _Values = {"state": ResponseState.IN_PROGRESS, "attempt": 1, "claimed_by": "worker-2"}
    rest = int((RUNNING * scale - HELD_BY_ONE * scale) / _WORKERS)
    return [
        _messages("resp_q", QUEUED * scale, now, **queued, wake_at=later),
        _messages("resp_d", DUE * scale, now, **queued, wake_at=now - timedelta(seconds=1)),
        *held(_messages, _rows, BESIDE * scale, now),
        _messages("resp_r", HELD_BY_ONE * scale, now, **crowded),
        *(
            _messages(f"resp_s{n}_", rest, now, **crowded | {"claimed_by": f"worker-{n}"})
            for n in range(3, 3 + _WORKERS)
        ),
        _messages("resp_t", RUNNING * scale, now, **crowded, lease_until=later),
        _rows(
            worker_lease,
            2 + _WORKERS,
            {"worker": "worker-", "lease_until": later},
            numbered=("worker",),
        ),
    ]


def _messages(prefix: str, number: float, now: datetime, **values: Any) -> Insert:
    return _rows(
        message,
        number,
        {
            "id": prefix,
            "tenant_id": "ten_1",
            "lane": Lane.STANDARD,
            "surface": Surface.RESPONSES,
            "attempt": 0,
            "body": '{"input":"What is a forebay?"}',
            "body_digest": "d1",
            "idempotency_key": f"key_{prefix}",
            "conversation_id": f"conv_{prefix}",
            "estimated_tokens": 10,
            "accepted_at": now - timedelta(seconds=5),
            "deadline": now + timedelta(hours=1),
            "wakes": 0,
        }
        | values,
        numbered=("id", "idempotency_key", "conversation_id"),
    )


def _beside(now: datetime, scale: float) -> list[Insert]:
    number, old = BESIDE * scale, now - timedelta(days=1)
    letter = {"id": "dead_", "state": DeadLetterState.OPEN, "reason": DeadReason.INVALID}
    return [
        _attempts("resp_e", number, old),
        _attempts("resp_00", number, old),  # by its id from long ago
        _rows(
            dead_letter,
            number,
            letter | {"detail": "", "message_id": "resp_e", "created_at": old},
            numbered=("id", "message_id"),
        ),
        _rows(
            handoff,
            number,
            {"id": "hand_", "message_id": "resp_e", "tenant_id": "ten_1", "reason": ""}
            | {"state": HandoffState.OPEN, "created_at": old},
            numbered=("id", "message_id"),
        ),
        _rows(tenant, number, _TENANT | {"created_at": old}, numbered=("id", "name")),
        _erasures("done", number, old, completed_at=now),
        _erasures("due", number, old, due_at=old, name="user "),
        _rows(
            api_key,
            number,
            {"id": "key_", "tenant_id": "ten_", "digest": "digest", "hint": "fb_"}
            | {"scope": KeyScope.PRODUCER, "created_at": old},
            numbered=("id", "tenant_id", "digest"),
        ),
    ]


def _erasures(kind: str, number: float, at: datetime, **values: Any) -> Insert:
    row: _Values = {"id": f"erasure_{kind}", "tenant_id": "ten_1", "subject": ErasureSubject.USER}
    row |= {"stage": ErasureStage.MESSAGES, "place": "", "created_at": at, "waits_for": 0}
    row |= {"messages": 0, "cancelled": 0, "stored_answers": 0, **values}
    return _rows(erasure, number, row, numbered=("id", "name") if "name" in row else ("id",))


def _attempts(prefix: str, number: float, old: datetime) -> Insert:
    return _rows(
        attempt,
        number,
        {"message_id": prefix, "claim": 1, "ordinal": 1, "provider": "p", "model": "m"}
        | {"started_at": old, "latency_seconds": 1, "tenant_id": "ten_1", "booked_at": old},
        numbered=("message_id", "tenant_id"),
    )


def _rows(table: Table, number: float, values: _Values, *, numbered: tuple[str, ...]) -> Insert:
    first = select(literal(1).label("n")).cte("numbers", recursive=True)
    following: CompoundSelect[Any] | Any = select(first.c.n + 1).where(first.c.n < int(number))
    numbers = first.union_all(following)
    n = dict.fromkeys(numbered, numbers.c.n)
    columns: list[Column[Any]] = [table.c[name] for name in values]
    made = [_value(column, values[column.name], n.get(column.name)) for column in columns]
    return insert(table).from_select(columns, select(*made).select_from(numbers))


def _value(column: Column[Any], value: Any, n: Any) -> Any:
    if value is None:
        return null()
    if n is None:
        return literal(value, column.type)
    if not isinstance(value, str):
        return n + literal(value)
    return literal(value, String).concat(cast(n, String))
