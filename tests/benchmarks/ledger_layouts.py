"""What every message costs Postgres where its ledger is pooled, or its table is cut into parts.

Accepting, claiming and settling, alone and sixteen at once, on the ledger as it is, behind a
pgbouncer that pools by transaction, and with `message` partitioned by ranges of ids. What parts
would save is measured beside it: deleting messages whose retention is over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import psycopg

from shared.clock import SystemClock
from shared.erasing.retention import Retention
from shared.identifiers import RESPONSE, first_id, new_response_id
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Settlement
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.benchmarks.ground.program import cpu_seconds
from tests.benchmarks.ground.stage import Broker, Stage
from tests.benchmarks.measurement import Progress, Rounds, Row
from tests.queued_message import queued_message

GROUPS: Final = (1, 16)
PARTS: Final = (12, 36)
ROUNDS: Final = 3
MESSAGES_PER_SECOND: Final = 500
OLD: Final = 5_000
_CLOCK: Final = SystemClock()
_INDEXES: Final = b"SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'message'"
_SPREAD: Final = b"UPDATE message SET finished_at = now() - '1 year'::interval * (1 + random())"


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU of Postgres a message, each way beside the ledger as it is."""
    count = int(MESSAGES_PER_SECOND * seconds)
    urls = {"as it is": stage.ground(Broker.REDIS).ledger_url}
    for parts in PARTS:
        urls[f"in {parts} parts"] = stage.ground(Broker.REDIS).ledger_url
        _cut(urls[f"in {parts} parts"], parts)
    pooler = stage.pooler()
    urls["behind pgbouncer"] = pooler.database_url(urls["as it is"].rpartition("/")[2])
    with asyncio.Runner() as runner:
        for group in GROUPS:
            say(f"{group} at once: accepted, claimed and settled on {len(urls)} ledgers")
            found = runner.run(_found(stage, urls, count, group))
            yield from _rows(found, group)
        say("messages whose retention is over are deleted")
        yield runner.run(_deleting(stage, urls["as it is"]))


def _rows(found: dict[str, Rounds], group: int) -> Iterator[Row]:
    usual = found.pop("as it is")
    for way, rounds in found.items():
        yield Row(
            what=f"Postgres, a message {way}, {group} at once (stock: as it is)",
            on="Postgres",
            unit="µs",
            ours=rounds["postgres"],
            stock=usual["postgres"],
            apart={each: rounds[each] for each in ("client", "pgbouncer") if rounds[each]},
        )


async def _found(stage: Stage, urls: dict[str, str], count: int, group: int) -> dict[str, Rounds]:
    ways = {way: _Way(url) for way, url in urls.items()}
    found = {way: Rounds() for way in ways}
    for turn in range(ROUNDS + 1):
        for name, way in ways.items():
            before = stage.postgres_pids(), stage.pooler().process.family()
            spent = [cpu_seconds(pids) for pids in before]
            client = time.process_time()
            await way.answer(count if turn else 10 * group, group)
            if turn:  # the first connects
                found[name].add(
                    client=(time.process_time() - client) / count * 1e6,
                    postgres=(cpu_seconds(before[0]) - spent[0]) / count * 1e6,
                    pgbouncer=(cpu_seconds(before[1]) - spent[1]) / count * 1e6,
                )
    for way in ways.values():
        await way.close()
    return found


class _Way:
    """A door's and a worker's statements on one ledger."""

    def __init__(self, url: str) -> None:
        settings = LedgerSettings(url=ServerUrl(url))
        self._database = open_database(settings)
        self._ledger = MessageLedger(self._database, settings, _CLOCK, Metrics())
        self._claims = ClaimGroup(self._database, _CLOCK, worker="one", lease_seconds=60)

    async def answer(self, count: int, group: int) -> None:
        for _ in range(0, count, group):
            records = [_new() for _ in range(group)]
            await asyncio.gather(*map(self._ledger.accept, records))
            claimed = await self._claims.flush([record.id for record in records])
            assert all(claimed)
            assert all(await asyncio.gather(*map(self._settle, records)))

    async def close(self) -> None:
        await self._ledger.close()
        await self._database.close()

    async def _settle(self, record: MessageRecord) -> bool:
        return await self._ledger.settle(
            Settlement(
                message_id=record.id,
                tenant_id=record.tenant_id,
                attempt=1,
                state=ResponseState.COMPLETED,
                finished_at=_CLOCK.now(),
            )
        )


def _new() -> MessageRecord:
    now = _CLOCK.now()
    return queued_message(
        id=new_response_id(),
        body='{"input":"' + "x" * 1000 + '"}',
        body_digest="d",
        accepted_at=now,
        deadline=now + timedelta(minutes=10),
    )


def _cut(url: str, parts: int) -> None:
    """Months of ids, this one last. Keys are unique in a part alone: more, Postgres cannot say."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as ledger:
        indexes = ledger.execute(_INDEXES).fetchall()
        ledger.execute("ALTER TABLE message RENAME TO whole")
        for name, _ in indexes:
            ledger.execute(f"ALTER INDEX {name} RENAME TO whole_{name}".encode())
        ledger.execute(
            "CREATE TABLE message (LIKE whole INCLUDING ALL EXCLUDING INDEXES)"
            " PARTITION BY RANGE (id)"
        )
        ends = [
            f"'{first_id(RESPONSE, _CLOCK.now() - timedelta(days=30 * back, hours=1))}'"
            for back in reversed(range(parts - 1))
        ]
        for number, (first, end) in enumerate(
            zip(["MINVALUE", *ends], [*ends, "MAXVALUE"], strict=True)
        ):
            part = f"part_{number}"
            ends_at = f"FOR VALUES FROM ({first}) TO ({end})"
            ledger.execute(f"CREATE TABLE {part} PARTITION OF message {ends_at}".encode())
            for name, made in indexes:
                if name.startswith("uq_"):
                    of_part = made.replace(name, f"{part}_key").replace("public.message", part)
                    ledger.execute(of_part.encode())
        for name, made in indexes:
            if not name.startswith("uq_"):
                ledger.execute(made.encode())


async def _deleting(stage: Stage, url: str) -> Row:
    way = _Way(url)
    await way.answer(OLD, 64)
    settings = LedgerSettings(url=ServerUrl(url))
    database: Database = open_database(settings)
    retention, gone = Retention(database, settings, _CLOCK), 0
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as ledger:
        ledger.execute(_SPREAD)
        ledger.execute("VACUUM FULL message")
        await retention.forget_old()  # connects
        pids = stage.postgres_pids()
        began, client = cpu_seconds(pids), time.process_time()
        while deleted := (await retention.forget_old())["message"]:
            gone += deleted
        ours, client = cpu_seconds(pids) - began, time.process_time() - client
        ledger.execute("VACUUM message")
        swept = cpu_seconds(pids) - began - ours
    await way.close()
    await database.close()
    return Row(
        what="Postgres, a message deleted after its retention, its vacuum with it",
        on="Postgres",
        unit="µs",
        ours=(ours + swept) / gone * 1e6,
        apart={"vacuum": swept / gone * 1e6, "janitor": client / gone * 1e6},
    )
