"""What we send is what OpenAI's own description of its API allows."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from shared.messages.state import ResponseState
from tests.integration.ingress.stand_in_worker import StandInWorker

CONTRACT = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "openai.openapi.json"
URI = "urn:openai"
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


class Contract:
    """Validates against one schema of the description by its name."""

    def __init__(self, document: dict[str, Any]) -> None:
        resource = Resource(contents=_with_nulls(document), specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(URI, resource)

    def check(self, name: str, value: object) -> None:
        """Fails the test with the first thing that the schema forbids."""
        reference = {"$ref": f"{URI}#/components/schemas/{name}"}
        validator = Draft202012Validator(reference, registry=self._registry)
        found = best_match(validator.iter_errors(value), key=_depth)
        assert found is None, f"{name}: {found.json_path}: {found.message}"


def _depth(error: ValidationError) -> int:
    """The deepest complaint says most."""
    return len(error.path)


def _with_nulls(schema: Any) -> Any:
    """`nullable: true` of older OpenAPI, in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_with_nulls(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    translated = {name: _with_nulls(value) for name, value in schema.items()}
    if schema.get("nullable") is True:
        return {"anyOf": [translated, {"type": "null"}]}
    return translated


@pytest.fixture(scope="module")
def contract() -> Contract:
    if not CONTRACT.exists():
        pytest.skip("OpenAI's description of its API is not beside this repository")
    return Contract(json.loads(CONTRACT.read_text()))


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
        events = _events(await answer.text())
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
        events = _events(await answer.text())
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
        events = _events(await answer.text())
    assert {event["type"] for event in events} & OURS == {
        "response.restarted",
        "response.cancelled",
    }


async def _read(http: aiohttp.ClientSession, message_id: str) -> dict[str, Any]:
    async with http.get(f"/v1/responses/{message_id}") as answer:
        response: dict[str, Any] = await answer.json()
        return response


def _events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
