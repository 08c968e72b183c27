"""The script's reply, read into a verdict."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from http import HTTPStatus
from math import ceil
from typing import Final, cast

import msgspec

from ingress.admission.limits import Limit, Limits
from ingress.admission.question import AdmissionRequest
from ingress.admission.risk import explain
from ingress.admission.verdict import Admitted, Existing, Quota, RefusalReason, Refused, Verdict
from shared.reservations.account import RecordCount

ScriptReply = bytes | Sequence[int | bytes]

_verdict = struct.Struct("<8d").unpack_from
_record = struct.Struct(f"<{len(RecordCount)}d").unpack_from
_VERDICT_BYTES: Final = 64

# What is the caller's own, and smaller for a user of high risk.
_SHRUNK: Final = frozenset(
    reason for reason in RefusalReason if reason.status == HTTPStatus.TOO_MANY_REQUESTS
) - {RefusalReason.BUDGET_EXHAUSTED}
_SPENDING_UNKNOWN: Final = 2
_ROUNDING: Final = 1e-6
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
    if not isinstance(reply, bytes):
        if reply[0] == _SPENDING_UNKNOWN:
            return AdmissionReply(None)
        return AdmissionReply(Existing(cast(bytes, reply[1]).decode(), same_body=reply[2] == 1))
    refused_by, wait, risk, p90, *levels = _verdict(reply)
    quota = _quota(levels, limits, share=1 - risk)
    learned = int(p90) if p90 >= 0 else None
    if not refused_by:
        return AdmissionReply(Admitted(quota=quota, risk=risk), learned)
    record = [round(count) for count in _record(reply, _VERDICT_BYTES)]
    reason = (_ANONYMOUS if request.user is None else _NAMED)[int(refused_by) - 1]
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


def _quota(levels: Sequence[float], limits: Limits, *, share: float) -> Quota:
    requests = _nearest(limits.requests, limits.user_requests, levels[0], levels[2], share)
    tokens = _nearest(limits.tokens, limits.user_tokens, levels[1], levels[3], share)
    return Quota(
        limit_requests=max(1, int(requests[0] * share)),
        remaining_requests=requests[1],
        reset_requests_seconds=requests[2],
        limit_tokens=max(1, int(tokens[0] * share)),
        remaining_tokens=tokens[1],
        reset_tokens_seconds=tokens[2],
    )


def _nearest(
    tenant: Limit, user: Limit, of_tenant: float, of_user: float, share: float
) -> tuple[int, int, float]:
    """Per minute, remaining, seconds until full: of whichever runs out first, by their levels.

    Risk slows down how a user's own bucket drains, and not the tenant's.
    """
    left, left_of_user = _left(tenant, of_tenant, share), _left(user, of_user, share)
    if left_of_user <= left:
        return user.per_minute, left_of_user, _seconds(of_user, user.per_second * share)
    return tenant.per_minute, left, _seconds(of_tenant, tenant.per_second)


def _left(limit: Limit, level: float, share: float) -> int:
    return max(0, int(limit.burst * share - level + _ROUNDING))


def _seconds(level: float, per_second: float) -> float:
    return ceil(level / per_second * 1000) / 1000


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
