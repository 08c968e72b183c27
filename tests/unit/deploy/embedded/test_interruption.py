from __future__ import annotations

import asyncio
import os
import signal

from deploy.embedded.interruption import until_interrupted


async def test_a_signal_ends_the_work_though_nobody_reads_what_is_said() -> None:
    ended: list[str] = []

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            # Without a signal that arrives it fails.
            await asyncio.wait_for(asyncio.Event().wait(), 60)
        finally:
            ended.append("in order")

    def report(text: str) -> None:
        raise BrokenPipeError

    assert await until_interrupted(work(), report=report)
    assert ended == ["in order"]
