"""The four figures that matter as metrics, told by one worker of all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

from shared.clock import Clock
from shared.errors import LedgerUnavailable
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.kept_run import Figure, KeptRun
from shared.outcomes.means import OutcomeMeans, outcome_means
from shared.persistence.engine import Database
from shared.persistence.ledger.role_leases import RoleLease
from shared.resilience.periodic import repeat, running
from shared.telemetry.instrument_tables.judged import GOLDEN_SET, VARIANT, VERSION
from shared.telemetry.metrics import Metrics

_EVERY_SECONDS: Final = 60.0
_FIRST_SECONDS: Final = 1.0
_ROUNDS_PER_LEASE: Final = 4
_BACK: Final = timedelta(days=6)
"""Before today, which counts as well."""


class QualityGauges:
    """Tells them while it leads, and nothing while another does: two would not agree.

    Raises LedgerUnavailable; what was told last stays then.
    """

    def __init__(
        self, lease: RoleLease, database: Database, metrics: Metrics, clock: Clock
    ) -> None:
        self._lease = lease
        self._database = database
        self._metrics = metrics
        self._clock = clock
        self._catalogue = EvaluationCatalogue(database)
        self._of_days = {
            Figure.TASK_COMPLETION: metrics.outcome_task_completion,
            Figure.HALLUCINATION: metrics.outcome_hallucination,
            Figure.SATISFACTION: metrics.outcome_satisfaction,
            Figure.COST_PER_SUCCESS: metrics.outcome_cost_per_success,
        }
        self._of_runs = {
            Figure.TASK_COMPLETION: metrics.evaluation_task_completion,
            Figure.HALLUCINATION: metrics.evaluation_hallucination,
            Figure.SATISFACTION: metrics.evaluation_satisfaction,
            Figure.COST_PER_SUCCESS: metrics.evaluation_cost_per_success,
        }

    async def __call__(self) -> None:
        if not await self._lease.take():
            self._forget()
            return
        today = self._clock.now().date()
        means = await outcome_means(self._database, today - _BACK, today)
        runs = await self._catalogue.newest_of_each_set(limit=GOLDEN_SET.bound)
        # A version or a set that is told no more must not stand there for ever.
        self._forget()
        self._tell_outcomes(means)
        self._tell_runs(runs)

    def _tell_outcomes(self, means: list[OutcomeMeans]) -> None:
        versions = _first(VERSION.bound, (each.version for each in means))
        variants = _first(VARIANT.bound, (each.variant for each in means))
        for each in means:
            if each.version not in versions or each.variant not in variants:
                continue
            for figure, gauge in self._of_days.items():
                value: float | None = getattr(each, figure)
                if value is not None:
                    gauge.labels(each.version, each.variant).set(value)

    def _tell_runs(self, runs: list[KeptRun]) -> None:
        for run in runs:
            names = run.set_name, run.version, run.variant or ""
            for figure, estimate in (run.scores or {}).items():
                gauge = self._of_runs[figure]
                gauge.labels(*names, "mean").set(estimate.mean)
                gauge.labels(*names, "low").set(estimate.low)
                gauge.labels(*names, "high").set(estimate.high)

    def _forget(self) -> None:
        for gauge in (*self._of_days.values(), *self._of_runs.values()):
            self._metrics.forget(gauge)


@asynccontextmanager
async def telling_quality(
    database: Database, metrics: Metrics, clock: Clock, *, worker: str
) -> AsyncIterator[None]:
    """Tell them in turn with all other workers, while the context is open."""
    seconds = _EVERY_SECONDS * _ROUNDS_PER_LEASE
    lease = RoleLease(database, clock, role="quality", holder=worker, lease_seconds=seconds)
    gauges = QualityGauges(lease, database, metrics, clock)
    a_round = repeat("quality", gauges, every_seconds=_EVERY_SECONDS, first_seconds=_FIRST_SECONDS)
    try:
        async with running(a_round):
            yield
    finally:
        with suppress(LedgerUnavailable):
            await lease.give_back()


def _first(count: int, names: Iterable[str]) -> set[str]:
    """So many different ones."""
    return {*[*dict.fromkeys(names)][:count]}
