"""Online judging as a role of a worker process: one leads, and any may take over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.ledger.leadership import led
from shared.persistence.ledger.role_leases import RoleLease
from shared.resilience.periodic import repeat, running
from shared.settings.watching.evaluation import EvaluationSettings

_PATIENCE_SECONDS: Final = 600.0
"""For one question in the batch lane; then there is no verdict."""
_ROUND_SECONDS: Final = 300.0
"""A round begins no question after so long: its lease must not run out meanwhile."""
_LEASE_SECONDS: Final = _ROUND_SECONDS + 2 * _PATIENCE_SECONDS + 300.0
_FIRST_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0


@asynccontextmanager
async def judging(
    settings: EvaluationSettings, database: Database, clock: Clock, *, worker: str
) -> AsyncIterator[None]:
    """Judge in turn with all other workers, while the context is open."""
    if not (settings.enabled and settings.judge and settings.url and settings.key):
        yield
        return
    # Few workers judge, and all are to start soon: a client of the door takes a while to import.
    from shared.evaluation.judging.asking import BatchAsker
    from shared.evaluation.judging.judge import Judge
    from shared.evaluation.judging.sights import LedgerSights, SeenAsker
    from shared.evaluation.judging.verdicts import JudgeVerdicts
    from workers.judging.judging_round import JudgingRound

    key, every = settings.key.reveal(), min(settings.every_seconds, _LONGEST_PAUSE_SECONDS)
    async with BatchAsker(settings.url, key, patience_seconds=_PATIENCE_SECONDS) as asker:
        ask = SeenAsker(asker.ask, LedgerSights(database)).ask
        judge = Judge(settings.judge, ask=ask, verdicts=JudgeVerdicts(database, clock))
        work = JudgingRound(
            judge, settings, database=database, clock=clock, round_seconds=_ROUND_SECONDS
        )
        lease = RoleLease(
            database, clock, role="judging", holder=worker, lease_seconds=_LEASE_SECONDS
        )
        async with (
            led(lease, work) as a_round,
            running(repeat("judging", a_round, every_seconds=every, first_seconds=_FIRST_SECONDS)),
        ):
            yield
