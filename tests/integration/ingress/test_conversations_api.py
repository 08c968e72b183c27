"""/v1/conversations as OpenAI's client uses it: what is put in, said, taken out and deleted."""

from __future__ import annotations

from typing import Any

import aiohttp
import openai
import pytest

from shared.conversations.history import ConversationRepository
from shared.messages.record import MessageRecord
from shared.messages.stored_body import decode_body
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.contract import Contract
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker

HI: Any = {"type": "message", "role": "user", "content": "Hi"}
HELLO: Any = {"type": "message", "role": "assistant", "content": "Hello"}


async def send(client: openai.AsyncOpenAI, items: Any, **more: Any) -> str:
    return (await client.responses.create(input=items, background=True, **more)).id


async def said(
    client: openai.AsyncOpenAI, worker: StandInWorker, text: str, answer: str, **more: Any
) -> MessageRecord:
    record = await worker.claim(await send(client, text, **more))
    return await worker.answer(record, answer)


async def told(worker: StandInWorker, record: MessageRecord) -> list[str]:
    """What the model of this message is told, as a worker reads it."""
    asked = decode_body(record.body.encode()).input
    history = ConversationRepository(worker.database)
    earlier, added = await history.before(record, asked, limit=100, limit_bytes=1_000_000)
    return [item.text() for item in (*earlier, *added)]


async def texts(client: openai.AsyncOpenAI, conversation_id: str, **more: Any) -> list[str]:
    pages = client.conversations.items.list(conversation_id, **more)
    return [item.content[0].text async for item in pages]  # type: ignore[union-attr]


async def test_what_is_put_in_and_what_is_answered_stand_in_one_order(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    made = await client.conversations.create(items=[HI, HELLO], metadata={"about": "weather"})
    assert made.metadata == {"about": "weather"}
    await said(client, worker, "Rain?", "No.", conversation=made.id)
    await client.conversations.items.create(made.id, items=[{**HI, "content": "Thanks"}])
    last = await worker.claim(await send(client, "Bye", conversation={"id": made.id}))
    everything = ["Hi", "Hello", "Rain?", "No.", "Thanks"]
    assert await told(worker, last) == [*everything, "Bye"]
    assert await texts(client, made.id, order="asc") == everything
    assert await texts(client, made.id, limit=2) == everything[::-1]


async def test_a_message_that_sends_again_what_was_put_in_does_not_double_it(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    made = await client.conversations.create(items=[HI, HELLO])
    again = [HI, HELLO, {**HI, "content": "Rain?"}]
    record = await worker.claim(await send(client, again, conversation=made.id))
    assert await told(worker, record) == ["Hi", "Hello", "Rain?"]
    await worker.answer(record, "No.")
    assert await texts(client, made.id, order="asc") == ["Hi", "Hello", "Rain?", "No."]


async def test_what_is_taken_out_is_told_to_nobody_even_when_it_is_sent_again(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    made = await client.conversations.create(items=[{**HI, "id": "msg_of_mine"}])
    record = await said(client, worker, "Rain?", "No.", conversation=made.id)
    answer = f"msg_{record.id.removeprefix('resp_')}"
    await client.conversations.items.delete(answer, conversation_id=made.id)
    await client.conversations.items.delete("msg_of_mine", conversation_id=made.id)
    assert await texts(client, made.id) == ["Rain?"]
    again = [*({**HI, "content": text} for text in ("Rain?",)), {**HELLO, "content": "No."}]
    last = await worker.claim(
        await send(client, [*again, {**HI, "content": "Bye"}], conversation=made.id)
    )
    assert await told(worker, last) == ["Rain?", "Bye"]
    for item_id in (answer, "msg_of_mine"):
        with pytest.raises(openai.NotFoundError, match=item_id):
            await client.conversations.items.delete(item_id, conversation_id=made.id)
    response = await client.responses.retrieve(record.id)
    assert response.output_text == "No."


async def test_a_deleted_response_is_gone_from_its_conversation(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    made = await client.conversations.create(items=[HI])
    record = await said(client, worker, "Rain?", "No.", conversation=made.id)
    await client.responses.delete(record.id)
    assert await texts(client, made.id) == ["Hi"]


async def test_no_message_goes_on_with_a_deleted_conversation(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    made = await client.conversations.create(items=[HI])
    own = await said(client, worker, "Rain?", "No.", conversation="of-my-own")
    for conversation_id in (made.id, "of-my-own"):
        waiting = await send(client, "And?", conversation=conversation_id)
        gone = await client.conversations.delete(conversation_id)
        assert (gone.deleted, gone.object) == (True, "conversation.deleted")
        with pytest.raises(openai.NotFoundError, match="was deleted") as refused:
            await send(client, "Bye", conversation=conversation_id)
        assert (refused.value.param, refused.value.code) == (
            "conversation",
            "conversation_not_found",
        )
        for asking in (
            client.conversations.retrieve(conversation_id),
            client.conversations.items.create(conversation_id, items=[HI]),
            client.conversations.update(conversation_id, metadata={}),
            client.conversations.delete(conversation_id),
            client.responses.input_tokens.count(input="Hi", conversation=conversation_id),
        ):
            with pytest.raises(openai.NotFoundError):
                await asking
        await worker.claim(waiting)
    assert (await client.responses.retrieve(own.id)).output_text == "No."


async def test_a_conversation_by_a_callers_own_id_begins_with_its_first_message(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    with pytest.raises(openai.NotFoundError):
        await client.conversations.retrieve("of-my-own")
    await said(client, worker, "Rain?", "No.", conversation="of-my-own")
    found = await client.conversations.retrieve("of-my-own")
    assert (found.id, found.metadata) == ("of-my-own", {})
    changed = await client.conversations.update("of-my-own", metadata={"a": "b"})
    assert changed == await client.conversations.retrieve("of-my-own")
    assert (changed.metadata, changed.created_at) == ({"a": "b"}, found.created_at)
    await client.conversations.items.create("of-my-own", items=[HI])
    assert await texts(client, "of-my-own", order="asc") == ["Rain?", "No.", "Hi"]


async def test_another_tenants_conversations_do_not_exist(
    client: openai.AsyncOpenAI, worker: StandInWorker, make_key: MakeKey, door: RunningDoor
) -> None:
    made = await client.conversations.create(items=[{**HI, "id": "msg_of_mine"}])
    async with openai.AsyncOpenAI(
        api_key=await make_key("other"), base_url=f"{door.url}/v1", max_retries=0
    ) as other:
        for asking in (
            other.conversations.retrieve(made.id),
            other.conversations.items.list(made.id),
            other.conversations.items.create(made.id, items=[HI]),
            other.conversations.items.retrieve("msg_of_mine", conversation_id=made.id),
            other.conversations.items.delete("msg_of_mine", conversation_id=made.id),
            other.conversations.delete(made.id),
        ):
            with pytest.raises(openai.NotFoundError):
                await asking
        record = await worker.claim(await send(other, "Rain?", conversation=made.id))
        assert await told(worker, record) == ["Rain?"]
    assert await texts(client, made.id) == ["Hi"]


async def test_every_answer_is_in_openais_shape(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, contract: Contract
) -> None:
    call = {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "sunny"}
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    image = {"type": "input_image", "image_url": "https://example.com/a.png"}
    seen = {**HI, "content": [{"type": "input_text", "text": "This:"}, image]}

    async def checked(name: str, method: str, path: str, body: object = None) -> Any:
        async with http.request(method, f"/v1/conversations{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            contract.check(name, told := await answer.json())
            return told

    made = await checked("ConversationResource", "POST", "", {"metadata": {"a": "b"}})
    one = f"/{made['id']}"
    empty = await checked("ConversationItemList", "GET", f"{one}/items")
    assert (empty["data"], empty["first_id"]) == ([], "")
    added = {"items": [HI, thought, call, output, seen]}
    page = await checked("ConversationItemList", "POST", f"{one}/items", added)
    assert [item["type"] for item in page["data"]] == [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "message",
    ]
    listed = await checked("ConversationItemList", "GET", f"{one}/items?order=asc")
    assert listed == page
    await checked("ConversationItem", "GET", f"{one}/items/{page['first_id']}")
    await checked("ConversationResource", "POST", one, {"metadata": None})
    await checked("ConversationResource", "DELETE", f"{one}/items/{page['first_id']}")
    await checked("ConversationResource", "GET", one)
    await checked("DeletedConversation", "DELETE", one)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"items": [HI] * 21}, "items"),
        ({"items": []}, "items"),
        ({"items": [{"type": "item_reference", "id": "msg_1"}]}, "items[0]"),
        ({"items": [{**HI, "id": "x" * 129}]}, "items[0].id"),
        ({"items": [{**HI, "id": "\0"}]}, "items[0].id"),
        ({"items": [{**HI, "id": "a"}, {**HI, "id": "a"}]}, "items"),
        ({"items": [{"type": "web_search_call"}]}, "items[0]"),
        (
            {"items": [{"type": "function_call", "call_id": "c", "name": "n", "arguments": "{"}]},
            "items[0]",
        ),
        ({"items": [HI], "conversation": "conv_1"}, "conversation"),
    ],
)
async def test_what_cannot_be_put_in_is_refused_by_name(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, body: object, param: str
) -> None:
    made = await client.conversations.create()
    async with http.post(f"/v1/conversations/{made.id}/items", json=body) as answer:
        refused = (await answer.json())["error"]
        assert (answer.status, refused["param"]) == (400, param), refused
    assert await texts(client, made.id) == []


async def test_ids_that_no_database_takes_name_nothing(http: aiohttp.ClientSession) -> None:
    for conversation_id in ("conv_%00", "x" * 200):
        async with http.get(f"/v1/conversations/{conversation_id}/items") as answer:
            assert answer.status == 404
