"""How an attempt fails, in classes that say what the caller can do about it."""

from __future__ import annotations

from typing import Final

from shared.errors import ForebayError
from workers.providers.attempt import Attempt
from workers.providers.error_class import ErrorClass, Setting, TimeoutPhase
from workers.providers.outcome import Usage

_SHARE_OF_WINDOW: Final = 0.75
_LONGEST_MESSAGE: Final = 800
"""Characters; what is quoted may be as long as its sender likes, and the message is stored."""


class ProviderError(ForebayError):
    """An attempt failed; the message is for operators and may quote the provider.

    `after_first_token` is true when a part of the answer had arrived before the failure.
    """

    code = "provider_error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        error_class: ErrorClass,
        after_first_token: bool = False,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(message[:_LONGEST_MESSAGE], retry_after_seconds=retry_after_seconds)
        self.usage = usage
        """What the call used all the same, where the provider said so."""
        self.mend: Setting | None = None
        """What of our settings is wrong, where its words say so."""
        self.error_class = error_class
        self.after_first_token = after_first_token
        self.status = status

    @property
    def may_be_billed(self) -> bool:
        """Whether the call may be on the bill, although nobody named its figures."""
        return self.after_first_token or self.error_class.billed


class TransientProviderError(ProviderError):
    """The same call may succeed later: connection, 5xx, 429, cut stream, malformed answer."""

    code = "provider_transient"
    retryable = True


class ProviderTimeoutError(TransientProviderError):
    """A wait ran out; `phase` says which."""

    code = "provider_timeout"

    def __init__(
        self, message: str, *, phase: TimeoutPhase, after_first_token: bool = False
    ) -> None:
        super().__init__(
            message, error_class=ErrorClass.TIMEOUT, after_first_token=after_first_token
        )
        self.phase = phase

    @property
    def may_be_billed(self) -> bool:
        """Nothing was sent where there was no connection."""
        return self.phase is not TimeoutPhase.CONNECT


class UnauthorisedError(ProviderError):
    """The provider refuses our key, our payment or our access (401, 402, 403)."""

    code = "provider_unauthorised"

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message, error_class=ErrorClass.UNAUTHORISED, status=status)


class InvalidRequestError(ProviderError):
    """The provider refuses the request itself, in the words `provider_message`; no retry can help.

    Another provider may take it: the caller is told only when all have refused.
    """

    code = "provider_invalid_request"

    def __init__(
        self,
        message: str,
        *,
        provider_message: str,
        status: int | None = None,
        error_class: ErrorClass = ErrorClass.INVALID_REQUEST,
    ) -> None:
        super().__init__(message, error_class=error_class, status=status)
        self.provider_message = provider_message
        self.attempts: tuple[Attempt, ...] = ()
        """Every attempt of the turn, set by the chain, so that failed ones are booked too."""


class ContextTooLongError(InvalidRequestError):
    """The prompt does not fit into this model; a larger window or a shorter prompt can help."""

    code = "provider_context_too_long"

    def __init__(
        self,
        message: str,
        *,
        provider_message: str,
        status: int | None = None,
        window_tokens: int | None = None,
        prompt_tokens: int | None = None,
    ) -> None:
        super().__init__(
            message,
            provider_message=provider_message,
            status=status,
            error_class=ErrorClass.CONTEXT_TOO_LONG,
        )
        self.window_tokens = window_tokens
        """What fits, where the provider says so, and what it counted."""
        self.prompt_tokens = prompt_tokens

    @property
    def room(self) -> float | None:
        """The share of the prompt that leaves a quarter of the window to the answer, if told."""
        if not self.window_tokens or (self.prompt_tokens or 0) < self.window_tokens:
            return None
        return _SHARE_OF_WINDOW * self.window_tokens / (self.prompt_tokens or 1)


class UnknownFieldError(InvalidRequestError):
    """The provider does not know a field of the request; without it the same call may succeed."""

    code = "provider_unknown_field"

    def __init__(
        self, message: str, *, provider_message: str, status: int | None = None, field: str = ""
    ) -> None:
        super().__init__(
            message,
            provider_message=provider_message,
            status=status,
            error_class=ErrorClass.UNKNOWN_FIELD,
        )
        self.field = field
        """Its name, where the provider's error has a place for it; else it is in the words."""
        self.is_mended = False
        """Whether it was of our making, and the next call does without it."""
