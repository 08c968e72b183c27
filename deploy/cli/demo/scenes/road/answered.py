"""A question, answered while the client waits."""

from __future__ import annotations

import time

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage


async def answered(stage: Stage) -> Told:
    began = time.monotonic()
    heard = await stage.visitor.post("What is a forebay?")
    milliseconds = (time.monotonic() - began) * 1000
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    return Told(
        f"Asked and answered in {milliseconds:.0f} ms: “{heard.text}”",
        {"id": heard.body["id"], "milliseconds": round(milliseconds, 1), "answer": heard.text},
    )
