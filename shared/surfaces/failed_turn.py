"""A turn that left no answer, where the shape of an answer has no place for that."""

from __future__ import annotations

from typing import Final

from shared.errors import ForebayError
from shared.messages.response import CALLERS_FAULT, SERVER_ERROR, ResponseFault, ResponseObject
from shared.messages.state import ResponseState

_BAD_REQUEST: Final = 400
_CONFLICT: Final = 409
_BAD_GATEWAY: Final = 502


class TurnFailed(ForebayError):
    """A turn failed or was cancelled: to be told as an error of HTTP, with its status and a code.

    The same again is not worth while: the turn was tried on every provider there is.
    """

    code = "turn_failed"

    def __init__(self, message: str, *, status: int, kind: str, response_id: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.response_id = response_id


def failed_turn(response: ResponseObject) -> TurnFailed | None:
    """The error of a turn that failed or was cancelled; None for every other."""
    if response.status is ResponseState.CANCELLED:
        message = f"Response '{response.id}' was cancelled."
        return _failed(response, message, status=_CONFLICT, kind="response_cancelled")
    if response.status is not ResponseState.FAILED:
        return None
    fault = response.error or ResponseFault(SERVER_ERROR, "The turn failed.")
    status = _BAD_REQUEST if fault.code == CALLERS_FAULT else _BAD_GATEWAY
    message = f"Response '{response.id}' failed: {fault.message}"
    return _failed(response, message, status=status, kind=fault.code)


def _failed(response: ResponseObject, message: str, *, status: int, kind: str) -> TurnFailed:
    return TurnFailed(message, status=status, kind=kind, response_id=response.id)
