"""What we say of vector stores is what OpenAI's own description of its API allows."""

from __future__ import annotations

from typing import Any

import aiohttp

from tests.integration.ingress.contract import Contract
from tests.integration.ingress.index.conftest import UploadFile

_STORE = {
    "name": "Handbook",
    "expires_after": {"anchor": "last_active_at", "days": 1},
    "metadata": {"a": "b"},
}


async def test_stores_and_their_files_are_openais(
    contract: Contract, http: aiohttp.ClientSession, upload: UploadFile
) -> None:
    async def checked(method: str, path: str, name: str, body: Any = None) -> Any:
        async with http.request(method, f"/v1/vector_stores{path}", json=body) as answer:
            told = await answer.json()
            assert answer.status == 200, told
        contract.check(name, told)
        return told

    first, second, third = [await upload(str(nth)) for nth in range(3)]
    for body in ({}, _STORE, {**_STORE, "file_ids": [first]}):
        store = await checked("POST", "", "VectorStoreObject", body)
    one = f"/{store['id']}"
    await checked("GET", one, "VectorStoreObject")
    await checked("POST", one, "VectorStoreObject", {"name": None, "metadata": None})
    for page in ("", "?limit=1", "?limit=1&order=asc"):
        await checked("GET", page, "ListVectorStoresResponse")
    sizes = {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 50}
    put = {
        "file_id": second,
        "attributes": {"year": 2024, "team": "x", "draft": False},
        "chunking_strategy": {"type": "static", "static": sizes},
    }
    told = await checked("POST", f"{one}/files", "VectorStoreFileObject", put)
    assert told["chunking_strategy"] == put["chunking_strategy"]
    await checked("POST", f"{one}/files/{first}", "VectorStoreFileObject", {"attributes": {"a": 1}})
    await checked("POST", f"{one}/files/{first}", "VectorStoreFileObject", {"attributes": None})
    for page in ("", "?limit=1", "?filter=failed"):
        await checked("GET", f"{one}/files{page}", "ListVectorStoreFilesResponse")
    batch = await checked(
        "POST", f"{one}/file_batches", "VectorStoreFileBatchObject", {"file_ids": [third]}
    )
    of_batch = f"{one}/file_batches/{batch['id']}"
    await checked("GET", of_batch, "VectorStoreFileBatchObject")
    await checked("GET", f"{of_batch}/files", "ListVectorStoreFilesResponse")
    await checked("POST", f"{of_batch}/cancel", "VectorStoreFileBatchObject")
    await checked("DELETE", f"{one}/files/{first}", "DeleteVectorStoreFileResponse")
    await checked("DELETE", one, "DeleteVectorStoreResponse")
