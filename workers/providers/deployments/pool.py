"""The deployments of one provider as the chain has them: one provider among others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from shared.breakers.reading import CallOutcome
from shared.clock import Clock
from workers.providers.deployments.members import DeploymentSet
from workers.providers.deployments.route import DeploymentRoute
from workers.providers.outcome import Outcome
from workers.providers.provider import Prompt, Sink


class DeploymentPool:
    """A provider whose calls are made at one of its deployments; a message has a route over them.

    Breakers, limits and rests are each deployment's own, so a chain asks no breaker before it.
    """

    def __init__(
        self,
        members: DeploymentSet,
        *,
        clock: Clock,
        random: Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = members.name
        self._members = members
        self._clock = clock
        self._random = random or Random()
        self._sleep = sleep

    def model_for(self, requested: str) -> str:
        return self._members.model_for(requested)

    def is_cut_off(self, requested: str) -> bool:
        """Whether no deployment's breaker is closed, of those that are asked."""
        return self._members.is_cut_off(self.model_for(requested))

    def route(self) -> DeploymentRoute:
        """For one message."""
        return DeploymentRoute(
            self._members, clock=self._clock, random=self._random, sleep=self._sleep
        )

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Outcome:
        """One call; raises pybreaker.CircuitBreakerError too, where no deployment lets anybody
        call."""
        seat = await self.route().seat(prompt, seconds=time_left_seconds)
        try:
            return await seat.answer(prompt, time_left_seconds=time_left_seconds, on_delta=on_delta)
        finally:
            await seat.end(CallOutcome.NEUTRAL)

    async def close(self) -> None:
        """Release what the deployments opened."""
        await self._members.close()
