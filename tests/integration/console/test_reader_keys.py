"""Keys of the console open nothing else."""

from __future__ import annotations

import aiohttp
import pytest

from shared.messages.tenant import KeyScope
from tests.integration.console.conftest import MakeKey


@pytest.mark.parametrize("scope", [KeyScope.READER, KeyScope.OPERATOR])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/responses"),
        ("POST", "/v1/responses/resp_0/feedback"),
        ("GET", "/v1/responses/resp_0/feedback"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/messages"),
        ("GET", "/v1/models"),
        ("GET", "/v1/files"),
        ("POST", "/v1/documents"),
    ],
)
async def test_no_message_is_posted_with_one_and_nothing_read(
    stranger: aiohttp.ClientSession, make_key: MakeKey, scope: KeyScope, method: str, path: str
) -> None:
    headers = {"Authorization": f"Bearer {await make_key(scope)}"}
    body = {"model": "any", "input": "hello"}
    for _ in range(2):  # as the door reads it, and as it remembers it
        async with stranger.request(method, path, json=body, headers=headers) as answer:
            assert answer.status == 403
            assert scope in await answer.text()
