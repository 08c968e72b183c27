"""The worker that has a message is killed in the middle of its turn."""

from __future__ import annotations

import os
import signal
import time

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.call import Ending


async def worker_killed(stage: Stage) -> Told:
    calls = stage.primary.calls
    stage.primary.script(Behaviour(kind=Kind.HANG, times=1))
    asked = await stage.visitor.post("Remember me when you are back.", background=True)
    await calls.until(lambda: calls.count == 1)
    (pid,) = await stage.books.workers_of([asked.body["id"]])
    os.kill(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    heard = await stage.visitor.get(asked.body["id"], wait_seconds=20)
    seconds = time.monotonic() - killed_at
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    endings = [call.ending for call in calls]
    expect(endings.count(Ending.SERVED) == 1, f"The provider's calls ended so: {endings}.")
    return Told(
        f"A worker (process {pid}) was killed with SIGKILL in the middle of its turn. Its lease "
        f"ran out, and another one answered after {seconds:.1f} s, once: “{heard.text}”",
        {
            "id": heard.body["id"],
            "killed_pid": pid,
            "seconds_to_answer": round(seconds, 2),
            "provider_calls": len(endings),
            "answers": endings.count(Ending.SERVED),
        },
    )
