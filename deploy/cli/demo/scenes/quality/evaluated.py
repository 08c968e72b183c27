"""A golden set is run on three versions, which are compared and gated: the worse one stays home."""

from __future__ import annotations

from typing import Final

import msgspec

from deploy.cli.demo.dollars import NOTHING, price_tag
from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.cli.eval.running.plan import RunPlan, run_planned
from deploy.scripted_provider.behaviour import Behaviour
from shared.evaluation.golden.case import GoldenCase
from shared.evaluation.golden.golden_set import GoldenSet, read_golden_set
from shared.evaluation.kept_run import Figure, KeptRun
from shared.evaluation.paired.gate import GateVerdict
from shared.evaluation.paired.two_runs import read_two_runs
from shared.messages.facts import FACTS_KEY, facts_of

_SET: Final = "account"
_EVASIVE: Final = "I would rather not say."
_EVADES_EVERY: Final = 2
_MARGIN: Final = 0.2


async def evaluated(stage: Stage) -> Told:
    golden, _ = read_golden_set(_SET)
    before = await _run(stage, golden, "1.0", evades_every=None)
    same = await _run(stage, golden, "1.0.1", evades_every=None)
    worse = await _run(stage, golden, "1.1", evades_every=_EVADES_EVERY)
    kept = (await read_two_runs(stage.database, before.id, same.id)).no_worse(_COMPLETED, _MARGIN)
    runs = await read_two_runs(stage.database, before.id, worse.id)
    lost = runs.no_worse(_COMPLETED, _MARGIN)
    expect(kept.verdict is GateVerdict.PASS, f"The same version: {kept.verdict}: {kept.why}")
    expect(lost.verdict is GateVerdict.FAIL, f"The worse version: {lost.verdict}: {lost.why}")
    spent = sum((each.cost or NOTHING for each in (before, same, worse)), NOTHING)
    figures = worse.scores or {}
    return Told(
        f"{len(golden.cases)} questions, three times, through the door and the batch lane for "
        f"{price_tag(spent)} in all. Version 1.0.1 passes the gate; of 1.1, which evades every "
        f"other question, the gate says {lost.verdict}: {lost.why}",
        {
            "cases": len(golden.cases),
            "before": (before.scores or {})[_COMPLETED].mean,
            "after": figures[_COMPLETED].mean,
            "gates": [str(kept.verdict), str(lost.verdict)],
        },
    )


def true_answer(case: GoldenCase) -> str:
    """What an honest model says: each fact of the case, by its first word."""
    facts = facts_of({FACTS_KEY: msgspec.json.encode(case.facts).decode()})
    said = [f"Your {(fact.words or [name])[0]} is {fact.shown}." for name, fact in facts.items()]
    return " ".join(said)


async def _run(
    stage: Stage, golden: GoldenSet, version: str, *, evades_every: int | None
) -> KeptRun:
    """One version: the models are scripted anew before it is asked."""
    for provider in (stage.primary, stage.secondary):
        provider.reset()
        for place, case in enumerate(golden.cases):
            evades = evades_every is not None and place % evades_every == 0
            said = _EVASIVE if evades else true_answer(case)
            provider.script(Behaviour(text=said), contains=case.asked)
    plan = RunPlan(stage.state.url, stage.state.key, version=version)
    ended, _ = await run_planned(golden, plan, database=stage.database, progress=_Unseen())
    return ended


class _Unseen:
    """Scenes tell of their end alone."""

    def begin(self, step: str, total: int) -> None:
        """Nobody looks."""

    def advance(self, done: int) -> None:
        """Nobody looks."""


_COMPLETED: Final = Figure.TASK_COMPLETION
