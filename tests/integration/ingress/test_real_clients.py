"""What clients with types, tools and habits of their own send, and what they insist on."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from shared.messages.body import TextOptions
from shared.messages.stored_body import decode_body
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker

BACKGROUND = {"input": "x", "background": True}
NULLS = """
background conversation context_management include instructions max_output_tokens
max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt
prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier
service_tier store stream stream_options temperature text tool_choice tools top_logprobs
top_p truncation user
"""
CHAT_NULLS = """
audio frequency_penalty function_call functions logit_bias logprobs
max_completion_tokens max_tokens metadata modalities model moderation n
parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options
prompt_cache_retention reasoning_effort response_format safety_identifier seed
service_tier stop store stream stream_options temperature tool_choice tools top_logprobs
top_p user verbosity web_search_options
"""
REFUSED = {
    "tools[0]": {"input": "x", "tools": [{"type": "web_search"}]},
    "tool_choice": {"input": "x", "tool_choice": {"type": "code_interpreter"}},
    "input[0].content[1]": {
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_audio", "input_audio": {}},
                ],
            }
        ]
    },
}


async def _id(answer: aiohttp.ClientResponse) -> str:
    body = await answer.json()
    assert answer.status == 200, body
    return str(body["id"])


async def test_a_failed_response_has_the_type_and_code_that_clients_insist_on(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    for code, kind in (
        ("server_error", "server_error"),
        ("invalid_prompt", "invalid_request_error"),
    ):
        async with http.post("/v1/responses", json=BACKGROUND) as answer:
            message_id = await _id(answer)
        await worker.fail(await worker.claim(message_id), code)
        async with http.get(f"/v1/responses/{message_id}") as answer:
            error = (await answer.json())["error"]
        assert (error["type"], error["code"], error["param"]) == (kind, code, None)
        assert error["message"]


@pytest.mark.parametrize("param", REFUSED)
async def test_what_is_not_supported_is_refused_in_a_sentence_that_names_it(
    http: aiohttp.ClientSession, param: str
) -> None:
    async with http.post("/v1/responses", json=REFUSED[param]) as answer:
        error = (await answer.json())["error"]
    assert (answer.status, error["code"], error["param"]) == (400, "unsupported_parameter", param)
    assert param in error["message"]
    assert "Remove it" in error["message"]


async def test_every_field_of_openais_may_be_null(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    nulls: dict[str, Any] = dict.fromkeys(NULLS.split())
    async with http.post("/v1/responses", json={**nulls, **BACKGROUND}) as answer:
        await _id(answer)
    worker.serve()
    chat = {**dict.fromkeys(CHAT_NULLS.split()), "messages": [{"role": "user", "content": "x"}]}
    async with http.post("/v1/chat/completions", json=chat) as answer:
        await _id(answer)


async def test_messages_may_have_a_name_and_an_assistants_no_content(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve()
    messages = [
        {"role": "user", "content": "Hi", "name": "ann"},
        {"role": "assistant", "content": None, "refusal": "I would rather not."},
        {"role": "assistant", "content": None, "tool_calls": None, "audio": None},
        {"role": "user", "content": "Why?", "name": None},
    ]
    async with http.post("/v1/chat/completions", json={"messages": messages}) as answer:
        said = (await answer.json())["choices"][0]["message"]["content"]
    assert said == "You said: Why?"


async def test_two_parts_are_two_paragraphs_and_a_verbosity_is_kept(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    parts = [{"type": "input_text", "text": text} for text in ("Look:", "a cat")]
    body = {
        "input": [{"role": "user", "content": parts}],
        "text": {"verbosity": "low", "format": None},
        "background": True,
    }
    async with http.post("/v1/responses", json=body) as answer:
        message_id = await _id(answer)
        assert (await answer.json())["text"] == {"verbosity": "low"}
    record = await worker.claim(message_id)
    kept = decode_body(record.body.encode())
    assert kept.input[0].text() == "Look:\n\na cat"
    assert kept.text == TextOptions(verbosity="low")


@pytest.mark.parametrize("path", ["//v1/responses", "/v1//responses"])
async def test_a_slash_too_many_in_the_base_url_does_no_harm(
    door: RunningDoor, http: aiohttp.ClientSession, worker: StandInWorker, path: str
) -> None:
    async with http.post(f"{door.url}{path}", json=BACKGROUND) as answer:
        message_id = await _id(answer)
    assert await worker.queued() == [message_id]


async def test_a_pattern_that_looks_around_is_not_checked_and_the_answer_says_so(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    schema = {
        "type": "object",
        "properties": {
            "code": {"type": "string", "pattern": "^(?!0)[0-9]+$"},
            "größe": {"type": "string", "pattern": "^(?=a)"},
            "plain": {"type": "string", "pattern": "^a+$"},
        },
    }
    form = {"type": "json_schema", "name": "n", "schema": schema}
    async with http.post("/v1/responses", json={**BACKGROUND, "text": {"format": form}}) as answer:
        await _id(answer)
    told = answer.headers["x-forebay-unchecked-patterns"]
    assert told == "#/properties/code/pattern, #/properties/gr%C3%B6%C3%9Fe/pattern"
    record = await worker.claim(await worker.next_queued())
    assert json.loads(record.body)["text"]["format"]["schema"] == schema


async def test_additions_that_are_empty_here_may_be_asked_for(http: aiohttp.ClientSession) -> None:
    # LiteLLM asks for the first whenever its callers speak Anthropic's messages.
    for value in ("reasoning.encrypted_content", "file_search_call.results"):
        async with http.post("/v1/responses", json={**BACKGROUND, "include": [value]}) as answer:
            await _id(answer)
    unknown = {**BACKGROUND, "include": ["message.output_text.colour"]}
    async with http.post("/v1/responses", json=unknown) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["param"] == "include[0]"
