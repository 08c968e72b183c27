"""A key with principals reads what they may see, and nothing else is there for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from ingress.api.principals import sign_principals
from shared.persistence.key_records import KeyReach
from shared.settings import Settings
from tests.integration.ingress.index.conftest import UploadFile, new_key

OPEN, SALES, ANN = "open.md", "sales.md", "ann.md"


@pytest.fixture
async def documents(http: aiohttp.ClientSession) -> dict[str, str]:
    async with http.post("/v1/collections", json={"name": "handbook"}) as answer:
        assert answer.status == 200
    posted: list[dict[str, Any]] = [
        {"path": OPEN, "text": "All."},
        {"path": SALES, "text": "Sales.", "principals": ["group:sales"]},
        {"path": ANN, "text": "Ann.", "principals": ["user:ann", "user:bob"]},
    ]
    body = {"collection": "handbook", "documents": posted}
    async with http.post("/v1/documents", json=body) as answer:
        return {each["path"]: each["id"] for each in (await answer.json())["data"]}


async def _seen(http: aiohttp.ClientSession, headers: dict[str, str]) -> set[str]:
    """By listing, in pages of one; each is there by its id as well, and the others are not."""
    seen: dict[str, str] = {}
    after = ""
    while True:
        url = f"/v1/documents?collection=handbook&limit=1{after}"
        async with http.get(url, headers=headers) as answer:
            page = await answer.json()
            assert answer.status == 200, page
        seen |= {each["path"]: each["id"] for each in page["data"]}
        if not page["has_more"]:
            return {*seen}
        after = f"&after={page['data'][-1]['id']}"


async def test_each_key_sees_what_its_principals_may(
    http: aiohttp.ClientSession, settings: Settings, documents: dict[str, str]
) -> None:
    assert await _seen(http, {}) == {OPEN, SALES, ANN}
    for principals, expected in (
        (("group:sales",), {OPEN, SALES}),
        (("user:ann", "group:sales"), {OPEN, SALES, ANN}),
        (("user:cy",), {OPEN}),
    ):
        key = await new_key(settings, KeyReach(principals))
        headers = {"Authorization": f"Bearer {key}"}
        assert await _seen(http, headers) == expected
        for path, document_id in documents.items():
            url = f"/v1/documents/{document_id}?collection=handbook"
            async with http.get(url, headers=headers) as answer:
                assert answer.status == (200 if path in expected else 404)


async def test_a_key_that_delegates_sees_what_is_signed_with_it(
    http: aiohttp.ClientSession, settings: Settings, documents: dict[str, str]
) -> None:
    key = await new_key(settings, KeyReach(delegates=True))
    until = datetime.now(UTC) + timedelta(minutes=1)
    headers = {"Authorization": f"Bearer {key}"}
    assert await _seen(http, headers) == {OPEN}
    signed = {"X-Forebay-Principals": sign_principals(key, ("user:bob",), until)}
    assert await _seen(http, headers | signed) == {OPEN, ANN}
    for bad in (sign_principals("fb_other", ("user:bob",), until), "x", "9999999999.WyJhIl0.00"):
        url = "/v1/documents?collection=handbook"
        async with http.get(url, headers=headers | {"X-Forebay-Principals": bad}) as answer:
            assert answer.status == 403
    async with http.get("/v1/models", headers=signed) as answer:
        error = (await answer.json())["error"]
    assert (answer.status, "--delegates" in error["message"]) == (403, True)


async def test_a_key_with_principals_writes_nothing_and_reads_no_files(
    http: aiohttp.ClientSession, settings: Settings, documents: dict[str, str], upload: UploadFile
) -> None:
    file_id = await upload()
    headers = {"Authorization": f"Bearer {await new_key(settings, KeyReach(('user:ann',)))}"}
    (store,) = [each["id"] for each in (await (await http.get("/v1/vector_stores")).json())["data"]]
    one = f"/v1/vector_stores/{store}"
    document = f"{documents[OPEN]}?collection=handbook"
    for method, path, body in (
        ("POST", "/v1/vector_stores", {}),
        ("POST", one, {"name": "x"}),
        ("DELETE", one, None),
        ("POST", f"{one}/files", {"file_id": file_id}),
        ("POST", f"{one}/files/{documents[OPEN]}", {"attributes": {}}),
        ("DELETE", f"{one}/files/{documents[OPEN]}", None),
        ("POST", f"{one}/file_batches", {"file_ids": [file_id]}),
        ("POST", "/v1/collections", {"name": "x"}),
        ("PATCH", "/v1/collections/handbook", {"name": "x"}),
        ("DELETE", "/v1/collections/handbook", None),
        ("POST", "/v1/collections/handbook/swap", None),
        ("GET", "/v1/index/jobs", None),
        ("POST", "/v1/documents", {"collection": "handbook", "documents": []}),
        ("DELETE", f"/v1/documents/{document}", None),
        ("GET", "/v1/files", None),
        ("GET", f"/v1/files/{file_id}/content", None),
        ("DELETE", f"/v1/files/{file_id}", None),
    ):
        async with http.request(method, path, json=body, headers=headers) as answer:
            error = (await answer.json())["error"]
        assert (answer.status, error["code"]) == (403, "forbidden"), (method, path, error)
    assert await _seen(http, {}) == {OPEN, SALES, ANN}
