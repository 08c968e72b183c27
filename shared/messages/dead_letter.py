"""Why a message will not be answered, and the verdict that says so of one that cannot be read."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class DeadReason(StrEnum):
    """Low-cardinality; the dead letter's detail says the rest."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNKNOWN_TASK = "unknown_task"
    UNAUTHENTICATED = "unauthenticated"
    INVALID = "invalid"
    REFUSED = "refused"
    DELIVERY_LIMIT = "delivery_limit"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    DEADLINE_PASSED = "deadline_passed"
    CHAIN_EXHAUSTED = "chain_exhausted"
    FAULT = "fault"
    """The same fault of ours twice in its turn; the detail names it."""
    PROVIDER_REFUSED = "provider_refused"
    PREVIOUS_RESPONSE_GONE = "previous_response_gone"
    FACTS_UNAVAILABLE = "facts_unavailable"
    SEARCH_UNAVAILABLE = "search_unavailable"
    UNROUTABLE = "unroutable"


class Bury(msgspec.Struct, frozen=True):
    """The verdict that a delivery belongs among the dead letters, and why."""

    reason: DeadReason
    detail: str
