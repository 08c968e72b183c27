"""Anthropic's client has many messages answered: the door, a real worker, a scripted provider."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from anthropic.types.messages import MessageBatch

from deploy.scripted_provider.behaviour import Kind
from tests.integration.clients.batches.conftest import once
from tests.integration.workers.provider_thread import ProviderThread

pytestmark = pytest.mark.usefixtures("worker")


def request(custom_id: str, text: str, **params: Any) -> Any:
    usual = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": custom_id, "params": usual | params}


async def ended(client: anthropic.AsyncAnthropic, batch: MessageBatch) -> MessageBatch:
    return await once(
        lambda: client.messages.batches.retrieve(batch.id),
        lambda seen: seen.processing_status == "ended",
    )


async def results(client: anthropic.AsyncAnthropic, batch: MessageBatch) -> dict[str, Any]:
    found = await client.messages.batches.results(batch.id)
    return {line.custom_id: line.result async for line in found}


async def test_messages_are_answered_and_a_wrong_one_among_them_is_told(
    anthropics: anthropic.AsyncAnthropic,
) -> None:
    asked = [request("good", "Many at once"), request("hot", "Too hot", temperature=9)]
    batch = await anthropics.messages.batches.create(requests=asked)
    batch = await ended(anthropics, batch)
    assert batch.results_url is not None
    assert batch.ended_at is not None
    counts = batch.request_counts
    assert (counts.succeeded, counts.errored, counts.processing) == (1, 1, 0)
    found = await results(anthropics, batch)
    assert found["good"].type == "succeeded"
    assert found["good"].message.content[0].text == "You said: Many at once"
    assert found["hot"].type == "errored"
    assert found["hot"].error.error.type == "invalid_request_error"
    assert "temperature" in found["hot"].error.error.message
    await anthropics.messages.batches.delete(batch.id)
    with pytest.raises(anthropic.NotFoundError):
        await anthropics.messages.batches.retrieve(batch.id)


async def test_a_batch_is_cancelled_and_what_was_answered_is_kept(
    anthropics: anthropic.AsyncAnthropic, provider: ProviderThread
) -> None:
    provider.behave(Kind.HANG, contains="Nobody will answer")
    asked = [request("slow", "Nobody will answer")]
    batch = await anthropics.messages.batches.create(requests=asked)
    provider.wait_for_calls("Nobody will answer")
    cancelled = await anthropics.messages.batches.cancel(batch.id)
    assert cancelled.processing_status == "canceling"
    batch = await ended(anthropics, batch)
    assert batch.request_counts.canceled == 1
    assert (await results(anthropics, batch))["slow"].type == "canceled"
