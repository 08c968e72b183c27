"""Providers that the test steers word by word, and a chain of them that hedges."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from shared.breakers.board import BreakerBoard
from shared.breakers.breaker import Breaker
from shared.breakers.reading import CallOutcome
from shared.breakers.rules import LocalBreakers
from shared.clock import ManualClock
from shared.settings.resilience import BreakerSettings
from shared.settings.turn.hedging import HedgingSettings
from shared.telemetry.metrics import Metrics
from tests.unit.workers.providers.scripted_links import PROMPT
from workers.providers.attempt import ChainResult
from workers.providers.chain import Chain, ChainLink, Judge
from workers.providers.outcome import Answer, HandedOff
from workers.providers.provider import Prompt, Sink
from workers.providers.walking.lateness import Hedging
from workers.providers.walking.link import RetryPolicy

HUMAN = HandedOff(reason="nobody else", apology_text="sorry")


class SteeredProvider:
    """Does nothing until it is told to: a piece of text to say, an answer, or an error."""

    def __init__(self, name: str, *, is_stopgap: bool = False) -> None:
        self.name = name
        self.is_stopgap = is_stopgap
        self.calls = 0
        self.cuts = 0
        self.called = asyncio.Event()
        self.cut = asyncio.Event()
        self._orders: asyncio.Queue[str | Answer | HandedOff | Exception] = asyncio.Queue()

    def model_for(self, requested: str) -> str:
        return f"{self.name}-{requested}"

    def does(self, *orders: str | Answer | HandedOff | Exception) -> None:
        for order in orders:
            self._orders.put_nowait(order)

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Answer | HandedOff:
        self.calls += 1
        self.called.set()
        try:
            while True:
                order = await self._orders.get()
                if isinstance(order, Exception):
                    raise order
                if isinstance(order, Answer | HandedOff):
                    return order
                if on_delta is not None:
                    await on_delta(order)
        except asyncio.CancelledError:
            self.cuts += 1
            self.cut.set()
            raise

    async def close(self) -> None:
        """Nothing to release."""


class HedgingStage:
    """A chain of steered models with a human at its end; time passes when the test says so."""

    def __init__(self, **settings: float) -> None:
        self.clock = ManualClock()
        self.metrics = Metrics()
        breakers = BreakerSettings()
        keeper = LocalBreakers(breakers, self.clock)
        self.board = BreakerBoard(keeper, breakers, metrics=self.metrics, clock=self.clock)
        known = {"enabled": True, "largest_share": 1.0} | settings
        self.hedging = Hedging(HedgingSettings(**known), self.metrics)  # type: ignore[arg-type]
        self.human = SteeredProvider("human")
        self.told: list[str] = []
        self.waits: list[float] = []
        self._wait_is_over = asyncio.Event()

    def knows(self, *providers: SteeredProvider, seconds: float = 1.0) -> None:
        """Let the usual time to the first token be known, for streams and for whole answers."""
        for provider in providers:
            for streamed in (True, False):
                for _ in range(20):
                    self.hedging.learn((provider.name, f"{provider.name}-auto", streamed), seconds)

    def walk(
        self, *models: SteeredProvider, streamed: bool = False, judge: Judge | None = None
    ) -> asyncio.Task[ChainResult]:
        once = RetryPolicy(max_tries=1)
        links = [
            ChainLink(provider=each, breakers=self.board, retry=once, is_stopgap=each.is_stopgap)
            for each in models
        ]
        human = ChainLink(provider=self.human, is_human=True)
        chain = Chain([*links, human], clock=self.clock, sleep=self._sleep, hedging=self.hedging)
        walking = chain.answer(
            PROMPT,
            deadline=self.clock.now() + timedelta(seconds=60),
            on_delta=self._hear if streamed else None,
            on_restart=self._restart,
            judge=judge,
        )
        return asyncio.create_task(walking)

    async def make_late(self, provider: SteeredProvider, *, seconds: float = 1.0) -> None:
        """Let the wait for the provider's first token run out, and its hedge begin."""
        await provider.called.wait()
        self.clock.advance(seconds)
        self._wait_is_over.set()
        for _ in range(10):
            await asyncio.sleep(0)

    def breaker(self, provider: SteeredProvider) -> Breaker:
        return self.board.breaker(provider.name, f"{provider.name}-auto")

    async def open_breaker(self, provider: SteeredProvider) -> None:
        for _ in range(5):
            await (await self.breaker(provider).admit()).end(CallOutcome.FAILURE)

    def counted(self, provider: SteeredProvider, outcome: str) -> bool:
        line = f'forebay_hedges_total{{outcome="{outcome}",provider="{provider.name}"}} 1.0'
        return line in self.metrics.render().decode()

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await self._wait_is_over.wait()

    async def _restart(self) -> None:
        self.told.append("<restart>")

    async def _hear(self, piece: str) -> None:
        self.told.append(piece)


def errors(result: ChainResult) -> list[tuple[str, str | None]]:
    """Who was called, in which order, and how it ended."""
    return [(each.provider, each.error_class) for each in result.attempts]
