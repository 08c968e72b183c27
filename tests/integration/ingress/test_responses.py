"""POST /v1/responses with OpenAI's client: waiting, in the background, streaming."""

from __future__ import annotations

import aiohttp
import openai
import pytest

from shared.messages.state import ResponseState
from tests.integration.ingress.stand_in_worker import StandInWorker


async def test_a_question_is_answered_while_the_client_waits(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    worker.serve()
    response = await client.responses.create(model="auto", input="Hello")
    assert response.status == "completed"
    assert response.output_text == "You said: Hello"
    assert response.usage is not None
    assert response.usage.total_tokens == 12


async def test_a_background_message_is_queued_and_polled(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    queued = await client.responses.create(input="Hello", background=True)
    assert queued.status == "queued"
    assert queued.background is True
    await worker.answer(await worker.claim(queued.id), "Hi")
    answered = await client.responses.retrieve(queued.id)
    assert (answered.status, answered.output_text) == ("completed", "Hi")


async def test_a_stream_carries_every_event_in_order(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    worker.serve(lambda _: "one two three")
    events = [event async for event in await client.responses.create(input="Hi", stream=True)]
    assert [event.type for event in events] == [
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 3,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_the_clients_own_stream_helper_assembles_the_answer(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    worker.serve(lambda _: "one two")
    async with client.responses.stream(model="auto", input="Hi") as stream:
        async for _ in stream:
            pass
        final = await stream.get_final_response()
    assert final.output_text == "one two "


async def test_a_failed_turn_is_a_response_that_says_so(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    queued = await client.responses.create(input="Hello", background=True)
    await worker.fail(await worker.claim(queued.id))
    failed = await client.responses.retrieve(queued.id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "server_error"


@pytest.mark.parametrize(
    ("state", "ending"),
    [
        (ResponseState.INCOMPLETE, {"output_text": "Hal", "incomplete_reason": "content_filter"}),
        (ResponseState.REQUIRES_ACTION, {"output_text": "Sorry", "handoff_reason": "degraded"}),
    ],
)
async def test_whatever_ends_the_turn_ends_the_wait(
    http: aiohttp.ClientSession,
    worker: StandInWorker,
    state: ResponseState,
    ending: dict[str, str],
) -> None:
    import asyncio

    waiting = asyncio.create_task(http.post("/v1/responses", json={"input": "Hello"}))
    record = await worker.claim(await worker.next_queued())
    await worker.close_stream(await worker.settle(record, state, **ending))
    async with await waiting as answer:
        response = await answer.json()
    assert answer.status == 200
    assert response["status"] == state
    assert answer.headers["x-forebay-response-id"] == response["id"]
