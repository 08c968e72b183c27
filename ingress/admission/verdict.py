"""What admission says about one message."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class RefusalReason(StrEnum):
    """Why a message was refused. The first eight are the caller's, the last two are ours."""

    RATE_LIMITED_REQUESTS = "rate_limited_requests"
    RATE_LIMITED_TOKENS = "rate_limited_tokens"
    USER_RATE_LIMITED_REQUESTS = "user_rate_limited_requests"
    USER_RATE_LIMITED_TOKENS = "user_rate_limited_tokens"
    TOO_MANY_IN_FLIGHT = "too_many_in_flight"
    BUDGET_EXHAUSTED = "budget_exhausted"
    REQUEST_TOO_LARGE_FOR_LIMIT = "request_too_large_for_limit"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    LANE_OVERLOADED = "lane_overloaded"
    UNAVAILABLE = "unavailable"

    @property
    def status(self) -> int:
        """The HTTP status: 4xx is the caller's to change, 429 its limits, 503 our capacity."""
        return _STATUS[self]

    @property
    def retryable(self) -> bool:
        """Whether the same message may be admitted later."""
        return self.status in {429, 503}


_STATUS: Final[dict[RefusalReason, int]] = {
    RefusalReason.RATE_LIMITED_REQUESTS: 429,
    RefusalReason.RATE_LIMITED_TOKENS: 429,
    RefusalReason.USER_RATE_LIMITED_REQUESTS: 429,
    RefusalReason.USER_RATE_LIMITED_TOKENS: 429,
    RefusalReason.TOO_MANY_IN_FLIGHT: 429,
    RefusalReason.BUDGET_EXHAUSTED: 429,
    RefusalReason.REQUEST_TOO_LARGE_FOR_LIMIT: 413,
    RefusalReason.IDEMPOTENCY_CONFLICT: 422,
    RefusalReason.LANE_OVERLOADED: 503,
    RefusalReason.UNAVAILABLE: 503,
}


class Quota(msgspec.Struct, frozen=True):
    """What is left of the limit that is nearest, after this verdict.

    `limit_*` is the allowance per minute; `remaining_*` may be sent at once; `reset_*_seconds`
    is when all of it is there again if nothing more is sent.
    """

    limit_requests: int
    remaining_requests: int
    reset_requests_seconds: float
    limit_tokens: int
    remaining_tokens: int
    reset_tokens_seconds: float


class Admitted(msgspec.Struct, frozen=True):
    """Come in; a slot and the estimated tokens are reserved.

    `local` says that Redis was away and this process's own allowance decided; nothing is
    reserved then, and `quota` is None. `held` says that it waits for the dispatcher: whoever
    accepts it publishes nothing.
    """

    quota: Quota | None
    risk: float
    local: bool = False
    held: bool = False


class Existing(msgspec.Struct, frozen=True):
    """The idempotency key was used before, by `message_id`; nothing was consumed.

    That message may be a moment away from its commit, or never come to it: whoever commits it
    instead is told whether it is `held`. `same_body` False is a conflict (422).
    """

    message_id: str
    same_body: bool
    held: bool = False


class Refused(msgspec.Struct, frozen=True):
    """Not now (or, when the reason is not retryable, never); nothing was consumed.

    The same message sent after `retry_after_seconds`, with nothing sent in between, passes the
    rate limits. It is 0 when waiting does not help.
    """

    reason: RefusalReason
    message: str
    retry_after_seconds: float
    quota: Quota | None
    risk: float = 0.0

    @property
    def status(self) -> int:
        """The HTTP status that goes with the reason."""
        return self.reason.status


Verdict = Admitted | Existing | Refused
