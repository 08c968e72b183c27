"""The headers that tell a caller how much it may still send.

`RateLimit-Policy` and `RateLimit` follow draft-ietf-httpapi-ratelimit-headers (structured
fields); the `x-ratelimit-*` names are those of OpenAI's API, which its clients read.
"""

from __future__ import annotations

from math import ceil

from ingress.admission.limits import MINUTE_SECONDS
from ingress.admission.verdict import Quota, Refused

Header = tuple[bytes, bytes]


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
