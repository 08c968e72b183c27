"""More than a tenant's plan allows, all at once."""

from __future__ import annotations

import asyncio
from collections import Counter

from msgspec.structs import replace

from deploy.cli.demo.dollars import NOTHING
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.settings_text import BURST_SHARE
from deploy.cli.demo.stage import AMPLE, Stage

_PER_MINUTE = 1_200
_AT_ONCE = int(_PER_MINUTE * BURST_SHARE)
_SENT = 90


async def burst_429(stage: Stage) -> Told:
    plan = replace(AMPLE, requests_per_minute=_PER_MINUTE, user_requests_per_minute=_PER_MINUTE)
    visitor = await stage.visitor_with(plan, tenant="small plan")
    heard = await asyncio.gather(
        *(visitor.post(f"Burst {number}", background=True) for number in range(_SENT))
    )
    counts = Counter(each.status for each in heard)
    expect(set(counts) == {200, 429}, f"The answers were {dict(counts)}.")
    # While the burst is on its way the plan earns twenty a second.
    expect(_AT_ONCE <= counts[200] < _AT_ONCE + 20, f"{counts[200]} were let in.")
    waits = [float(each.headers["Retry-After"]) for each in heard if each.status == 429]
    await asyncio.sleep(max(waits))
    later = await visitor.post("After the wait", background=True)
    expect(later.status == 200, f"After Retry-After it was answered with {later.status}.")
    accepted = [each.body["id"] for each in (*heard, later) if each.status == 200]
    ended = await asyncio.gather(*(visitor.get(each, wait_seconds=20) for each in accepted))
    states = Counter(each.state for each in ended)
    expect(states["completed"] == len(accepted), f"What was accepted ended as {dict(states)}.")
    # What the refused ones would have cost as well, at what the accepted ones did.
    saved = sum((each.cost for each in ended), NOTHING) / len(ended) * counts[429]
    return Told(
        f"{_SENT} messages at once on a plan of {_PER_MINUTE} a minute, {_AT_ONCE} at once: "
        f"{counts[200]} accepted, "
        f"{counts[429]} refused with 429. Retry-After said {max(waits):g} s, and after that the "
        "next one was accepted. All that were accepted have been answered.",
        {
            "sent": _SENT,
            "accepted": counts[200],
            "refused": counts[429],
            "retry_after_seconds": max(waits),
            "accepted_after_waiting": later.status == 200,
            "answered": states["completed"],
        },
        saved,
    )
