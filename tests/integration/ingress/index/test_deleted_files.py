"""A file that is deleted is in no collection."""

from __future__ import annotations

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
