"""A worker starts by our command, as a process from its first line, and by Celery's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, open_road
from tests.integration.workers.stack import Stack, openai_link


async def test_celerys_own_command_starts_the_same_worker(
    stack: Stack, road: Road, start_worker: Callable[..., AgentWorker]
) -> None:
    start_worker(stack, by_celery=True)
    record = await road.ended(await road.accept("Who started you?"))
    assert record.state is ResponseState.COMPLETED


async def test_a_worker_of_one_lane_leaves_the_others_alone(
    redis_url: str,
    migrated_sqlite_url: str,
    provider: ProviderThread,
    start_worker: Callable[..., AgentWorker],
) -> None:
    links = [openai_link(provider.url)]
    stack = Stack(
        broker_url=redis_url, redis_url=redis_url, ledger_url=migrated_sqlite_url, providers=links
    )
    async with open_road(stack) as road:
        other = await road.accept("Who reads the standard lane?", lane=Lane.STANDARD)
        start_worker(stack, lanes=(Lane.BATCH,), cold=True)
        for _ in range(3):
            ended = await road.ended(await road.accept("And this one?", lane=Lane.BATCH))
            assert ended.state is ResponseState.COMPLETED
        left = await road.ledger.find(other.id)
    assert left is not None
    assert (left.state, left.attempt) == (ResponseState.QUEUED, 0)


def test_settings_that_cannot_be_used_are_told_without_a_traceback() -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "workers"],
        env={"FOREBAY_WORKER__CONCURRENCY": "many"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode == 78
    assert "worker.concurrency" in refused.stderr.lower().replace("__", ".")
    assert "Traceback" not in refused.stderr
