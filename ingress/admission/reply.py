"""The script's reply, read into a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, cast

import msgspec

from ingress.admission.limits import Limit, Limits
from ingress.admission.question import AdmissionRequest
from ingress.admission.risk import WEIGHTS, explain
from ingress.admission.verdict import Admitted, Existing, Quota, RefusalReason, Refused, Verdict

ScriptReply = Sequence[int | bytes]

# What is the caller's own, and smaller for a user of high risk.
_SHRUNK: Final = frozenset(
    reason for reason in RefusalReason if reason.status == HTTPStatus.TOO_MANY_REQUESTS
) - {RefusalReason.BUDGET_EXHAUSTED}
_SPENDING_UNKNOWN: Final = 2
_MILLION: Final = 1_000_000
_NAMED: Final = (
    RefusalReason.RATE_LIMITED_REQUESTS,
    RefusalReason.RATE_LIMITED_TOKENS,
    RefusalReason.USER_RATE_LIMITED_REQUESTS,
    RefusalReason.USER_RATE_LIMITED_TOKENS,
    RefusalReason.TOO_MANY_IN_FLIGHT,
    RefusalReason.LANE_OVERLOADED,
    RefusalReason.BUDGET_EXHAUSTED,
)
# The anonymous user's buckets are the tenant's own limits, shrunk by risk.
_ANONYMOUS: Final = (*_NAMED[:2], *_NAMED[:2], *_NAMED[4:])


class AdmissionReply(msgspec.Struct, frozen=True):
    """A verdict, and the tenant's learned p90 of output tokens where Redis knows one.

    No verdict: Redis does not know what the tenant spent today and has to be told.
    """

    verdict: Verdict | None
    p90_output_tokens: int | None = None


def read_reply(reply: ScriptReply, request: AdmissionRequest, limits: Limits) -> AdmissionReply:
    """The reply as admission.lua documents it."""
    if reply[0] == _SPENDING_UNKNOWN:
        return AdmissionReply(None)
    if reply[0] == 1:
        return AdmissionReply(Existing(cast(bytes, reply[1]).decode(), same_body=reply[2] == 1))
    numbers = cast(Sequence[int], reply)
    refused_by, wait, risk = numbers[1], numbers[2] / _MILLION, numbers[3] / _MILLION
    record, rest = numbers[4 : 4 + len(WEIGHTS)], numbers[4 + len(WEIGHTS) :]
    quota = _quota(rest, limits, share=1 - risk)
    learned = rest[8] if rest[8] >= 0 else None
    if not refused_by:
        return AdmissionReply(Admitted(quota=quota, risk=risk), learned)
    reason = (_ANONYMOUS if request.user is None else _NAMED)[refused_by - 1]
    sentence = _sentence(reason, limits, request, share=1 - risk)
    why = explain(risk, record, full_bucket=limits.user_requests.burst)
    return AdmissionReply(
        Refused(
            reason=reason,
            message=f"{sentence[:-1]} ({why})." if why and reason in _SHRUNK else sentence,
            retry_after_seconds=wait,
            quota=quota,
            risk=risk,
        ),
        learned,
    )


def too_large(request: AdmissionRequest, limits: Limits) -> Refused | None:
    """A refusal for a message that no waiting can bring in, or None."""
    for limit, whose in ((limits.tokens, "your"), (limits.user_tokens, "this user's")):
        if request.estimated_tokens > limit.burst:
            return Refused(
                reason=RefusalReason.REQUEST_TOO_LARGE_FOR_LIMIT,
                message=(
                    f"The message is estimated at {request.estimated_tokens} tokens, more than "
                    f"{whose} limit of {int(limit.burst)} tokens ever holds. Send less, or ask "
                    "for a larger limit."
                ),
                retry_after_seconds=0.0,
                quota=None,
            )
    return None


def _quota(rest: Sequence[int], limits: Limits, *, share: float) -> Quota:
    requests = _nearest(limits.requests, limits.user_requests, rest[0:2], rest[4:6])
    tokens = _nearest(limits.tokens, limits.user_tokens, rest[2:4], rest[6:8])
    return Quota(
        limit_requests=max(1, int(requests[0] * share)),
        remaining_requests=requests[1],
        reset_requests_seconds=requests[2] / 1000,
        limit_tokens=max(1, int(tokens[0] * share)),
        remaining_tokens=tokens[1],
        reset_tokens_seconds=tokens[2] / 1000,
    )


def _nearest(
    tenant: Limit, user: Limit, of_tenant: Sequence[int], of_user: Sequence[int]
) -> tuple[int, int, int]:
    """Per minute, remaining, milliseconds until full: of whichever runs out first."""
    if of_user[0] <= of_tenant[0]:
        return user.per_minute, of_user[0], of_user[1]
    return tenant.per_minute, of_tenant[0], of_tenant[1]


def lane_overloaded(request: AdmissionRequest, *, expected_wait_seconds: float) -> Refused:
    """The refusal of a message whose lane would need longer than it has."""
    return Refused(
        reason=RefusalReason.LANE_OVERLOADED,
        message=_overloaded(request),
        retry_after_seconds=expected_wait_seconds - request.seconds_left,
        quota=None,
    )


def spending_unknown() -> Refused:
    """The refusal of a message whose tenant may have spent its budget, for all that we know."""
    return Refused(
        reason=RefusalReason.UNAVAILABLE,
        message="What was spent today cannot be read right now.",
        retry_after_seconds=1.0,
        quota=None,
    )


def _sentence(
    reason: RefusalReason, limits: Limits, request: AdmissionRequest, *, share: float
) -> str:
    match reason:
        case RefusalReason.RATE_LIMITED_REQUESTS:
            return f"The limit of {_allowed(limits.requests, share)} requests a minute is reached."
        case RefusalReason.RATE_LIMITED_TOKENS:
            return f"The limit of {_allowed(limits.tokens, share)} tokens a minute is reached."
        case RefusalReason.USER_RATE_LIMITED_REQUESTS:
            allowed = _allowed(limits.user_requests, share)
            return f"The limit of {allowed} requests a minute for this user is reached."
        case RefusalReason.USER_RATE_LIMITED_TOKENS:
            allowed = _allowed(limits.user_tokens, share)
            return f"The limit of {allowed} tokens a minute for this user is reached."
        case RefusalReason.TOO_MANY_IN_FLIGHT:
            return (
                f"{limits.in_flight} messages are in flight, as many as the plan allows; "
                "wait for one to end."
            )
        case RefusalReason.BUDGET_EXHAUSTED:
            return (
                f"The budget of ${limits.daily_budget} a day (UTC) is spent, or reserved by "
                "messages in flight."
            )
        case _:
            return _overloaded(request)


def _overloaded(request: AdmissionRequest) -> str:
    return (
        f"The {request.lane} lane would need longer than the "
        f"{max(request.seconds_left, 0):.0f} s that this message has."
    )


def _allowed(limit: Limit, share: float) -> int:
    return max(1, int(limit.per_minute * share))
