"""Sends what is to be sent and shows what comes back."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.cli.output import complain, counted, say, say_json
from deploy.cli.send.door import LAST_EVENTS, DoorClient
from deploy.cli.send.order import Order
from deploy.cli.send.result import Result, result_of


async def deliver_all(
    door: DoorClient, orders: Sequence[Order], *, concurrency: int, as_json: bool
) -> bool:
    """Send all, `concurrency` at once; results are shown as they come, numbered by line.

    False when any of them failed. Raises Unavailable when nobody is at the door.
    """
    slots = asyncio.Semaphore(concurrency)
    began = time.monotonic()
    results: list[Result] = []

    async def deliver(order: Order) -> Result:
        async with slots:
            return await door.send(order)

    tasks = [asyncio.create_task(deliver(order)) for order in orders]
    try:
        with _progress(is_shown=len(orders) > 1) as progress:
            bar = progress.add_task("Sending", total=len(orders))
            for task in asyncio.as_completed(tasks):
                result = await task
                results.append(result)
                progress.advance(bar)
                _show(result, as_json=as_json, is_numbered=len(orders) > 1)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if len(orders) > 1:
        complain(summary(results, seconds=time.monotonic() - began))
    return all(result.ok for result in results)


async def deliver_streamed(door: DoorClient, order: Order, *, as_json: bool) -> bool:
    """Send one and show its text as it is written, or as JSON each event as it comes."""
    began = time.monotonic()
    result: Result | None = None
    async for event in door.events(order):
        if as_json:
            say_json(event)
        elif event["type"] == "response.output_text.delta":
            sys.stdout.write(event["delta"])
            sys.stdout.flush()
        elif event["type"] == "response.restarted":
            say("\n(the answer begins again)")
        if event["type"] in LAST_EVENTS:
            seconds = time.monotonic() - began
            result = result_of(event["response"], line=order.line, seconds=seconds, waits=0)
    if result is None:
        complain("The stream ended before the answer did. Ask again, or read it by its id.")
        return False
    if not as_json:
        say("" if result.status == "completed" else f"{result.status}: {result.output_text or ''}")
    if result.error:
        complain(result.error)
    return result.ok


def _progress(*, is_shown: bool) -> Progress:
    """A bar on stderr, where somebody looks at it."""
    return Progress(
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        TextColumn("messages"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not is_shown or not sys.stderr.isatty(),
        transient=True,
    )


def _show(result: Result, *, as_json: bool, is_numbered: bool) -> None:
    if as_json:
        say_json(result)
        return
    where = f"{result.line}: " if is_numbered else ""
    if result.error:
        complain(f"{where}{result.error}")
    elif result.status == "completed":
        say(f"{where}{result.output_text}")
    else:
        text = f"  {result.output_text}" if result.output_text else ""
        say(f"{where}{result.status}  {result.id}{text}")


def summary(results: Sequence[Result], *, seconds: float) -> str:
    """One sentence about all of them."""
    fine = sum(result.ok for result in results)
    waits = sum(result.waits for result in results)
    asked = f", asked {counted(waits, 'time')} to come later" if waits else ""
    return (
        f"{len(results)} messages in {seconds:.1f} s: {fine} {_outcome(results)}, "
        f"{len(results) - fine} failed{asked}."
    )


def _outcome(results: Sequence[Result]) -> str:
    """What became of those that went well: a background message is only accepted."""
    states = {result.status for result in results if result.ok}
    if states <= {"completed"}:
        return "answered"
    return "accepted or answered" if "completed" in states else "accepted"
