"""Easy messages get the small model, hard ones the large one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from deploy.cli.demo.dollars import NOTHING, price_tag
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.cli.demo.visitor import Heard
from shared.messages.turn_report import Tier

_EASY: Final = (
    "Who wrote Faust?",
    "Translate 'water' into German.",
    "When does winter begin?",
    "What is the capital of Norway?",
)
_HARD: Final = (
    "Prove that the square root of 2 is irrational, and compare two proofs of it.",
    "Design a lock-free queue and explain why it stays correct under weak memory ordering.",
)


async def routing(stage: Stage) -> Told:
    easy, hard = await _ask(stage, _EASY), await _ask(stage, _HARD)
    _expect_tier(easy, Tier.SMALL)
    _expect_tier(hard, Tier.LARGE)
    models = stage.primary.calls.by_model
    expect(len(models) == 2, f"The provider was asked for {dict(models)}.")
    # Without routing the easy ones would have gone to the large model as well.
    large = hard[0].body["model"]
    spent = sum((each.cost for each in easy), NOTHING)
    saved = sum((stage.cost_with(large, each.usage) for each in easy), NOTHING) - spent
    return Told(
        f"{len(easy)} easy messages went to {easy[0].body['model']} for {price_tag(spent)}, "
        f"{len(hard)} hard ones to {large}: {hard[0].turn['routing']['reason']}.",
        {"small": len(easy), "large": len(hard)},
        saved,
    )


async def _ask(stage: Stage, questions: Sequence[str]) -> list[Heard]:
    return await asyncio.gather(*(stage.visitor.post(each, model="auto") for each in questions))


def _expect_tier(heard: Sequence[Heard], tier: Tier) -> None:
    for each in heard:
        expect(each.state == "completed", f"The response is {each.state}: {each.body}")
        chosen = each.turn.get("routing", {})
        expect(chosen.get("tier") == tier, f"“{each.text}” was routed by {chosen}.")
