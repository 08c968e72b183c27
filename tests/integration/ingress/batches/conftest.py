"""Files of requests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import openai
import pytest

from shared.persistence.engine import Database, open_database
from shared.settings import Settings

Upload = Callable[..., Awaitable[str]]


def lines(endpoint: str = "/v1/responses", count: int = 3, **body: object) -> bytes:
    """A file of so many requests, each with its own words."""
    said = "input" if endpoint == "/v1/responses" else "messages"
    return b"".join(
        json.dumps(
            {
                "custom_id": f"line-{number}",
                "method": "POST",
                "url": endpoint,
                "body": {
                    "model": "auto",
                    said: [{"role": "user", "content": f"Hi {number}"}],
                    **body,
                },
            }
        ).encode()
        + b"\n"
        for number in range(count)
    )


@pytest.fixture
def upload(client: openai.AsyncOpenAI) -> Upload:
    """Upload a file of purpose batch; its id."""

    async def uploaded(content: bytes | None = None, purpose: str = "batch") -> str:
        file = ("requests.jsonl", lines() if content is None else content)
        made = await client.files.create(file=file, purpose=purpose)  # type: ignore[arg-type]
        return made.id

    return uploaded


@pytest.fixture
async def ledger(settings: Settings) -> AsyncIterator[Database]:
    """The ledger behind the door."""
    opened = open_database(settings.ledger)
    yield opened
    await opened.close()
