"""A worker whose provider has two models sends each message to the one that it needs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.messages.response import response_object
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, open_road
from tests.integration.workers.stack import Stack, openai_link

PINNED = "ten_pinned"
STRICT = {"model": "large", "system_prefix": "Say nothing that you do not know."}
HARD = "Prove that there are infinitely many primes, and explain why each step holds."


@pytest.fixture
def models(provider: ProviderThread) -> list[dict[str, Any]]:
    return [openai_link(provider.url, models=["old"], small_model="mini", large_model="max")]


@pytest.fixture
def routed_stack(
    amqp_url: str, redis_url: str, migrated_postgres_url: str, models: list[dict[str, Any]]
) -> Stack:
    return Stack(
        broker_url=amqp_url,
        redis_url=redis_url,
        ledger_url=migrated_postgres_url,
        providers=models,
        extra={
            "FOREBAY_ROUTING__TENANTS": json.dumps({PINNED: {"tier": "large"}}),
            "FOREBAY_VARIANTS": json.dumps({"strict": STRICT}),
        },
    )


@pytest.fixture
def routing_worker(routed_stack: Stack, tmp_path: Path) -> Iterator[AgentWorker]:
    started = AgentWorker(routed_stack, tmp_path).start()
    yield started
    started.kill()


@pytest.fixture
async def routed(routed_stack: Stack, routing_worker: AgentWorker) -> AsyncIterator[Road]:
    async with open_road(routed_stack) as opened:
        yield opened


async def test_each_message_gets_its_model_and_the_response_says_why(
    routed: Road, provider: ProviderThread
) -> None:
    expected = {
        "What is the capital of Peru?": ({}, "mini", "small"),
        HARD: ({"model": "auto"}, "max", "large"),
        "Hello, ask the small one": ({"model": "small"}, "mini", "small"),
        "Hello, ask the old one": ({"model": "old"}, "old", None),
        "Hello, ask by name": ({"model": "max"}, "max", None),
        "Hello, ask an unknown one": ({"model": "gpt-9"}, "scripted", None),
    }
    for text, (body, model, tier) in expected.items():
        record = await routed.ended(await routed.accept(text, body=body))
        (call,) = provider.calls(text)
        assert (call.model, record.model) == (model, model), text
        routing = getattr(response_object(record).turn, "routing", None)
        assert (routing.tier if routing else None) == tier, text
    record = await routed.ended(await routed.accept("Who? I am pinned.", tenant_id=PINNED))
    assert record.model == "max"
    metadata = {"forebay_variant": "strict"}
    varied = await routed.ended(await routed.accept("Who varies?", body={"metadata": metadata}))
    (call,) = provider.calls("Who varies?")
    assert call.model == varied.model == "max"
    assert call.instructions == STRICT["system_prefix"]
    told = response_object(varied)
    assert told.turn is not None
    assert (told.turn.variant, varied.variant, told.instructions) == ("strict", "strict", None)


@pytest.mark.parametrize("models", [[]], ids=["one-model"])
async def test_where_there_is_no_choice_nothing_changes(
    routed_stack: Stack, provider: ProviderThread, tmp_path: Path
) -> None:
    routed_stack.providers.append(openai_link(provider.url))
    worker = AgentWorker(routed_stack, tmp_path).start()
    async with open_road(routed_stack) as road:
        record = await road.ended(await road.accept("Is there a choice?"))
    worker.kill()
    assert (record.model, record.report) == ("scripted", None)
