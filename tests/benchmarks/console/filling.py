"""A ledger of a given number of messages, made by the database itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from shared.clock import SystemClock
from shared.persistence.engine import Database, open_database
from shared.persistence.statements import transaction
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

TENANTS: Final = 1_000
RARE_TENANT: Final = "ten_rare"
"""It has a message in each hundred thousand."""
LETTERS: Final = 100_000
HANDOFFS: Final = 50_000
BATCHES: Final = 200
OPEN_BATCHES: Final = 5
"""The newest of them, and all of them large."""
LINES_OF_LARGE: Final = 50_000
COLLECTIONS: Final = 200
DOCUMENTS_OF_LARGE: Final = 50_000
_CHUNK: Final = 500_000
_DAYS: Final = 30

_NUMBERS: Final = {
    "postgresql": "(SELECT generate_series(CAST({first} AS bigint), {last}) AS n) AS numbers",
    "sqlite": "(WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers "
    "WHERE n < {last}) SELECT n FROM numbers) AS numbers",
}
_ID: Final = {
    "postgresql": "'resp_' || lpad(to_hex({since} + n * {apart}), 12, '0') "
    "|| lpad(to_hex(n), 20, '0')",
    "sqlite": "'resp_' || printf('%012x%020x', {since} + n * {apart}, n)",
}
_AT: Final = {
    "postgresql": "to_timestamp(({since} + n * {apart}) / 1000.0 + {seconds})",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', ({since} + n * {apart}) / 1000.0 + {seconds}, "
    "'unixepoch') || '000'",
}
_TEXT: Final = {
    "postgresql": "repeat('What is a forebay, and why? ', {times})",
    "sqlite": "replace(hex(zeroblob({times})), '00', 'What is a forebay, and why? ')",
}

_MESSAGES: Final = """
INSERT INTO message (id, tenant_id, lane, surface, state, body, body_digest, estimated_tokens,
  accepted_at, deadline, attempt, wakes, claimed_at, claimed_by, finished_at, output_text,
  answered_by, model, input_tokens, cached_tokens, output_tokens, cost, user_id, conversation_id,
  idempotency_key, error_code)
SELECT {id}, CASE WHEN n % 100000 = 77 THEN 'ten_rare' ELSE 'ten_' || (n % {tenants}) END,
  CASE n % 5 WHEN 0 THEN 'interactive' WHEN 1 THEN 'batch' ELSE 'standard' END, 'responses',
  CASE WHEN n % 5000 = 0 THEN 'failed' ELSE 'completed' END,
  '{{"input":"' || {question} || '"}}', 'd' || n, 100, {accepted}, {deadline}, 1, 0, {claimed},
  'worker-1', {finished}, {answer}, 'primary', 'model-' || (n % 4), 100, 20, 40, 0.000123,
  'user-' || (n % 50000), CASE WHEN n % 2 = 0 THEN 'conv_' || (n % 500000) END, 'key-' || n,
  CASE WHEN n % 5000 = 0 THEN 'provider_error' END
FROM {numbers}
"""
_TENANTS: Final = """
INSERT INTO tenant (id, name, created_at)
SELECT 'ten_' || n, 'Tenant ' || n, {accepted} FROM {numbers}
"""
_ATTEMPTS: Final = """
INSERT INTO attempt (message_id, claim, ordinal, provider, model, started_at, latency_seconds,
  input_tokens, output_tokens, cost, tenant_id, booked_at)
SELECT {id}, 1, 1, 'primary', 'model-1', {claimed}, 0.8, 100, 40, 0.000123,
  'ten_' || (n % {tenants}), {finished}
FROM {numbers}
"""
_LETTERS: Final = """
INSERT INTO dead_letter (id, state, reason, detail, message_id, tenant_id, created_at)
SELECT 'dead_' || n, CASE WHEN n % 5 = 0 THEN 'open' ELSE 'replayed' END,
  CASE n % 3 WHEN 0 THEN 'chain_exhausted' WHEN 1 THEN 'deadline_passed' ELSE 'fault' END,
  'No provider answered.', {id}, 'ten_' || (n % {tenants}), {finished}
FROM {numbers}
"""
_HANDOFFS: Final = """
INSERT INTO handoff (id, message_id, tenant_id, state, reason, created_at)
SELECT 'hand_' || n, {id}, 'ten_' || (n % {tenants}),
  CASE WHEN n % 25 = 0 THEN 'open' ELSE 'answered' END, 'no provider answered', {finished}
FROM {numbers}
"""
_BATCHES: Final = """
INSERT INTO batch (id, tenant_id, surface, endpoint, content_id, input_bytes, window_seconds,
  digest, state, created_at, expires_at, in_progress_at, cursor_bytes, cursor_line, total, counts,
  usage)
SELECT 'batch_' || (1000 + n), 'ten_' || (n % {tenants}), 'openai', '/v1/responses', 'cont_1', 1,
  86400, 'd' || n, CASE WHEN n > {ended} THEN 'in_progress' ELSE 'completed' END, {accepted},
  {deadline}, {accepted}, 1, {lines}, {lines},
  CASE WHEN n <= {ended} THEN '{{"total": 50000, "completed": 50000}}' END,
  CASE WHEN n <= {ended} THEN '{{"cost":"1.5"}}' END
FROM {numbers}
"""
_LINES: Final = """
INSERT INTO batch_item (batch_id, line, custom_id, message_id)
SELECT 'batch_' || {batch}, n - {first} + 1, 'line-' || n, {id} FROM {numbers}
"""
_COLLECTIONS: Final = """
INSERT INTO collection (id, tenant_id, name, created_at, last_active_at, generation, edition)
SELECT 'vs_' || (1000 + n), 'ten_' || (n % {tenants}), 'Collection ' || n, {accepted}, {accepted},
  'g1', 1
FROM {numbers}
"""
_DOCUMENTS: Final = """
INSERT INTO document (collection_id, id, tenant_id, source, path, state, error_code, ver,
  size_bytes, passages, usage_bytes, created_at, relabel, attempt, excused)
SELECT 'vs_' || {collection}, 'doc_' || n, 'ten_1', 'files', 'a/' || n,
  CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'completed' END,
  CASE WHEN n % 50 = 0 THEN 'unreadable' END, 1, 1000, 3, 2000, {accepted}, {no}, 0, 0
FROM {numbers}
"""


async def fill_ledger(url: str, messages: int) -> None:
    """Fill it up to now, however long that takes."""
    database = open_database(LedgerSettings(url=ServerUrl(url), timeout_seconds=3_600))
    try:
        await Filling(database, messages=messages, now=SystemClock().now()).fill()
    finally:
        await database.close()


class Filling:
    """Messages of the last 30 days up to `now`, and of everything else what comes with them."""

    def __init__(self, database: Database, *, messages: int, now: datetime) -> None:
        self._database = database
        self._messages = messages
        self._since = now - timedelta(days=_DAYS)
        self._apart_ms = max(1, _DAYS * 86_400_000 // messages)
        self._name = "sqlite" if database.is_sqlite else "postgresql"

    async def fill(self) -> None:
        """Make all of it, and take statistics."""
        for first in range(0, self._messages, _CHUNK):
            last = min(first + _CHUNK, self._messages) - 1
            await self._insert(_MESSAGES, first, last)
            await self._insert(_ATTEMPTS, first, min(last, first + _CHUNK // 10))
        newest = self._messages - 1
        await self._insert(_TENANTS, 0, TENANTS - 1)
        await self._insert(_BATCHES, 1, BATCHES)
        for statement, number in ((_LETTERS, LETTERS), (_HANDOFFS, HANDOFFS)):
            await self._insert(statement, max(0, newest - number + 1), newest)
        for batch in range(OPEN_BATCHES):
            last = newest - batch * LINES_OF_LARGE % max(newest, 1)
            first = max(0, last - LINES_OF_LARGE + 1)
            await self._insert(_LINES, first, last, batch=1_000 + BATCHES - batch)
        await self._insert(_COLLECTIONS, 1, COLLECTIONS)
        await self._insert(_DOCUMENTS, 1, DOCUMENTS_OF_LARGE, collection=1_000 + COLLECTIONS)
        await self._insert(_DOCUMENTS, 1, DOCUMENTS_OF_LARGE, collection="(1001 + n % 199)")
        async with transaction(self._database.durable) as connection:
            await connection.execute(text("ANALYZE"))

    async def _insert(self, statement: str, first: int, last: int, **values: object) -> None:
        spelt = self._spelt(statement, first=first, last=last, **values)
        async with transaction(self._database.durable) as connection:
            await connection.execute(text(spelt))

    def _spelt(self, statement: str, **values: object) -> str:
        values |= {"since": int(self._since.timestamp() * 1000), "apart": self._apart_ms}
        values |= {"tenants": TENANTS, "lines": LINES_OF_LARGE}
        values["ended"] = BATCHES - OPEN_BATCHES
        for name, seconds in (("accepted", 0), ("claimed", 1), ("finished", 3), ("deadline", 600)):
            values[name] = _AT[self._name].format(**values, seconds=seconds)
        return statement.format(
            **values,
            id=_ID[self._name].format(**values),
            numbers=_NUMBERS[self._name].format(**values),
            question=_TEXT[self._name].format(times=8),
            answer=_TEXT[self._name].format(times=12),
            no="false" if self._name == "postgresql" else "0",
        )
