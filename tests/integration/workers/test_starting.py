"""A worker starts by our command, which the other tests use, and by Celery's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from shared.messages.state import ResponseState
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack


async def test_celerys_own_command_starts_the_same_worker(
    stack: Stack, road: Road, start_worker: Callable[..., AgentWorker]
) -> None:
    start_worker(stack, by_celery=True)
    record = await road.ended(await road.accept("Who started you?"))
    assert record.state is ResponseState.COMPLETED


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
