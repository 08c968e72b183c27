"""Facts that cannot be used are refused at the door, by the name of their key."""

from __future__ import annotations

import aiohttp
import pytest

WRONG = '{"balance": {"type": "money", "value": "a lot"}}'
BODIES = {
    "/v1/responses": {"input": "Hello"},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hello"}], "model": "auto"},
}


@pytest.mark.parametrize("path", BODIES)
async def test_facts_of_the_wrong_type_are_refused_by_name(
    http: aiohttp.ClientSession, path: str
) -> None:
    body = {**BODIES[path], "metadata": {"forebay.facts": WRONG}}
    async with http.post(path, json=body) as refused:
        assert refused.status == 400
        error = (await refused.json())["error"]
    assert error["param"] == "metadata.forebay.facts"
    assert "decimal" in error["message"]
