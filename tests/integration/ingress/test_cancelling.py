"""A message that is cancelled at the door while a worker is in the middle of its turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.settings import Settings
from tests.integration.conftest import OneMachine
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import openai_link
from workers.building.runtime import open_runtime
from workers.pipeline import Pipeline, TurnOutcome

SOON_SECONDS = 60.0
"""Of two hundred that lie between two renewals here."""


@pytest.fixture(scope="module")
def settings(one_machine: OneMachine, provider: ProviderThread) -> Settings:
    return one_machine(
        openai_link(provider.url),
        FOREBAY_LEDGER__LEASE_SECONDS="600",
        FOREBAY_INGRESS__INTAKE="false",
    ).settings


@pytest.fixture
def door(settings: Settings) -> Iterator[RunningDoor]:
    with RunningDoor(settings) as running:
        yield running


@pytest.fixture
async def pipeline(settings: Settings) -> AsyncIterator[Pipeline]:
    async with open_runtime(settings) as opened:
        yield opened


async def test_the_worker_hears_at_once_and_stops_its_provider(
    http: aiohttp.ClientSession, pipeline: Pipeline, provider: ProviderThread
) -> None:
    provider.behave(Kind.HANG, contains="never mind")
    async with http.post("/v1/responses", json={"input": "never mind", "background": True}) as told:
        message_id = (await told.json())["id"]
    turn = asyncio.create_task(pipeline.run(message_id))
    await asyncio.to_thread(provider.wait_for_calls, "never mind")
    began = time.monotonic()
    async with http.post(f"/v1/responses/{message_id}/cancel") as answer:
        assert (await answer.json())["status"] == "cancelled"
    await asyncio.to_thread(provider.wait_for_cut, "never mind", seconds=SOON_SECONDS)
    assert await turn is TurnOutcome.LOST
    assert time.monotonic() - began < SOON_SECONDS
