"""What a worker's own port tells Prometheus."""

from __future__ import annotations

import aiohttp
import pytest

from tests.integration.conftest import OneMachine
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.ports import free_port
from workers.building.runtime import open_runtime


@pytest.fixture(scope="module")
def stack(one_machine: OneMachine, provider: ProviderThread) -> Stack:
    return one_machine(openai_link(provider.url), FOREBAY_WORKER__METRICS_PORT=str(free_port()))


async def test_a_turn_is_one_group_of_claims_and_one_of_ends(road: Road, stack: Stack) -> None:
    async with open_runtime(stack.settings) as pipeline:
        record = await road.accept("How many were together?", wake=False)
        await pipeline.run(record.id)
        url = f"http://127.0.0.1:{stack.settings.worker.metrics_port}/metrics"
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            text = await answer.text()
    for operation in ("claim", "settle"):
        label = f'{{operation="{operation}"}}'
        assert f"forebay_ledger_group_messages_count{label} 1.0" in text
        assert f"forebay_ledger_group_messages_sum{label} 1.0" in text
        assert f"forebay_ledger_group_duration_seconds_count{label} 1.0" in text
