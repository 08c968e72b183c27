"""The worker is killed in the middle of a turn."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from deploy.cli.demonstration.scene import Told, expect
from deploy.cli.demonstration.stage import Stage, until
from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.call import Ending

_WORKER = "worker-1"


async def worker_killed(stage: Stage) -> Told:
    stage.primary.script(Behaviour(kind=Kind.HANG, times=1))
    asked = asyncio.create_task(stage.visitor.post("Remember me when you are back."))

    async def is_in_its_turn() -> bool:
        return len(stage.primary.calls) == 1

    try:
        expect(await until(is_in_its_turn), "No worker took the message.")
        pid = stage.stack.pid(_WORKER)
        expect(pid is not None, "There is no worker to kill.")
        os.kill(pid or 0, signal.SIGKILL)
        killed_at = time.monotonic()
        heard = await asked
    finally:
        asked.cancel()
    seconds = time.monotonic() - killed_at
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    endings = [call.ending for call in stage.primary.calls]
    expect(endings.count(Ending.SERVED) == 1, f"The provider's calls ended so: {endings}.")
    return Told(
        f"The worker (process {pid}) was killed with SIGKILL in the middle of its turn. Its lease "
        f"ran out, and the one started in its place answered after {seconds:.1f} s, "
        f"once: “{heard.text}”",
        {
            "id": heard.body["id"],
            "killed_pid": pid,
            "seconds_to_answer": round(seconds, 2),
            "provider_calls": len(endings),
            "answers": endings.count(Ending.SERVED),
        },
    )
