"""The events of POST /v1/messages, put together by Anthropic's client."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

from tests.integration.ingress.asking_messages import (
    ASKED,
    CALLS,
    THINKING,
    THOUGHT,
    TOOLS,
    next_record,
)
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import Spoken, StandInWorker


async def test_a_stream_spells_the_message(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    worker.serve(lambda _: "one two three")
    async with anthropics.messages.stream(**ASKED) as stream:
        told = [text async for text in stream.text_stream]
        message = await stream.get_final_message()
    assert len(told) == 3
    assert "".join(told) == "one two three "
    assert [block.to_dict() for block in message.content] == [
        {"type": "text", "text": "one two three "}
    ]
    assert (message.stop_reason, message.usage.input_tokens, message.usage.output_tokens) == (
        "end_turn",
        7,
        5,
    )


async def test_a_stream_begins_with_the_size_of_the_files_that_were_named(
    anthropics: anthropic.AsyncAnthropic, client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    uploaded = await client.files.create(file=("a.txt", b"word " * 8_000), purpose="user_data")
    document = {"type": "document", "source": {"type": "file", "file_id": uploaded.id}}
    said: Any = [{"role": "user", "content": [document]}]
    worker.serve(lambda _: "one")
    async with anthropics.messages.stream(**{**ASKED, "messages": said}) as stream:
        begins = [event async for event in stream if event.type == "message_start"]
    counted = await anthropics.messages.count_tokens(model=ASKED["model"], messages=said)
    assert begins[0].message.usage.input_tokens == counted.input_tokens > 8_000


async def test_thoughts_and_calls_are_streamed_and_the_client_puts_them_together(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    async with anthropics.messages.stream(**ASKED, tools=TOOLS, thinking=THINKING) as stream:
        record = await next_record(worker)
        await worker.begin_stream(record)
        await worker.think_in_stream(record, THOUGHT)
        await worker.stream_words(record, ["Let me ", "look."])
        await worker.end_stream(record, Spoken("Let me look.", (THOUGHT, *CALLS)))
        kinds = [event.type async for event in stream]
        message = await stream.get_final_message()
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert message.stop_reason == "tool_use"
    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "A city.", "signature": "sealed"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "call_2", "name": "weather", "input": {"city": "Rome"}},
    ]


async def test_a_failed_stream_ends_with_an_error(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    async with anthropics.messages.stream(**ASKED) as stream:
        await worker.fail(await next_record(worker))
        with pytest.raises(anthropic.APIStatusError, match="chain_exhausted"):
            await stream.get_final_message()


async def test_an_answer_that_begins_again_ends_the_stream_and_names_the_response(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    async with anthropics.messages.stream(**ASKED) as stream:
        record = await next_record(worker)
        await worker.begin_stream(record)
        await worker.stream_words(record, ["Hal"])
        await worker.restart(record)
        with pytest.raises(anthropic.APIStatusError, match=record.id) as raised:
            await stream.get_final_message()
    assert raised.value.error_code == "response_restarted"


async def test_a_restart_before_the_first_word_goes_unnoticed(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    async with anthropics.messages.stream(**ASKED) as stream:
        record = await next_record(worker)
        await worker.begin_stream(record)
        await worker.restart(record)
        await worker.begin_stream(record)
        await worker.stream_words(record, ["Hi"])
        await worker.end_stream(record, "Hi")
        assert await stream.get_final_text() == "Hi"


async def test_a_stream_that_its_door_cuts_says_where_the_answer_is(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker, door: RunningDoor
) -> None:
    async with anthropics.messages.stream(**ASKED) as stream:
        record = await next_record(worker)
        await worker.begin_stream(record)
        await worker.stream_words(record, ["Hal"])
        async for event in stream:
            if event.type == "text":
                door.tell_to_end()
                break
        with pytest.raises(anthropic.APIStatusError, match=record.id) as raised:
            await stream.get_final_message()
    assert raised.value.error_code == "stream_cut"
