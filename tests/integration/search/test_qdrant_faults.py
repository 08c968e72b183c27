"""What a Qdrant server and the way to it can do wrong, told by the class of the error."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from shared.errors import ForebayError, NotFound
from shared.search.generation import Generation
from shared.search.point import Scope
from shared.search.qdrant.qdrant_store import QdrantStore
from shared.search.query import CodeVector, Query, TextVector, Where
from shared.search.vector_store import StoreBusy, StoreRefused, StoreUnavailable
from tests.integration.search.qdrant_stub import FIRST, QdrantStub

GENERATION = Generation("g", text_dimensions=2, code_dimensions=3)
SCOPE = Scope("g", "acme")
LEGS = (TextVector([1, 0], depth=50), CodeVector([0, 0, 1]))


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (404, {}, NotFound),
        (400, {}, StoreRefused),
        (403, {}, StoreRefused),
        (429, {"Retry-After": "3"}, StoreBusy),
        (429, {}, StoreBusy),
        (429, {"Retry-After": "Sun, 29 Nov 2026 14:00:00 GMT"}, StoreUnavailable),
        (500, {}, StoreUnavailable),
        (503, {}, StoreUnavailable),
    ],
)
async def test_a_refusal_is_told_by_its_class(
    stub: QdrantStub,
    store: QdrantStore,
    status: int,
    headers: dict[str, str],
    error: type[ForebayError],
) -> None:
    await store.create(GENERATION)
    text = json.dumps({"status": {"error": "the disk is full"}, "time": 0})
    stub.refusal = lambda: web.Response(
        status=status, text=text, headers=headers, content_type="application/json"
    )
    with pytest.raises(ForebayError, match=r"generation g|disk|date|GMT") as raised:
        await store.count(SCOPE, Where())
    assert type(raised.value) is error
    if error is StoreBusy and headers:
        assert raised.value.retry_after_seconds == 3


async def test_what_is_no_answer_of_qdrants_is_an_unavailable_store(
    stub: QdrantStub, store: QdrantStore
) -> None:
    await store.create(GENERATION)
    for text in ("<html>a proxy</html>", "", "null", "{}", '{"result": null}', '{"result": []}'):
        stub.refusal = lambda text=text: web.Response(text=text)  # type: ignore[misc]
        with pytest.raises(StoreUnavailable):
            await store.count(SCOPE, Where())
    away = QdrantStore("http://127.0.0.1:1", deadline_seconds=1)
    with pytest.raises(StoreUnavailable):
        await away.generations()
    await away.close()


async def test_a_server_that_dribbles_is_not_waited_for(
    stub: QdrantStub, store: QdrantStore, qdrant_url: str
) -> None:
    await store.create(GENERATION)
    stub.dribbles = True
    hasty = QdrantStore(qdrant_url, deadline_seconds=1)
    with pytest.raises(StoreUnavailable, match="within 1 s"):
        await hasty.count(SCOPE, Where())
    await hasty.close()


async def test_points_of_others_in_the_collection_are_named(
    stub: QdrantStub, store: QdrantStore
) -> None:
    await store.create(GENERATION)
    foreign = {"id": FIRST, "version": 1, "score": 0.5, "payload": {"tenant": "acme"}}
    stub.found = [[foreign], []]
    with pytest.raises(StoreRefused, match=FIRST):
        await store.query(SCOPE, Query(LEGS, None))
