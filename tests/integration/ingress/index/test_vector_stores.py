"""/v1/vector_stores as OpenAI's client uses it, before anybody indexes."""

from __future__ import annotations

import openai
import pytest

from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.index.conftest import UploadFile
from tests.integration.ingress.running_door import RunningDoor


async def test_a_store_is_made_read_changed_listed_and_deleted(client: openai.AsyncOpenAI) -> None:
    made = await client.vector_stores.create(
        name="Handbook",
        description="What everybody reads.",
        metadata={"team": "support"},
        expires_after={"anchor": "last_active_at", "days": 7},
    )
    assert (made.name, made.status, made.metadata) == ("Handbook", "completed", {"team": "support"})
    assert made.expires_at is not None
    assert made.last_active_at is not None
    assert made.expires_at - made.last_active_at == 7 * 86_400
    assert await client.vector_stores.retrieve(made.id) == made
    changed = await client.vector_stores.update(made.id, name="Book", expires_after=None)
    assert (changed.name, changed.expires_at, changed.metadata) == (
        "Book",
        None,
        {"team": "support"},
    )
    assert [each.id async for each in client.vector_stores.list()] == [made.id]
    gone = await client.vector_stores.delete(made.id)
    assert (gone.id, gone.deleted) == (made.id, True)
    for asking in (
        client.vector_stores.retrieve(made.id),
        client.vector_stores.delete(made.id),
        client.vector_stores.update(made.id, name="x"),
        client.vector_stores.files.list(made.id),
    ):
        with pytest.raises(openai.NotFoundError, match=made.id):
            await asking
    assert [each.id async for each in client.vector_stores.list()] == []


async def test_stores_come_in_pages_from_both_ends(client: openai.AsyncOpenAI) -> None:
    ids = [(await client.vector_stores.create()).id for _ in range(5)]
    newest = await client.vector_stores.list(limit=2)
    assert ([each.id for each in newest.data], newest.has_more) == (ids[:2:-1], True)
    assert [each.id async for each in client.vector_stores.list(limit=2)] == ids[::-1]
    assert [each.id async for each in client.vector_stores.list(limit=2, order="asc")] == ids
    before = await client.vector_stores.list(limit=2, before=ids[0])
    assert [each.id for each in before.data] == [ids[2], ids[1]]


async def test_pages_of_files_come_from_both_ends(
    client: openai.AsyncOpenAI, upload: UploadFile
) -> None:
    ids = [await upload(str(nth)) for nth in range(5)]
    store = await client.vector_stores.create(file_ids=ids)
    files = client.vector_stores.files
    for order, expected in (("desc", ids[::-1]), ("asc", ids)):
        page = await files.list(store.id, before=expected[3], limit=2, order=order)  # type: ignore[arg-type]
        assert ([each.id for each in page.data], page.has_more) == (expected[1:3], True)
        page = await files.list(store.id, before=expected[2], limit=5, order=order)  # type: ignore[arg-type]
        assert ([each.id for each in page.data], page.has_more) == (expected[:2], False)


async def test_files_wait_to_be_indexed_and_may_be_taken_out(
    client: openai.AsyncOpenAI, upload: UploadFile
) -> None:
    files = client.vector_stores.files
    first, second = await upload("One."), await upload("Two.", name="b.md", purpose="user_data")
    store = await client.vector_stores.create(file_ids=[first])
    assert (store.status, store.file_counts.in_progress) == ("in_progress", 1)
    put = await files.create(
        store.id, file_id=second, attributes={"year": 2024, "draft": True, "team": "x"}
    )
    assert (put.id, put.status, put.last_error) == (second, "in_progress", None)
    assert put.attributes == {"year": 2024, "draft": True, "team": "x"}
    assert await files.retrieve(second, vector_store_id=store.id) == put
    changed = await files.update(second, vector_store_id=store.id, attributes={"year": 2025})
    assert changed.attributes == {"year": 2025}
    assert [each.id async for each in files.list(store.id)] == [second, first]
    assert [each.id async for each in files.list(store.id, order="asc", limit=1)] == [first, second]
    assert [each.id async for each in files.list(store.id, filter="completed")] == []
    waiting = files.list(store.id, filter="in_progress")
    assert [each.id async for each in waiting] == [second, first]
    gone = await files.delete(second, vector_store_id=store.id)
    assert (gone.id, gone.deleted) == (second, True)
    with pytest.raises(openai.NotFoundError, match=second):
        await files.retrieve(second, vector_store_id=store.id)
    assert (await client.vector_stores.retrieve(store.id)).file_counts.total == 1
    assert (await client.files.retrieve(second)).id == second


async def test_a_batch_is_counted_listed_and_cancelled(
    client: openai.AsyncOpenAI, upload: UploadFile
) -> None:
    batches = client.vector_stores.file_batches
    store = await client.vector_stores.create(file_ids=[await upload("Zero.")])
    ids = [await upload(f"{nth}.") for nth in range(3)]
    made = await batches.create(
        store.id,
        files=[{"file_id": each, "attributes": {"nth": nth}} for nth, each in enumerate(ids)],
    )
    assert (made.status, made.file_counts.total, made.vector_store_id) == (
        "in_progress",
        3,
        store.id,
    )
    assert await batches.retrieve(made.id, vector_store_id=store.id) == made
    listed = batches.list_files(made.id, vector_store_id=store.id, order="asc", limit=2)
    assert [(each.id, each.attributes) async for each in listed] == [
        (each, {"nth": nth}) for nth, each in enumerate(ids)
    ]
    over = await batches.cancel(made.id, vector_store_id=store.id)
    assert (over.status, over.file_counts.cancelled) == ("cancelled", 3)
    counts = (await client.vector_stores.retrieve(store.id)).file_counts
    assert (counts.in_progress, counts.cancelled, counts.total) == (1, 3, 4)
    for unknown in ("vsfb_" + "0" * 32, "vsfb_1"):
        with pytest.raises(openai.NotFoundError, match=unknown):
            await batches.retrieve(unknown, vector_store_id=store.id)


async def test_the_same_file_in_another_batch_is_that_batchs(
    client: openai.AsyncOpenAI, upload: UploadFile
) -> None:
    batches, file_id = client.vector_stores.file_batches, await upload()
    store = await client.vector_stores.create(file_ids=[file_id])
    for _ in range(2):
        made = await batches.create(store.id, file_ids=[file_id])
        assert made.file_counts.total == 1
    assert (await client.vector_stores.retrieve(store.id)).file_counts.total == 1


async def test_another_tenants_stores_and_files_do_not_exist(
    client: openai.AsyncOpenAI, upload: UploadFile, make_key: MakeKey, door: RunningDoor
) -> None:
    file_id = await upload()
    store = await client.vector_stores.create(file_ids=[file_id])
    async with openai.AsyncOpenAI(
        api_key=await make_key("other"), base_url=f"{door.url}/v1", max_retries=0
    ) as other:
        own = await other.vector_stores.create()
        for asking in (
            other.vector_stores.retrieve(store.id),
            other.vector_stores.update(store.id, name="x"),
            other.vector_stores.delete(store.id),
            other.vector_stores.files.list(store.id),
            other.vector_stores.files.retrieve(file_id, vector_store_id=store.id),
            other.vector_stores.files.create(own.id, file_id=file_id),
            other.vector_stores.create(file_ids=[file_id]),
        ):
            with pytest.raises(openai.NotFoundError):
                await asking
        assert [each.id async for each in other.vector_stores.list()] == [own.id]
    assert (await client.vector_stores.retrieve(store.id)).name == ""
