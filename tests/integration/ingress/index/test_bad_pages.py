"""Whatever is listed, a page that cannot be asked for is refused by the name of what is wrong."""

from __future__ import annotations

from itertools import product

import aiohttp
import openai
import pytest

from shared.identifiers import COLLECTION, CONVERSATION, DOCUMENT, INDEX_JOB, new_file_id, new_id
from tests.integration.ingress.index.conftest import UploadFile

GONE = {
    "/v1/vector_stores": new_id(COLLECTION),
    "/v1/collections": new_id(COLLECTION),
    "/v1/vector_stores/{store}/files": new_file_id(),
    "/v1/vector_stores/{store}/file_batches/{batch}/files": new_file_id(),
    "/v1/documents": new_id(DOCUMENT),
    "/v1/index/jobs": new_id(INDEX_JOB),
    "/v1/files": new_file_id(),
}
"""Every list of ours that the index or its files are in, and what was in it once."""
BOTH_WAYS = [path for path in GONE if path.startswith("/v1/vector_stores")]
NO_IDS = ["unknown", "", "%00", "vs_1", new_id(CONVERSATION), "'", "%FF", "f" * 300]


@pytest.fixture
async def lists(client: openai.AsyncOpenAI, upload: UploadFile) -> dict[str, str]:
    """Their addresses; in each that may hold something there is something."""
    store = await client.vector_stores.create(name="handbook")
    batch = await client.vector_stores.file_batches.create(store.id, file_ids=[await upload()])
    named = {path: path.format(store=store.id, batch=batch.id) for path in GONE}
    return {
        path: f"{at}?collection={store.id}" if path == "/v1/documents" else f"{at}?"
        for path, at in named.items()
    }


async def refused(http: aiohttp.ClientSession, url: str) -> tuple[int, str | None]:
    async with http.get(url) as answer:
        told = await answer.json()
        return answer.status, told["error"]["param"] if "error" in told else None


async def test_a_place_that_is_in_no_such_list_is_refused(
    http: aiohttp.ClientSession, lists: dict[str, str]
) -> None:
    asked = [(path, "after", no_id) for path, no_id in product(GONE, NO_IDS)]
    asked += [(path, "before", no_id) for path, no_id in product(BOTH_WAYS, NO_IDS)]
    for path, param, no_id in asked:
        told = await refused(http, f"{lists[path]}&{param}={no_id}")
        assert told == (400, param), (path, param, no_id)


async def test_a_page_of_no_length_or_no_order_is_refused(
    http: aiohttp.ClientSession, lists: dict[str, str]
) -> None:
    wrong = ["limit=0", "limit=-1", "limit=1.5", "limit=x", "limit=99999", "page=2"]
    for (path, at), query in product(lists.items(), wrong):
        told = await refused(http, f"{at}&{query}")
        assert told == (400, query.partition("=")[0]), (path, query)
        assert await refused(http, f"{at}&order=up") == (400, "order"), path
    assert await refused(http, f"{lists['/v1/documents']}&source=%00") == (400, "source")
    for path in BOTH_WAYS:
        gone = GONE[path]
        both = await refused(http, f"{lists[path]}&after={gone}&before={gone}")
        assert both == (400, "before"), path


async def test_whoever_deletes_what_is_listed_goes_on_behind_it(
    http: aiohttp.ClientSession, client: openai.AsyncOpenAI, lists: dict[str, str]
) -> None:
    for path, gone in GONE.items():
        assert await refused(http, f"{lists[path]}&after={gone}") == (200, None), path
    made = {(await client.vector_stores.create(name=f"{nth}")).id for nth in range(5)}
    deleted = set()
    async for store in client.vector_stores.list(limit=2):
        await client.vector_stores.delete(store.id)
        deleted.add(store.id)
    assert made < deleted
