"""What is wrong with a request to a vector store is refused in a sentence that names it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import openai
import pytest
from sqlalchemy import update

from shared.index.tables import collection
from shared.persistence.engine import open_database
from shared.persistence.statements import transaction
from shared.settings import Settings
from tests.integration.ingress.index.conftest import UploadFile

MISSING = "file-" + "0" * 32
STATIC = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51}}
STORES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"names": "x"}, "names"),
    "long name": ({"name": "n" * 257}, "name"),
    "NUL in the name": ({"name": "a\0"}, "name"),
    "NUL in metadata": ({"metadata": {"a": "\0"}}, "metadata.a"),
    "metadata is no text": ({"metadata": {"a": 1}}, "metadata"),
    "another anchor": (
        {"expires_after": {"anchor": "created_at", "days": 1}},
        "expires_after.anchor",
    ),
    "no days": ({"expires_after": {"anchor": "last_active_at"}}, "expires_after.days"),
    "too many days": (
        {"expires_after": {"anchor": "last_active_at", "days": 366}},
        "expires_after.days",
    ),
    "too many files": ({"file_ids": [MISSING] * 501}, "file_ids"),
    "small pieces": (
        {
            "chunking_strategy": {
                "type": "static",
                "static": {"max_chunk_size_tokens": 99, "chunk_overlap_tokens": 0},
            }
        },
        "chunking_strategy.static.max_chunk_size_tokens",
    ),
    "much overlap": (
        {"chunking_strategy": STATIC},
        "chunking_strategy.static.chunk_overlap_tokens",
    ),
    "unknown strategy": ({"chunking_strategy": {"type": "magic"}}, "chunking_strategy.type"),
    "a file twice": ({"file_ids": [MISSING, MISSING]}, "file_ids[1]"),
}
BATCHES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "file_ids"),
    "both": ({"file_ids": [MISSING], "files": [{"file_id": MISSING}]}, "file_ids"),
    "no files": ({"file_ids": []}, "file_ids"),
    "said beside files": ({"files": [{"file_id": MISSING}], "attributes": {"a": 1}}, "attributes"),
    "an attribute is a list": (
        {"files": [{"file_id": MISSING, "attributes": {"a": []}}]},
        "files[0].attributes",
    ),
    "17 attributes": (
        {"file_ids": [MISSING], "attributes": {str(nth): nth for nth in range(17)}},
        "attributes",
    ),
}
SEARCHES: dict[str, tuple[dict[str, Any], str]] = {
    "no query": ({}, "query"),
    "empty query": ({"query": ""}, "query"),
    "no queries": ({"query": []}, "query"),
    "nine queries": ({"query": ["x"] * 9}, "query"),
    "rewriting": ({"query": "x", "rewrite_query": True}, "rewrite_query"),
    "no results": ({"query": "x", "max_num_results": 0}, "max_num_results"),
    "too many results": ({"query": "x", "max_num_results": 51}, "max_num_results"),
    "unknown comparison": (
        {"query": "x", "filters": {"type": "like", "key": "a", "value": 1}},
        "filters.type",
    ),
    "text has no order": (
        {"query": "x", "filters": {"type": "gt", "key": "a", "value": "b"}},
        "filters.value",
    ),
    "an empty and": ({"query": "x", "filters": {"type": "and", "filters": []}}, "filters.filters"),
    "no weights": (
        {
            "query": "x",
            "ranking_options": {"hybrid_search": {"embedding_weight": 0, "text_weight": 0}},
        },
        "ranking_options.hybrid_search",
    ),
    "a long query": ({"query": "x" * 2_001}, "query"),
    "unknown ranker": (
        {"query": "x", "ranking_options": {"ranker": "x"}},
        "ranking_options.ranker",
    ),
    "threshold above 1": (
        {"query": "x", "ranking_options": {"score_threshold": 1.1}},
        "ranking_options.score_threshold",
    ),
}
OWN_SEARCHES: dict[str, tuple[dict[str, Any], str]] = {
    "no collections": ({"query": "x"}, "collections"),
    "none named": ({"query": "x", "collections": []}, "collections"),
    "unknown mode": ({"query": "x", "collections": ["a"], "mode": "deep"}, "mode"),
    "unknown leg": ({"query": "x", "collections": ["a"], "weights": {"x": 1}}, "weights"),
    "unknown method": (
        {"query": "x", "collections": ["a"], "fusion": {"method": "x"}},
        "fusion.method",
    ),
    "unknown field": ({"query": "x", "collections": ["a"], "where": {"x": ["y"]}}, "where.x"),
    "too many": ({"query": "x", "collections": ["a"], "limit": 101}, "limit"),
    "no cursor": ({"query": "x", "collections": ["a"], "cursor": "?"}, "cursor"),
    "bad filter": (
        {"query": "x", "collections": ["a"], "filters": {"type": "eq", "key": "", "value": 1}},
        "filters.key",
    ),
}
QUERIES = "limit=0 limit=101 order=up filter=done page=2"


async def _refused(http: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> tuple[int, str]:
    async with http.post(path, json=body) as answer:
        error = (await answer.json())["error"]
        assert error["message"].endswith("."), error
        assert str(error["param"]) in error["message"], error
        return answer.status, error["param"]


async def test_every_bad_request_is_refused_by_name(
    http: aiohttp.ClientSession, client: openai.AsyncOpenAI
) -> None:
    store = (await client.vector_stores.create()).id
    one = f"/v1/vector_stores/{store}"
    for path, bodies in (
        ("/v1/vector_stores", STORES),
        (f"{one}/file_batches", BATCHES),
        (f"{one}/search", SEARCHES),
    ):
        told = {what: await _refused(http, path, body) for what, (body, _) in bodies.items()}
        assert told == {what: (400, param) for what, (_, param) in bodies.items()}
    assert len([each async for each in client.vector_stores.list()]) == 1
    await client.vector_stores.update(store, name="a")
    told = {
        what: await _refused(http, "/v1/search", body) for what, (body, _) in OWN_SEARCHES.items()
    }
    assert told == {what: (400, param) for what, (_, param) in OWN_SEARCHES.items()}
    assert await _refused(http, "/v1/search", {"query": "x", "collections": ["a", "b"]}) == (
        404,
        "collections[1]",
    )


async def test_an_expired_store_is_read_and_not_used(
    http: aiohttp.ClientSession,
    client: openai.AsyncOpenAI,
    upload: UploadFile,
    settings: Settings,
) -> None:
    file_id = await upload()
    made = await client.vector_stores.create(
        expires_after={"anchor": "last_active_at", "days": 1}, file_ids=[file_id]
    )
    database = open_database(settings.ledger)
    past = datetime.now(UTC) - timedelta(seconds=1)
    async with transaction(database.durable) as connection:
        await connection.execute(update(collection).values(expires_at=past))
    await database.close()
    assert (await client.vector_stores.retrieve(made.id)).status == "expired"
    for path, body in (
        ("files", {"file_id": file_id}),
        ("file_batches", {"file_ids": [file_id]}),
        ("search", {"query": "x"}),
    ):
        async with http.post(f"/v1/vector_stores/{made.id}/{path}", json=body) as answer:
            error = (await answer.json())["error"]
        assert (answer.status, error["code"]) == (400, "vector_store_expired")
    again = await client.vector_stores.update(
        made.id, expires_after={"anchor": "last_active_at", "days": 2}
    )
    assert again.status == "in_progress"


async def test_a_file_that_is_not_here_or_for_something_else_is_named_by_its_place(
    http: aiohttp.ClientSession, client: openai.AsyncOpenAI, upload: UploadFile
) -> None:
    store = (await client.vector_stores.create()).id
    good, other = await upload(), await upload(purpose="batch")
    files = f"/v1/vector_stores/{store}/files"
    batches = f"/v1/vector_stores/{store}/file_batches"
    for path, body, status, param in (
        (files, {"file_id": MISSING}, 404, "file_id"),
        (files, {"file_id": "file-\0"}, 400, "file_id"),
        (files, {"file_id": other}, 400, "file_id"),
        (batches, {"file_ids": [good, MISSING]}, 404, "file_ids[1]"),
        (batches, {"files": [{"file_id": good}, {"file_id": other}]}, 400, "files[1].file_id"),
        ("/v1/vector_stores", {"file_ids": [good, other]}, 400, "file_ids[1]"),
    ):
        assert await _refused(http, path, body) == (status, param), (path, body)
    assert (await client.vector_stores.retrieve(store)).file_counts.total == 0
    with pytest.raises(openai.BadRequestError, match="assistants or user_data"):
        await client.vector_stores.files.create(store, file_id=other)


async def test_a_bad_query_is_refused_by_its_name(
    http: aiohttp.ClientSession, client: openai.AsyncOpenAI
) -> None:
    store = (await client.vector_stores.create()).id
    for query in QUERIES.split():
        async with http.get(f"/v1/vector_stores/{store}/files?{query}") as answer:
            error = (await answer.json())["error"]
        assert (answer.status, error["param"]) == (400, query.partition("=")[0])
    for unknown in ("vs_1", "vs_%00", "%FF", "v" * 300):
        async with http.get(f"/v1/vector_stores/{unknown}") as answer:
            assert answer.status == 404, unknown
