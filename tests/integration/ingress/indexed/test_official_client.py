"""OpenAI's own client puts files in, waits for them and searches, against a real indexer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import openai

from ingress.api.principals import sign_principals
from shared.persistence.key_records import KeyReach
from shared.settings import Settings
from tests.integration.indexer.process.indexer_process import IndexerProcess
from tests.integration.ingress.contract import Contract
from tests.integration.ingress.index.conftest import new_key

TRAINS = "# Trains\n\nThe company pays for every railway ticket of the second class."
BREAD = "# Bread\n\nKnead flour, water and salt, and bake the dough in a hot oven."
LEASE = "# Leases\n\nA worker renews its lease every ten seconds."


async def _names(client: openai.AsyncOpenAI, store: str, query: Any, **asked: Any) -> list[str]:
    return [
        each.filename async for each in client.vector_stores.search(store, query=query, **asked)
    ]


async def test_files_are_put_in_waited_for_searched_labelled_and_taken_out(
    client: openai.AsyncOpenAI, indexer: IndexerProcess
) -> None:
    stores = client.vector_stores
    store = (await stores.create(name="Handbook")).id
    put = await stores.files.upload_and_poll(
        vector_store_id=store, file=("trains.md", TRAINS.encode())
    )
    assert (put.status, put.last_error) == ("completed", None), put
    assert put.usage_bytes > 0
    text = stores.files.content(put.id, vector_store_id=store)
    assert "".join([each.text or "" async for each in text]).endswith("of the second class.")
    batch = await stores.file_batches.upload_and_poll(
        store, files=[("bread.md", BREAD.encode()), ("noise.bin", bytes(range(256)) * 8)]
    )
    counts = batch.file_counts
    assert (batch.status, counts.completed, counts.failed) == ("completed", 1, 1)
    (noise,) = [each async for each in stores.files.list(store, filter="failed")]
    assert noise.last_error is not None
    assert noise.last_error.code == "unsupported_file"
    whole = await stores.retrieve(store)
    assert (whole.status, whole.file_counts.total) == ("completed", 3)

    assert (await _names(client, store, "Who pays for a train ride?"))[0] == "trains.md"
    assert (await _names(client, store, ["how do I make a loaf?"], max_num_results=1)) == [
        "bread.md"
    ]
    both = await _names(client, store, ["railway ticket", "knead the dough"], max_num_results=2)
    assert {*both} == {"trains.md", "bread.md"}
    assert await _names(
        client, store, "ticket", ranking_options={"ranker": "auto", "score_threshold": 1.0}
    ) in ([], ["trains.md"])

    year: Any = {"type": "gte", "key": "year", "value": 2025}
    assert await _names(client, store, "railway ticket", filters=year) == []
    await stores.files.update(put.id, vector_store_id=store, attributes={"year": 2026})
    labelled = await stores.files.poll(put.id, vector_store_id=store)
    assert labelled.attributes == {"year": 2026}
    found = [each async for each in stores.search(store, query="railway ticket", filters=year)]
    assert [(each.filename, each.file_id, each.attributes) for each in found] == [
        ("trains.md", put.id, {"year": 2026})
    ]
    assert "second class" in found[0].content[0].text

    await stores.files.delete(put.id, vector_store_id=store)
    assert "trains.md" not in await _names(client, store, "railway ticket")
    again = await stores.files.create_and_poll(put.id, vector_store_id=store)
    assert again.status == "completed"
    assert "trains.md" in await _names(client, store, "railway ticket")

    sizes: Any = {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 20}
    long = await stores.files.upload_and_poll(
        vector_store_id=store,
        file=("long.txt", " ".join(f"word{nth}" for nth in range(400)).encode()),
        chunking_strategy={"type": "static", "static": sizes},
    )
    small = len([each async for each in stores.files.content(long.id, vector_store_id=store)])
    auto = await stores.files.create_and_poll(long.id, vector_store_id=store)
    assert auto.chunking_strategy is not None
    assert auto.chunking_strategy.type == "other"
    large = len([each async for each in stores.files.content(long.id, vector_store_id=store)])
    assert small > large > 0
    await stores.delete(store)


async def test_a_search_is_told_in_both_languages_and_to_whom_it_may(
    contract: Contract,
    http: aiohttp.ClientSession,
    settings: Settings,
    client: openai.AsyncOpenAI,
    indexer: IndexerProcess,
) -> None:
    for name in ("handbook", "notes"):
        await client.vector_stores.create(name=name)
    documents = {
        "handbook": [
            {"path": "trains.md", "text": TRAINS, "principals": ["group:staff"]},
            {"path": "lease.md", "text": LEASE},
        ],
        "notes": [{"path": "bread.md", "text": BREAD, "attributes": {"kind": "recipe"}}],
    }
    for collection, posted in documents.items():
        body = {"collection": collection, "documents": posted}
        async with http.post("/v1/documents", json=body) as answer:
            assert answer.status == 200, await answer.text()
    async for store in client.vector_stores.list():
        async for each in client.vector_stores.files.list(store.id):
            done = await client.vector_stores.files.poll(each.id, vector_store_id=store.id)
            assert done.status == "completed", done

    asked: dict[str, Any] = {"query": "railway ticket", "collections": ["handbook", "notes"]}
    told = await _search(http, asked | {"explain": True, "limit": 1})
    (hit,) = told["data"]
    assert hit["document"]["path"] == "trains.md"
    assert any("ticket" in hit["text"][span["start"] : span["end"]] for span in hit["highlights"])
    assert hit["legs"]
    assert {leg["name"] for leg in told["legs"] if leg["dropped"] is None} >= {"words"}
    assert [len(fresh["generation"]) > 0 for fresh in told["freshness"]] == [True, True]
    assert sorted(await _all(http, asked | {"query": "Which worker pays for bread?"})) == [
        "bread.md",
        "lease.md",
        "trains.md",
    ]
    recipes = {"filters": {"type": "eq", "key": "kind", "value": "recipe"}}
    told = await _search(http, asked | recipes | {"query": "bake dough"})
    assert [each["document"]["path"] for each in told["data"]] == ["bread.md"]
    async with http.get("/v1/collections/handbook") as answer:
        handbook = (await answer.json())["id"]
    url = f"/v1/vector_stores/{handbook}/search"
    async with http.post(url, json={"query": "railway ticket"}) as answer:
        page = await answer.json()
        assert int(answer.headers["x-ratelimit-remaining-requests"]) > 0
    contract.check("VectorStoreSearchResultsPage", page)

    keys = {reach: await new_key(settings, reach) for reach in (STAFF, OTHERS, GATEWAY)}
    until = datetime.now(UTC) + timedelta(minutes=1)
    signed = sign_principals(keys[GATEWAY], ("group:staff",), until)
    for reach, header, sees in (
        (STAFF, None, True),
        (OTHERS, None, False),
        (GATEWAY, None, False),
        (GATEWAY, signed, True),
    ):
        headers = {"Authorization": f"Bearer {keys[reach]}"}
        if header is not None:
            headers["X-Forebay-Principals"] = header
        for path, body in ((url, {"query": "railway ticket"}), ("/v1/search", asked)):
            async with http.post(path, json=body, headers=headers) as answer:
                text = await answer.text()
            assert (answer.status, "second class" in text) == (200, sees), (reach, path)
    told = await _search(http, asked | {"principals": ["group:others"]})
    assert "trains.md" not in [each["document"]["path"] for each in told["data"]]


STAFF = KeyReach(("group:staff",))
OTHERS = KeyReach(("group:others",))
GATEWAY = KeyReach(delegates=True)


async def _search(http: aiohttp.ClientSession, body: dict[str, Any]) -> Any:
    async with http.post("/v1/search", json=body) as answer:
        told = await answer.json()
        assert answer.status == 200, told
        return told


async def _all(http: aiohttp.ClientSession, body: dict[str, Any]) -> list[str]:
    """By pages of one."""
    paths: list[str] = []
    cursor = None
    while True:
        told = await _search(http, body | {"limit": 1, "cursor": cursor})
        paths += [each["document"]["path"] for each in told["data"]]
        cursor = told["next_cursor"]
        if cursor is None:
            return paths
