"""Providers that do what a test lists, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random

from shared.clock import ManualClock
from shared.messages.item import MessageItem, Role
from workers.providers.attempt import ChainResult
from workers.providers.chain import Chain, ChainLink, Judge, Shorten
from workers.providers.error_class import ErrorClass, TimeoutPhase
from workers.providers.failures import (
    ContextTooLongError,
    InvalidRequestError,
    ProviderError,
    ProviderTimeoutError,
    TransientProviderError,
    UnauthorisedError,
)
from workers.providers.outcome import Answer, Declined, FinishReason, HandedOff, Outcome, Usage
from workers.providers.provider import Prompt, Sink

PROMPT = Prompt(items=(MessageItem(Role.USER, "Hello"),))

Step = Outcome | ProviderError | Callable[[Sink | None], Awaitable[Outcome]]


class ListedProvider:
    """Does the listed steps one after the other; each call takes `seconds` on the clock."""

    def __init__(self, name: str, *steps: Step, clock: ManualClock, seconds: float = 0.0) -> None:
        self.name = name
        self.steps = list(steps)
        self.calls: list[float] = []
        self.prompts: list[Prompt] = []
        self.closed = False
        self._clock = clock
        self._seconds = seconds

    def model_for(self, requested: str) -> str:
        return f"{self.name}-{requested}"

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Outcome:
        self.calls.append(time_left_seconds)
        self.prompts.append(prompt)
        self._clock.advance(min(self._seconds, time_left_seconds))
        step = self.steps.pop(0)
        if isinstance(step, ProviderError):
            raise step
        return step if isinstance(step, Answer | Declined | HandedOff) else await step(on_delta)

    async def close(self) -> None:
        self.closed = True


class Stage:
    """A clock, a sleep that moves it, and chains over listed providers."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.slept: list[float] = []
        self.told: list[str] = []

    def provider(self, name: str, *steps: Step, seconds: float = 0.0) -> ListedProvider:
        return ListedProvider(name, *steps, clock=self.clock, seconds=seconds)

    def chain(self, *providers: ListedProvider, random: Random | None = None) -> Chain:
        links = [ChainLink(provider=provider) for provider in providers]
        return Chain(links, clock=self.clock, random=random or Random(1), sleep=self._sleep)

    async def ask(
        self,
        *providers: ListedProvider,
        seconds: float = 60.0,
        judge: Judge | None = None,
        shorten: Shorten | None = None,
    ) -> ChainResult:
        return await self.chain(*providers).answer(
            PROMPT,
            deadline=self.clock.now() + timedelta(seconds=seconds),
            on_delta=self._hear,
            on_restart=self._restart,
            judge=judge,
            shorten=shorten,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)

    async def _hear(self, piece: str) -> None:
        self.told.append(piece)

    async def _restart(self) -> None:
        self.told.append("<restart>")


def answer(text: str = "Hi") -> Answer:
    return Answer(
        text=text,
        model="tiny",
        finish=FinishReason.STOP,
        usage=Usage(input_tokens=1, output_tokens=2),
    )


def transient(
    error_class: ErrorClass = ErrorClass.SERVER_ERROR, *, retry_after_seconds: float | None = None
) -> TransientProviderError:
    return TransientProviderError(
        "it broke", error_class=error_class, retry_after_seconds=retry_after_seconds
    )


def timeout() -> ProviderTimeoutError:
    return ProviderTimeoutError("too slow", phase=TimeoutPhase.FIRST_TOKEN)


def unauthorised() -> UnauthorisedError:
    return UnauthorisedError("bad key", status=401)


def invalid(words: str = "no") -> InvalidRequestError:
    return InvalidRequestError(f"p answered 400: {words}", provider_message=words, status=400)


def too_long() -> ContextTooLongError:
    return ContextTooLongError("p answered 400: long", provider_message="long", status=400)
