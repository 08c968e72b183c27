"""One line of a batch that nobody wants any more: the rest is answered."""

from __future__ import annotations

from typing import Any, Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.batches.batch_run import line
from deploy.cli.demo.stage import Stage, until
from deploy.cli.demo.visitor import Heard
from deploy.scripted_provider.behaviour import Behaviour, Kind

_WANTED: Final = tuple(f"Which key is for room {number}?" for number in range(1, 7))
_UNWANTED: Final = "Describe every bolt of the house."
_NAME: Final = "bolts"


async def line_cancelled(stage: Stage) -> Told:
    stage.primary.script(Behaviour(kind=Kind.HANG), said="bolt")
    stage.secondary.script(Behaviour(kind=Kind.HANG), said="bolt")
    booked_before = await stage.books.calls()
    lines = [line(f"room-{place}", text) for place, text in enumerate(_WANTED, 1)]
    lines.insert(2, line(_NAME, _UNWANTED))
    heard = await _without_the_one(stage, lines)
    counts = heard.body["request_counts"]
    expect(counts == {"total": 7, "completed": 6, "failed": 1}, f"The counts are {counts}.")
    answers = await stage.visitor.lines_of(heard.body["output_file_id"])
    (left,) = await stage.visitor.lines_of(heard.body["error_file_id"])
    expect(len(answers) == len(_WANTED), f"{len(answers)} lines are in the output file.")
    expect(left["custom_id"] == _NAME, f"In the error file is {left}.")
    expect(left["error"]["code"] == "line_cancelled", f"It says {left['error']}.")

    async def every_call_is_booked() -> bool:
        calls = len(stage.primary.calls) + len(stage.secondary.calls)
        return await stage.books.calls() - booked_before == calls

    expect(await until(every_call_is_booked), "Not every call is booked once.")
    return Told(
        f"One of {counts['total']} lines hangs and is cancelled by its custom_id: the batch is "
        f"complete with {counts['completed']} answers, and the line stands in the error file: "
        f"“{left['error']['message']}”",
        {"lines": counts["total"], "answered": counts["completed"]},
    )


async def _without_the_one(stage: Stage, lines: list[dict[str, Any]]) -> Heard:
    """The batch at its end, the line cancelled when all others were answered."""
    file = await stage.visitor.upload(lines, name="house.jsonl")
    begun = await stage.visitor.begin_batch(file.body["id"])
    batch_id, heard = begun.body["id"], begun

    async def only_one_waits() -> bool:
        counts = (await stage.visitor.batch(batch_id)).body["request_counts"]
        return bool(counts["completed"] == len(_WANTED))

    expect(await until(only_one_waits, seconds=30.0), "The other lines were not answered.")
    cancelled = await stage.visitor.cancel_line(batch_id, _NAME)
    expect(cancelled.status == 200, f"The cancel was answered with {cancelled.body}.")

    async def is_over() -> bool:
        nonlocal heard
        heard = await stage.visitor.batch(batch_id)
        return heard.state == "completed"

    expect(await until(is_over, seconds=30.0), f"The batch is {heard.state}.")
    return heard
