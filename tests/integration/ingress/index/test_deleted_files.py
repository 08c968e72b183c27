"""A file that is deleted is in no collection."""

from __future__ import annotations

import asyncio

import openai
import pytest

from tests.integration.ingress.index.conftest import UploadFile


async def test_a_deleted_file_leaves_every_store(
    client: openai.AsyncOpenAI, upload: UploadFile
) -> None:
    gone, kept = await upload("Gone."), await upload("Kept.")
    stores = [(await client.vector_stores.create(file_ids=[gone, kept])).id for _ in range(2)]
    await client.files.delete(gone)
    for store in stores:
        files = client.vector_stores.files.list(store)
        assert [each.id async for each in files] == [kept]
        with pytest.raises(openai.NotFoundError):
            await client.vector_stores.files.retrieve(gone, vector_store_id=store)


async def test_a_file_that_is_deleted_while_it_is_put_in_is_left_nowhere(
    client: openai.AsyncOpenAI, upload: UploadFile
) -> None:
    """Whichever of the two comes first, in as many orders as fit into twenty tries."""
    store = (await client.vector_stores.create()).id
    files = [await upload(f"Gone {number}.") for number in range(20)]

    async def put(nth: int) -> None:
        await asyncio.sleep(0.001 * (nth % 7))
        try:
            await client.vector_stores.files.create(store, file_id=files[nth])
        except openai.NotFoundError:
            return

    for nth, file in enumerate(files):
        await asyncio.gather(put(nth), client.files.delete(file))

    assert [each.id async for each in client.vector_stores.files.list(store)] == []
