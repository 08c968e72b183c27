"""A replay for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deploy.cli.output import counted, moment, say, say_table

if TYPE_CHECKING:
    from deploy.replay.figures.comparing import ReplayFigure
    from deploy.replay.figures.report import ReplayReport

_HEADINGS: Final = ("figure", "before", "replayed", "difference", "95 %")


def say_replay(told: ReplayReport) -> None:
    """Figures, what gave way first, and what nobody knows."""
    say(
        f"{counted(told.messages, 'message')} from {moment(told.since)} to {moment(told.until)}, "
        f"{counted(told.slots, 'slot')} taken {told.busy_share:.0%} of the time, in virtual time "
        f"{told.speed:,.0f}x as fast."
    )
    say("")
    say_table(_HEADINGS, [_row(each) for each in told.figures], empty="Nothing came.")
    for name, parts in (("refused", told.refused), ("hit", told.hits)):
        if parts:
            say("")
            rows = [(kind, before, after) for kind, (before, after) in parts.items()]
            say_table((name, "before", "replayed"), rows, empty="")
    if told.signs:
        say("")
        say_table(("first at", "what"), [(moment(e.at), e.what) for e in told.signs], empty="")
    if told.unknown:
        say("")
        for sentence in told.unknown:
            say(sentence)


def _row(figure: ReplayFigure) -> tuple[str, str, str, str, str]:
    interval = ""
    if figure.low is not None and figure.high is not None:
        interval = f"{_spelt(figure.low, figure.unit)} to {_spelt(figure.high, figure.unit)}"
    return (
        figure.name,
        _spelt(figure.recorded, figure.unit),
        _spelt(figure.replayed, figure.unit),
        "" if figure.difference is None else f"{_spelt(figure.difference, figure.unit, sign='+')}",
        interval,
    )


def _spelt(value: float | None, unit: str, *, sign: str = "") -> str:
    if value is None:
        return "none"
    match unit:
        case "s":
            return f"{value:{sign},.3f} s"
        case "dollars":
            return f"{value:{sign},.4f} $"
        case "%":
            return f"{value:{sign}.1f} %"
        case _:
            return f"{value:{sign},.0f}"
