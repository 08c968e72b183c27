"""Lines and batches as the official clients send them."""

from __future__ import annotations

import json
from typing import Any

import openai


def line(custom_id: str, text: str = "Ulm?", **changed: Any) -> dict[str, Any]:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    request = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions"}
    return {**request, "body": body} | changed


async def batch_of(client: openai.AsyncOpenAI, *lines: object, **asked: Any) -> Any:
    content = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    file = await client.files.create(
        file=("lines.jsonl", content.encode()),
        purpose="batch",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert (file.bytes, file.purpose) == (len(content.encode()), "batch")
    assert file.expires_at == file.created_at + 3600
    endpoint = asked.pop("endpoint", "/v1/chat/completions")
    return await client.batches.create(
        input_file_id=file.id, endpoint=endpoint, completion_window="24h", **asked
    )


async def told(client: openai.AsyncOpenAI, file_id: str | None) -> list[Any]:
    assert file_id is not None
    content = await client.files.content(file_id)
    return [json.loads(each) for each in content.text.splitlines()]
