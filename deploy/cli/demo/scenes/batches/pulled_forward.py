"""A provider's batch that does not come back: what it holds is answered before its deadline."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from deploy.cli.demo.dollars import NOTHING, amount
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.batches.small_stage import SLOTS, small_stage
from deploy.cli.demo.stage import Stage, until
from deploy.cli.demo.visitor import Heard
from deploy.scripted_provider.batches.batch_script import BatchBehaviour
from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.batches.provider_batch import ProviderBatch

_DEADLINE: Final = timedelta(seconds=130)
"""Of so short a window a batch may be waited for 7.5 s."""
_BUSY: Final = tuple(f"Hold line {number}." for number in range(1, SLOTS + 1))
"""While these are held no worker has a slot: what can wait is handed over."""
_REPORTS: Final = tuple(f"Summarise report {number} by tonight." for number in range(1, 5))


async def pulled_forward(stage: Stage) -> Told:  # noqa: ARG001 - it has a stack of its own
    async with small_stage(provider_batches=True) as small:
        batch, ids = await _handed_over(small)
        return await _answered_in_time(small, batch, ids)


async def _handed_over(stage: Stage) -> tuple[ProviderBatch, list[str]]:
    """A batch that never ends, and what is in it."""
    stage.primary.script_batches(BatchBehaviour(never_ends=True))
    stage.primary.script(Behaviour(kind=Kind.HANG), contains="Hold")
    busy = [await stage.visitor.post(text, background=True) for text in _BUSY]
    asked = stage.primary.calls.by_content
    await stage.primary.calls.until(lambda: asked.keys() >= {*_BUSY})
    seconds = _DEADLINE.total_seconds()
    posted = await asyncio.gather(
        *(
            stage.visitor.post(text, background=True, service_tier="flex", deadline_seconds=seconds)
            for text in _REPORTS
        )
    )
    found: list[ProviderBatch] = []

    async def the_provider_has_it() -> bool:
        found[:] = [each for each in await stage.books.handed_over() if each.submitted_at]
        return bool(found)

    expect(await until(the_provider_has_it), "Nothing was handed over to the provider.")
    (batch,) = found
    for each in busy:
        await stage.visitor.cancel(each.body["id"])
    expect(batch.requests == len(_REPORTS), f"{batch.requests} messages were handed over.")
    return batch, [each.body["id"] for each in posted]


async def _answered_in_time(stage: Stage, batch: ProviderBatch, ids: list[str]) -> Told:
    heard = await asyncio.gather(*(stage.visitor.get(each, wait_seconds=25) for each in ids))
    expect(all(each.state == "completed" for each in heard), "Not all were answered.")
    calls = [stage.primary.calls.by_content[text] for text in _REPORTS]
    expect(calls == [1] * len(_REPORTS), f"The provider was called {calls} times for them.")
    begun = await stage.books.begun(ids)
    expect(sorted(ids) == sorted(whose for whose, _ in begun), f"Booked were {begun}.")
    first = min(at for _, at in begun)
    expect(first >= batch.pull_at, f"A call began at {first}, to be taken back {batch.pull_at}.")
    spent = sum((each.cost for each in heard), NOTHING)
    standard = sum((stage.cost_with("scripted", each.usage) for each in heard), NOTHING)
    expect(spent == standard, f"They cost ${spent}, and are ${standard} as calls.")
    return _told(heard, batch, first, spent)


def _told(heard: list[Heard], batch: ProviderBatch, first: datetime, spent: Decimal) -> Told:
    waited = (first - batch.created_at).total_seconds()
    due = min(each.body["created_at"] for each in heard) + _DEADLINE.total_seconds()
    left = due - max(each.body["completed_at"] for each in heard)
    expect(left > 0, f"The last answer came {-left:.0f} s late.")
    return Told(
        f"{len(heard)} messages lie in a batch of the provider's that never ends. They are taken "
        f"back after {waited:.1f} s and answered by one call each, booked once, {left:.0f} s "
        f"before their deadline: ${spent.normalize()}, and ${(spent / 2).normalize()} had the "
        "batch come back.",
        {
            "pulled": len(heard),
            "waited_seconds": round(waited, 3),
            "seconds_left": round(left, 1),
            "cost": amount(spent),
            "batch_cost": amount(spent / 2),
        },
    )
