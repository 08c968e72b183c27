"""What went wrong with an attempt, in words that are stored, counted and decided upon."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Blame(StrEnum):
    """What a failure says of its provider's health: whether the breaker counts it."""

    ALWAYS = "always"
    BEFORE_FIRST_TOKEN = "before_first_token"  # noqa: S105 - a token of text, not a secret
    WITH_TIME_ENOUGH = "with_time_enough"
    """Unless the call was given hardly any time."""
    NEVER = "never"


class ErrorClass(StrEnum):
    """The low-cardinality name of a failure, and with it all that is decided upon it.

    `tries`: how often one provider may be called in all, when this is how its last call ended.
    `blame`: whether the breaker counts it. `billed`: whether a call that named no figures may be
    on the bill. `retryable`: whether the same call may succeed later. `refuses`: whether it is the
    request itself that was refused; the caller is told so when every provider did. `is_mere_end`:
    whether it costs nothing but figures once the model has said why it stopped.
    """

    tries: int
    blame: Blame
    billed: bool
    retryable: bool
    refuses: bool
    is_mere_end: bool

    def __new__(
        cls,
        name: str,
        tries: int = 1,
        blame: Blame = Blame.NEVER,
        billed: bool = False,
        retryable: bool = False,
        refuses: bool = False,
        is_mere_end: bool = False,
    ) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member.tries, member.blame = tries, blame
        member.billed, member.retryable, member.refuses = billed, retryable, refuses
        member.is_mere_end = is_mere_end
        return member

    # name, tries, blame, billed, retryable, refuses, is_mere_end
    CONNECTION = "connection", 3, Blame.ALWAYS, False, True
    SERVER_ERROR = "server_error", 3, Blame.ALWAYS, False, True
    RATE_LIMITED = "rate_limited", 3, Blame.NEVER, False, True
    TIMEOUT = "timeout", 2, Blame.WITH_TIME_ENOUGH, True, True, False, True
    CUT_STREAM = "cut_stream", 3, Blame.BEFORE_FIRST_TOKEN, True, True, False, True
    MALFORMED_ANSWER = "malformed_answer", 2, Blame.ALWAYS, True, True, False, True
    EMPTY_ANSWER = "empty_answer", 2, Blame.NEVER, True, True
    """The model gave a reason to stop, and no text: it may have nothing to say to this prompt."""
    UNAUTHORISED = "unauthorised", 1, Blame.NEVER, False, False
    """It refuses our key, our payment or our access."""
    MISCONFIGURED = "misconfigured", 1, Blame.ALWAYS, False, False
    """Its address or its model is not what our settings say; a person has to mend it."""
    BUSY = "busy", 1, Blame.NEVER, False, True
    """It has no room for this call, and says so otherwise than by a 429."""
    FILTERED = "filtered", 1, Blame.NEVER, False, False, True
    """Its own filter refuses the prompt."""
    UNKNOWN_FIELD = "unknown_field", 1, Blame.NEVER, False, False, True
    """It refuses a field of the request that it does not know."""
    TOOL_CALLED = "tool_called", 1, Blame.NEVER, True, False
    """The model called a tool that nobody offered."""
    INVALID_REQUEST = "invalid_request", 1, Blame.NEVER, False, False, True
    CONTEXT_TOO_LONG = "context_too_long", 1, Blame.NEVER, False, False, True
    DECLINED = "declined", 1, Blame.NEVER, False, False
    REJECTED = "rejected", 1, Blame.NEVER, True, False
    HELD_BACK = "held_back", 1, Blame.NEVER, False, False
    """Not called: our own limits would have let it go too late."""
    HEDGED_AWAY = "hedged_away", 1, Blame.NEVER, True, False
    """Cancelled: another call for the same message was heard first."""
    ABANDONED = "abandoned", 1, Blame.NEVER, True, False
    """Cancelled: its message was, or its turn had to stop."""


class Setting(StrEnum):
    """What a person has to mend before a provider that refuses us can answer."""

    ADDRESS = "address"
    KEY = "key"
    ACCOUNT = "account"
    MODEL = "model"


class TimeoutPhase(StrEnum):
    """Which wait ran out."""

    CONNECT = "connect"
    FIRST_TOKEN = "first_token"  # noqa: S105 - a token of text, not a secret
    IDLE = "idle"
    TOTAL = "total"
