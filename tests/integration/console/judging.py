"""What is wrong, and what was said of answers, as their own rooms keep it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
from sqlalchemy import insert

from shared.alerts.rule import fingerprint_of
from shared.alerts.state import AlertState
from shared.alerts.tables import alert
from shared.clock import SystemClock
from shared.evaluation.bootstrap import Estimate
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.judged_window import JudgedWindow
from shared.evaluation.kept_run import CaseResult, CheckOutcome, Figure, KeptRun
from shared.evaluation.tables import RunState, judged_window
from shared.feedback.book import FeedbackBook
from shared.feedback.verdict import FeedbackVerdict
from shared.identifiers import new_id, new_response_id
from shared.outcomes.outcome import SUMS
from shared.outcomes.tables import outcome_day
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.settings.watching.alert_rules import AlertSeverity


async def add_alert(database: Database, strange: str = "", rule: str = "oldest_wait") -> str:
    """A firing one; gives its fingerprint."""
    labels = {"lane": f"batch{strange}"}
    fingerprint, now = fingerprint_of(rule, labels), SystemClock().now()
    values = {
        "fingerprint": fingerprint,
        "rule": rule,
        "labels": msgspec.json.encode(labels).decode(),
        "severity": AlertSeverity.CRITICAL,
        "summary": f"A message of the batch lane has waited for 900 s. {strange}",
        "state": AlertState.FIRING,
        "since": now - timedelta(minutes=3),
        "value": 900.0,
        "began_at_seconds": 1.0,
        "flaps": False,
        "told_as": AlertState.FIRING,
    }
    async with transaction(database.durable) as connection:
        await connection.execute(insert(alert).values(values))
    return fingerprint


async def add_run(database: Database, strange: str = "") -> str:
    """A run of two cases, one of which failed; gives its id."""
    runs, now = EvaluationCatalogue(database), SystemClock().now()
    run = KeptRun(
        id=new_id("evalrun"),
        set_name=f"account{strange}"[:64],
        set_digest="0" * 64,
        version=f"1.1{strange}"[:64],
        began_at=now,
        cases=2,
    )
    await runs.begin(run)
    checks = (CheckOutcome("facts", False, f"a sentence contradicts 'balance' {strange}"),)
    for place, passed in enumerate((True, False)):
        result = CaseResult(
            case_id=f"case-{place}{strange}"[:64],
            conversation="c",
            state="completed",
            passed=passed,
            checks=() if passed else checks,
            seconds=1.5,
            cost=Decimal("0.002"),
            response_id=new_response_id(),
            finished_at=now,
        )
        await runs.keep(run.id, [result])
    scores = {Figure.TASK_COMPLETION: Estimate(0.5, 0.1, 0.9)}
    cost = Decimal("0.004")
    await runs.end(
        msgspec.structs.replace(
            run, state=RunState.COMPLETED, finished_at=now, cost=cost, scores=scores
        )
    )
    return run.id


async def add_outcomes(database: Database, tenant_id: str, strange: str = "") -> None:
    """Of two conversations, one of which was asked again."""
    sums = dict.fromkeys(SUMS, 0) | {"conversations": 2, "completed": 2, "successes": 1}
    names = {
        "day": f"{SystemClock().now():%Y-%m-%d}",
        "tenant_id": tenant_id,
        "version": f"1.1{strange}"[:64],
        "model": f"gpt{strange}"[:128],
        "route": f"openai{strange}"[:64],
        "variant": "",
    }
    counts = {"asked_again": 1, "turns": 4, "caught": 2, "cost": Decimal("0.004")}
    async with transaction(database.durable) as connection:
        await connection.execute(insert(outcome_day).values(names | sums | counts))


async def add_judged(database: Database, strange: str = "") -> None:
    """An hour of which a judge looked at eight answers, and can look at no more."""
    now = SystemClock().now()
    window = JudgedWindow(
        starts_at=now - timedelta(hours=1),
        ends_at=now,
        done=10,
        judged=8,
        passed=6,
        drawn=6,
        drawn_passed=5,
        without_verdict=2,
        cost=Decimal("0.01"),
        reasons={f"It answered no JSON. {strange}": 2},
        fault=f"The API key was revoked. {strange}",
    )
    async with transaction(database.durable) as connection:
        await connection.execute(insert(judged_window).values(window.row()))


async def add_feedback(database: Database, tenant_id: str, strange: str = "") -> None:
    """Of one source, against one answer."""
    said = FeedbackVerdict(
        name="helpful", source=f"ann{strange}"[:64], value=0.0, original=False, comment=strange
    )
    await FeedbackBook(database, SystemClock()).give(tenant_id, new_response_id(), said)
