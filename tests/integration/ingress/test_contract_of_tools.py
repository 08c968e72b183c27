"""What is asked and answered with tools, images, files and thoughts is as OpenAI describes it."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from shared.messages.item import FunctionCall, ReasoningItem
from tests.integration.ingress.contract import Contract, events_of
from tests.integration.ingress.stand_in_worker import Spoken, StandInWorker

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "name": "f", "parameters": SCHEMA, "strict": None}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
IMAGE = {"type": "input_image", "image_url": PIXEL, "detail": "low"}
FILE = {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,SGk="}
RICH: dict[str, Any] = {
    "input": [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "Look"}, IMAGE, FILE],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "sealed",
        },
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{}", "id": "fc_1"},
        {"type": "function_call_output", "call_id": "b", "output": "done"},
        {"type": "function_call_output", "call_id": "a", "output": [IMAGE]},
    ],
    "tools": [TOOL, {**TOOL, "name": "g", "description": "Does g.", "strict": True}],
    "tool_choice": {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "function", "name": "g"}, {"type": "function", "name": "f"}],
    },
    "parallel_tool_calls": False,
    "max_tool_calls": 4,
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
}
RICH_CHAT: dict[str, Any] = {
    "model": "auto",
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
                {"type": "file", "file": {"filename": "a.txt", "file_data": FILE["file_data"]}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "done"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "reasoning_effort": "low",
}
SPOKEN = Spoken(
    "Let me see.",
    (
        ReasoningItem(
            summary=({"type": "summary_text", "text": "Hm."},), encrypted_content="sealed"
        ),
        FunctionCall("c", "f", '{"city":"Oslo"}'),
        FunctionCall("d", "g", "{}"),
    ),
)
WITH_CALLS = {
    *("response.created", "response.queued", "response.in_progress", "response.completed"),
    *("response.output_item.added", "response.output_item.done"),
    *("response.content_part.added", "response.content_part.done"),
    *("response.output_text.delta", "response.output_text.done"),
    *("response.function_call_arguments.delta", "response.function_call_arguments.done"),
    *("response.reasoning_summary_part.added", "response.reasoning_summary_part.done"),
    *("response.reasoning_summary_text.delta", "response.reasoning_summary_text.done"),
}


async def test_what_is_asked_with_tools_images_and_files_is_openais_and_so_is_the_answer(
    contract: Contract, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve(lambda _: SPOKEN)
    contract.check("CreateResponse", RICH)
    async with http.post("/v1/responses", json=RICH) as answer:
        response = await answer.json()
    contract.check("Response", response)
    assert [item["type"] for item in response["output"]] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
    ]
    for name in ("tool_choice", "parallel_tool_calls", "max_tool_calls", "reasoning"):
        assert response[name] == RICH[name]
    assert response["tools"] == [{**TOOL, "description": None}, RICH["tools"][1]]
    contract.check("CreateChatCompletionRequest", RICH_CHAT)
    async with http.post("/v1/chat/completions", json=RICH_CHAT) as answer:
        completion = await answer.json()
    contract.check("CreateChatCompletionResponse", completion)
    assert completion["choices"][0]["finish_reason"] == "tool_calls"


async def test_every_event_and_chunk_of_thoughts_and_calls_is_openais(
    contract: Contract, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve(lambda _: SPOKEN)
    async with http.post("/v1/responses", json={**RICH, "stream": True}) as answer:
        events = events_of(await answer.text())
    await worker.redis.flushdb()
    async with http.get(f"/v1/responses/{events[0]['response']['id']}?stream=true") as answer:
        told = events_of(await answer.text())
    for stream in (events, told):
        assert {event["type"] for event in stream} == WITH_CALLS
        for event in stream:
            contract.check("ResponseStreamEvent", event)
    async with http.post("/v1/chat/completions", json={**RICH_CHAT, "stream": True}) as answer:
        text = await answer.text()
    chunks = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
    assert any('"tool_calls":[{"index":1' in chunk for chunk in chunks)
    for chunk in chunks:
        contract.check("CreateChatCompletionStreamResponse", json.loads(chunk))
