"""A batch that nobody wants any more, in the middle of it."""

from __future__ import annotations

from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.batches.batch_run import line
from deploy.cli.demo.stage import Stage, until
from deploy.scripted_provider.behaviour import Behaviour, Kind

_QUICK: Final = tuple(f"What is in drawer {number}?" for number in range(1, 6))
_SLOW: Final = tuple(f"Describe every screw of cupboard {number}." for number in range(1, 21))


async def batch_cancelled(stage: Stage) -> Told:
    stage.primary.script(Behaviour(kind=Kind.HANG), said="screw")
    stage.secondary.script(Behaviour(kind=Kind.HANG), said="screw")
    booked_before = await stage.books.calls()
    lines = [line(f"line-{place}", text) for place, text in enumerate((*_QUICK, *_SLOW))]
    file = await stage.visitor.upload(lines, name="inventory.jsonl")
    begun = await stage.visitor.begin_batch(file.body["id"])
    batch_id = begun.body["id"]

    async def the_quick_are_done() -> bool:
        counts = (await stage.visitor.batch(batch_id)).body["request_counts"]
        return bool(counts["completed"] == len(_QUICK))

    expect(await until(the_quick_are_done), "The quick lines were not answered.")
    cancelled = await stage.visitor.cancel_batch(batch_id)
    expect(cancelled.status == 200, f"The cancel was answered with {cancelled.body}.")
    heard = cancelled

    async def is_over() -> bool:
        nonlocal heard
        heard = await stage.visitor.batch(batch_id)
        return heard.state == "cancelled"

    expect(await until(is_over), f"The batch is {heard.state}.")

    async def the_cut_calls_are_booked() -> bool:
        calls = len(stage.primary.calls) + len(stage.secondary.calls)
        return await stage.books.calls() - booked_before >= calls

    expect(await until(the_cut_calls_are_booked), "Not every call that was cut is booked.")
    kept = await stage.visitor.lines_of(heard.body["output_file_id"])
    expect(len(kept) == len(_QUICK), f"{len(kept)} answers are in the output file.")
    return Told(
        f"A batch of {len(lines)} lines is cancelled while {len(_SLOW)} of them hang: it is over, "
        f"and the {len(kept)} answers that were there are in its output file.",
        {"lines": len(lines), "answers_kept": len(kept)},
    )
