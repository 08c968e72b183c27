"""POST /v1/chat/completions with OpenAI's client."""

from __future__ import annotations

import asyncio

import openai
import pytest

from shared.messages.body import TextFormat, TextOptions
from shared.messages.record import MessageRecord
from shared.messages.stored_body import decode_body
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker

ASKED = [{"role": "user", "content": "Hello"}]


async def test_a_completion_is_answered(client: openai.AsyncOpenAI, worker: StandInWorker) -> None:
    worker.serve()
    raw = await client.chat.completions.with_raw_response.create(model="auto", messages=ASKED)
    completion = raw.parse()
    assert completion.choices[0].message.content == "You said: Hello"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.prompt_tokens == 7
    response_id = raw.headers["x-forebay-response-id"]
    assert completion.id == response_id.replace("resp_", "chatcmpl-")
    assert (await client.responses.retrieve(response_id)).output_text == "You said: Hello"


async def test_a_stream_of_chunks_spells_the_answer_and_ends_with_usage(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    worker.serve(lambda _: "one two three")
    stream = await client.chat.completions.create(
        model="auto", messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    spoken = [one.choices[0] for one in chunks if one.choices]
    assert spoken[0].delta.role == "assistant"
    assert "".join(choice.delta.content or "" for choice in spoken) == "one two three "
    assert [choice.finish_reason for choice in spoken][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 12


async def test_all_of_a_chat_request_reaches_the_worker(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    seen: list[MessageRecord] = []

    def listen(record: MessageRecord) -> str:
        seen.append(record)
        return "ok"

    worker.serve(listen)
    await client.chat.completions.create(
        model="small",
        messages=[
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}],
            },
        ],
        max_completion_tokens=9,
        temperature=0.5,
        stop=["END"],
        seed=4,
        user="u-1",
        metadata={"a": "b"},
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
    )
    body = decode_body(seen[0].body.encode())
    assert [(item.role.value, item.text()) for item in body.input] == [
        ("system", "Be brief."),
        ("user", "Hel\n\nlo"),
    ]
    assert (body.model, body.max_output_tokens, body.temperature) == ("small", 9, 0.5)
    assert (body.stop, body.seed, body.user, body.metadata) == (["END"], 4, "u-1", {"a": "b"})
    assert body.text == TextOptions(TextFormat("json_schema", "n", {}))
    assert seen[0].user_id == "u-1"


@pytest.mark.parametrize(
    ("code", "error"),
    [("server_error", openai.InternalServerError), ("invalid_prompt", openai.BadRequestError)],
)
async def test_a_failed_turn_is_an_http_error_that_the_client_does_not_repeat(
    client: openai.AsyncOpenAI,
    worker: StandInWorker,
    code: str,
    error: type[openai.APIStatusError],
) -> None:
    retrying = client.with_options(max_retries=2)
    asking = asyncio.create_task(retrying.chat.completions.create(model="auto", messages=ASKED))
    await worker.fail(await worker.claim(await worker.next_queued()), code)
    with pytest.raises(error) as raised:
        await asking
    assert raised.value.code == code
    assert await worker.queued() == []


async def test_a_failed_stream_ends_with_an_error(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    stream = await client.chat.completions.create(model="auto", messages=ASKED, stream=True)
    await worker.fail(await worker.claim(await worker.next_queued()))
    with pytest.raises(openai.APIError, match="chain_exhausted"):
        async for _ in stream:
            pass


async def test_an_answer_that_begins_again_ends_the_stream_and_names_the_response(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    stream = await client.chat.completions.create(model="auto", messages=ASKED, stream=True)
    record = await worker.claim(await worker.next_queued())
    await worker.begin_stream(record)
    await worker.stream_words(record, ["Hal"])
    await worker.restart(record)
    with pytest.raises(openai.APIError, match=record.id):
        async for _ in stream:
            pass


async def test_a_stream_that_its_door_cuts_says_where_the_answer_is(
    client: openai.AsyncOpenAI, worker: StandInWorker, door: RunningDoor
) -> None:
    stream = await client.chat.completions.create(model="auto", messages=ASKED, stream=True)
    record = await worker.claim(await worker.next_queued())
    await worker.begin_stream(record)
    await worker.stream_words(record, ["Hal"])
    async for chunk in stream:
        if chunk.choices[0].delta.content:
            door.tell_to_end()
            break
    with pytest.raises(openai.APIError, match=record.id) as raised:
        async for _ in stream:
            pass
    assert raised.value.code == "stream_cut"


async def test_a_restart_before_the_first_word_goes_unnoticed(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    stream = await client.chat.completions.create(model="auto", messages=ASKED, stream=True)
    record = await worker.claim(await worker.next_queued())
    await worker.begin_stream(record)
    await worker.restart(record)
    await worker.begin_stream(record)
    await worker.stream_words(record, ["Hi"])
    await worker.end_stream(record, "Hi")
    text = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(text) == "Hi"


async def test_a_human_who_takes_over_is_announced_with_the_apology(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    asking = asyncio.create_task(client.chat.completions.create(model="auto", messages=ASKED))
    record = await worker.claim(await worker.next_queued())
    await worker.hand_over(record, "A colleague will answer (hand_1).")
    completion = await asking
    assert completion.choices[0].message.content == "A colleague will answer (hand_1)."


def test_the_synchronous_client_works_as_well(door: object, key: str, settings: object) -> None:
    """It blocks, so nobody answers: the models are enough to see it speak to us."""
    assert isinstance(door, RunningDoor)
    with openai.OpenAI(api_key=key, base_url=f"{door.url}/v1") as client:
        listed = [model.id for model in client.models.list()]
        assert listed[:3] == ["auto", "small", "large"]
        assert {"text", "code"} <= {*listed[3:]}
        assert client.models.retrieve("auto").owned_by == "forebay"
        queued = client.responses.create(input="Hello", background=True)
        assert client.responses.cancel(queued.id).status == "cancelled"
        assert client.responses.delete(queued.id) is None
