"""An item of an earlier message stands in a later one by its id alone."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import aiohttp
import openai
import pytest

from shared.messages.body import Body
from shared.messages.item import FunctionCall, ReasoningItem
from shared.messages.output import encode_items
from shared.messages.record import MessageRecord
from shared.messages.stored_body import decode_body
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker

FILE: dict[str, Any] = {"type": "input_file"}
CALL = FunctionCall("call_1", "weather", '{"city":"Ulm"}')
THOUGHT = ReasoningItem(encrypted_content="c2VjcmV0", id="rs_of_the_provider")


async def answered(
    client: openai.AsyncOpenAI, worker: StandInWorker, **ending: Any
) -> openai.types.responses.Response:
    """A response to a question, with its thoughts, its text and its call."""
    queued = await client.responses.create(input="Weather?", background=True)
    await worker.settle(await worker.claim(queued.id), **ending)
    return await client.responses.retrieve(queued.id)


async def a_call(client: openai.AsyncOpenAI, worker: StandInWorker) -> list[str]:
    """The ids of what a response consists of: a thought, a sentence and a call."""
    items = encode_items([THOUGHT, CALL])
    response = await answered(client, worker, output_text="I look.", output_items=items)
    return [item.id or "" for item in response.output]


def reference(item_id: str) -> dict[str, str]:
    return {"type": "item_reference", "id": item_id}


OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}


def body_of(record: MessageRecord) -> Body:
    return decode_body(record.body.encode())


async def send(client: openai.AsyncOpenAI, items: Any, **more: Any) -> str:
    return (await client.responses.create(input=items, background=True, **more)).id


@pytest.mark.parametrize("kind", ["input_file", "input_image"])
@pytest.mark.parametrize("file_id", ["file_unknown", "file_\0"])
async def test_a_file_that_is_not_there_is_refused_by_its_place(
    client: openai.AsyncOpenAI, kind: str, file_id: str
) -> None:
    text = {"type": "input_text", "text": "Look:"}
    named = {"type": kind, "file_id": file_id}
    output = {"type": "function_call_output", "call_id": "call_1", "output": [text, named]}
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    said: Any = [{"role": "user", "content": "Hi"}, {"role": "user", "content": [text, named]}]
    for items, place in ((said, "input[1].content[1]"), ([call, output], "input[1].output[1]")):
        with pytest.raises(openai.NotFoundError, match="names the file 'file_") as refused:
            await send(client, items)
        assert refused.value.param == f"{place}.file_id"
    with pytest.raises(openai.NotFoundError) as refused:
        await client.conversations.create(items=said)
    assert refused.value.param == "items[1].content[1].file_id"
    asked: Any = [{"role": "user", "content": [{"type": "file", "file": {"file_id": file_id}}]}]
    with pytest.raises(openai.NotFoundError) as refused:
        await client.chat.completions.create(model="auto", messages=asked)
    assert refused.value.param == "messages[0].content[0].file.file_id"


async def test_a_file_in_anthropics_words_is_refused_by_its_place(
    http: aiohttp.ClientSession,
) -> None:
    blocks = [
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
        {"type": "document", "title": "t", "source": {"type": "file", "file_id": "file_gone"}},
    ]
    asked = {
        "model": "auto",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}, *blocks]}],
    }
    async with http.post("/v1/messages", json=asked) as answer:
        assert answer.status == 404
        assert "'messages[0].content[2].source.file_id'" in await answer.text()


async def test_a_file_that_is_named_is_estimated_as_one_that_is_brought(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    content = b"Many roads. " * 5_000
    uploaded = await client.files.create(file=("a.txt", content), purpose="user_data")
    brought = f"data:text/plain;base64,{b64encode(content).decode()}"
    records = [
        await worker.claim(await send(client, [{"role": "user", "content": [{**FILE, **part}]}]))
        for part in ({"file_id": uploaded.id}, {"file_data": brought, "filename": "a.txt"})
    ]
    named, inline = [record.estimated_tokens for record in records]
    assert named > 20_000
    assert abs(named - inline) < 10
    said: Any = [{"role": "user", "content": [{**FILE, "file_id": uploaded.id}]}]
    counted = await client.responses.input_tokens.count(model="auto", input=said)
    assert 20_000 <= counted.input_tokens < named


async def test_items_of_a_conversation_have_the_limits_of_a_message(
    client: openai.AsyncOpenAI,
) -> None:
    long: Any = [{"role": "user", "content": "Hi"}, {"role": "user", "content": "x" * 1_048_576}]
    made = await client.conversations.create()
    with pytest.raises(openai.APIStatusError, match="limit for text") as refused:
        await client.conversations.items.create(made.id, items=long)
    assert (refused.value.status_code, refused.value.param) == (413, "items[1]")  # type: ignore


async def test_what_is_referred_to_is_in_the_message_as_it_was_answered(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    thought, said, call = await a_call(client, worker)
    question = f"item_{said.removeprefix('msg_')}_0"
    items = [*map(reference, (question, thought, said, call)), OUTPUT]
    record = await worker.claim(await send(client, items))
    resolved = body_of(record).input
    assert [item.text() for item in resolved[:2]] == ["Weather?", ""]
    assert [item.text() for item in resolved[2:]] == ["I look.", CALL.text(), "sunny"]
    assert [item.digest() for item in resolved[1:4:2]] == [THOUGHT.digest(), CALL.digest()]
    assert [item.id for item in resolved[:4]] == [question, thought, said, call]


async def test_the_message_stands_when_what_it_refers_to_is_deleted(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    _, said, _ = await a_call(client, worker)
    message_id = await send(client, [reference(said), {"role": "user", "content": "And?"}])
    await client.responses.delete(f"resp_{said.removeprefix('msg_')}")
    record = await worker.claim(message_id)
    assert body_of(record).input[0].text() == "I look."


async def test_a_reference_and_its_item_are_one_message_under_one_key(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    _, said, _ = await a_call(client, worker)
    spoken = {"type": "message", "id": said, "role": "assistant", "content": "I look."}
    then = {"role": "user", "content": "And?"}
    key = {"Idempotency-Key": "once"}
    by_id = await send(client, [reference(said), then], extra_headers=key)
    again = await send(client, [reference(said), then], extra_headers=key)
    in_full = await send(client, [spoken, then], extra_headers=key)
    assert by_id == again == in_full


@pytest.mark.parametrize(
    "item_id", ["msg_" + "0" * 32, "msg_theirs", "fc_" + "0" * 32 + "_7", "", "x" * 300, "msg_\0"]
)
async def test_what_is_not_here_is_refused_by_its_place(
    client: openai.AsyncOpenAI, item_id: str
) -> None:
    with pytest.raises(openai.NotFoundError, match=r"'input\[1\]' refers to '.*', which") as error:
        await send(client, [{"role": "user", "content": "Hi"}, reference(item_id)])
    assert (error.value.param, error.value.code) == ("input[1].id", "item_not_found")


async def test_another_tenants_items_are_not_here(
    client: openai.AsyncOpenAI, worker: StandInWorker, make_key: MakeKey, door: RunningDoor
) -> None:
    items = [*map(reference, await a_call(client, worker)), OUTPUT]
    async with openai.AsyncOpenAI(
        api_key=await make_key("other"), base_url=f"{door.url}/v1", max_retries=0
    ) as other:
        with pytest.raises(openai.NotFoundError, match=r"input\[0\]"):
            await send(other, items)


async def test_calls_and_outputs_are_paired_after_the_references_are_in(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    *_, call = await a_call(client, worker)
    with pytest.raises(openai.BadRequestError, match="no output of it follows"):
        await send(client, [reference(call), {"role": "user", "content": "Well?"}])
    with pytest.raises(openai.BadRequestError, match=r"as 'input\[0\]' does"):
        await send(client, [reference(call), reference(call), OUTPUT])


async def test_more_than_a_body_may_be_is_not_read(
    client: openai.AsyncOpenAI, worker: StandInWorker, http: aiohttp.ClientSession
) -> None:
    long = [await answered(client, worker, output_text="word " * 120_000) for _ in range(2)]
    ids = [response.output[0].id or "" for response in long]
    assert await send(client, [reference(ids[0])])
    asked = {"input": [reference(item_id) for item_id in ids]}
    async with http.post("/v1/responses", json=asked) as answer:
        assert answer.status == 413
        assert (await answer.json())["error"]["param"] == "input[0]"
