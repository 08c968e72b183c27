"""What can wait, handed to the provider as a batch of its own API, at half the price."""

from __future__ import annotations

from typing import Final

from deploy.cli.demo.dollars import amount
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.batches.batch_run import line, run_batch
from deploy.cli.demo.stage import Stage
from shared.costs.price import TokenCount

_LINES: Final = 12


async def provider_batch(stage: Stage) -> Told:
    before = await stage.books.spent()
    lines = [line(f"page-{n}", f"Translate page {n} of the manual.") for n in range(_LINES)]
    batch = await run_batch(stage, lines, window="24h")
    counts = batch.body["request_counts"]
    expect(counts["completed"] == _LINES, f"The batch is {batch.state}: {counts}.")
    spent, usage = await stage.books.spent() - before, batch.body["usage"]
    tokens = TokenCount(usage["input_tokens"], usage["output_tokens"])
    standard = stage.cost_with("scripted", tokens)
    expect(spent == standard / 2, f"It cost ${spent}, and is ${standard} as calls.")
    return Told(
        f"{_LINES} lines travel as a batch of the provider's own, for ${spent.normalize()}; as "
        f"calls they would have been ${standard.normalize()}.",
        {"lines": _LINES, "batch_cost": amount(spent), "standard_cost": amount(standard)},
        standard - spent,
    )
