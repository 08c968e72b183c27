"""A write to Meilisearch is done when its task is seen as succeeded, and not before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.errors import ForebayError, NotFound
from shared.search.keyword.meilisearch_store import MeilisearchStore
from shared.search.point import Passage, Point, Scope
from shared.search.query import Where
from shared.search.vector_store import StoreRefused, StoreUnavailable
from tests.integration.search.described_server import serving
from tests.integration.search.meilisearch_stub import MeilisearchStub, in_turn, refused
from tests.integration.search.qdrant_stub import FIRST

SCOPE = Scope("g-1", "acme")
ANY = Where()
POINT = Point(FIRST, Passage("c", "d", "s", "p", "go", "code", 4, "open the file"))


async def test_a_write_returns_when_its_task_has_succeeded_and_not_before(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    looks: list[str] = []

    def ending(task: dict[str, Any]) -> dict[str, Any]:
        looks.append("look")
        status = ["enqueued", "processing", "succeeded"][min(len(looks) - 1, 2)]
        return task | {"status": status}

    meilisearch.ending = ending
    await words.upsert(SCOPE, [POINT])
    assert len(looks) == 3
    meilisearch.refusal = in_turn(None, None, refused(429, "", {"Retry-After": "0"}))
    await words.upsert(SCOPE, [POINT])  # busy is whoever asks for the task, not the task
    assert len(looks) == 4


async def test_a_task_that_does_not_end_is_given_up_and_said_to_go_on(
    meilisearch: MeilisearchStub, words: MeilisearchStore, meilisearch_url: str
) -> None:
    await words.create("g-1")
    store = MeilisearchStore(meilisearch_url, task_seconds=0.3)
    meilisearch.ending = lambda task: task | {"status": "processing"}
    with pytest.raises(StoreUnavailable, match=r"task 2 of g-1 within 0.3 s; it goes on"):
        await store.upsert(SCOPE, [POINT])
    with pytest.raises(StoreUnavailable, match=r"within 0.3 s"):
        await store.create("g-2")
    meilisearch.ending = lambda task: task | {"status": "canceled"}
    with pytest.raises(StoreUnavailable):
        await store.create("g-3")
    await store.close()


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"type": "invalid_request", "code": "invalid_document_id"}, StoreRefused),
        ({"type": "invalid_request", "code": "index_not_found"}, NotFound),
        ({"type": "system", "code": "no_space_left_on_device"}, StoreUnavailable),
        ({"type": "internal", "code": "internal"}, StoreUnavailable),
    ],
)
async def test_a_task_that_failed_raises_with_the_servers_sentence(
    meilisearch: MeilisearchStub,
    words: MeilisearchStore,
    told: dict[str, str],
    error: type[ForebayError],
) -> None:
    await words.create("g-1")
    for call in (words.upsert(SCOPE, [POINT]), words.delete(SCOPE, [FIRST], ver=4)):
        meilisearch.failure = told | {"message": "it cannot be kept", "link": "https://x"}
        with pytest.raises(ForebayError, match=r"it cannot be kept|generation g-1") as raised:
            await call
        assert type(raised.value) is error


async def test_a_canceled_task_and_one_that_nobody_knows_are_not_done(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    meilisearch.ending = lambda task: task | {"status": "canceled", "canceledBy": 9}
    with pytest.raises(StoreUnavailable, match="was canceled"):
        await words.upsert(SCOPE, [POINT])
    meilisearch.refusal = in_turn(None, None, refused(404, "task_not_found"))
    with pytest.raises(StoreUnavailable, match="restored from a backup"):
        await words.upsert(SCOPE, [POINT])


async def test_a_call_that_is_given_up_ends_at_once(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    asked = asyncio.Event()

    def ending(task: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        return task | {"status": "processing"}

    meilisearch.ending = ending
    call = asyncio.create_task(words.upsert(SCOPE, [POINT]))
    await asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    meilisearch.ending = lambda task: task
    await words.upsert(SCOPE, [POINT])


async def test_a_write_whose_answer_was_lost_is_written_once_by_the_same_call(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    for lost in (1, 2, 3):  # of what is there, of the write, of its task
        before = len(meilisearch.sent)
        meilisearch.refusal = in_turn(*[None] * (lost - 1), meilisearch.losing)
        with pytest.raises(StoreUnavailable):
            await words.upsert(SCOPE, [POINT])
        assert len(meilisearch.sent) == before + lost
        await words.upsert(SCOPE, [POINT])
        assert await words.count(SCOPE, ANY) == 1


async def test_two_that_make_a_generation_at_once_make_it_once(
    meilisearch: MeilisearchStub,
) -> None:
    async with serving(meilisearch) as url:
        stores = [MeilisearchStore(url) for _ in range(4)]
        await asyncio.gather(*(store.create("g-1") for store in stores))
        await stores[0].upsert(SCOPE, [POINT])
        assert await stores[1].count(SCOPE, ANY) == 1
        for store in stores:
            await store.close()
    assert meilisearch.indexes["g-1"].primary_key == "id"
