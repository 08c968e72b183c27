"""`forebay eval online`: answers that were given, judged under a budget of their own."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings, door_and_key, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import complain, counted, say, say_json
from shared.settings.watching.evaluation import RUBRIC

if TYPE_CHECKING:
    from deploy.cli.eval.running.typed_purse import JudgedAnswers

_PATIENCE_SECONDS = 600.0


def online(
    *,
    tenant: str,
    judge: str,
    budget: Annotated[float, Parameter(validator=Number(gt=0))],
    hours: Annotated[float, Parameter(validator=Number(gt=0, lte=8_784))] = 24.0,
    sample: Annotated[int, Parameter(validator=Number(gte=0, lte=10_000))] = 20,
    rubric: str = RUBRIC,
    against: str | None = None,
    key: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Judge answers that a tenant was given: all suspicious ones, and a sample of the others.

    Suspicious is what somebody spoke badly of, what a human answered, and of what the guardrail
    caught a draft. Verdicts are kept as feedback `quality` whose source is the judge; what was
    judged already costs nothing. Let a scheduler of yours type it.

    Parameters
    ----------
    tenant
        Name of the tenant, as `forebay tenants list` shows it.
    judge
        The model that is asked, through the door.
    budget
        The most that the judge may cost, in US dollars; the last question may pass it.
    hours
        Of answers so old at the most.
    sample
        So many of all that were completed, each as likely as any other.
    rubric
        What answers are held to.
    against
        The door, such as http://127.0.0.1:8080.
    key
        The API key that the judge is asked with. The environment is the better place for it.
    """
    came = asyncio.run(
        _judge(
            tenant,
            judge,
            rubric,
            budget=Decimal(str(budget)),
            age=timedelta(hours=hours),
            sample=sample,
            door=door_and_key(against, key),
        )
    )
    if came.cost is None:
        complain("What the judge costs is not known: set a price of its model. It was asked once.")
    if as_json:
        say_json(came)
    else:
        _say(came)


def _say(came: JudgedAnswers) -> None:
    from deploy.cli.eval.telling import dollars

    say(
        f"{counted(came.judged, 'answer')} judged, {came.passed} passed, "
        f"{came.without_verdict} without a verdict; the judge cost {dollars(came.cost)}."
    )
    for why, count in came.without_verdict_because.items():
        say(f"{counted(count, 'answer')} without one: {why}")
    if came.left_over:
        say(f"The budget was spent before {counted(came.left_over, 'answer')} more.")
    for why, count in came.left_out.items():
        say(f"{counted(count, 'message')} left out: they {why}.")


async def _judge(
    tenant: str,
    model: str,
    rubric: str,
    *,
    budget: Decimal,
    age: timedelta,
    sample: int,
    door: tuple[str, str],
) -> JudgedAnswers:
    from random import SystemRandom

    from deploy.cli.eval.running.typed_purse import TypedPurse
    from deploy.cli.step_bar import step_bar
    from deploy.cli.tenants import tenant_named
    from shared.clock import SystemClock
    from shared.evaluation.judging.asking import BatchAsker
    from shared.evaluation.judging.judge import Judge
    from shared.evaluation.judging.sights import LedgerSights, SeenAsker
    from shared.evaluation.judging.verdicts import JudgeVerdicts
    from shared.persistence.tenants import TenantRepository
    from workers.judging.judged_answers import OnlineJudging
    from workers.judging.sampling import AnswerSample

    clock = SystemClock()
    async with open_ledger(command_settings()) as database:
        owner = await tenant_named(tenant, TenantRepository(database, clock))
        now = clock.now()
        of = AnswerSample(database, since=now - age, until=now, tenant_ids=[owner.id])
        chosen = await of.chosen(share=1.0, most=sample, dice=SystemRandom())
        async with BatchAsker(*door, patience_seconds=_PATIENCE_SECONDS) as asker:
            seen = SeenAsker(asker.ask, LedgerSights(database))
            asking = Judge(model, ask=seen.ask, verdicts=JudgeVerdicts(database, clock))
            with step_bar() as progress:
                progress.begin("Judging", len(chosen))
                purse = TypedPurse(budget, progress)
                judging = OnlineJudging(asking, rubric, database=database, clock=clock, purse=purse)
                done = await judging.judge(chosen)
                return purse.came(left_over=len(chosen) - done)
