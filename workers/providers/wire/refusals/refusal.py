"""What a provider says when it refuses, and which class of failure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from workers.providers.error_class import ErrorClass, Setting
from workers.providers.failures import (
    ContextTooLongError,
    InvalidRequestError,
    ProviderError,
    TransientProviderError,
    UnauthorisedError,
    UnknownFieldError,
)
from workers.providers.wire.loose_json import (
    UnreadableError,
    decoded,
    elements,
    is_markup,
    mapping,
    number_in,
    short_text,
    text_in,
)
from workers.providers.wire.refusals.retry_after import named_wait
from workers.providers.wire.refusals.rules import RULES, RefusalRule
from workers.providers.wire.refusals.statuses import (
    CLASS_OF_STATUS,
    SETTING_OF_CLASS,
    STATUS_OF_CODE,
)

_QUOTED_CHARACTERS: Final = 500
_READ_CHARACTERS: Final = 4_000
_MESSAGE_KEYS: Final = ("message", "msg", "detail", "error_msg", "error_message", "title")
_INNER_KEYS: Final = ("error", "errors", "detail", "message")
_DEEPEST: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRefusal:
    """The error object of a body or a stream event, in whichever of the usual shapes it came."""

    message: str
    """For people, shortened; never markup."""
    codes: frozenset[str] = frozenset()
    """Whatever it names as type, code or status, in lower case."""
    field: str = ""
    """The field of the request that it complains of, where it names one."""
    words: str = ""
    """All its sentences, for what they mean."""
    retry_after_seconds: float | None = None
    window_tokens: int | None = None
    prompt_tokens: int | None = None
    is_markup: bool = False

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Read an error body; one that is not JSON is quoted as it is. Never raises."""
        if is_markup(body):
            return cls(message="a page of markup, not an answer of its API", is_markup=True)
        try:
            content = decoded(body)
        except UnreadableError:
            content = body.decode("utf-8", "replace")
        return cls.from_content(content)

    @classmethod
    def from_content(cls, content: object) -> Self:
        """Read a decoded error: `{"error": {…}}`, `[{"error": …}]`, `"…"`, or the inner one."""
        levels = _levels(content)
        sentences = [text for level in levels for text in _sentences(level)]
        sentences = sentences or [short_text(content)]
        words = " ".join(sentences)[:_READ_CHARACTERS]
        return cls(
            message=_shortened(sentences[0]),
            codes=frozenset(code for level in levels for code in _codes(level)),
            field=next((field for level in levels if (field := _field(level))), ""),
            words=words,
            retry_after_seconds=named_wait(levels, words),
            window_tokens=_first_number(levels, "n_ctx"),
            prompt_tokens=_first_number(levels, "n_prompt_tokens"),
        )

    @property
    def status(self) -> int | None:
        """The HTTP status this would have had: an error inside a stream comes after a 200."""
        for code in sorted(self.codes):
            if code.isascii() and code.isdecimal() and 400 <= int(code[:4]) < 600:
                return int(code)
        return next((STATUS_OF_CODE[c] for c in sorted(self.codes) if c in STATUS_OF_CODE), None)

    def means(self, status: int | None) -> ErrorClass:
        """The class of failure; without a status what it says decides alone."""
        if (rule := self._rule(status)) is not None:
            return rule.means
        if status is None:
            return ErrorClass.SERVER_ERROR
        usual = ErrorClass.MISCONFIGURED if 300 <= status < 500 else ErrorClass.SERVER_ERROR
        by_status = CLASS_OF_STATUS.get(status, usual)
        if self.is_markup and by_status is ErrorClass.INVALID_REQUEST:
            return ErrorClass.MISCONFIGURED
        return by_status

    def mend(self, status: int | None) -> Setting | None:
        """What of our settings has to be mended before this provider can answer."""
        rule = self._rule(status)
        return rule.mend if rule is not None else SETTING_OF_CLASS.get(self.means(status))

    def _rule(self, status: int | None) -> RefusalRule | None:
        for rule in RULES:
            if rule.fits(status=status, codes=self.codes, words=self.words):
                return rule
        return None


def failure_for(
    refusal: ProviderRefusal,
    *,
    provider: str,
    status: int | None = None,
    retry_after_seconds: float | None = None,
    after_first_token: bool = False,
) -> ProviderError:
    """The error that a status and its body stand for; without one it came behind a 200."""
    known = status or refusal.status
    said = refusal.message or "no message"
    message = f"{provider} answered {known or 'with an error'}: {said}"
    error = _error(refusal, message, said, known)
    if retry_after_seconds is None:
        retry_after_seconds = refusal.retry_after_seconds
    error.retry_after_seconds = retry_after_seconds
    error.after_first_token = after_first_token
    error.mend = refusal.mend(known)
    return error


def _error(refusal: ProviderRefusal, message: str, said: str, status: int | None) -> ProviderError:
    means = refusal.means(status)
    match means:
        case ErrorClass.UNAUTHORISED:
            return UnauthorisedError(message, status=status)
        case ErrorClass.CONTEXT_TOO_LONG:
            return ContextTooLongError(
                message,
                provider_message=said,
                status=status,
                window_tokens=refusal.window_tokens,
                prompt_tokens=refusal.prompt_tokens,
            )
        case ErrorClass.UNKNOWN_FIELD:
            return UnknownFieldError(
                message, provider_message=said, status=status, field=refusal.field
            )
        case ErrorClass.INVALID_REQUEST | ErrorClass.FILTERED:
            return InvalidRequestError(
                message, provider_message=said, status=status, error_class=means
            )
    kind = TransientProviderError if means.retryable else ProviderError
    return kind(message, error_class=means, status=status)


def _levels(content: object) -> list[Mapping[str, object]]:
    """The error object and those inside it, the innermost first: the nearer the cause."""
    levels: list[Mapping[str, object]] = []
    waiting = elements(content)[:1] or [content]
    while waiting and len(levels) < _DEEPEST:
        level = mapping(waiting.pop(0))
        if not level:
            continue
        levels.insert(0, level)
        for key in _INNER_KEYS:
            inner = level.get(key)
            waiting += elements(inner)[:2] or [inner]
    return levels


def _sentences(level: Mapping[str, object]) -> list[str]:
    said = [text_in(level.get(key)) for key in (*_MESSAGE_KEYS, "error", "errors")]
    said.append(text_in(mapping(level.get("metadata")).get("raw")))
    return list(dict.fromkeys(text for text in said if text.strip()))


def _codes(level: Mapping[str, object]) -> list[str]:
    named = [level.get(key) for key in ("code", "type", "status", "error_code", "reason")]
    inner = mapping(level.get("innererror")).get("code")
    return [
        str(code).lower()[:100] for code in (*named, inner) if isinstance(code, str | int) and code
    ]


def _field(level: Mapping[str, object]) -> str:
    param = text_in(level.get("param"))
    place = [part for part in elements(level.get("loc")) if isinstance(part, str)]
    return (param or (place[-1] if place else ""))[:100]


def _first_number(levels: list[Mapping[str, object]], key: str) -> int | None:
    return next((n for level in levels if (n := number_in(level.get(key)))), None)


def _shortened(text: str) -> str:
    text = " ".join(text[:_READ_CHARACTERS].replace("\0", "").split())
    return text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}…"
