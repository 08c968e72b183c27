from __future__ import annotations

import pytest

from ingress.admission.told_verdict import quota_headers
from ingress.admission.verdict import Quota, RefusalReason, Refused

QUOTA = Quota(100, 42, 34.8, 6000, 512, 360.04)


def refusal(reason: RefusalReason, retry_after_seconds: float) -> Refused:
    return Refused(reason, "no", retry_after_seconds, QUOTA)


def test_the_quota_is_told_in_the_draft_standards_and_in_openais_words() -> None:
    assert dict(quota_headers(QUOTA)) == {
        b"ratelimit-policy": b'"requests";q=100;w=60, "tokens";q=6000;w=60',
        b"ratelimit": b'"requests";r=42;t=35, "tokens";r=512;t=361',
        b"x-ratelimit-limit-requests": b"100",
        b"x-ratelimit-limit-tokens": b"6000",
        b"x-ratelimit-remaining-requests": b"42",
        b"x-ratelimit-remaining-tokens": b"512",
        b"x-ratelimit-reset-requests": b"34.8s",
        b"x-ratelimit-reset-tokens": b"6m0.04s",
    }


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0, b"0s"), (0.0001, b"1ms"), (0.12, b"120ms"), (8.64, b"8.64s"), (360.0, b"6m0s")],
)
def test_durations_are_written_as_openai_writes_them(seconds: float, told: bytes) -> None:
    headers = dict(quota_headers(Quota(1, 1, seconds, 1, 1, 0.0)))
    assert headers[b"x-ratelimit-reset-requests"] == told


@pytest.mark.parametrize(
    ("wait", "told"), [(0.001, b"1"), (1.0, b"1"), (1.001, b"2"), (59.5, b"60")]
)
def test_retry_after_is_rounded_up_to_whole_seconds(wait: float, told: bytes) -> None:
    refused = refusal(RefusalReason.RATE_LIMITED_TOKENS, wait)
    assert dict(quota_headers(QUOTA, refused))[b"retry-after"] == told


@pytest.mark.parametrize("reason", [reason for reason in RefusalReason if not reason.retryable])
def test_what_waiting_does_not_mend_has_no_retry_after(reason: RefusalReason) -> None:
    assert b"retry-after" not in dict(quota_headers(QUOTA, refusal(reason, 0.0)))


def test_a_local_refusal_without_a_quota_still_says_when() -> None:
    assert quota_headers(None, refusal(RefusalReason.UNAVAILABLE, 0.2)) == [(b"retry-after", b"1")]


def test_every_reason_is_the_callers_or_ours() -> None:
    ours = {reason for reason in RefusalReason if reason.status == 503}
    assert ours == {RefusalReason.LANE_OVERLOADED, RefusalReason.UNAVAILABLE}
    assert {reason.status for reason in set(RefusalReason) - ours} == {413, 422, 429}
