"""A verdict as it is told: to the caller in headers, to the metrics in figures.

`RateLimit-Policy` and `RateLimit` follow draft-ietf-httpapi-ratelimit-headers (structured
fields); the `x-ratelimit-*` names are those of OpenAI's API, which its clients read.
"""

from __future__ import annotations

from collections import Counter
from math import ceil

from ingress.admission.limits import MINUTE_SECONDS
from ingress.admission.question import AdmissionRequest
from ingress.admission.verdict import Admitted, Existing, Quota, RefusalReason, Refused, Verdict
from shared.clock import Clock
from shared.telemetry.metrics import Metrics

Header = tuple[bytes, bytes]
RequestCounts = Counter[tuple[int, str, str, str]]
"""By the minute since 1970, tenant, lane, and the reason of a refusal; '' of what was accepted."""


def quota_headers(quota: Quota | None, refusal: Refused | None = None) -> list[Header]:
    """Headers for an answer; `Retry-After` (whole seconds, 1 or more) when waiting helps."""
    headers = [] if quota is None else _quota(quota)
    if refusal is not None and refusal.reason.retryable:
        seconds = max(1, ceil(refusal.retry_after_seconds))
        headers.append((b"retry-after", b"%d" % seconds))
    return headers


def _quota(quota: Quota) -> list[Header]:
    window = int(MINUTE_SECONDS)
    requests_reset, tokens_reset = quota.reset_requests_seconds, quota.reset_tokens_seconds
    return [
        (
            b"ratelimit-policy",
            b'"requests";q=%d;w=%d, "tokens";q=%d;w=%d'
            % (quota.limit_requests, window, quota.limit_tokens, window),
        ),
        (
            b"ratelimit",
            b'"requests";r=%d;t=%d, "tokens";r=%d;t=%d'
            % (
                quota.remaining_requests,
                ceil(requests_reset),
                quota.remaining_tokens,
                ceil(tokens_reset),
            ),
        ),
        (b"x-ratelimit-limit-requests", b"%d" % quota.limit_requests),
        (b"x-ratelimit-limit-tokens", b"%d" % quota.limit_tokens),
        (b"x-ratelimit-remaining-requests", b"%d" % quota.remaining_requests),
        (b"x-ratelimit-remaining-tokens", b"%d" % quota.remaining_tokens),
        (b"x-ratelimit-reset-requests", _duration(requests_reset)),
        (b"x-ratelimit-reset-tokens", _duration(tokens_reset)),
    ]


def _duration(seconds: float) -> bytes:
    """As OpenAI writes them: 0s, 120ms, 8.64s, 6m0s."""
    milliseconds = ceil(seconds * 1000)
    if milliseconds == 0:
        return b"0s"
    if milliseconds < 1000:
        return b"%dms" % milliseconds
    minutes, rest = divmod(milliseconds / 1000, MINUTE_SECONDS)
    text = f"{rest:.3f}".rstrip("0").rstrip(".")
    return (f"{int(minutes)}m{text}s" if minutes else f"{text}s").encode()


class Observation:
    """Durations by verdict, refusals by reason, sizes of groups, risk, local decisions.

    Labels are bound once. `counts` are what figures are made of.
    """

    def __init__(self, metrics: Metrics, clock: Clock, counts: RequestCounts | None = None) -> None:
        self._clock = clock
        self._counts = RequestCounts() if counts is None else counts
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

    def end(self, began: float, verdict: Verdict, request: AdmissionRequest) -> None:
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
                    self._count(request, RefusalReason.IDEMPOTENCY_CONFLICT)
            case Refused():
                self._refused.observe(seconds)
                self._reasons[verdict.reason].inc()
                self._count(request, verdict.reason)
                self._risk.observe(verdict.risk)

    def committed(self, request: AdmissionRequest) -> None:
        """What was admitted is on disk."""
        self._count(request, "")

    def _count(self, request: AdmissionRequest, reason: str) -> None:
        minute = int(self._clock.now().timestamp()) // 60
        self._counts[minute, request.tenant.id, str(request.lane), str(reason)] += 1

    def group(self, messages: int) -> None:
        """So many verdicts came with one round trip."""
        self._groups.observe(messages)

    def local(self, verdict: Admitted | Refused) -> None:
        """A verdict was given without Redis."""
        admitted = isinstance(verdict, Admitted)
        (self._local_admitted if admitted else self._local_refused).inc()
