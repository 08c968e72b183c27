"""A posted document has no job: it tells its own state, and why it is not found."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiohttp
import pytest


@pytest.mark.usefixtures("indexer")
async def test_a_document_tells_how_far_it_is_and_why_it_failed(
    http: aiohttp.ClientSession,
) -> None:
    async def call(method: str, path: str, body: Any = None) -> Any:
        async with http.request(method, path, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def ended(document: dict[str, Any]) -> dict[str, Any]:
        while document["state"] in {"pending", "in_progress"}:
            await asyncio.sleep(0.05)
            document = await call("GET", f"/v1/documents/{document['id']}?collection=notes")
        return document

    await call("POST", "/v1/collections", {"name": "notes"})
    broken = base64.b64encode(b"%PDF-1.7 and nothing else").decode()
    posted = [{"path": "good.md", "text": "# Good\n\nIt is."}, {"path": "a.pdf", "base64": broken}]
    made = await call("POST", "/v1/documents", {"collection": "notes", "documents": posted})
    assert [(each["state"], each["job"]) for each in made["data"]] == [("pending", None)] * 2

    good, bad = [await ended(each) for each in made["data"]]
    assert (good["state"], good["error"]) == ("completed", None)
    assert bad["state"] in {"failed", "skipped"}
    assert bad["error"]["code"]
    assert bad["error"]["message"]
    listed = await call("GET", f"/v1/documents?collection=notes&state={bad['state']}")
    assert listed["data"] == [bad]
    stats = await call("GET", "/v1/collections/notes/stats")
    assert (stats["in_progress"], stats["completed"]) == (0, 1)
