"""The flex tier: half the price for what can wait, the usual one where it has no room."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Final

from msgspec.structs import replace

from workers.providers.error_class import ErrorClass
from workers.providers.failures import InvalidRequestError, ProviderError, UnknownFieldError
from workers.providers.outcome import Outcome
from workers.providers.provider import Prompt, Provider, Sink

_FIELD: Final = "service_tier"
_LEAST_SECONDS: Final = 600.0
"""A call with less time than that is not slowed down."""
_FULL_SECONDS: Final = 60.0
_AT_ONCE_SECONDS: Final = 0.01
_FULL: Final = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.BUSY, ErrorClass.TIMEOUT})


class FlexProvider:
    """Asks `provider` for the flex tier where the prompt can wait.

    A tier without room is left alone for a minute, so that the next try is a usual call, made at
    once: what it says is nothing that the rest of the provider's limits are to hear of. A model
    that has no such tier is not asked for it again.
    """

    def __init__(self, provider: Provider, *, now: Callable[[], float] = monotonic) -> None:
        self.name = provider.name
        self._provider = provider
        self._now = now
        self._none_until: dict[str, float] = {}

    def model_for(self, requested: str) -> str:
        return self._provider.model_for(requested)

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Outcome:
        """As the provider itself."""
        model, ask = self.model_for(prompt.model), self._provider.answer
        is_full = self._now() < self._none_until.get(model, 0.0)
        if is_full or not prompt.can_wait or time_left_seconds < _LEAST_SECONDS:
            return await ask(prompt, time_left_seconds=time_left_seconds, on_delta=on_delta)
        flexible = replace(prompt, extra={**prompt.extra, _FIELD: "flex"})
        try:
            return await ask(flexible, time_left_seconds=time_left_seconds, on_delta=on_delta)
        except InvalidRequestError as error:
            if _FIELD not in f"{getattr(error, 'field', '')} {error.provider_message}":
                raise
            self._none_until[model] = inf
            raise _without_it(error) from error
        except ProviderError as error:
            if error.error_class in _FULL:
                self._none_until[model] = self._now() + _FULL_SECONDS
            if error.error_class is ErrorClass.RATE_LIMITED:
                error.retry_after_seconds = _AT_ONCE_SECONDS
            raise

    async def close(self) -> None:
        await self._provider.close()


def _without_it(error: InvalidRequestError) -> UnknownFieldError:
    """The next call does without the field: it was of our making."""
    mended = UnknownFieldError(
        error.message, provider_message=error.provider_message, status=error.status, field=_FIELD
    )
    mended.is_mended = True
    return mended
