"""Messages that come on time, whatever became of those before."""

from __future__ import annotations

import asyncio
from time import perf_counter

from deploy.cli.demo.visitor import Visitor


async def open_loop(
    visitor: Visitor, count: int, *, per_second: float, **fields: object
) -> list[float]:
    """Seconds from asking to the answer in hand of so many messages with these fields.

    Raises RuntimeError where one is not answered.
    """

    async def ask(number: int) -> float:
        began = perf_counter()
        heard = await visitor.post(f"What is the number {number}?", **fields)  # type: ignore[arg-type]
        if heard.state != "completed":
            raise RuntimeError(f"A message ended as {heard.state}: {heard.body}")
        return perf_counter() - began

    asked = []
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            asked.append(group.create_task(ask(number)))
            await asyncio.sleep(1 / per_second)
    return [each.result() for each in asked]


def at_share(share: float, figures: list[float]) -> float:
    """The figure below which that share of them lies, 0 to 1."""
    return sorted(figures)[int(len(figures) * share)]
