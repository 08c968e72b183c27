"""What a scripted provider can do with a call, and the errors that it can answer with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Kind(StrEnum):
    """One way to behave. All of them wait `seconds` first."""

    ANSWER = "answer"
    LATENCY = "latency"
    RATE_LIMITED = "rate_limited"
    OUT_OF_CREDIT = "out_of_credit"
    SERVER_ERROR = "server_error"
    UNAUTHORISED = "unauthorised"
    INVALID_REQUEST = "invalid_request"
    CONTEXT_TOO_LONG = "context_too_long"
    NO_CAPACITY = "no_capacity"
    """What the flex tier says when it has no room."""
    HANG = "hang"
    DISCONNECT = "disconnect"
    SLOW_DRIP = "slow_drip"
    STALL = "stall"
    CUT_STREAM = "cut_stream"
    ERROR_IN_STREAM = "error_in_stream"
    MALFORMED_JSON = "malformed_json"
    WRONG_CONTENT = "wrong_content"
    EMPTY = "empty"
    TOOLS = "tools"
    """Calls the first tool that is offered, or the one that must be called, and answers with what
    tools gave. Without a tool it echoes."""
    NO_USAGE = "no_usage"
    RAW = "raw"
    """`text` is the body, byte for byte, behind `status`."""


class CalledTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A call of a tool that an answer makes."""

    name: str | None = None
    """None for the first one that the request offers."""
    arguments: str = "{}"
    """Sent as it stands, JSON or not."""


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to treat a call. Which parameters count depends on `kind`; `times` bounds its use."""

    kind: Kind = Kind.ANSWER
    seconds: Seconds = 0.0
    """Wait before anything is sent; the whole of `latency`."""
    text: str | None = None
    """What to answer instead of the echo; the lie of `wrong_content`."""
    thought: str | None = None
    """What it thinks aloud before, where the wire format has a place for that."""
    calls: tuple[CalledTool, ...] = ()
    """Tools to call. Beside them there is text only where `text` says one."""
    status: int | None = None
    """HTTP status of an error kind, when not its usual one (529 for an overload)."""
    message: str | None = None
    """The words of an error."""
    retry_after_seconds: Seconds | None = None
    after_tokens: Count = 1
    """Tokens sent before `cut_stream`, `stall` and `error_in_stream` strike."""
    every_seconds: Seconds = 0.05
    """Pause between the tokens of `slow_drip`."""
    piece_characters: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Cut the answer into tokens of so many characters, not into words."""
    echoed_model: str | None = None
    """What it calls itself in an answer, when not as it was asked."""
    served_tier: str | None = None
    """The service tier that the answer names, when not the one asked for."""
    times: Count | None = None
    """How many calls are treated so; None for all."""


@dataclass(frozen=True, slots=True)
class ScriptedError:
    status: int
    kind: str
    message: str
    code: str | None = None


ERRORS = {
    Kind.RATE_LIMITED: ScriptedError(
        429, "rate_limit_error", "Rate limit reached for requests.", "rate_limit_exceeded"
    ),
    Kind.OUT_OF_CREDIT: ScriptedError(
        429, "insufficient_quota", "You exceeded your current quota.", "insufficient_quota"
    ),
    Kind.SERVER_ERROR: ScriptedError(500, "server_error", "The server had an error."),
    Kind.UNAUTHORISED: ScriptedError(
        401, "invalid_request_error", "Incorrect API key provided.", "invalid_api_key"
    ),
    Kind.INVALID_REQUEST: ScriptedError(
        400, "invalid_request_error", "Unsupported value: 'temperature'.", "unsupported_value"
    ),
    Kind.CONTEXT_TOO_LONG: ScriptedError(
        400,
        "invalid_request_error",
        "prompt is too long: this model's maximum context length is 8192 tokens.",
        "context_length_exceeded",
    ),
    Kind.NO_CAPACITY: ScriptedError(
        429, "rate_limit_error", "Resource Unavailable: flex has no room.", "resource_unavailable"
    ),
}
"""With their usual status and words."""
