"""Whether anybody knows that answers are good."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from deploy.cli.check.production.ground import Ground, in_words

_OFTEN: Final = timedelta(days=7)


async def check_evaluations(ground: Ground) -> CheckFinding:
    """When a golden set last ran to its end, and what it came to; and that a judge of answers that
    are given can be asked."""
    from shared.evaluation.catalogue import EvaluationCatalogue
    from shared.evaluation.kept_run import Figure

    if (why := await _judging_stopped(ground)) is not None:
        return fault("evaluations", f"Answers that are given are not judged. {why}")
    for run in await EvaluationCatalogue(ground.database).runs(limit=20):
        if run.finished_at is None or not run.scores:
            continue
        when = in_words(ground.ago(run.finished_at))
        score = run.scores.get(Figure.TASK_COMPLETION)
        came = "" if score is None else f", {score.mean:.0%} of its tasks were completed"
        told = f"{run.set_name} ran {when} ago{came}."
        late = ground.ago(run.finished_at) > _OFTEN
        return hint("evaluations", f"{told} Run it again.") if late else fine("evaluations", told)
    return fault("evaluations", "No golden set has ever run. See: forebay eval run --help")


async def _judging_stopped(ground: Ground) -> str | None:
    from shared.views.judged_pages import JudgedPages

    if not ground.settings.evaluation.enabled:
        return None
    newest = (await JudgedPages(ground.database).page(limit=1)).rows
    return newest[0].window.fault if newest else None


async def check_no_chaos(ground: Ground) -> CheckFinding:
    """That no fault is put in on purpose, by settings or by a rehearsal."""
    from shared.rehearsals.board import RehearsalBoard

    if ground.settings.chaos.enabled:
        return fault("chaos", "chaos.enabled = true: real callers are struck. Set it to false.")
    if (running := await RehearsalBoard(ground.redis).now()) is not None:
        return fault(
            "chaos", f"{running.drill} is being rehearsed. End it: forebay rehearse --stop"
        )
    return fine("chaos", "No faults are put in on purpose.")


async def check_ledger_kind(ground: Ground) -> CheckFinding:
    """That the ledger is a server."""
    if ground.database.is_sqlite:
        return hint("ledger", "It is SQLite, on this machine alone. For more take Postgres.")
    return fine("ledger", "It is Postgres.")
