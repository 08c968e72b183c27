"""What went wrong with an attempt, in words that are stored, counted and decided upon."""

from __future__ import annotations

from enum import StrEnum


class ErrorClass(StrEnum):
    """The low-cardinality name of a failure: what is stored, counted and decided upon."""

    CONNECTION = "connection"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    CUT_STREAM = "cut_stream"
    MALFORMED_ANSWER = "malformed_answer"
    UNAUTHORISED = "unauthorised"
    INVALID_REQUEST = "invalid_request"
    CONTEXT_TOO_LONG = "context_too_long"
    DECLINED = "declined"
    REJECTED = "rejected"
    HELD_BACK = "held_back"
    """Not called: our own limits would have let it go too late."""
    HEDGED_AWAY = "hedged_away"
    """Cancelled: another call for the same message was heard first."""
    ABANDONED = "abandoned"
    """Cancelled: its message was, or its turn had to stop."""


class TimeoutPhase(StrEnum):
    """Which wait ran out."""

    CONNECT = "connect"
    FIRST_TOKEN = "first_token"  # noqa: S105 - a token of text, not a secret
    IDLE = "idle"
    TOTAL = "total"
