"""Chaos: a call that fails, in whichever class of error the settings name."""

from __future__ import annotations

from shared.errors import ForebayError
from workers.providers.chaos.injection import DisturbedProvider
from workers.providers.error_class import ErrorClass, TimeoutPhase
from workers.providers.failures import (
    ContextTooLongError,
    InvalidRequestError,
    ProviderError,
    ProviderTimeoutError,
    TransientProviderError,
    UnauthorisedError,
)
from workers.providers.outcome import Outcome
from workers.providers.provider import Piece, Prompt, Sink

_SAID = "chaos: a fault on purpose"


class StreamCutOnPurpose(ForebayError):
    """Ends a stream from the side of whoever hears it, which no provider takes for its own end."""

    code = "stream_cut_on_purpose"


class FailingProvider(DisturbedProvider):
    """Raises instead of calling; a stream that shall be cut is cut after its first piece."""

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Outcome:
        if self._is_struck(prompt):
            if on_delta is None or self._error_class is not ErrorClass.CUT_STREAM:
                raise self._error()
            on_delta = _cut_after_first(on_delta)
        try:
            return await self._provider.answer(
                prompt, time_left_seconds=time_left_seconds, on_delta=on_delta
            )
        except StreamCutOnPurpose as cut:
            raise TransientProviderError(
                _SAID, error_class=ErrorClass.CUT_STREAM, after_first_token=True
            ) from cut

    @property
    def _error_class(self) -> ErrorClass:
        return ErrorClass(self._injection.settings.error or ErrorClass.SERVER_ERROR)

    def _error(self) -> ProviderError:
        match self._error_class:
            case ErrorClass.TIMEOUT:
                return ProviderTimeoutError(_SAID, phase=TimeoutPhase.FIRST_TOKEN)
            case ErrorClass.UNAUTHORISED:
                return UnauthorisedError(_SAID, status=401)
            case ErrorClass.INVALID_REQUEST:
                return InvalidRequestError(_SAID, provider_message=_SAID, status=400)
            case ErrorClass.CONTEXT_TOO_LONG:
                return ContextTooLongError(_SAID, provider_message=_SAID, status=400)
            case others:
                retry_after = self._injection.settings.retry_after_seconds
                return TransientProviderError(
                    _SAID, error_class=others, retry_after_seconds=retry_after
                )


def _cut_after_first(on_delta: Sink) -> Sink:
    async def hear(piece: Piece) -> None:
        await on_delta(piece)
        raise StreamCutOnPurpose(_SAID)

    return hear
