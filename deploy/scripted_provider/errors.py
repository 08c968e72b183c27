"""The error answers a script can ask for, with their usual status and words."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.scripted_provider.behaviour import Kind


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
}
