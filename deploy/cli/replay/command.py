"""`forebay replay`: a day again, in virtual time or asked of another model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings
from deploy.cli.options import AsJson
from deploy.cli.output import say_json
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.replay.day.generating import GeneratedTraffic

replay = App(
    name="replay", help="Run a day again: through other settings, under more load, by other models."
)

_DAY: Final = timedelta(days=1)
_Count = Annotated[int, Parameter(validator=Number(gte=1))]


@replay.default
def run(
    *,
    virtual: Annotated[bool, Parameter(negative=())] = False,
    live: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    settings: Path | None = None,
    times: Annotated[float, Parameter(validator=Number(gt=0, lte=1000))] = 1.0,
    slots: _Count | None = None,
    generate: _Count | None = None,
    hours: Annotated[float, Parameter(validator=Number(gt=0, lte=168))] = 24.0,
    shape: Literal["flat", "day"] = "day",
    tenants: _Count = 20,
    repeated: Annotated[float, Parameter(validator=Number(gte=0, lt=1))] = 0.2,
    call_seconds: Annotated[float, Parameter(validator=Number(gt=0))] = 2.0,
    seed: int = 0,
    tenant: str | None = None,
    budget: Annotated[float, Parameter(validator=Number(gt=0))] | None = None,
    model: str | None = None,
    variant: str | None = None,
    judge: str | None = None,
    rubric: str | None = None,
    against: str | None = None,
    key: str | None = None,
    concurrency: Annotated[int, Parameter(validator=Number(gte=1, lte=256))] = 16,
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
    settings
        Virtual: through the settings of this file; through those of the day, as they are now, if
        not given: then it says how true replay is of that day.
    times
        Virtual: with so much of the same traffic.
    slots
        Virtual: turns that all workers can hold at once; as many as the day had if not given.
    generate
        Virtual: run a day of so many messages that nobody sent instead.
    hours
        How long the generated day is.
    shape
        How its rate runs: flat, or as of a day.
    tenants
        Whose its messages are, the first's most.
    repeated
        The part of them that ask what was asked before.
    call_seconds
        How long its calls last, in the mean.
    seed
        Virtual: what is drawn where the day does not say it; the same seed gives the same run.
    tenant
        Live: whose messages are asked again, by the name in `forebay tenants list`.
    budget
        Live: the most that all of it may cost, judge and all, in US dollars.
    model
        Live: the model that is asked; the one that each message named if not given.
    variant
        Live: the variant of the settings under which it is answered; the usual ones if not given.
    judge
        Live: a model that says which of both answers is better.
    rubric
        Live: what the judge is to hold for better.
    against
        Live: the door that is asked, such as http://127.0.0.1:8080.
    key
        Live: the API key whose tenant pays, and whose limits hold. The environment is the better
        place for it: `ps` shows this.
    concurrency
        Live: messages under way at once.
    """
    typed = dict(locals())
    _refuse_mixed(typed)
    span = _span(since, until)
    if live is not None:
        return _run_live(typed, span)
    _run_virtual(typed, span)
    return 0


def _refuse_mixed(typed: dict[str, Any]) -> None:
    """Raises InvalidRequest for what the other kind of replay takes."""
    if typed["virtual"] and typed["live"] is not None:
        raise InvalidRequest("--virtual calls nobody and --live does: give one of both.")
    is_live = typed["live"] is not None
    for name, usual in (_VIRTUAL if is_live else _LIVE).items():
        if typed[name] != usual:
            option = f"--{name.replace('_', '-')}"
            fix = "leave out --live or it" if is_live else "give --live N% as well"
            raise InvalidRequest(
                f"{option} is for replay {'in virtual time' if is_live else 'with --live'}: {fix}.",
                param=name,
            )


def _run_virtual(typed: dict[str, Any], span: tuple[datetime, datetime]) -> None:
    from deploy.cli.replay.showing import say_replay
    from deploy.cli.replay.virtual import VirtualPlan, replay_virtually
    from deploy.cli.step_bar import step_bar
    from shared.settings import load_settings

    own, file = command_settings(), typed["settings"]
    plan = VirtualPlan(
        own=own,
        chosen=own if file is None else load_settings(file=_existing(file)),
        span=span,
        traffic=None if typed["generate"] is None else _traffic(typed),
        times=typed["times"],
        slots=typed["slots"],
        seed=typed["seed"],
    )
    with step_bar() as bar:
        report = replay_virtually(plan, bar)
    if typed["as_json"]:
        say_json(report)
    else:
        say_replay(report)


def _traffic(typed: dict[str, Any]) -> GeneratedTraffic:
    from deploy.replay.day.generating import GeneratedTraffic, Shape

    return GeneratedTraffic(
        messages=typed["generate"],
        hours=typed["hours"],
        shape=Shape(typed["shape"]),
        tenants=typed["tenants"],
        repeated=typed["repeated"],
        call_seconds=typed["call_seconds"],
        seed=typed["seed"],
    )


def _run_live(typed: dict[str, Any], span: tuple[datetime, datetime]) -> int:
    from deploy.cli.replay.live.command import LiveOrder, replay_live

    order = LiveOrder(span=span, **{name: typed[name] for name in ("live", *_LIVE, "as_json")})
    return replay_live(order)


_VIRTUAL: Final[dict[str, object]] = {
    "settings": None,
    "times": 1.0,
    "slots": None,
    "generate": None,
    "hours": 24.0,
    "shape": "day",
    "tenants": 20,
    "repeated": 0.2,
    "call_seconds": 2.0,
    "seed": 0,
}
"""What only replay in virtual time takes, with what it is if not given."""
_LIVE: Final[dict[str, object]] = {
    "tenant": None,
    "budget": None,
    "model": None,
    "variant": None,
    "judge": None,
    "rubric": None,
    "against": None,
    "key": None,
    "concurrency": 16,
}


def _span(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    end = _in_utc(until) if until is not None else datetime.now(UTC)
    start = _in_utc(since) if since is not None else end - _DAY
    if start >= end:
        raise InvalidRequest(f"--since {start:%Y-%m-%d %H:%M} is not before --until: turn them.")
    return start, end


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise InvalidRequest(f"--settings: there is no file '{file}'.")
    return file
