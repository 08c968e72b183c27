"""What all of this came to, read back from the figures that were kept of it."""

from __future__ import annotations

from datetime import timedelta

from deploy.cli.demo.dollars import NOTHING, price_tag
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage, until
from shared.clock import SystemClock
from shared.messages.state import ResponseState
from shared.rollups.reading import Dimension, RollupRow, Rollups, TimeSpan


async def own_figures(stage: Stage) -> Told:
    async def fits() -> bool:
        return sum((each.cost for each in await _rows(stage)), NOTHING) == await stage.books.spent()

    booked = await stage.books.spent()
    expect(await until(fits), f"The figures do not come to {price_tag(booked)}, as booked.")
    (all_of_it,) = await _rows(stage)
    ended = await _rows(stage, Dimension.STATE)
    completed = sum(
        each.messages for each in ended if each.dims[Dimension.STATE] == ResponseState.COMPLETED
    )
    expect(completed, "The figures know of no message that was completed.")
    per_success = all_of_it.cost / completed
    refused = sum(all_of_it.refused.values())
    p95 = all_of_it.latency.quantile(0.95)
    return Told(
        f"The figures that were kept meanwhile say: {all_of_it.messages} messages ended, "
        f"{completed} of them completed, 95 in 100 within {p95:.1f} s; {refused} requests were "
        f"refused at the door; {all_of_it.attempts} calls cost {price_tag(all_of_it.cost)}, to the "
        f"cent what is booked, which is {price_tag(per_success)} for each success; stored answers "
        f"saved {price_tag(all_of_it.saved)}.",
        {
            "messages": all_of_it.messages,
            "completed": completed,
            "refused": refused,
            "calls": all_of_it.attempts,
            "cost": f"{all_of_it.cost}",
            "cost_per_success": f"{per_success:.9f}",
            "saved_by_cache": f"{all_of_it.saved}",
            "p95_seconds": p95,
        },
    )


async def _rows(stage: Stage, *by: Dimension) -> list[RollupRow]:
    now = SystemClock().now()
    span = TimeSpan(now - timedelta(hours=1), now + timedelta(minutes=1))
    return await Rollups(stage.database).sums(span, by=by)
