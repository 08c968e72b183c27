"""/v1/collections and /v1/documents: our own words for what is indexed."""

from __future__ import annotations

import base64
from typing import Any

import aiohttp
import msgspec
import pytest

from shared.settings import Settings
from tests.integration.ingress.conftest import MakeKey

BAD_DOCUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"text": "x"}, "documents[0].path"),
    "two names": ({"path": "a", "id": "b", "text": "x"}, "documents[0].path"),
    "no content": ({"path": "a"}, "documents[0].text"),
    "two contents": ({"path": "a", "text": "x", "base64": "eA=="}, "documents[0].text"),
    "no base64": ({"path": "a", "base64": "x?"}, "documents[0].base64"),
    "path with a line feed": ({"path": "a\nb", "text": "x"}, "documents[0].path"),
    "NUL": ({"path": "a", "text": "x\0"}, "documents[0].text"),
    "unknown type": (
        {"path": "a", "text": "x", "content_type": "x/y"},
        "documents[0].content_type",
    ),
    "empty principal": (
        {"path": "a", "text": "x", "principals": [""]},
        "documents[0].principals[0]",
    ),
    "attribute of a list": (
        {"path": "a", "text": "x", "attributes": {"a": []}},
        "documents[0].attributes",
    ),
    "unknown field": ({"path": "a", "text": "x", "body": "x"}, "documents[0].body"),
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    index = msgspec.structs.replace(settings.index, document_limit_bytes=1_000)
    return msgspec.structs.replace(settings, index=index)


async def call(
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    body: Any = None,
    *,
    status: int = 200,
    key: str | None = None,
) -> Any:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with http.request(method, path, json=body, headers=headers) as answer:
        told = await answer.json()
        assert answer.status == status, told
        return told


async def put(http: aiohttp.ClientSession, *documents: dict[str, Any]) -> list[Any]:
    body = {"collection": "handbook", "documents": [*documents]}
    data: list[Any] = (await call(http, "POST", "/v1/documents", body))["data"]
    return data


@pytest.fixture
async def handbook(http: aiohttp.ClientSession) -> str:
    made = await call(http, "POST", "/v1/collections", {"name": "handbook"})
    return str(made["id"])


async def test_a_collection_and_a_vector_store_are_one_thing(
    http: aiohttp.ClientSession, handbook: str
) -> None:
    store = await call(http, "GET", f"/v1/vector_stores/{handbook}")
    assert store["name"] == "handbook"
    made = await call(http, "POST", "/v1/vector_stores", {"name": "other", "description": "Why"})
    found = await call(http, "GET", "/v1/collections/other")
    assert (found["id"], found["description"]) == (made["id"], "Why")
    listed = await call(http, "GET", "/v1/collections?order=asc")
    assert [each["name"] for each in listed["data"]] == ["handbook", "other"]


async def test_a_collection_is_changed_and_deleted_by_its_name(
    http: aiohttp.ClientSession, handbook: str
) -> None:
    change = {"description": "All.", "life_days": 3, "metadata": {"a": "b"}}
    changed = await call(http, "PATCH", "/v1/collections/handbook", change)
    assert (changed["description"], changed["life_days"], changed["metadata"]) == (
        "All.",
        3,
        {"a": "b"},
    )
    changed = await call(http, "PATCH", "/v1/collections/handbook", {"life_days": None})
    assert (changed["expires_at"], changed["description"]) == (None, "All.")
    await call(http, "POST", "/v1/collections", {"name": "handbook"})
    told = await call(http, "GET", "/v1/collections/handbook", status=409)
    assert handbook in told["error"]["message"]
    gone = await call(http, "DELETE", f"/v1/collections/{handbook}")
    assert gone == {"id": handbook, "object": "collection.deleted", "deleted": True}
    assert (await call(http, "GET", "/v1/collections/handbook"))["id"] != handbook


async def test_the_same_document_again_is_the_same_document(
    http: aiohttp.ClientSession, handbook: str
) -> None:
    document = {"path": "travel.md", "text": "# Trains", "attributes": {"year": 2026}}
    (first,) = await put(http, document)
    assert (first["state"], first["collection_id"], first["size_bytes"]) == ("pending", handbook, 8)
    (again,) = await put(http, document)
    assert again == first
    (other,) = await put(http, {**document, "text": "# Buses", "title": "Buses"})
    assert (other["id"], other["title"]) == (first["id"], "Buses")
    one = f"/v1/documents/{first['id']}?collection=handbook"
    assert await call(http, "GET", one) == other
    stats = await call(http, "GET", "/v1/collections/handbook/stats")
    assert (stats["documents"], stats["in_progress"], stats["completed"]) == (1, 1, 0)
    await call(http, "DELETE", one)
    told = await call(http, "GET", one, status=404)
    assert first["id"] in told["error"]["message"]
    (back,) = await put(http, document)
    assert back["id"] == first["id"]


async def test_documents_come_in_pages_and_by_their_state(
    http: aiohttp.ClientSession, handbook: str
) -> None:
    pdf = base64.b64encode(b"%PDF-1.7").decode()
    made = await put(
        http,
        *({"id": f"note {nth}", "text": "x", "content_type": "text/markdown"} for nth in range(4)),
        {"path": "a", "base64": pdf, "content_type": "application/pdf"},
    )
    assert {each["path"] for each in made} == {*(f"note {nth}.md" for nth in range(4)), "a.pdf"}
    ids = sorted(each["id"] for each in made)
    listing = f"/v1/documents?collection={handbook}&limit=3"
    page = await call(http, "GET", listing)
    rest = await call(http, "GET", f"{listing}&after={page['data'][-1]['id']}")
    assert [each["id"] for each in (*page["data"], *rest["data"])] == ids
    assert (page["has_more"], rest["has_more"]) == (True, False)
    none = await call(http, "GET", f"{listing}&state=completed")
    assert none["data"] == []


async def test_a_bad_document_is_refused_by_its_place_and_none_is_put(
    http: aiohttp.ClientSession, handbook: str
) -> None:
    for what, (document, param) in BAD_DOCUMENTS.items():
        body = {"collection": handbook, "documents": [document]}
        error = (await call(http, "POST", "/v1/documents", body, status=400))["error"]
        assert error["param"] == param, (what, error)
    good = {"path": "a", "text": "x"}
    for documents, status, param in (
        ([good, good], 400, "documents[1].path"),
        ([good, {"path": "b", "text": "x" * 1_001}], 413, "documents[1]"),
        ([], 400, "documents"),
    ):
        body = {"collection": handbook, "documents": documents}
        error = (await call(http, "POST", "/v1/documents", body, status=status))["error"]
        assert error["param"] == param
    body = {"collection": "nowhere", "documents": [good]}
    error = (await call(http, "POST", "/v1/documents", body, status=404))["error"]
    assert (error["param"], "POST /v1/collections" in error["message"]) == ("collection", True)
    stats = await call(http, "GET", "/v1/collections/handbook/stats")
    assert stats["documents"] == 0
    for query, param in (
        ("", "collection"),
        ("?collection=handbook&state=x", "state"),
        ("?collection=handbook&limit=1001", "limit"),
        ("?collection=handbook&page=1", "page"),
    ):
        error = (await call(http, "GET", f"/v1/documents{query}", status=400))["error"]
        assert error["param"] == param


async def test_another_tenants_collections_do_not_exist(
    http: aiohttp.ClientSession, handbook: str, make_key: MakeKey
) -> None:
    (made,) = await put(http, {"path": "a", "text": "x"})
    other = await make_key("other")
    for method, path in (
        ("GET", f"/v1/collections/{handbook}"),
        ("GET", "/v1/collections/handbook/stats"),
        ("DELETE", "/v1/collections/handbook"),
        ("POST", "/v1/collections/handbook/swap"),
        ("GET", "/v1/collections/handbook/freshness"),
        ("GET", f"/v1/documents?collection={handbook}"),
        ("DELETE", f"/v1/documents/{made['id']}?collection={handbook}"),
    ):
        await call(http, method, path, status=404, key=other)
