"""What we send is what OpenAI's own description of its API allows."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from shared.messages.state import ResponseState
from tests.integration.ingress.contract import Contract, events_of
from tests.integration.ingress.stand_in_worker import StandInWorker

OURS = {"response.cancelled", "response.requires_action", "response.restarted"}
FULL = {
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
    "model": "auto",
    "instructions": "Be brief.",
    "metadata": {"a": "b"},
    "max_output_tokens": 20,
    "temperature": 0.5,
    "top_p": 0.9,
    "service_tier": "priority",
    "user": "u-1",
    "safety_identifier": "s-1",
    "prompt_cache_key": "p",
    "truncation": "disabled",
    "conversation": "conv_1",
    "store": True,
    "text": {"format": {"type": "text"}},
}


async def test_responses_in_every_state_are_openais(
    contract: Contract, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    for state, ending in (
        (ResponseState.COMPLETED, {"output_text": "Hi", "input_tokens": 3, "output_tokens": 1}),
        (ResponseState.INCOMPLETE, {"output_text": "H", "incomplete_reason": "max_output_tokens"}),
        (ResponseState.FAILED, {"error_code": "server_error", "error_message": "no"}),
    ):
        async with http.post("/v1/responses", json={**FULL, "background": True}) as answer:
            queued = await answer.json()
        contract.check("Response", queued)
        record = await worker.claim(queued["id"])
        contract.check("Response", await _read(http, record.id))
        await worker.settle(record, state, **ending)
        ended = await _read(http, record.id)
        assert ended["status"] == state
        contract.check("Response", ended)
    async with http.post("/v1/responses", json={**FULL, "background": True}) as answer:
        queued = await answer.json()
    async with http.post(f"/v1/responses/{queued['id']}/cancel") as answer:
        contract.check("Response", await answer.json())


async def test_every_event_of_a_stream_is_openais(
    contract: Contract, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve(lambda _: "one two")
    async with http.post("/v1/responses", json={**FULL, "stream": True}) as answer:
        events = events_of(await answer.text())
    assert len(events) == 11
    for event in events:
        contract.check("ResponseStreamEvent", event)


async def test_a_stream_told_from_the_ledger_is_openais_too(
    contract: Contract, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    async with http.post("/v1/responses", json={**FULL, "background": True}) as answer:
        message_id = (await answer.json())["id"]
    await worker.answer(await worker.claim(message_id), "Hi")
    await worker.redis.flushdb()
    async with http.get(f"/v1/responses/{message_id}?stream=true") as answer:
        events = events_of(await answer.text())
    assert len(events) == 10
    for event in events:
        contract.check("ResponseStreamEvent", event)


async def test_completions_and_chunks_are_openais(
    contract: Contract, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve()
    asked = {"messages": [{"role": "user", "content": "Hi"}], "model": "auto"}
    async with http.post("/v1/chat/completions", json=asked) as answer:
        contract.check("CreateChatCompletionResponse", await answer.json())
    streamed = {**asked, "stream": True, "stream_options": {"include_usage": True}}
    async with http.post("/v1/chat/completions", json=streamed) as answer:
        text = await answer.text()
    chunks = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    assert chunks.pop() == "[DONE]"
    for chunk in chunks:
        contract.check("CreateChatCompletionStreamResponse", json.loads(chunk))


async def test_models_and_errors_are_openais(
    contract: Contract, http: aiohttp.ClientSession
) -> None:
    async with http.get("/v1/models") as answer:
        contract.check("ListModelsResponse", await answer.json())
    async with http.get("/v1/models/auto") as answer:
        contract.check("Model", await answer.json())
    async with http.get("/v1/models/none") as answer:
        contract.check("ErrorResponse", await answer.json())


async def test_files_are_openais(contract: Contract, http: aiohttp.ClientSession) -> None:
    made = []
    for purpose in ("user_data", "vision", "batch", "assistants", "fine-tune"):
        form = aiohttp.FormData({"purpose": purpose})
        form.add_field("file", purpose.encode(), filename="a.txt")
        async with http.post("/v1/files", data=form) as answer:
            made.append(await answer.json())
        contract.check("OpenAIFile", made[-1])
    for path, name in (
        ("", "ListFilesResponse"),
        ("?purpose=evals", "ListFilesResponse"),
        (f"/{made[0]['id']}", "OpenAIFile"),
        ("/file-none", "ErrorResponse"),
    ):
        async with http.get(f"/v1/files{path}") as answer:
            contract.check(name, await answer.json())
    async with http.delete(f"/v1/files/{made[0]['id']}") as answer:
        contract.check("DeleteFileResponse", await answer.json())


async def test_our_own_events_are_few_and_named(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    posting = asyncio.create_task(http.post("/v1/responses", json={"input": "Hi", "stream": True}))
    record = await worker.claim(await worker.next_queued())
    await worker.begin_stream(record)
    await worker.restart(record)
    async with await posting as answer:
        async with http.post(f"/v1/responses/{record.id}/cancel"):
            pass
        events = events_of(await answer.text())
    assert {event["type"] for event in events} & OURS == {
        "response.restarted",
        "response.cancelled",
    }


async def _read(http: aiohttp.ClientSession, message_id: str) -> dict[str, Any]:
    async with http.get(f"/v1/responses/{message_id}") as answer:
        response: dict[str, Any] = await answer.json()
        return response
