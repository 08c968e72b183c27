"""What groups of accepts, claims and settles cost the process that gives them to the ledger.

It runs by itself, on either build's code, and so imports only what both have. Its one argument is
the address of a ledger with its tables; it prints one JSON object: by statement and size of the
group, the microseconds of CPU a message of this process, and of Postgres beside it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any, Final

from msgspec import structs
from sqlalchemy import text

from shared.clock import SystemClock
from shared.conversations.history import ConversationRepository
from shared.identifiers import new_response_id
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.persistence.ledger.settling import SettleGroup
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

GROUPS: Final = {1: 60, 8: 30, 64: 10}
"""How many of each size."""
WARM: Final = 12
"""The first of each are not counted: they connect, and what is asked often is prepared."""
CHAIN: Final = 10
_BODY: Final = json.dumps({"input": "What is a forebay? " + "x" * 900})
_BACKENDS: Final = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")


class Costs:
    """CPU of this process and of the database's, by what it was for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.found: dict[str, list[tuple[float, float, float]]] = {}
        """Microseconds a message of this process and of the database, and milliseconds."""
        self.backends: list[int] = []

    async def of(self, what: str, size: int, work: Callable[[], Awaitable[Any]]) -> Any:
        """What the work gives."""
        server, began, cpu = self._server_seconds(), time.perf_counter(), time.process_time()
        given = await work()
        cpu, lasted = time.process_time() - cpu, time.perf_counter() - began
        used = (cpu / size * 1e6, (self._server_seconds() - server) / size * 1e6, lasted * 1e3)
        self.found.setdefault(f"{what} {size}", []).append(used)
        return given

    async def look_at_backends(self) -> None:
        if self._database.durable.dialect.name == "sqlite":
            return
        async with self._database.relaxed.connect() as connection:
            self.backends = [*(await connection.execute(_BACKENDS)).scalars()]

    def told(self) -> dict[str, dict[str, float]]:
        return {
            what: dict(
                zip(
                    ("client", "server", "milliseconds"),
                    (median(each) for each in zip(*found[WARM:], strict=True)),
                    strict=True,
                )
            )
            for what, found in self.found.items()
        }

    def _server_seconds(self) -> float:
        return sum(_running_seconds(pid) for pid in self.backends)


def _running_seconds(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def new_record(**changes: Any) -> MessageRecord:
    """A message as a door accepts it."""
    now = SystemClock().now()
    return MessageRecord(
        id=new_response_id(),
        tenant_id="ten_1",
        lane=Lane.STANDARD,
        body=_BODY,
        body_digest="0" * 64,
        accepted_at=now,
        deadline=now + timedelta(hours=1),
        idempotency_key=new_response_id(),
        **changes,
    )


def end_of(message_id: str) -> Settlement:
    """How a turn of one call ends."""
    now = SystemClock().now()
    attempt = AttemptRecord(
        provider="p", model="m", started_at=now, latency_seconds=0.1, cost=Decimal("0.001")
    )
    return Settlement(
        message_id=message_id,
        tenant_id="ten_1",
        attempt=1,
        state=ResponseState.COMPLETED,
        finished_at=now,
        output_text="A basin in front of turbines. " * 8,
        answered_by="p",
        model="m",
        input_tokens=200,
        output_tokens=60,
        cost=Decimal("0.001"),
        attempts=(attempt,),
    )


def of_claim(end: Settlement, claimed: Any) -> Settlement:
    """As a worker tells it, of a build that takes it."""
    told = {"claimed": claimed} if "claimed" in Settlement.__struct_fields__ else {}
    return structs.replace(end, **told)


async def _measure(url: str) -> dict[str, dict[str, float]]:
    settings, clock = LedgerSettings(url=ServerUrl(url)), SystemClock()
    database = open_database(settings)
    accepts = AcceptGroup(database, wake_after_seconds=15)
    claims = ClaimGroup(database, clock, worker="worker-1", lease_seconds=600)
    settles = SettleGroup(database)
    costs = Costs(database)
    for size, groups in GROUPS.items():
        for turn in range(WARM + groups):
            if turn == WARM:
                await costs.look_at_backends()
            records = [new_record() for _ in range(size)]
            ids = [each.id for each in records]
            ends = [end_of(each) for each in ids]
            await costs.of("accept", size, lambda records=records: accepts.flush(records))
            claimed = await costs.of("claim", size, lambda ids=ids: claims.flush(ids))
            assert [each.id for each in claimed] == ids
            ends = [of_claim(*each) for each in zip(ends, claimed, strict=True)]
            assert all(await costs.of("settle", size, lambda ends=ends: settles.flush(ends)))
    await _recall(database, accepts, claims, settles, costs)
    await database.close()
    return costs.told()


async def _recall(
    database: Database, accepts: AcceptGroup, claims: ClaimGroup, settles: SettleGroup, costs: Costs
) -> None:
    """The history of a message that goes on with a chain of others."""
    previous = None
    for _ in range(CHAIN):
        record = new_record(previous_id=previous)
        await accepts.flush([record])
        await claims.flush([record.id])
        await settles.flush([end_of(record.id)])
        previous = record.id
    said, asking = ConversationRepository(database), new_record(previous_id=previous)
    for _ in range(WARM + GROUPS[1]):
        items, _ = await costs.of(
            "recall", 1, lambda: said.before(asking, [], limit=40, limit_bytes=1_000_000)
        )
        assert len(items) == 2 * CHAIN


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(sys.argv[1]))))
