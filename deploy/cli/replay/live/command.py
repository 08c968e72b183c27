"""`forebay replay --live`: who is asked, what it may cost, and what is told at the end."""

from __future__ import annotations

import asyncio
import math
import signal
from collections.abc import Coroutine
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from deploy.cli.connection import command_settings, door_and_key, open_ledger
from deploy.cli.output import say_json
from deploy.cli.replay.options import LiveOptions
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.cli.replay.live.budget import ShadowBudget
    from deploy.cli.replay.live.shadow_report import ShadowReport
    from deploy.cli.replay.live.shadow_run import ShadowAsking, ShadowEnd, ShadowRun
    from deploy.cli.step_bar import StepBar
    from shared.evaluation.judging.asking import BatchAsker
    from shared.persistence.engine import Database

_RUBRIC: Final = "correct, an answer to the whole question, and polite"
_PATIENCE_SECONDS: Final = 600.0
_INTERRUPTED: Final = 130
_HUNDRED: Final = 100


class LiveOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed."""

    live: str
    span: tuple[datetime, datetime]
    options: LiveOptions
    as_json: bool

    @property
    def share(self) -> float:
        """Raises InvalidRequest for what is no share."""
        try:
            percent = float(self.live.removesuffix("%"))
        except ValueError:
            percent = math.nan
        if not 0 < percent <= _HUNDRED:
            raise InvalidRequest(
                f"--live {self.live}: write the share of the messages, such as 5%.", param="live"
            )
        return percent / _HUNDRED


def replay_live(order: LiveOrder) -> int:
    """The exit code: 130 where somebody ended it, and then it says what it has all the same.

    Raises InvalidRequest, NotFound, Unavailable and LedgerUnavailable.
    """
    from deploy.cli.replay.live.shadow_run import ShadowEnd
    from deploy.cli.replay.live.telling import say_shadows
    from deploy.cli.step_bar import step_bar

    if order.options.tenant is None or order.options.budget is None:
        raise InvalidRequest(
            "--live asks and pays: give --tenant NAME, whose messages it asks again, and "
            "--budget USD, the most that it may cost."
        )
    if order.options.rubric is not None and order.options.judge is None:
        raise InvalidRequest("--rubric is what a judge goes by: give --judge MODEL as well.")
    with step_bar() as bar:
        report = asyncio.run(
            _ended_by_hand(_ask(order, order.options.tenant, _amount(order.options.budget), bar))
        )
    if order.as_json:
        say_json(report)
    else:
        say_shadows(report)
    return _INTERRUPTED if report.end is ShadowEnd.INTERRUPTED else 0


def _amount(dollars: float) -> Decimal:
    return Decimal(str(dollars))


async def _ended_by_hand(asking: Coroutine[Any, Any, ShadowReport]) -> ShadowReport:
    """Ctrl-C and SIGTERM cancel it, also where it was started in the background: what is under way
    costs money until it is cancelled."""
    task = asyncio.ensure_future(asking)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:  # before the first was asked
        raise KeyboardInterrupt from None


async def _ask(order: LiveOrder, tenant: str, budget: Decimal, bar: StepBar) -> ShadowReport:
    from deploy.cli.replay.live.budget import ShadowBudget
    from deploy.cli.replay.live.recorded import RecordedTraffic
    from deploy.cli.replay.live.shadow_run import ShadowEnd, ShadowRun
    from deploy.cli.tenants import tenant_named
    from shared.clock import SystemClock
    from shared.evaluation.judging.asking import BatchAsker
    from shared.persistence.tenants import TenantRepository

    share, (since, until) = order.share, order.span
    door = door_and_key(order.options.against, order.options.key)
    async with open_ledger(command_settings()) as database:
        owner = await tenant_named(tenant, TenantRepository(database, SystemClock()))
        traffic = RecordedTraffic(database, tenant_id=owner.id, since=since, until=until)
        bar.begin("reading", None)
        drawn = await traffic.drawn(share)
        bar.begin("asking", len(drawn))
        spending = ShadowBudget(budget)
        async with BatchAsker(*door, patience_seconds=_PATIENCE_SECONDS) as asker:
            running = ShadowRun(traffic, _asking(order, asker, database), spending, tell=bar.reach)
            try:
                end = await running.to_its_end(drawn)
            except asyncio.CancelledError:
                end = ShadowEnd.INTERRUPTED
    return _report(order, running, spending, drawn=len(drawn), budget=budget, end=end)


def _asking(order: LiveOrder, asker: BatchAsker, database: Database) -> ShadowAsking:
    from deploy.cli.replay.live.shadow_run import ShadowAsking
    from shared.evaluation.judging.pair_judge import PairJudge
    from shared.evaluation.judging.sights import LedgerSights
    from shared.settings.watching.variants import CONTROL

    judge = None
    if order.options.judge is not None:
        judge = PairJudge(order.options.judge, order.options.rubric or _RUBRIC, ask=asker.ask)
    return ShadowAsking(
        ask=asker.ask,
        model=order.options.model,
        variant=order.options.variant or CONTROL,
        judge=judge,
        sights=LedgerSights(database),
        concurrency=order.options.concurrency,
    )


def _report(
    order: LiveOrder,
    running: ShadowRun,
    spending: ShadowBudget,
    *,
    drawn: int,
    budget: Decimal,
    end: ShadowEnd,
) -> ShadowReport:
    from deploy.cli.replay.live.shadow_report import ShadowReport, groups_of

    since, until = order.span
    return ShadowReport(
        since=since,
        until=until,
        drawn=drawn,
        asked=len(running.pairs),
        left_out=dict(running.left_out),
        not_begun=drawn - running.looked_at,
        reached=running.reached,
        end=end,
        budget=budget,
        spent=spending.spent,
        unknown_costs=spending.unknown,
        models=groups_of(running.pairs, is_judged=order.options.judge is not None),
    )
