"""Calls of a batch that give way to somebody who waits, and are made again later."""

from __future__ import annotations

import asyncio
from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.batches.batch_run import line
from deploy.cli.demo.scenes.batches.small_stage import SLOTS, small_stage
from deploy.cli.demo.stage import Stage, until
from deploy.scripted_provider.behaviour import Behaviour, Kind

_LONG_SECONDS: Final = 6.0
_BURST: Final = 4


async def gives_way(stage: Stage) -> Told:  # noqa: ARG001 - it has a stack of its own
    async with small_stage() as small:
        return await _burst_beside_a_batch(small)


async def _burst_beside_a_batch(stage: Stage) -> Told:
    calls = stage.primary.calls
    stage.primary.script(Behaviour(kind=Kind.LATENCY, seconds=_LONG_SECONDS), said="report")
    reports = [f"Write report {number}." for number in range(SLOTS + 2)]
    lines = [line(f"report-{number}", text) for number, text in enumerate(reports)]
    file = await stage.visitor.upload(lines, name="reports.jsonl")
    batch = await stage.visitor.begin_batch(file.body["id"])

    async def they_are_under_way() -> bool:
        return sum(calls.by_content[text] for text in reports) >= SLOTS - 1

    expect(await until(they_are_under_way), "The batch did not begin.")
    clock = asyncio.get_running_loop().time
    asked = clock()
    questions = [f"Urgent question {number}" for number in range(_BURST)]
    heard = await asyncio.gather(
        *(stage.visitor.post(text, service_tier="priority") for text in questions)
    )
    seconds = clock() - asked
    expect(all(each.state == "completed" for each in heard), "Not all were answered.")

    async def the_batch_is_done() -> bool:
        return (await stage.visitor.batch(batch.body["id"])).state == "completed"

    expect(await until(the_batch_is_done), "The batch did not end.")
    again = sum(calls.by_content[text] for text in reports) - len(reports)
    expect(again > 0, f"The burst took {seconds:.1f} s: no call gave way.")
    return Told(
        f"{_BURST} urgent messages while a batch's calls of {_LONG_SECONDS:g} s hold the slots: "
        f"all are answered within {seconds:.1f} s, for calls of the batch gave way. The batch is "
        f"complete all the same, with {again} calls made again.",
        {"burst_seconds": round(seconds, 3), "calls_again": again},
    )
