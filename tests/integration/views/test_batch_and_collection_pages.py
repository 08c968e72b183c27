"""Batches tell how far they are, and collections how much is in them, without reading it all."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import asdict

from shared.batches.batch import Batch, BatchCounts, BatchUsage, columns_of_batch
from shared.batches.state import BatchEndpoint, BatchState
from shared.batches.tables import batch, batch_item
from shared.clock import ManualClock
from shared.errors import NotFound
from shared.index.states import DocumentState
from shared.index.tables import collection, collection_source, document
from shared.messages.state import ResponseState
from shared.persistence.tables import message
from shared.views.batch_pages import BatchPages
from shared.views.batch_progress import ProgressOfBatches
from shared.views.collection_pages import CollectionPages

from .shelf import ViewedLedger


def a_batch(clock: ManualClock, **fields: Any) -> Batch:
    now = clock.now()
    usual: dict[str, Any] = {
        "id": "batch_1",
        "tenant_id": "ten_1",
        "endpoint": BatchEndpoint.RESPONSES,
        "content_id": "cont_1",
        "input_bytes": 1,
        "window_seconds": 600,
        "digest": "d",
        "state": BatchState.IN_PROGRESS,
        "created_at": now,
        "in_progress_at": now,
        "expires_at": now + timedelta(minutes=10),
    }
    return Batch(**(usual | fields))


async def put_lines(viewed: ViewedLedger, count: int, ended: int) -> None:
    rows = []
    for nth in range(count):
        end: dict[str, Any] = {"state": ResponseState.COMPLETED, "cost": Decimal("0.5")}
        rows.append(viewed.message(nth, **(end if nth % 10 < ended else {})))
    lines = [
        {"batch_id": "batch_1", "line": nth + 1, "custom_id": f"c{nth}", "message_id": row["id"]}
        for nth, row in enumerate(rows)
    ]
    await viewed.put(message, *rows)
    await viewed.put(batch_item, *lines)


async def test_a_running_batch_tells_how_far_it_is_and_what_it_will_cost(
    viewed: ViewedLedger, clock: ManualClock
) -> None:
    running = a_batch(clock, total=10, cursor_line=10)
    await viewed.put(batch, columns_of_batch(running))
    await put_lines(viewed, 10, ended=4)
    clock.advance(40)
    row = await BatchPages(viewed.database, clock).one("batch_1")
    assert row.counts == BatchCounts(total=10, completed=4)
    assert (row.cost, row.cost_at_end, row.is_sampled) == (Decimal(2), Decimal(5), False)
    assert row.ends_at == clock.now() + timedelta(seconds=60)


async def test_a_large_batch_is_told_by_some_of_its_lines(
    viewed: ViewedLedger, clock: ManualClock
) -> None:
    running = a_batch(clock, total=300, cursor_line=200)
    await viewed.put(batch, columns_of_batch(running))
    await put_lines(viewed, 200, ended=5)
    (told,) = await ProgressOfBatches(viewed.database, looked_at=67).of([running])
    assert told.is_sampled
    assert told.counts.total == 300
    assert told.counts.completed == pytest.approx(100, abs=3)
    assert told.cost == pytest.approx(Decimal(50), abs=2)


async def test_batches_of_all_tenants_are_paged(viewed: ViewedLedger, clock: ManualClock) -> None:
    counts, usage = BatchCounts(total=2, completed=1, expired=1), BatchUsage(cost=Decimal(3))
    ended = {"state": BatchState.EXPIRED, "expired_at": clock.now(), "counts": counts}
    made = [
        a_batch(clock, id=f"batch_{n}", tenant_id=f"ten_{n % 2}", **ended, usage=usage, total=2)
        for n in range(1, 4)
    ]
    await viewed.put(batch, *map(columns_of_batch, made))
    batches = BatchPages(viewed.database, clock)
    first = await batches.page(limit=2)
    assert [row.id for row in first.rows] == ["batch_3", "batch_2"]
    assert first.rows[0].counts == counts
    assert first.rows[0].cost == first.rows[0].cost_at_end == Decimal(3)
    rest = await batches.page(before=first.next, limit=2)
    assert [row.id for row in rest.rows] == ["batch_1"]
    assert rest.next is None
    assert [row.id for row in (await batches.page(tenant_id="ten_0", limit=5)).rows] == ["batch_2"]
    for unknown in ("batch_9", "batch_\0"):
        with pytest.raises(NotFound, match="no batch"):
            await batches.one(unknown)


async def test_collections_tell_how_much_is_in_them_what_failed_and_how_fresh_it_is(
    viewed: ViewedLedger, clock: ManualClock
) -> None:
    made: dict[str, Any] = {"tenant_id": "ten_1", "created_at": clock.now(), "edition": 1}
    made |= {"last_active_at": clock.now(), "generation": "g1"}
    await viewed.put(
        collection, *({"id": f"vs_{n}", "name": f"Docs {n}"} | made for n in range(1, 4))
    )
    kept: dict[str, Any] = {"collection_id": "vs_3", "tenant_id": "ten_1", "source": "files"}
    kept |= {"path": "a", "ver": 1, "size_bytes": 9, "passages": 2, "usage_bytes": 100}
    kept |= {"created_at": clock.now(), "relabel": False, "attempt": 0, "excused": 0}
    done, failed = {"state": DocumentState.COMPLETED}, {"state": DocumentState.FAILED}
    rows = [kept | done | {"id": f"doc_{n}", "error_code": None} for n in range(3)]
    rows.append(kept | failed | {"id": "doc_9", "error_code": "unreadable"})
    await viewed.put(document, *rows)
    source = {"collection_id": "vs_3", "source": "git", "tenant_id": "ten_1", "commit_id": "abc"}
    await viewed.put(collection_source, source | {"indexed_through": clock.now()})
    collections = CollectionPages(viewed.database)
    first = await collections.page(limit=2)
    assert [row.id for row in first.rows] == ["vs_3", "vs_2"]
    row = first.rows[0]
    assert (row.documents, row.passages, row.usage_bytes, row.is_cut) == (4, 8, 400, False)
    assert row.by_state == {DocumentState.COMPLETED: 3, DocumentState.FAILED: 1}
    assert [(one.commit_id, one.indexed_through) for one in row.sources] == [("abc", clock.now())]
    rest = await collections.page(before=first.next, tenant_id="ten_1", limit=2)
    assert [row.id for row in rest.rows] == ["vs_1"]
    whole = await collections.one("vs_3")
    assert whole.failures == {"unreadable": 1}
    assert asdict(whole.collection) == asdict(row)
    with pytest.raises(NotFound, match="no collection"):
        await collections.one("vs_9")
