"""The ordered walk over the providers: who is asked, how often, and who is asked next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from random import Random

from shared.clock import Clock
from shared.telemetry.tracing import SilentTracing, Tracing
from workers.providers.attempt import ChainResult
from workers.providers.provider import Prompt, TextSink
from workers.providers.walking.delivery import Delivery, RestartSignal
from workers.providers.walking.link import ChainLink, Judge, Judgement
from workers.providers.walking.walk import Sleep, Walk

__all__ = ["Chain", "ChainLink", "Judge", "Judgement"]


class Chain:
    """Asks one provider after the other until one answers.

    A failed call is repeated or not by its class (see `retry`); then the next provider is asked.
    Only a request that a provider calls invalid ends the walk at once, for it would be no better
    elsewhere; one that is too long for a model goes on to the next.
    """

    def __init__(
        self,
        links: Sequence[ChainLink],
        *,
        clock: Clock,
        random: Random | None = None,
        sleep: Sleep = asyncio.sleep,
        tracing: Tracing | None = None,
    ) -> None:
        self.links = tuple(links)
        self._clock = clock
        self._random = random or Random()
        self._sleep = sleep
        self._tracing = tracing or SilentTracing()

    async def answer(
        self,
        prompt: Prompt,
        *,
        deadline: datetime,
        on_delta: TextSink | None = None,
        on_restart: RestartSignal | None = None,
        judge: Judge | None = None,
    ) -> ChainResult:
        """The first outcome that stands, with every attempt that led to it.

        `on_restart` is called before text of another attempt follows text already delivered.
        Raises `ChainExhaustedError` when nobody answered before the deadline and
        `InvalidRequestError` with the provider's message; both carry the attempts.
        """
        walk = Walk(
            prompt,
            deadline=deadline,
            delivery=Delivery(on_delta, on_restart),
            judge=judge,
            clock=self._clock,
            random=self._random,
            sleep=self._sleep,
            tracing=self._tracing,
        )
        return await walk.over(self.links)

    async def close(self) -> None:
        for link in self.links:
            await link.provider.close()
