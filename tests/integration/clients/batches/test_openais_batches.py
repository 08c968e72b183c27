"""OpenAI's client has files of requests answered: the door, a real worker, a scripted provider."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types import Batch

from deploy.scripted_provider.behaviour import Kind
from tests.integration.clients.batches.conftest import once, request
from tests.integration.ingress.contract import Contract
from tests.integration.workers.provider_thread import ProviderThread

CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"
ENDED = {"completed", "failed", "expired", "cancelled"}

pytestmark = pytest.mark.usefixtures("worker")


async def begun(client: openai.AsyncOpenAI, content: bytes, **fields: Any) -> Batch:
    file = await client.files.create(file=("requests.jsonl", content), purpose="batch")
    usual: dict[str, Any] = {"endpoint": "/v1/responses", "completion_window": "24h"}
    return await client.batches.create(input_file_id=file.id, **(usual | fields))


async def ended(client: openai.AsyncOpenAI, batch: Batch) -> Batch:
    return await once(lambda: client.batches.retrieve(batch.id), lambda seen: seen.status in ENDED)


async def lines(client: openai.AsyncOpenAI, file_id: str | None) -> dict[str, dict[str, Any]]:
    """The lines of a file of results, by their ids; none where there is no file."""
    if file_id is None:
        return {}
    content = await client.files.content(file_id)
    return {line["custom_id"]: line for line in map(json.loads, content.text.splitlines())}


async def test_a_file_is_answered_line_by_line_and_equal_lines_once(
    client: openai.AsyncOpenAI, provider: ProviderThread, contract: Contract
) -> None:
    content = b"".join(request(f"n-{nth}", f"Batched {nth % 4}") for nth in range(5))
    batch = await ended(client, await begun(client, content, metadata={"night": "1"}))
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 5, "completed": 5, "failed": 0}
    assert batch.error_file_id is None
    assert batch.metadata == {"night": "1"}
    assert batch.model == "auto"
    assert batch.usage is not None
    assert batch.usage.total_tokens > 0
    assert batch.in_progress_at
    assert batch.finalizing_at
    assert batch.completed_at
    contract.check("Batch", batch.to_dict(mode="json"))
    output = await lines(client, batch.output_file_id)
    assert [*output] == [f"n-{nth}" for nth in range(5)]
    for nth, line in enumerate(output.values()):
        assert (line["error"], line["response"]["status_code"]) == (None, 200)
        body = line["response"]["body"]
        contract.check("Response", body)
        assert body["output"][0]["content"][0]["text"] == f"You said: Batched {nth % 4}"
    assert len(provider.calls("Batched")) == 4
    assert output["n-0"]["response"]["request_id"] == output["n-4"]["response"]["request_id"]
    told = await client.files.retrieve(batch.output_file_id or "")
    assert told.purpose == "batch_output"


async def test_what_is_refused_or_fails_is_in_the_error_file_and_the_rest_is_answered(
    client: openai.AsyncOpenAI, provider: ProviderThread, contract: Contract
) -> None:
    provider.behave(Kind.INVALID_REQUEST, contains="Refused by all")
    content = b"".join(
        (
            request("good", "In chat", url=CHAT),
            request("hot", "Too hot", url=CHAT, temperature=9),
            request("streamed", "In pieces", url=CHAT, stream=True),
            request("failed", "Refused by all", url=CHAT),
        )
    )
    batch = await ended(client, await begun(client, content, endpoint=CHAT))
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 4, "completed": 1, "failed": 3}
    output = await lines(client, batch.output_file_id)
    assert [*output] == ["good"]
    contract.check("CreateChatCompletionResponse", output["good"]["response"]["body"])
    errors = await lines(client, batch.error_file_id)
    told = {name: line["response"]["body"]["error"] for name, line in errors.items()}
    assert {*told} == {"hot", "streamed", "failed"}
    assert "temperature" in told["hot"]["message"]
    assert "stream" in told["streamed"]["message"]
    assert told["failed"]["message"]


async def test_a_file_with_lines_that_are_no_requests_runs_nothing_and_names_them(
    client: openai.AsyncOpenAI, provider: ProviderThread
) -> None:
    good = request("a", "Never asked")
    content = good + b"{\n" + request("a", "Never asked either") + request("b", "No", url=CHAT)
    batch = await ended(client, await begun(client, content))
    assert batch.status == "failed"
    assert batch.failed_at
    assert batch.errors is not None
    assert [error.line for error in batch.errors.data or []] == [2, 3, 4]
    assert all(error.code and error.message for error in batch.errors.data or [])
    assert provider.calls("Never asked") == []


async def test_a_batch_is_cancelled_and_what_was_answered_is_kept(
    client: openai.AsyncOpenAI, provider: ProviderThread
) -> None:
    provider.behave(Kind.HANG, contains="Nobody answers this")
    content = request("quick", "Quickly answered") + request("slow", "Nobody answers this")
    batch = await begun(client, content)
    running = await once(
        lambda: client.batches.retrieve(batch.id),
        lambda seen: seen.request_counts is not None and seen.request_counts.completed == 1,
    )
    assert running.status == "in_progress"
    read = await client.get(f"/batches/{batch.id}/output", cast_to=str)
    assert json.loads(read)["custom_id"] == "quick"
    cancelled = await client.batches.cancel(batch.id)
    assert cancelled.status == "cancelling"
    last = await ended(client, batch)
    assert last.status == "cancelled"
    assert [*await lines(client, last.output_file_id)] == ["quick"]
    errors = await lines(client, last.error_file_id)
    assert errors["slow"]["error"]["code"] == "batch_cancelled"
    found = [each.id async for each in client.batches.list(limit=1)]
    assert batch.id in found


async def test_texts_are_embedded_as_they_are_one_by_one_and_bad_lines_are_in_the_error_file(
    client: openai.AsyncOpenAI, provider: ProviderThread, contract: Contract
) -> None:
    def line(name: str, **body: Any) -> bytes:
        asked = {"model": "text", "input": f"Words of {name}"} | body
        told = {"custom_id": name, "method": "POST", "url": EMBEDDINGS, "body": asked}
        return json.dumps(told).encode() + b"\n"

    two = ["One text", "and another"]
    good = line("one") + line("two", input=two) + line("packed", encoding_format="base64")
    bad = line("empty", input="") + line("wide", dimensions=3)
    content = good + bad + line("again", input="Words of one")
    batch = await ended(client, await begun(client, content, endpoint=EMBEDDINGS))
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 6, "completed": 4, "failed": 2}
    output = await lines(client, batch.output_file_id)
    assert [*output] == ["one", "two", "packed", "again"]
    bodies = {name: each["response"]["body"] for name, each in output.items()}
    for name in ("one", "two"):
        contract.check("CreateEmbeddingResponse", bodies[name])
    alone = await client.embeddings.create(model="text", input=two, encoding_format="float")
    assert [each["embedding"] for each in bodies["two"]["data"]] == [
        pytest.approx(each.embedding, abs=1e-5) for each in alone.data
    ]
    assert bodies["one"]["data"][0]["embedding"] == bodies["again"]["data"][0]["embedding"]
    assert isinstance(bodies["packed"]["data"][0]["embedding"], str)
    assert batch.usage is not None
    assert batch.usage.input_tokens == sum(
        each["usage"]["total_tokens"] for each in bodies.values()
    )
    errors = await lines(client, batch.error_file_id)
    told = {name: each["response"]["body"]["error"] for name, each in errors.items()}
    assert {*told} == {"empty", "wide"}
    assert "dimensions" in told["wide"]["message"]
    assert provider.calls("Words of") == [], "no model that writes was asked"
