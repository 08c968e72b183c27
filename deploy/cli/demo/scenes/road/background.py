"""A message that nobody waits for, asked about later."""

from __future__ import annotations

import time

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour, Kind


async def background_polled(stage: Stage) -> Told:
    stage.primary.script(Behaviour(kind=Kind.LATENCY, seconds=0.3))
    began = time.monotonic()
    accepted = await stage.visitor.post("Take your time.", background=True)
    accepted_after = (time.monotonic() - began) * 1000
    expect(accepted.state == "queued", f"It was accepted as {accepted.state}.")
    heard = await stage.visitor.get(accepted.body["id"], wait_seconds=10)
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    return Told(
        f"Accepted as {accepted.state} after {accepted_after:.0f} ms, found answered by one long "
        f"poll: “{heard.text}”",
        {"id": heard.body["id"], "accepted_milliseconds": round(accepted_after, 1)},
    )
