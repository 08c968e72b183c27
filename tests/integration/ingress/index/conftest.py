"""A door to the index, without anybody who indexes: documents stay as they were put."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import openai
import pytest

UploadFile = Callable[..., Awaitable[str]]


@pytest.fixture
def upload(client: openai.AsyncOpenAI) -> UploadFile:
    """Upload a text; gives the id of the file."""

    async def send(
        text: str = "Hello.", *, name: str = "a.txt", purpose: str = "assistants"
    ) -> str:
        made = await client.files.create(
            file=(name, text.encode()),
            purpose=purpose,  # type: ignore[arg-type]
        )
        return made.id

    return send
