"""An evaluation for people: a table for each set, and a sentence for what is compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deploy.cli.output import counted, moment, say, say_table
from indexer.evaluation.measuring import NDCG
from indexer.evaluation.probes import ABSENCE, PRESENCE
from indexer.evaluation.report import EvaluationReport, SetReport, SystemFigures
from indexer.evaluation.systems import DEFAULT
from shared.evaluation.bootstrap import Estimate
from shared.evaluation.halves import CaseHalf

_HEADINGS: Final = (
    "system", "nDCG@10 tuned", "nDCG@10 held out", "MRR", "recall@10", "recall@100",
)  # fmt: skip


def say_evaluation(report: EvaluationReport) -> None:
    """On stdout."""
    for each in report.sets:
        _say_set(each)
    for missing in report.missing:
        say(f"{missing.name} is left out: {missing.why}")


def _say_set(told: SetReport) -> None:
    tuned, held_out = (counted(told.questions[each], "question") for each in CaseHalf)
    origin = told.settings.get("origin", "Python's library")
    say(
        f"{told.name}: {told.settings['documents']} documents of {origin}, "
        f"{told.conditions.get('passages', 'all')} passages; "
        f"{tuned} for tuning, {held_out} held out"
    )
    say("")
    if ABSENCE in told.figures(DEFAULT).tuned | told.figures(DEFAULT).held_out:
        _say_probe(told)
    else:
        say_table(_HEADINGS, [_row(each) for each in told.systems], empty="Nothing was measured.")
        say("")
        for sentence in _sentences(told):
            say(sentence)
    if told.since_last is not None and DEFAULT in told.since_last.changes:
        since = told.since_last
        change = since.changes[DEFAULT]
        say(
            f"Since the run of {moment(since.since)}: {_signed(change)} on "
            f"{counted(since.cases, 'question')} of both, {_verdict(change)}."
        )
    say(f"Stored in {told.stored}.")
    say("")


def _say_probe(told: SetReport) -> None:
    figures = told.figures(DEFAULT)
    for half, means in ((CaseHalf.TUNED, figures.tuned), (CaseHalf.HELD_OUT, figures.held_out)):
        if means:
            say(
                f"{half}: found before {means[PRESENCE].mean:.3f}, "
                f"nothing of the old found after {means[ABSENCE].mean:.3f}"
            )


def _row(figures: SystemFigures) -> tuple[str, ...]:
    held_out = figures.held_out
    cells = (f"{held_out[name].mean:.3f}" if held_out else "" for name in _REST)
    return (
        figures.name,
        f"{figures.tuned[NDCG].mean:.3f}" if figures.tuned else "",
        _with_interval(held_out[NDCG]) if held_out else "",
        *cells,
    )


_REST: Final = ("mrr", "recall@10", "recall@100")


def _sentences(told: SetReport) -> Iterator[str]:
    for name, of in told.to_reference.items():
        reached = "reached" if of.is_reached else "not reached"
        share = f"{of.share.mean:.3f} [{of.share.low:.3f}, {of.share.high:.3f}]"
        yield f"{name}: {share} of the reference; {of.target:g} {reached}"
    for name, margin in told.margins.items():
        chosen = ", the best fusion of the tuned half" if name == told.chosen else ""
        yield f"default against {name}{chosen}: {_signed(margin)}, {_verdict(margin)}"


def _with_interval(of: Estimate) -> str:
    return f"{of.mean:.3f} [{of.low:.3f}, {of.high:.3f}]"


def _signed(of: Estimate) -> str:
    return f"{of.mean:+.3f} [{of.low:+.3f}, {of.high:+.3f}]"


def _verdict(difference: Estimate) -> str:
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "no difference beyond chance"
