"""Runs of golden sets for people."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from deploy.cli.output import counted, moment, say, say_table
from shared.evaluation.bootstrap import Estimate
from shared.evaluation.kept_run import CaseResult, Figure, KeptRun

FIGURES: Final = {
    Figure.TASK_COMPLETION: "task completion",
    Figure.HALLUCINATION: "hallucination frequency",
    Figure.SATISFACTION: "satisfaction",
    Figure.COST_PER_SUCCESS: "cost per success (USD)",
}


def say_run(run: KeptRun, results: Sequence[CaseResult]) -> None:
    """One run with its figures, and each answer that did not pass."""
    say(
        f"{run.id}: {run.set_name} ({run.set_digest[:12]}) of {run.version}, {run.state}, "
        f"{counted(run.cases, 'case')}, {counted(len(results), 'answer')}"
    )
    say(f"cost {dollars(run.cost)}, judges {dollars(run.judge_cost)}")
    say("")
    rows = [(FIGURES[figure], interval(score)) for figure, score in (run.scores or {}).items()]
    say_table(("figure", "mean [95 %]"), rows, empty="There is no figure.")
    wrong = [each for each in results if not each.passed]
    if wrong:
        say("")
        say_table(
            ("case", "response", "passed", "why"),
            [(each.case_id, each.response_id, _passed(each.passed), _why(each)) for each in wrong],
            empty="",
        )


def say_runs(runs: Sequence[KeptRun]) -> None:
    """A page of them."""
    say_table(
        ("run", "began", "set", "version", "state", "cases", "task completion", "cost"),
        [
            (
                each.id,
                moment(each.began_at),
                f"{each.set_name} {each.set_digest[:8]}",
                each.version,
                each.state,
                each.cases,
                _score(each, Figure.TASK_COMPLETION),
                dollars(each.cost),
            )
            for each in runs
        ],
        empty="There are no runs: begin one with `forebay eval run SET`.",
    )


def interval(of: Estimate) -> str:
    """`0.950 [0.900, 0.990]`; small amounts with as many digits as they need."""
    shown = "{:.3f}" if of.mean >= 0.1 or not of.mean else "{:.3g}"
    mean, low, high = map(shown.format, (of.mean, of.low, of.high))
    return f"{mean} [{low}, {high}]"


def dollars(amount: Decimal | None) -> str:
    """An amount, or that it is not known."""
    return "unknown" if amount is None else f"{amount.normalize():f} USD"


def _score(run: KeptRun, figure: Figure) -> str:
    score = (run.scores or {}).get(figure)
    return "" if score is None else interval(score)


def _passed(passed: bool | None) -> str:
    return "no verdict" if passed is None else "no"


def _why(result: CaseResult) -> str:
    told = [f"{each.kind}: {each.why}" for each in result.checks if not each.passed]
    return "; ".join(told) or f"It ended {result.state}."
