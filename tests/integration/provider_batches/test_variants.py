"""Variants of the settings count for what travels in a provider's batch as for all else."""

from __future__ import annotations

import json

from shared.messages.state import ResponseState
from shared.settings.watching.variants import ASKED_FOR, CONTROL, VariantSettings
from tests.integration.provider_batches.ground import BatchGround


def asking(name: str) -> dict[str, dict[str, str]]:
    return {"metadata": {ASKED_FOR: name}}


async def test_lines_of_a_batch_are_asked_and_kept_under_their_variant(ground: BatchGround) -> None:
    ground.variants = {"brief": VariantSettings(share=0.5, system_prefix="Be brief.")}
    executor = ground.executor()
    usual = await ground.accept("one", "two", body=asking(CONTROL))
    brief = await ground.accept("three", "four", body=asking("brief"))
    drawn = await ground.accept(*(f"drawn {n}" for n in range(16)))
    await ground.rounds(executor, 3)
    of_usual = await ground.records(usual)
    assert {each.state for each in of_usual} == {ResponseState.COMPLETED}
    assert {each.variant for each in of_usual} == {None}
    prefixed = {call.content for call in ground.scripted.calls if call.instructions == "Be brief."}
    assert {"three", "four"} <= prefixed
    assert prefixed.isdisjoint({"one", "two"})
    for record in await ground.records(brief):
        assert record.variant == "brief"
        assert json.loads(record.report or "{}")["variant"] == "brief"
    assert {each.variant for each in await ground.records(drawn)} == {None, "brief"}


async def test_a_variant_with_a_chain_of_its_own_goes_by_single_calls(ground: BatchGround) -> None:
    ground.variants = {"elsewhere": VariantSettings(share=0.0, chain=("other",))}
    executor = ground.executor()
    alone = await ground.accept("one", "two", body=asking("elsewhere"))
    batched = await ground.accept("three", "four", body=asking(CONTROL))
    await ground.rounds(executor, 3)
    assert await ground.states(batched) == {ResponseState.COMPLETED}
    assert await ground.states(alone) == {ResponseState.QUEUED}
