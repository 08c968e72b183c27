"""Every error of Forebay: one root, one class for each thing the caller can do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar


class ForebayError(Exception):
    """The root.

    `code` is low-cardinality and safe as a metric label; `retryable` says whether the same
    call may succeed later; `retry_after_seconds` says when, if we know.
    """

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_seconds = retry_after_seconds


class SettingsError(ForebayError):
    """Settings that cannot be used; `findings` holds one sentence for each, with its fix."""

    code = "invalid_settings"

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = tuple(findings)


class InvalidRequest(ForebayError):
    """The caller's body or parameters are wrong; `param` names the field."""

    code = "invalid_request"

    def __init__(self, message: str, *, param: str | None = None, kind: str = "invalid_value"):
        super().__init__(message)
        self.param = param
        self.kind = kind


class Unauthenticated(ForebayError):
    """No key, or a key that is unknown, expired or revoked: send a valid one."""

    code = "unauthenticated"


class Forbidden(ForebayError):
    """The key is valid and its scope does not allow this: use a key with the named scope."""

    code = "forbidden"


class NotFound(ForebayError):
    """The named thing does not exist for this tenant."""

    code = "not_found"

    def __init__(self, message: str, *, param: str | None = None, kind: str = "not_found") -> None:
        super().__init__(message)
        self.param = param
        self.kind = kind


class Gone(ForebayError):
    """It was there and is erased: what is left of it answers nothing."""

    code = "gone"


class Conflict(ForebayError):
    """The thing is in a state that does not allow this; reading it again says why."""

    code = "conflict"


class TooLarge(ForebayError):
    """It is larger than what is allowed, or than what is left of it: send less, or make room."""

    code = "too_large"

    def __init__(self, message: str, *, param: str | None = None, kind: str = "too_large") -> None:
        super().__init__(message)
        self.param = param
        self.kind = kind


class Unavailable(ForebayError):
    """A server we need does not answer: the same call may succeed later."""

    code = "unavailable"
    retryable = True


class BrokerUnavailable(Unavailable):
    """The broker did not confirm in time; what was not confirmed may be published again."""

    code = "broker_unavailable"


class RedisUnavailable(Unavailable):
    """Redis did not answer in time."""

    code = "redis_unavailable"


class RedisRefused(RedisUnavailable):
    """Redis answered with an error: it is full, read-only, cannot save, or does not permit this.

    What needs no write may still succeed.
    """

    code = "redis_refused"


class LedgerUnavailable(Unavailable):
    """The ledger did not answer."""

    code = "ledger_unavailable"


class CommitUnknown(LedgerUnavailable):
    """A commit was asked for and not heard of: it may be on disk. The same again finds out."""


def use_one_of(values: Iterable[object]) -> str:
    """The fix where only these are taken, without its full stop."""
    return f"Use one of: {', '.join(map(str, values))}"
