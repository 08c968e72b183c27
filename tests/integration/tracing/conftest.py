"""Messages that were sent once through a whole stack, and what a collector heard of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.scripted_provider.behaviour import Kind
from tests.integration.conftest import OneMachine
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.tracing.told import (
    REFUSED_QUESTION,
    Told,
    answer_by_hand,
    ask_everything,
    ask_over_the_queue,
    cancel_twice,
    die_in_the_queue,
)
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.collector import running_collector


@pytest.fixture(scope="module")
def told(
    one_machine: OneMachine,
    provider: ProviderThread,
    tmp_path_factory: pytest.TempPathFactory,
) -> Told:
    """All spans of the messages that `ask_everything` sends."""
    key_file = tmp_path_factory.mktemp("key") / "pseudonyms"
    key_file.write_text("only this installation knows it")

    def stack(endpoint: str) -> Stack:
        built = one_machine(
            openai_link(provider.url),
            FOREBAY_TELEMETRY__TRACES_ENDPOINT=endpoint,
            FOREBAY_TELEMETRY__PSEUDONYM_KEY_FILE=str(key_file),
            OTEL_BSP_SCHEDULE_DELAY="200",  # ms, of a batch; usually five seconds
        )
        provider.behave(Kind.UNAUTHORISED, contains=REFUSED_QUESTION)
        return built

    return asyncio.run(_told(stack, tmp_path_factory.mktemp("worker")))


async def _told(build: Callable[[str], Stack], folder: Path) -> Told:
    async with running_collector() as (collector, endpoint):
        stack = build(endpoint)
        key = await new_key(stack.settings.ledger)
        worker = await asyncio.to_thread(AgentWorker(stack, folder).start)
        door = await asyncio.to_thread(RunningDoor(stack.settings).start)
        try:
            answers = await ask_everything(door.url, key)
            answers |= await ask_over_the_queue(stack.broker_url, key)
            await die_in_the_queue(stack)
            await cancel_twice(stack, door.url, key)
            await answer_by_hand(stack)
        finally:
            await asyncio.to_thread(door.close)
        told = Told(collector, answers)
        async with asyncio.timeout(60):
            while not told.is_whole():  # noqa: ASYNC110 - the spans come from another process
                await asyncio.sleep(0.05)
        worker.kill()
    return told
