"""Shadow calls for people."""

from __future__ import annotations

from typing import Final

from deploy.cli.eval.telling import dollars, interval
from deploy.cli.output import complain, counted, moment, say, say_table
from deploy.cli.replay.live.shadow_report import (
    ShadowFigure,
    ShadowGroup,
    ShadowReport,
    ShadowVerdicts,
)
from deploy.cli.replay.live.shadow_run import ShadowEnd

_HEADINGS: Final = ("mean of", "recorded", "now", "difference [95 %]", "messages")
_ENDS: Final = {
    ShadowEnd.DONE: "All were looked at.",
    ShadowEnd.BUDGET: "The budget is spent.",
    ShadowEnd.UNKNOWN_COST: "It was ended, for nobody knows what it costs.",
    ShadowEnd.INTERRUPTED: "It was ended by hand; what had not ended is cancelled.",
}


def say_shadows(told: ShadowReport) -> None:
    """How far it came, then each model."""
    say(
        f"{counted(told.drawn, 'message')} drawn from {moment(told.since)} to "
        f"{moment(told.until)}; {counted(told.asked, 'answer')} to look at, for "
        f"{dollars(told.spent)} of {dollars(told.budget)}. {_ENDS[told.end]}"
    )
    if told.not_begun:
        until = f", up to {moment(told.reached)}" if told.reached else ""
        say(f"It came so far{until}: {counted(told.not_begun, 'message')} were not begun.")
    for why, count in told.left_out.items():
        say(f"{counted(count, 'message')} left out: they {why}.")
    if told.unknown_costs:
        complain(
            f"What {counted(told.unknown_costs, 'message')} cost is not known: set a price of "
            "their model. It was counted as the dearest that is known."
        )
    for group in told.models:
        _say_group(group)


def _say_group(group: ShadowGroup) -> None:
    say("")
    say(
        f"{group.model or 'No model named'}: answered by {_names(group.answered_by)}{_under(group)}"
    )
    say(f"recorded: answered by {_names(group.answered_by_then)}")
    say_table(_HEADINGS, [_row(each) for each in group.figures], empty="")
    if group.verdicts is not None:
        _say_verdicts(group.verdicts)


def _say_verdicts(told: ShadowVerdicts) -> None:
    rate = "none" if told.win_rate is None else interval(told.win_rate)
    say(
        f"Judged: {told.wins} better, {told.ties} ties, {told.losses} worse, "
        f"{told.without_verdict} without a verdict; win rate {rate}; the judge cost "
        f"{dollars(told.cost)}."
    )
    for why, count in told.why_none.items():
        say(f"{counted(count, 'pair')} without a verdict: {why}")


def _names(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items()) or "no model"


def _under(group: ShadowGroup) -> str:
    return f", under {_names(group.variants)}" if group.variants else ""


def _row(of: ShadowFigure) -> tuple[str, ...]:
    means = (_spelt(each, of.unit) for each in (of.recorded, of.shadow))
    return (of.name, *means, _interval(of), str(of.pairs))


def _interval(of: ShadowFigure) -> str:
    if of.difference is None:
        return ""
    mean, low, high = (
        _spelt(each, of.unit, sign="+")
        for each in (of.difference.mean, of.difference.low, of.difference.high)
    )
    return f"{mean} [{low}, {high}]"


def _spelt(value: float | None, unit: str, *, sign: str = "") -> str:
    if value is None:
        return "not known"
    match unit:
        case "share":
            return f"{value * 100:{sign}.1f} %"
        case "dollars":
            return f"{value:{sign}.3g} $"
        case "s":
            return f"{value:{sign}.2f} s"
    return f"{value:{sign},.1f}"
