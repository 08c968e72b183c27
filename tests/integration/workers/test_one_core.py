"""A worker takes a core for all its threads, without being told to."""

from __future__ import annotations

import os

import pytest

from tests.integration.workers.road import eventually
from tests.integration.workers.stack import Stack
from workers.building.runtime import open_runtime


@pytest.fixture
def stack(amqp_url: str, redis_url: str, migrated_sqlite_url: str) -> Stack:
    return Stack(
        broker_url=amqp_url,
        redis_url=redis_url,
        ledger_url=migrated_sqlite_url,
        providers=[],
        extra={"FOREBAY_WORKER__ONE_CORE": "true"},
    )


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core is all there is")
async def test_a_worker_takes_a_core_and_gives_it_back(stack: Stack) -> None:
    allowed = os.sched_getaffinity(0)
    async with open_runtime(stack.settings):
        await eventually(_is_on_one_core, "all threads on one core")

    assert os.sched_getaffinity(0) == allowed


async def _is_on_one_core() -> bool:
    return len(os.sched_getaffinity(0)) == 1
