"""What one process lets in by itself while Redis is away."""

from __future__ import annotations

from dataclasses import dataclass

from ingress.admission.limits import MINUTE_SECONDS
from ingress.admission.question import AdmissionRequest
from ingress.admission.reply import lane_overloaded
from ingress.admission.verdict import Admitted, RefusalReason, Refused
from shared.clock import Clock
from shared.messages.tenant import Plan


@dataclass(slots=True)
class _Levels:
    requests: float
    tokens: float
    at: float


class LocalAllowance:
    """GCRA in memory on `share` of each tenant's plan; with N processes, N shares are let in.

    It knows no users, slots, risk or idempotency keys: the ledger still refuses a key twice.
    Refusals are ours (503), for the caller has kept to its plan.
    """

    def __init__(self, clock: Clock, *, share: float) -> None:
        self._clock = clock
        self._share = share
        self._tenants: dict[str, _Levels] = {}

    def decide(
        self, request: AdmissionRequest, plan: Plan, *, expected_wait_seconds: float = 0.0
    ) -> Admitted | Refused:
        """The verdict; what is admitted is consumed."""
        if expected_wait_seconds > request.seconds_left:
            return lane_overloaded(request, expected_wait_seconds=expected_wait_seconds)
        if self._share <= 0:
            return _unavailable(retry_after_seconds=1.0)
        requests_a_second = plan.requests_per_minute * self._share / MINUTE_SECONDS
        tokens_a_second = plan.tokens_per_minute * self._share / MINUTE_SECONDS
        levels = self._drained(request.tenant.id, requests_a_second, tokens_a_second)
        wait = max(
            _wait(levels.requests, 1, requests_a_second),
            _wait(levels.tokens, request.estimated_tokens, tokens_a_second),
        )
        if wait > 0:
            return _unavailable(retry_after_seconds=wait)
        levels.requests += 1
        levels.tokens += request.estimated_tokens
        return Admitted(quota=None, risk=0.0, local=True)

    def forget(self) -> None:
        """Redis is back: the next time it goes away begins with a full allowance."""
        self._tenants.clear()

    def _drained(self, tenant_id: str, requests: float, tokens: float) -> _Levels:
        now = self._clock.monotonic()
        levels = self._tenants.setdefault(tenant_id, _Levels(0.0, 0.0, now))
        elapsed, levels.at = now - levels.at, now
        levels.requests = max(0.0, levels.requests - elapsed * requests)
        levels.tokens = max(0.0, levels.tokens - elapsed * tokens)
        return levels


def _wait(level: float, weight: float, per_second: float) -> float:
    """Seconds until `weight` fits into a minute's worth; a heavier one passes an empty bucket."""
    excess = level + weight - max(per_second * MINUTE_SECONDS, weight)
    return excess / per_second if excess > 1e-6 else 0.0


def _unavailable(*, retry_after_seconds: float) -> Refused:
    return Refused(
        reason=RefusalReason.UNAVAILABLE,
        message="Limits cannot be checked right now, and the allowance meant for that is used up.",
        retry_after_seconds=retry_after_seconds,
        quota=None,
    )
