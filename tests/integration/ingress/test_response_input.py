"""What a response was made from is listed, and what one would be made from is counted."""

from __future__ import annotations

from typing import Any

import aiohttp
import openai
import pytest

from shared.messages.item import FunctionCall
from shared.messages.output import encode_items
from tests.integration.ingress.contract import Contract
from tests.integration.ingress.stand_in_worker import StandInWorker

CALL = FunctionCall("call_1", "weather", "{}")
EVERY_KIND: list[Any] = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": "Look.", "id": "msg_of_mine"},
    {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "This:"},
            {"type": "input_image", "image_url": "https://example.com/a.png"},
            {"type": "input_file", "file_data": "data:text/plain;base64,SGk=", "filename": "a"},
        ],
    },
    {"type": "reasoning", "summary": [], "encrypted_content": "c2VjcmV0"},
    {"type": "message", "role": "assistant", "content": "I see.", "status": "nonsense"},
    {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
]


async def send(client: openai.AsyncOpenAI, items: Any, **more: Any) -> str:
    return (await client.responses.create(input=items, background=True, **more)).id


async def listed(http: aiohttp.ClientSession, message_id: str, query: str = "") -> Any:
    async with http.get(f"/v1/responses/{message_id}/input_items{query}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_every_kind_of_item_is_told_in_openais_shape(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, contract: Contract
) -> None:
    page = await listed(http, await send(client, EVERY_KIND), "?order=asc")
    contract.check("ResponseItemList", page)
    kinds = ["message"] * 3 + ["reasoning", "message", "function_call", "function_call_output"]
    assert [item["type"] for item in page["data"]] == kinds
    assert page["data"][2]["content"][1]["image_url"] == EVERY_KIND[2]["content"][1]["image_url"]
    assert page["data"][4]["content"][0]["annotations"] == []
    assert page["data"][6]["output"] == "sunny"
    empty = await listed(http, await send(client, "Hi"), "?limit=1&order=asc")
    assert empty["data"][0]["content"] == [{"type": "input_text", "text": "Hi"}]


async def test_the_ids_of_items_are_their_callers_or_never_change(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession
) -> None:
    message_id = await send(client, EVERY_KIND[:3])
    ids = [item["id"] for item in (await listed(http, message_id, "?order=asc"))["data"]]
    own = f"item_{message_id.removeprefix('resp_')}"
    assert ids == [f"{own}_0", "msg_of_mine", f"{own}_2"]
    assert await listed(http, message_id) == await listed(http, message_id)


async def test_openais_client_goes_through_the_pages(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    items: list[Any] = [{"role": "user", "content": f"{number}"} for number in range(7)]
    message_id = await send(client, items)
    for order, expected in (("asc", "0123456"), ("desc", "6543210")):
        pages = client.responses.input_items.list(
            message_id,
            order=order,  # type: ignore[arg-type]
            limit=3,
            include=["message.input_image.image_url"],
        )
        texts = [item.content[0].text async for item in pages]  # type: ignore[union-attr]
        assert "".join(texts) == expected


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "order=up", "after=item_0", "include=all", "b=1"]
)
async def test_a_page_that_cannot_be_is_refused_by_name(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, query: str
) -> None:
    message_id = await send(client, "Hi")
    async with http.get(f"/v1/responses/{message_id}/input_items?{query}") as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["param"] == query.partition("=")[0]


async def test_an_unknown_response_has_no_items(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await client.responses.input_items.list("resp_none")


async def test_what_is_counted_grows_with_all_that_a_model_would_read(
    client: openai.AsyncOpenAI, worker: StandInWorker, contract: Contract
) -> None:
    count = client.responses.input_tokens.count
    told = await count(input="word " * 100)
    contract.check("TokenCountsResource", told.model_dump())
    assert 90 <= told.input_tokens <= 200
    assert (await count()).input_tokens == 0
    tools: Any = [{"type": "function", "name": "weather", "parameters": {}, "strict": False}]
    more = await count(input="word " * 100, instructions="Be brief.", tools=tools)
    assert more.input_tokens > told.input_tokens


async def test_what_was_said_before_is_counted_once(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    count = client.responses.input_tokens.count
    first = await worker.claim(await send(client, "word " * 50, conversation="conv_mine"))
    items = encode_items([CALL])
    ended = await worker.settle(first, output_text="word " * 50, output_items=items)
    output: Any = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
    whole = (await count(input=[output], previous_response_id=ended.id)).input_tokens
    assert whole > 100
    in_it = await count(input=[output], conversation="conv_mine")
    hexadecimal = ended.id.removeprefix("resp_")
    reference: Any = {"type": "item_reference", "id": f"fc_{hexadecimal}_0"}
    by_id = await count(input=[reference, output], previous_response_id=ended.id)
    assert in_it.input_tokens == by_id.input_tokens == whole
    alone = await count(input=[reference, output])
    assert alone.input_tokens < whole


async def test_what_cannot_be_counted_is_refused_as_a_message_would_be(
    client: openai.AsyncOpenAI,
) -> None:
    count = client.responses.input_tokens.count
    with pytest.raises(openai.NotFoundError) as unknown:
        await count(input="Hi", previous_response_id="resp_none")
    assert unknown.value.param == "previous_response_id"
    with pytest.raises(openai.BadRequestError, match="NUL"):
        await count(input="Hi", previous_response_id="resp_\0")
    with pytest.raises(openai.BadRequestError, match="not both"):
        await count(input="Hi", previous_response_id="resp_1", conversation="conv_1")
