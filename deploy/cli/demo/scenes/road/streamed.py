"""An answer that is read while it is written."""

from __future__ import annotations

import time

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour, Kind

STORY = "Water that is about to be used waits in a forebay so that every surge finds it full."


async def streamed(stage: Stage) -> Told:
    stage.primary.script(Behaviour(kind=Kind.SLOW_DRIP, text=STORY, every_seconds=0.04))
    began = time.monotonic()
    first_token, deltas, last = 0.0, [], ""
    async for event in stage.visitor.stream("Tell me about forebays."):
        last = event["type"]
        if last == "response.output_text.delta":
            first_token = first_token or time.monotonic() - began
            deltas.append(event["delta"])
    seconds = time.monotonic() - began
    expect(last == "response.completed", f"The stream ended with {last or 'nothing'}.")
    expect("".join(deltas) == STORY, "The pieces do not make the answer.")
    return Told(
        f"Streamed in {len(deltas)} pieces: the first after {first_token * 1000:.0f} ms, all "
        f"after {seconds * 1000:.0f} ms.",
        {
            "pieces": len(deltas),
            "first_token_milliseconds": round(first_token * 1000, 1),
            "milliseconds": round(seconds * 1000, 1),
        },
    )
