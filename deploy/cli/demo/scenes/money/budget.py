"""A tenant that has spent its day's budget."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from deploy.cli.demo.dollars import NOTHING, price_tag
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import AMPLE, Stage
from deploy.scripted_provider.behaviour import Behaviour

_BUDGET: Final = Decimal("0.01")
_SENT: Final = 8
_LONG_ANSWER: Final = "and so on " * 65
_LIMIT: Final = 200
"""Tokens; a little more than the answer has."""
_REASON: Final = "budget_exhausted"


async def budget_stop(stage: Stage) -> Told:
    stage.primary.script(Behaviour(text=_LONG_ANSWER.strip()))
    visitor = await stage.visitor_with(replace(AMPLE, daily_budget=_BUDGET), tenant="small purse")
    heard = [
        # Under a cap the whole limit of an answer is reserved: one that fits lets more of them in.
        await visitor.post(f"Tell me all of it, part {part}.", max_output_tokens=_LIMIT)
        for part in range(_SENT)
    ]
    answered = [each for each in heard if each.state == "completed"]
    refused = [each for each in heard if each.status == 429]
    expect(answered and refused, f"{len(answered)} were answered, {len(refused)} refused.")
    expect(len(answered) + len(refused) == _SENT, f"The states are {[e.state for e in heard]}.")
    errors = [each.body["error"] for each in refused]
    expect(all(each["code"] == _REASON for each in errors), f"The reasons are {errors}.")
    expect(len(stage.primary.calls) == len(answered), "A refused message reached the provider.")
    spent = sum((each.cost for each in answered), NOTHING)
    expect(NOTHING < spent <= _BUDGET, f"{price_tag(spent)} were spent.")
    # Without the cap each refused one would have been answered at what the others cost.
    saved = spent / len(answered) * len(refused)
    return Told(
        f"A tenant with {price_tag(_BUDGET)} a day sent {_SENT} messages: {len(answered)} were "
        f"answered for {price_tag(spent)}, then {len(refused)} refused before any provider was "
        f"asked: “{errors[-1]['message']}”",
        {
            "budget": f"{_BUDGET}",
            "answered": len(answered),
            "refused": len(refused),
            "reason": _REASON,
        },
        saved,
    )
