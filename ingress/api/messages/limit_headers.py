"""How much a caller may still send, under the names that Anthropic's clients know."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingress.admission.verdict import Quota
from ingress.api.http.error_answer import Header


def limit_headers(quota: Quota | None, now: datetime) -> list[Header]:
    """Headers beside those of every surface; a bucket is full again at its `reset`."""
    if quota is None:
        return []
    requests, tokens = quota.reset_requests_seconds, quota.reset_tokens_seconds
    values = {
        "requests-limit": f"{quota.limit_requests}",
        "requests-remaining": f"{quota.remaining_requests}",
        "requests-reset": _at(now, requests),
        "tokens-limit": f"{quota.limit_tokens}",
        "tokens-remaining": f"{quota.remaining_tokens}",
        "tokens-reset": _at(now, tokens),
    }
    return [
        (f"anthropic-ratelimit-{name}".encode(), value.encode()) for name, value in values.items()
    ]


def _at(now: datetime, seconds: float) -> str:
    return (now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
