"""The ordered walk over the providers: who is asked, how often, and who is asked next."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime
from random import Random

from shared.clock import Clock
from shared.costs.purse import Purse
from shared.telemetry.tracing import SilentTracing, Tracing
from workers.providers.attempt import Called, ChainResult, Judge, Judgement
from workers.providers.provider import Prompt, Sink
from workers.providers.walking.delivery import RestartSignal, TextDelivery
from workers.providers.walking.lateness import Hedging
from workers.providers.walking.link import ChainLink, Shorten
from workers.providers.walking.means import Means, Sleep
from workers.providers.walking.walk import Walk

__all__ = ["Chain", "ChainLink", "Judge", "Judgement", "Shorten"]


class Chain:
    """Asks one provider after the other until one answers.

    A failed call is repeated or not by its class (`ErrorClass`); then the next provider is asked.
    A prompt too long for a model is shortened where it can be. What one provider refuses another
    may take, so a refusal ends the walk only when everybody has refused.
    With `hedging` a model that is late has the next one asked beside it, once a message.
    """

    def __init__(
        self,
        links: Sequence[ChainLink],
        *,
        clock: Clock,
        random: Random | None = None,
        sleep: Sleep = asyncio.sleep,
        tracing: Tracing | None = None,
        hedging: Hedging | None = None,
    ) -> None:
        self.links = tuple(links)
        self._means = Means(
            clock=clock,
            random=random or Random(),
            sleep=sleep,
            tracing=tracing or SilentTracing(),
            hedging=hedging,
        )

    def answer(
        self,
        prompt: Prompt,
        *,
        deadline: datetime,
        on_delta: Sink | None = None,
        on_restart: RestartSignal | None = None,
        judge: Judge | None = None,
        shorten: Shorten | None = None,
        on_called: Called | None = None,
        purse: Purse | None = None,
        waits: bool = False,
    ) -> Coroutine[object, object, ChainResult]:
        """The first outcome that stands, with every attempt that led to it.

        `on_restart` is called before text of another attempt follows text already delivered.
        `shorten` is called once, when a provider first finds the prompt too long; each provider
        that does is asked once more with what it gives.
        `purse` pays ahead for each call, and one that it cannot pay for is not made.
        `on_called` is given the attempts once, however the walk ends, also where it is cancelled.
        A prompt with an `order` is given to these models alone.
        What `waits` is not given to those behind the models while all of these are away: then it
        raises `ModelsAwayError`.
        Raises `InvalidRequestError` with the first refusal's words when everybody refused the
        request, else `ChainExhaustedError` when nobody answered; both carry the attempts.
        """
        walk = Walk(
            prompt,
            deadline=deadline,
            delivery=TextDelivery(on_delta, on_restart),
            judge=judge,
            shorten=shorten,
            on_called=on_called,
            means=self._means,
            purse=purse,
            waits=waits,
        )
        return walk.over(_in_order(self.links, prompt.order) if prompt.order else self.links)

    async def close(self) -> None:
        for link in self.links:
            await link.provider.close()


def _in_order(links: Sequence[ChainLink], order: Sequence[str]) -> tuple[ChainLink, ...]:
    """The models of that order alone; what is no model keeps its place before or behind them."""
    models = {link.provider.name: link for link in links if link.is_model}
    first = next((nth for nth, link in enumerate(links) if link.is_model), 0)
    return (
        *links[:first],
        *(models[name] for name in order if name in models),
        *(link for link in links[first:] if not link.is_model),
    )
