"""OpenAI's own client sends, lists, reads and deletes files."""

from __future__ import annotations

import io
import time

import openai
import pytest


async def test_a_file_is_sent_found_read_and_deleted(client: openai.AsyncOpenAI) -> None:
    body = bytes(range(256)) * 5_000
    made = await client.files.create(
        file=('grüße "1".bin', body),
        purpose="user_data",
        expires_after={"anchor": "created_at", "seconds": 3_600},
    )
    assert (made.object, made.status, made.purpose) == ("file", "processed", "user_data")
    assert (made.bytes, made.id[:5]) == (len(body), "file-")
    assert made.filename == "grüße %221%22.bin"  # as its HTTP library writes it
    assert abs(made.created_at - time.time()) < 300
    assert made.expires_at == made.created_at + 3_600

    assert await client.files.retrieve(made.id) == made
    assert await client.files.wait_for_processing(made.id) == made
    assert (await client.files.content(made.id)).read() == body

    deleted = await client.files.delete(made.id)
    assert (deleted.id, deleted.deleted) == (made.id, True)
    for reading in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=made.id):
            await reading(made.id)


async def test_a_list_is_paged_to_its_end(client: openai.AsyncOpenAI) -> None:
    made = [
        await client.files.create(file=(f"{n}.jsonl", io.BytesIO(b"{}\n" * n)), purpose=purpose)
        for n, purpose in enumerate(["batch", "vision", "batch", "evals", "batch"], start=1)
    ]
    ids = [file.id for file in made]
    assert [file.id async for file in client.files.list(limit=2)] == ids[::-1]
    assert [file.id async for file in client.files.list(limit=2, order="asc")] == ids
    batches = client.files.list(purpose="batch", order="asc", limit=1)
    assert [file.id async for file in batches] == ids[::2]
    page = await client.files.list(after=ids[3], limit=3)
    assert [file.id for file in page.data] == ids[2::-1]
    assert page.has_more is False
    assert {file.expires_at is not None for file in made if file.purpose == "batch"} == {True}
    assert {file.expires_at for file in made if file.purpose != "batch"} == {None}
