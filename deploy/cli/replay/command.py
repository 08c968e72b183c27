"""`forebay replay`: a day again, in virtual time or asked of another model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter

from deploy.cli.connection import command_settings
from deploy.cli.options import YEARS, AsJson
from deploy.cli.output import say_json
from deploy.cli.replay.options import LiveOptions, VirtualOptions, given
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.replay.day.generating import GeneratedTraffic

replay = App(
    name="replay", help="Run a day again: through other settings, under more load, by other models."
)

_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = 31
"""Of one replay in virtual time: it goes through empty days as well, second by second."""


@replay.default
def run(
    *,
    virtual: Annotated[bool, Parameter(negative=())] = False,
    live: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    virtually: VirtualOptions | None = None,
    lively: LiveOptions | None = None,
    as_json: AsJson = False,
) -> int:
    """Run a day of the ledger again, and say what comes of it beside what was.

    In virtual time, unless --live is given: what waits, what is refused, what it costs and what
    the cache gives; nobody is called and nothing is written. With --live a share of its messages
    is really asked again in the batch lane, of another model, and the answers are dropped: what is
    answered, what it costs, how long it takes. That costs money, up to --budget.

    Parameters
    ----------
    virtual
        In virtual time, by what the ledger knows of each call. That is what is done without --live.
    live
        Ask this share of the messages again, such as 5%: always the same ones. Needs --tenant and
        --budget.
    since
        From this time on, UTC; a day before `until` if not given.
    until
        Up to this time, UTC; now if not given.
    """
    span = _span(since, until)
    virtually, lively = virtually or VirtualOptions(), lively or LiveOptions()
    if live is None:
        _refuse(given(lively), "replay with --live: give --live N% as well")
        if span[1] - span[0] > _MOST_DAYS * _DAY:
            raise InvalidRequest(
                f"--since and --until are more than {_MOST_DAYS} days apart: bring them closer."
            )
        _run_virtual(virtually, span, as_json=as_json)
        return 0
    if virtual:
        raise InvalidRequest("--virtual calls nobody and --live does: give one of both.")
    _refuse(given(virtually), "replay in virtual time: leave out --live or it")
    from deploy.cli.replay.live.command import LiveOrder, replay_live

    return replay_live(LiveOrder(live=live, span=span, options=lively, as_json=as_json))


def _refuse(names: list[str], whose: str) -> None:
    """Raises InvalidRequest for what the other kind of replay takes."""
    if names:
        option = f"--{names[0].replace('_', '-')}"
        raise InvalidRequest(f"{option} is for {whose}.", param=names[0])


def _run_virtual(
    options: VirtualOptions, span: tuple[datetime, datetime], *, as_json: bool
) -> None:
    from deploy.cli.replay.showing import say_replay
    from deploy.cli.replay.virtual import VirtualPlan, replay_virtually
    from deploy.cli.step_bar import step_bar
    from shared.settings import load_settings

    own, file = command_settings(), options.settings
    plan = VirtualPlan(
        own=own,
        chosen=own if file is None else load_settings(file=_existing(file)),
        span=span,
        traffic=None if options.generate is None else _traffic(options.generate, options),
        times=options.times,
        slots=options.slots,
        seed=options.seed,
    )
    with step_bar() as bar:
        report = replay_virtually(plan, bar)
    if as_json:
        say_json(report)
    else:
        say_replay(report)


def _traffic(messages: int, options: VirtualOptions) -> GeneratedTraffic:
    from deploy.replay.day.generating import GeneratedTraffic, Shape

    return GeneratedTraffic(
        messages=messages,
        hours=options.hours,
        shape=Shape(options.shape),
        tenants=options.tenants,
        repeated=options.repeated,
        call_seconds=options.call_seconds,
        seed=options.seed,
    )


def _span(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    end = _in_utc(until, "--until") if until is not None else datetime.now(UTC)
    start = _in_utc(since, "--since") if since is not None else end - _DAY
    if start >= end:
        raise InvalidRequest(f"--since {start:%Y-%m-%d %H:%M} is not before --until: turn them.")
    return start, end


def _in_utc(moment: datetime, option: str) -> datetime:
    if moment.year not in YEARS:
        raise InvalidRequest(f"{option} {moment} is no time of {YEARS[0]} to {YEARS[-1]}.")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise InvalidRequest(f"--settings: there is no file '{file}'.")
    return file
