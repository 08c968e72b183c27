"""What a provider says when it refuses, and which class of failure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from workers.providers.error_class import ErrorClass
from workers.providers.failures import (
    ContextTooLongError,
    InvalidRequestError,
    ProviderError,
    TransientProviderError,
    UnauthorisedError,
)

_QUOTED_CHARACTERS = 500
_CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_CONTEXT_PHRASES = ("maximum context length", "prompt is too long", "exceeds the available context")
"""vLLM, Anthropic and older llama.cpp name no code for it: their wording is all there is."""

_STATUS_OF_KIND = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The error object of a body or a stream event, in whichever of the usual shapes it came."""

    message: str
    kind: str = ""
    code: str = ""

    @classmethod
    def from_body(cls, body: bytes) -> Refusal:
        """Read an error body; one that is not JSON is quoted as it is. Never raises."""
        try:
            content: object = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return cls(message=_shortened(body.decode("utf-8", "replace")))
        return cls.from_content(content)

    @classmethod
    def from_content(cls, content: object) -> Refusal:
        """Read a decoded error object: `{"error": {…}}`, `{"error": "…"}` or the inner one."""
        if isinstance(content, Mapping):
            inner = content.get("error", content)
            if isinstance(inner, Mapping):
                message = inner.get("message") or inner.get("detail") or content.get("detail")
                return cls(
                    message=_shortened(str(message or dict(inner))),
                    kind=str(inner.get("type") or ""),
                    code=str(inner.get("code") or ""),
                )
            content = inner
        return cls(message=_shortened(str(content)))

    @property
    def status(self) -> int:
        """The HTTP status this would have had: an error inside a stream comes after a 200."""
        if self.code.isdecimal() and 400 <= int(self.code) < 600:
            return int(self.code)
        return _STATUS_OF_KIND.get(self.kind, _STATUS_OF_KIND.get(self.code, 500))


def failure_for(
    refusal: Refusal,
    *,
    provider: str,
    status: int,
    retry_after_seconds: float | None = None,
    after_first_token: bool = False,
) -> ProviderError:
    """The error class that a status and its body stand for."""
    message = f"{provider} answered {status}: {refusal.message or 'no message'}"
    if status in (401, 402, 403) or _is_out_of_credit(refusal, status=status):
        return UnauthorisedError(message, status=status)
    if _is_context_too_long(refusal, status=status):
        return ContextTooLongError(message, provider_message=refusal.message, status=status)
    if 400 <= status < 500 and status not in (408, 409, 425, 429):
        return InvalidRequestError(message, provider_message=refusal.message, status=status)
    return TransientProviderError(
        message,
        error_class=ErrorClass.RATE_LIMITED if status == 429 else ErrorClass.SERVER_ERROR,
        after_first_token=after_first_token,
        status=status,
        retry_after_seconds=retry_after_seconds,
    )


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """The seconds a server asks us to wait, given in seconds or as a date; None when unsaid."""
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text, now or datetime.now(UTC))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(text: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def _is_out_of_credit(refusal: Refusal, *, status: int) -> bool:
    return status == 429 and "insufficient_quota" in (refusal.code, refusal.kind)


def _is_context_too_long(refusal: Refusal, *, status: int) -> bool:
    if status not in (400, 413, 422):
        return False
    if refusal.code in _CONTEXT_CODES or refusal.kind in _CONTEXT_CODES:
        return True
    return any(phrase in refusal.message.lower() for phrase in _CONTEXT_PHRASES)


def _shortened(text: str) -> str:
    text = " ".join(text.replace("\0", "").split())
    return text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}…"
