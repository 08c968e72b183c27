"""A question that was answered before."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage, until
from deploy.cli.demo.visitor import Heard
from shared.messages.turn_report import CacheKind

_QUESTION: Final = "When does the visitors' centre open on Sundays?"


async def exact_hit(stage: Stage) -> Told:
    visitor = stage.visitor.sharing_answers()
    first = await visitor.post(_QUESTION)
    again: list[Heard] = []

    async def comes_from_the_store() -> bool:
        """It is stored right after the first reply, so the very next one may still share that."""
        again.append(await visitor.post(_QUESTION))
        return bool(again[-1].turn.get("cache", {}).get("kind") == CacheKind.EXACT)

    expect(await until(comes_from_the_store), f"The response tells {again[-1].turn}.")
    calls = len(stage.primary.calls)
    expect(calls == 1, f"The provider was asked {calls} times.")
    expect(all(each.text == first.text for each in again), "The answers differ.")
    expect(not any(each.cost for each in again), "A stored answer was paid for.")
    # What the stored answer cost when it was fresh, each time that it was given again.
    saved = sum((Decimal(each.turn["cache"]["saved"]) for each in again), Decimal(0))
    return Told(
        f"Asked {1 + len(again)} times, and the provider once: “{first.text}” came from the store "
        f"({again[-1].turn['cache']['entry']}).",
        {"asked": 1 + len(again), "provider_calls": calls, "kind": CacheKind.EXACT.value},
        saved,
    )
