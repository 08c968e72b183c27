"""`forebay eval compare` and `forebay eval gate`: two runs on the same cases."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import counted, say, say_json, say_table
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.evaluation.judging.agreement import JudgeAgreement
    from shared.evaluation.kept_run import Figure
    from shared.evaluation.paired.difference import PairedDifference
    from shared.evaluation.paired.gate import GateFinding, GateVerdict
    from shared.evaluation.paired.two_runs import TwoRuns

Before = Annotated[str, Parameter(help="The id of the run that it is compared with.")]
After = Annotated[str, Parameter(help="The id of the run that is looked at.")]
_CODES: Final = {"pass": 0, "fail": 1, "inconclusive": 3}
_PARTING: Final = "="


def compare(before: Before, after: After, /, *, as_json: AsJson = False) -> None:
    """Compare two runs, case by case, with intervals.

    A gain is above 0 where the second is better, whichever way the figure is better; of costs it
    is the share that is saved.
    """
    from shared.evaluation.kept_run import Figure

    runs = asyncio.run(_two(before, after))
    found = [each for each in map(runs.difference, Figure) if each is not None]
    if as_json:
        say_json({"before": runs.before, "after": runs.after, "differences": found})
        return
    say(f"{runs.after.id} ({runs.after.version}) against {runs.before.id} ({runs.before.version})")
    say("")
    say_table(
        ("figure", "before", "after", "gain [95 %]", "by chance", "cases"),
        [_row(each) for each in found],
        empty="No case that both have says anything of a figure.",
    )


def gate(
    run: After,
    baseline: Annotated[str | None, Parameter(help="The run before.")] = None,
    /,
    *,
    minimum: tuple[str, ...] = (),
    metric: tuple[str, ...] = (),
    margin: Annotated[float, Parameter(validator=Number(gte=0, lt=1))] = 0.05,
    as_json: AsJson = False,
) -> int:
    """Say whether a run may go out: 0 it passes, 1 it fails, 3 too few cases to tell.

    It fails only where it is surely worse: of two runs that do not differ fewer than two in a
    hundred fail.

    Parameters
    ----------
    minimum
        FIGURE=VALUE, such as task_completion=0.9 or cost_per_success=0.002, which is the most of
        it; may be given more than once.
    metric
        A figure that must be no worse than the baseline's; task_completion if none is given.
    margin
        By how much it may be worse; of costs the share.
    """
    from shared.evaluation.paired.gate import worst_of

    bounds = dict(map(_bound, minimum))
    figures = [*map(_figure, metric or ("task_completion",))] if baseline else []
    if not bounds and not figures:
        raise InvalidRequest("There is nothing to hold it to: give a baseline, or --minimum.")
    runs, agreements = asyncio.run(_judged(baseline or run, run))
    runs.refuse_unfinished()
    findings = [runs.at_least(figure, bound) for figure, bound in bounds.items()]
    findings += [runs.no_worse(figure, margin) for figure in figures]
    findings = [runs.as_far_as_judged(each, agreements) for each in findings]
    verdict = worst_of(findings)
    if as_json:
        say_json({"run": runs.after.id, "verdict": verdict, "findings": findings})
    else:
        _say_gate(verdict, findings)
    return _CODES[verdict]


def _row(of: PairedDifference) -> tuple[str, ...]:
    from deploy.cli.eval.telling import FIGURES

    gain = f"{of.gain.mean:+.3f} [{of.gain.low:+.3f}, {of.gain.high:+.3f}]"
    alone = f", {of.unpaired} of one run alone" if of.unpaired else ""
    told = f"{counted(of.cases, 'case')} of {counted(of.conversations, 'conversation')}{alone}"
    figures = (f"{of.before:.4g}", f"{of.after:.4g}", gain, f"{of.chance:.1%}")
    return (FIGURES[of.figure], *figures, told)


def _say_gate(verdict: GateVerdict, findings: list[GateFinding]) -> None:
    from deploy.cli.eval.telling import FIGURES

    for each in findings:
        more = f" {counted(each.more_cases, 'more case')} would decide." if each.more_cases else ""
        say(f"{each.verdict}: {FIGURES[each.figure]}: {each.why}{more}")
    say(f"The gate says {verdict}.")


def _figure(name: str) -> Figure:
    from shared.errors import use_one_of
    from shared.evaluation.kept_run import Figure

    try:
        return Figure(name)
    except ValueError as error:
        raise InvalidRequest(f"'{name}' is no figure. {use_one_of(Figure)}") from error


def _bound(text: str) -> tuple[Figure, float]:
    name, _, value = text.partition(_PARTING)
    figure = _figure(name)
    try:
        return figure, float(value)
    except ValueError as error:
        raise InvalidRequest(
            f"--minimum {text}: write FIGURE=VALUE, such as task_completion=0.9.", param="minimum"
        ) from error


async def _two(before: str, after: str) -> TwoRuns:
    return (await _judged(before, after))[0]


async def _judged(before: str, after: str) -> tuple[TwoRuns, dict[str, JudgeAgreement]]:
    from shared.evaluation.judging.agreement import JudgeAgreements
    from shared.evaluation.paired.two_runs import read_two_runs

    async with open_ledger(command_settings()) as database:
        runs = await read_two_runs(database, before, after)
        return runs, await JudgeAgreements(database).newest(runs.judges)
