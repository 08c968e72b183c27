"""A provider that is sent no more than its limits allow, by all workers together."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Final

from msgspec.structs import replace

from shared.clock import Clock
from shared.reservations.reservations import token_correction
from shared.settings.providers import ProviderSettings
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError
from workers.providers.limiting.outbound_limits import OutboundLimit, OutboundLimits
from workers.providers.outcome import Answer, Outcome
from workers.providers.provider import Prompt, Provider, Sink

SHARE_FOR_WAITING: Final = 0.5
"""What waiting for our turn may take of the time left; the rest is for the answer."""
_LEASE_SLACK_SECONDS: Final = 5.0
_USUAL_OUTPUT_TOKENS: Final = 256
_WORTH_TELLING_SECONDS: Final = 1.0
_COOLED_SECONDS: Final = 1.0
"""After a 429 that does not say for how long."""


class LimitedProvider:
    """Waits for its turn before it calls `provider`; one 429 holds the whole fleet back."""

    def __init__(
        self,
        provider: Provider,
        settings: ProviderSettings,
        *,
        limits: OutboundLimits,
        clock: Clock,
        random: Random | None = None,
    ) -> None:
        self.name = provider.name
        self._provider = provider
        self._settings = settings
        self._limits = limits
        self._clock = clock
        self._random = random or Random()
        self._limits_by_model: dict[str, OutboundLimit] = {}

    def model_for(self, requested: str) -> str:
        return self._provider.model_for(requested)

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Outcome:
        """As the provider itself; raises ProviderError of the class `held_back` without a call
        when its turn would come too late."""
        limit, permit = self._limit(prompt), self._limits.new_permit()
        estimate = limited_tokens(prompt, prompt.tokens())
        ends_at = self._clock.monotonic() + time_left_seconds
        used = estimate
        try:
            await self._wait(limit, permit, tokens=estimate, seconds=time_left_seconds)
            left = ends_at - self._clock.monotonic()
            waited = time_left_seconds - left
            outcome = await self._provider.answer(prompt, time_left_seconds=left, on_delta=on_delta)
            if isinstance(outcome, Answer):
                used = outcome.usage.input_tokens + outcome.usage.output_tokens
                if waited >= _WORTH_TELLING_SECONDS:
                    said = f"it waited {waited:.1f} s for our own limits of {limit.name}"
                    return replace(outcome, waited=said)
            return outcome
        except ProviderError as error:
            if error.error_class is ErrorClass.RATE_LIMITED:
                seconds = error.retry_after_seconds or _COOLED_SECONDS
                self._limits.cool(limit, seconds=seconds)
            raise
        finally:
            correction = token_correction(reserved=estimate, used=used)
            self._limits.give_back(limit, permit, token_correction=correction)

    async def close(self) -> None:
        await self._provider.close()

    async def _wait(
        self, limit: OutboundLimit, permit: int, *, tokens: int, seconds: float
    ) -> None:
        patient_until = self._clock.monotonic() + seconds * SHARE_FOR_WAITING
        lease = min(seconds, self._settings.total_timeout_seconds) + _LEASE_SLACK_SECONDS
        while wait := await self._limits.take(limit, permit, tokens=tokens, lease_seconds=lease):
            # Not everybody at the same instant.
            wait += self._random.uniform(0.0, 0.1 * wait)
            if self._clock.monotonic() + wait > patient_until:
                raise ProviderError(
                    f"our own limits hold {limit.name} back for {wait:.1f} s",
                    error_class=ErrorClass.HELD_BACK,
                )
            await asyncio.sleep(wait)

    def _limit(self, prompt: Prompt) -> OutboundLimit:
        model = self.model_for(prompt.model)
        limit = self._limits_by_model.get(model)
        if limit is None:
            limit = self._limits_by_model[model] = OutboundLimit(
                name=f"{self.name}/{model}",
                requests_per_minute=self._settings.requests_per_minute,
                tokens_per_minute=self._settings.tokens_per_minute,
                max_concurrency=self._settings.max_concurrency,
            )
        return limit


def limited_tokens(prompt: Prompt, tokens: int) -> int:
    """What a call weighs under a limit of tokens a minute; `tokens` are those of its prompt."""
    output = prompt.max_output_tokens or _USUAL_OUTPUT_TOKENS
    return tokens + min(output, _USUAL_OUTPUT_TOKENS)
