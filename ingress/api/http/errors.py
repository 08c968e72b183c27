"""Errors as a caller is told them: which status, which words, which headers."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from typing import Final

from ingress.admission.told_verdict import quota_headers
from ingress.admission.verdict import RefusalReason, Refused
from ingress.api.http.error_answer import ErrorAnswer, ErrorDetail, Header
from shared.errors import (
    CommitUnknown,
    Conflict,
    Forbidden,
    ForebayError,
    Gone,
    InvalidRequest,
    LedgerUnavailable,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from shared.surfaces.failed_turn import TurnFailed

# OpenAI's clients repeat 408, 409, 429 and every 5xx by themselves unless they are told not to.
NO_RETRY: Final[Header] = (b"x-should-retry", b"false")
RESPONSE_ID: Final = b"x-forebay-response-id"
_CALLERS: Final = "invalid_request_error"
_LIMITS: Final = "rate_limit_error"
_OURS: Final = "server_error"
_COMMIT_UNKNOWN: Final = (
    "The ledger did not answer in time; it is not known whether the message was accepted. Post it "
    "again under the same Idempotency-Key: one that was accepted is found by it."
)
_PARAMETERS: Final = {
    RefusalReason.IDEMPOTENCY_CONFLICT: "Idempotency-Key",
    RefusalReason.REQUEST_TOO_LARGE_FOR_LIMIT: "input",
}


class HttpRefusal(ForebayError):
    """An answer that only makes sense over HTTP: a status, and why."""

    code = "http_refusal"

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        param: str | None = None,
        headers: tuple[Header, ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = code
        self.param = param
        self.headers = headers


class NotAdmitted(ForebayError):
    """Admission said no."""

    code = "not_admitted"

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message, retry_after_seconds=refused.retry_after_seconds)
        self.refused = refused


INTERNAL_ERROR: Final = ErrorAnswer(
    500,
    ErrorDetail("Something went wrong on our side. Quote the request's id.", _OURS, "internal"),
)


def error_answer(error: ForebayError) -> ErrorAnswer:
    """The answer to an error; what is internal stays inside."""
    match error:
        case HttpRefusal():
            detail = ErrorDetail(error.message, _type(error.status), error.kind, error.param)
            return ErrorAnswer(error.status, detail, error.headers)
        case NotAdmitted():
            return refusal_answer(error.refused)
        case TurnFailed():
            detail = ErrorDetail(error.message, _type(error.status), error.kind)
            named = (RESPONSE_ID, error.response_id.encode())
            return ErrorAnswer(error.status, detail, (NO_RETRY, named))
        case InvalidRequest():
            return ErrorAnswer(400, ErrorDetail(error.message, _CALLERS, error.kind, error.param))
        case Unauthenticated():
            detail = ErrorDetail(error.message, _CALLERS, "invalid_api_key")
            return ErrorAnswer(401, detail, ((b"www-authenticate", b"Bearer"),))
        case Forbidden():
            return ErrorAnswer(403, ErrorDetail(error.message, _CALLERS, error.code))
        case NotFound():
            return ErrorAnswer(404, ErrorDetail(error.message, _CALLERS, error.kind, error.param))
        case Gone():
            return ErrorAnswer(410, ErrorDetail(error.message, _CALLERS, error.code))
        case Conflict():
            return ErrorAnswer(
                409, ErrorDetail(error.message, _CALLERS, error.code), headers=(NO_RETRY,)
            )
        case TooLarge():
            return ErrorAnswer(413, ErrorDetail(error.message, _CALLERS, error.kind, error.param))
        case Unavailable():
            return ErrorAnswer(503, _unavailable(error), (_retry_after(error),))
        case _:
            return INTERNAL_ERROR


def refusal_answer(refused: Refused) -> ErrorAnswer:
    """The answer to a verdict that was no, with the quota it left."""
    param = _PARAMETERS.get(refused.reason)
    return ErrorAnswer(
        refused.status,
        ErrorDetail(refused.message, _type(refused.status), refused.reason.value, param),
        tuple(quota_headers(refused.quota, refused)),
    )


def _type(status: int) -> str:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _LIMITS
    return _OURS if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _CALLERS


def _unavailable(error: Unavailable) -> ErrorDetail:
    # Its own message names servers and addresses: that is for the log.
    if isinstance(error, CommitUnknown):
        return ErrorDetail(_COMMIT_UNKNOWN, _OURS, error.code)
    what = "The ledger" if isinstance(error, LedgerUnavailable) else "A server we need"
    return ErrorDetail(
        f"{what} does not answer; nothing was accepted. Try again.", _OURS, error.code
    )


def _retry_after(error: ForebayError) -> Header:
    return (b"retry-after", b"%d" % max(1, ceil(error.retry_after_seconds or 1.0)))
