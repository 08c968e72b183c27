"""POST /v1/messages with Anthropic's client."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import anthropic
import pytest

from shared.messages.item import FunctionCall, FunctionCallOutput
from shared.messages.record import Surface
from shared.messages.state import ResponseState
from shared.messages.stored_body import decode_body
from tests.integration.ingress.asking_messages import (
    ASKED,
    CALLS,
    THINKING,
    THOUGHT,
    TOOLS,
    next_record,
)
from tests.integration.ingress.stand_in_worker import Spoken, StandInWorker


async def test_a_message_is_answered(
    anthropics: anthropic.AsyncAnthropic, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve()
    raw = await anthropics.messages.with_raw_response.create(**ASKED)
    message = await raw.parse()
    assert [block.to_dict() for block in message.content] == [
        {"type": "text", "text": "You said: Hello"}
    ]
    assert (message.role, message.model, message.stop_reason) == (
        "assistant",
        "scripted",
        "end_turn",
    )
    assert (message.usage.input_tokens, message.usage.output_tokens) == (7, 5)
    response_id = raw.headers["x-forebay-response-id"]
    assert message.id == response_id.replace("resp_", "msg_")
    assert raw.headers["request-id"] == raw.headers["x-request-id"]
    assert "x-ratelimit-limit-requests" in raw.headers
    async with http.get(f"/v1/responses/{response_id}") as answer:
        assert (await answer.json())["output"][0]["id"] == message.id


async def test_tools_are_asked_for_and_answered_over_two_turns(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    asking = asyncio.create_task(
        anthropics.messages.create(**ASKED, tools=TOOLS, thinking=THINKING)
    )
    record = await next_record(worker)
    assert record.surface is Surface.MESSAGES
    await worker.answer(record, Spoken("Let me look.", (THOUGHT, *CALLS)))
    first = await asking
    assert first.stop_reason == "tool_use"
    assert [block.type for block in first.content] == ["thinking", "text", "tool_use", "tool_use"]
    uses = [block for block in first.content if block.type == "tool_use"]
    assert [(use.id, use.name, use.input) for use in uses] == [
        ("call_1", "weather", {"city": "Oslo"}),
        ("call_2", "weather", {"city": "Rome"}),
    ]
    results: list[Any] = [
        {"type": "tool_result", "tool_use_id": "call_1", "content": "Rain."},
        {"type": "tool_result", "tool_use_id": "call_2", "content": "?", "is_error": True},
    ]
    messages = [
        *ASKED["messages"],
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": results},
    ]
    goes_on = {**ASKED, "tools": TOOLS, "messages": messages}
    asking = asyncio.create_task(anthropics.messages.create(**goes_on))
    record = await next_record(worker)
    said = decode_body(record.body.encode()).input
    assert said[1:] == [
        THOUGHT,
        said[2],
        CALLS[0],
        FunctionCall("call_2", "weather", '{"city":"Rome"}'),
        FunctionCallOutput("call_1", "Rain."),
        FunctionCallOutput("call_2", "?", status="incomplete"),
    ]
    assert said[2].text() == "Let me look."
    await worker.answer(record, "Rain in Oslo.")
    assert (await asking).stop_reason == "end_turn"


async def test_what_was_thought_is_told_to_those_who_asked_for_it(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    asking = asyncio.create_task(anthropics.messages.create(**ASKED))
    await worker.answer(await next_record(worker), Spoken("Hi", (THOUGHT,)))
    assert [block.type for block in (await asking).content] == ["text"]


async def test_tokens_of_the_cache_are_counted_apart(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    asking = asyncio.create_task(anthropics.messages.create(**ASKED, service_tier="standard_only"))
    await worker.answer(
        await next_record(worker),
        "Hi",
        input_tokens=100,
        cached_tokens=60,
        cache_write_tokens=30,
        reasoning_tokens=4,
    )
    usage = (await asking).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens) == (10, 60)
    assert (usage.cache_creation_input_tokens, usage.service_tier) == (30, "standard")
    assert usage.output_tokens_details is not None
    assert usage.output_tokens_details.thinking_tokens == 4


@pytest.mark.parametrize(
    ("why", "reason"), [("max_output_tokens", "max_tokens"), ("content_filter", "refusal")]
)
async def test_an_answer_that_was_cut_says_why(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker, why: str, reason: str
) -> None:
    asking = asyncio.create_task(anthropics.messages.create(**ASKED))
    record = await next_record(worker)
    ended = await worker.settle(
        record, ResponseState.INCOMPLETE, output_text="H", incomplete_reason=why
    )
    await worker.close_stream(ended)
    assert (await asking).stop_reason == reason


async def test_a_human_who_takes_over_is_announced(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    asking = asyncio.create_task(anthropics.messages.create(**ASKED))
    record = await next_record(worker)
    await worker.hand_over(record, "A colleague will answer (hand_1).")
    (block,) = (await asking).content
    assert block.to_dict() == {"type": "text", "text": "A colleague will answer (hand_1)."}


async def test_tokens_are_counted_and_nothing_is_accepted(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    said: dict[str, Any] = {"model": "auto", "messages": ASKED["messages"]}
    short = await anthropics.messages.count_tokens(**said)
    longer = await anthropics.messages.count_tokens(**said, system="Be brief. " * 50, tools=TOOLS)
    assert 0 < short.input_tokens < 10
    assert longer.input_tokens > short.input_tokens + 50
    assert await worker.queued() == []
    with pytest.raises(anthropic.BadRequestError):
        await anthropics.messages.count_tokens(**{**said, "messages": []})


async def test_the_client_of_betas_is_answered_too(
    anthropics: anthropic.AsyncAnthropic, worker: StandInWorker
) -> None:
    worker.serve()
    message = await anthropics.beta.messages.create(
        **ASKED, betas=["interleaved-thinking-2025-05-14", "files-api-2025-04-14"]
    )
    assert message.stop_reason == "end_turn"
