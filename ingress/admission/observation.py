"""What is counted about verdicts; labels are bound once."""

from __future__ import annotations

from ingress.admission.verdict import Admitted, Existing, RefusalReason, Refused, Verdict
from shared.clock import Clock
from shared.telemetry.metrics import Metrics


class Observation:
    """Durations by verdict, refusals by reason, sizes of groups, risk, local decisions."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._clock = clock
        durations = metrics.admission_duration_seconds
        self._admitted = durations.labels("admitted")
        self._existing = durations.labels("existing")
        self._refused = durations.labels("refused")
        self._reasons = {
            reason: metrics.refused_messages.labels(reason.value) for reason in RefusalReason
        }
        self._groups = metrics.admission_group_messages
        self._risk = metrics.risk_score
        self._local_admitted = metrics.local_allowance_decisions.labels("admitted")
        self._local_refused = metrics.local_allowance_decisions.labels("refused")

    def begin(self) -> float:
        """The moment a verdict is asked for."""
        return self._clock.monotonic()

    def end(self, began: float, verdict: Verdict) -> None:
        """The verdict is there."""
        seconds = self._clock.monotonic() - began
        match verdict:
            case Admitted():
                self._admitted.observe(seconds)
                self._risk.observe(verdict.risk)
            case Existing():
                self._existing.observe(seconds)
                if not verdict.same_body:
                    self._reasons[RefusalReason.IDEMPOTENCY_CONFLICT].inc()
            case Refused():
                self._refused.observe(seconds)
                self._reasons[verdict.reason].inc()
                self._risk.observe(verdict.risk)

    def group(self, messages: int) -> None:
        """So many verdicts came with one round trip."""
        self._groups.observe(messages)

    def local(self, verdict: Admitted | Refused) -> None:
        """A verdict was given without Redis."""
        admitted = isinstance(verdict, Admitted)
        (self._local_admitted if admitted else self._local_refused).inc()
