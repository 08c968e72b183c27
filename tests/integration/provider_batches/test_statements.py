"""No statement of the executor reads the backlog, whatever the statistics say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from shared.batches.provider_batch import ProviderBatch
from shared.batches.provider_tables import HandedOverState, provider_batch
from shared.persistence.statements import transaction
from tests.integration.persistence.plans.crowd import fill
from tests.integration.persistence.plans.reading import ReadMeter
from tests.integration.provider_batches.ground import BatchGround

READ_AT_MOST = 2_000
GROUP = 180


async def ended_batches(ground: BatchGround) -> None:
    """Thousands that ended, some long ago."""
    now = ground.clock.now()
    rows: list[dict[str, Any]] = [
        {
            "id": f"pbatch_e{number}",
            "provider": f"p{number % 3}",
            "model": "m",
            "state": HandedOverState.ENDED,
            "requests": 10,
            "tokens": 10,
            "created_at": now,
            "submitted_at": now,
            "ended_at": now - timedelta(hours=number / 50),
            "pull_at": now,
            "look_at": now - timedelta(hours=number),
            "looks": 0,
        }
        for number in range(4_000)
    ]
    async with transaction(ground.database.durable) as connection:
        await connection.execute(insert(provider_batch), rows)


async def test_no_statement_reads_more_than_it_needs(ground: BatchGround) -> None:
    database, book = ground.database, ground.book
    await fill(database, ground.clock.now(), statistics="absent", scale=0.4)
    await ended_batches(ground)
    await database.close()
    meter = ReadMeter(database)
    await meter.watch_threads(database)
    now = ground.clock.now()
    waiting = await book.waiting(GROUP, deadline_after=now)  # connects
    ids = [each.id for each in waiting]
    assert len(ids) == GROUP
    times = {"created_at": now, "pull_at": now, "look_at": now}
    first = ProviderBatch(id="pbatch_1", provider="p1", **times)
    second = ProviderBatch(id="pbatch_2", provider="p1", **times)
    await book.enqueued_tokens("p1")
    steps = {
        "waiting": lambda: book.waiting(GROUP, deadline_after=now),
        "claim": lambda: book.claim(first, ids),
        "split": lambda: book.split(first.id, second, ids[:50]),
        "pack": lambda: book.pack(first.id, model="m", requests=150, tokens=9),
        "submitted": lambda: book.submitted(first.id, "r", look_at=now),
        "due": lambda: book.due(100),
        "postpone": lambda: book.postpone(first.id, look_at=now),
        "records": lambda: book.records(ids),
        "holds_any": lambda: book.holds_any(first.id),
        "give_back": lambda: book.give_back(first.id, ids[50:60]),
        "enqueued_tokens": lambda: book.enqueued_tokens("p1"),
        "took": lambda: book.took("p1"),
        "pull": lambda: book.pull(first.id),
        "end": lambda: book.end(second.id),
    }
    read = {}
    for name, step in steps.items():
        meter.start()
        await step()
        read[name] = meter.rows
    assert any(read.values())
    assert not {name: rows for name, rows in read.items() if rows > READ_AT_MOST}
