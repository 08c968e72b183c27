"""A producer that goes past the door, straight to the queue."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.cli.send.result import text_of
from shared.queueing.producer import Producer
from shared.settings import load_settings


async def raw_queue(stage: Stage) -> Told:
    began = time.monotonic()
    response = await asyncio.to_thread(_ask, stage)
    milliseconds = (time.monotonic() - began) * 1000
    expect(response.get("status") == "completed", f"The response is {response}.")
    return Told(
        f"Put on the queue `intake` and answered on the producer's own queue after "
        f"{milliseconds:.0f} ms: “{text_of(response)}”",
        {"id": response["id"], "milliseconds": round(milliseconds, 1)},
    )


def _ask(stage: Stage) -> dict[str, Any]:
    broker = load_settings(stage.environment).broker
    with Producer(str(broker.url), stage.state.key) as producer:
        return producer.ask("I came by the back door.", timeout_seconds=20)
