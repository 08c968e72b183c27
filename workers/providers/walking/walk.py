"""The walk of one prompt along the links of a chain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from random import Random

from pybreaker import CircuitBreakerError

from shared.clock import Clock
from shared.resilience.breaker import Breaker
from shared.resilience.breaker_reading import CallOutcome
from shared.telemetry.tracing import Tracing
from workers.providers.attempt import Attempt, ChainExhaustedError, ChainResult, StartedAttempt
from workers.providers.error_class import ErrorClass
from workers.providers.failures import (
    ContextTooLongError,
    InvalidRequestError,
    ProviderError,
)
from workers.providers.outcome import Answer, Declined, HandedOff, Outcome
from workers.providers.provider import Prompt, Provider
from workers.providers.walking.call_span import call_span, describe
from workers.providers.walking.delivery import Delivery
from workers.providers.walking.health import health_shown_by
from workers.providers.walking.link import ChainLink, Judge, Judgement
from workers.providers.walking.rejection import RejectedAnswer, asked_again

Sleep = Callable[[float], Awaitable[None]]

_SHARE_OF_TIME_LEFT = 0.8
"""What one call may take of the time left while others wait behind it in the chain."""


class Walk:
    """One prompt on its way along the chain."""

    def __init__(
        self,
        prompt: Prompt,
        *,
        deadline: datetime,
        delivery: Delivery,
        judge: Judge | None,
        clock: Clock,
        random: Random,
        sleep: Sleep,
        tracing: Tracing,
    ) -> None:
        self._prompt = prompt
        self._asked = prompt
        self._wants_human = False
        self._deadline = deadline
        self._delivery = delivery
        self._judge = judge
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._tracing = tracing
        self._attempts: list[Attempt] = []
        self._skipped: list[str] = []

    async def over(self, links: Sequence[ChainLink]) -> ChainResult:
        try:
            for link in links:
                if self._wants_human and not link.is_human:
                    continue
                outcome = await self._ask(link, is_last=link is links[-1])
                if outcome is not None:
                    return ChainResult(
                        outcome=outcome,
                        provider=link.provider.name,
                        attempts=tuple(self._attempts),
                        skipped=tuple(self._skipped),
                    )
        except InvalidRequestError as error:
            error.attempts = tuple(self._attempts)
            raise
        raise ChainExhaustedError(tuple(self._attempts), tuple(self._skipped))

    async def _ask(self, link: ChainLink, *, is_last: bool) -> Answer | HandedOff | None:
        """Try one provider as often as its failures allow; None: the next one is to be asked."""
        breaker = link.breaker(self._prompt.model)
        self._asked = self._prompt
        tries = 0
        while self._time_left_seconds > 0:
            tries += 1
            try:
                outcome = await self._attempt(link.provider, breaker, is_last=is_last)
            except CircuitBreakerError:
                self._skipped.append(link.provider.name)
                return None
            except ContextTooLongError:
                return None
            except InvalidRequestError:
                raise
            except RejectedAnswer as rejected:
                if not self._asks_again(rejected.judgement):
                    return None
            except ProviderError as error:
                wait = link.retry.wait_after(
                    error,
                    tries=tries,
                    took_seconds=self._attempts[-1].latency_seconds,
                    time_left_seconds=self._time_left_seconds,
                    random=self._random,
                )
                if wait is None or (breaker is not None and breaker.refuses):
                    return None
                await self._sleep(wait)
            else:
                return outcome
        return None

    def _asks_again(self, judgement: Judgement) -> bool:
        """Whether the provider gets a second chance, which is its last, with the complaint."""
        self._wants_human = judgement.hands_off
        if judgement.complaint is None or self._asked is not self._prompt:
            return False
        self._asked = asked_again(self._prompt, judgement.complaint)
        return True

    async def _attempt(
        self, provider: Provider, breaker: Breaker | None, *, is_last: bool
    ) -> Answer | HandedOff | None:
        permit = await breaker.admit() if breaker is not None else None
        health = CallOutcome.NEUTRAL
        try:
            await self._delivery.start_over()
            attempt = self._start(provider)
            seconds = self._time_left_seconds * (1.0 if is_last else _SHARE_OF_TIME_LEFT)
            try:
                outcome = await self._call(provider, time_left_seconds=seconds)
            except ProviderError as error:
                health = health_shown_by(error, seconds_given=seconds)
                self._attempts.append(attempt.failed(error.error_class, detail=error.message))
                raise
            health = CallOutcome.SUCCESS
        finally:
            if permit is not None:
                await permit.end(health)
        return await self._judged(outcome, attempt)

    async def _call(self, provider: Provider, *, time_left_seconds: float) -> Outcome:
        sink = self._delivery.sink
        with call_span(
            self._tracing,
            self._asked,
            provider=provider.name,
            model=provider.model_for(self._prompt.model),
            streamed=sink is not None,
        ) as span:
            outcome = await provider.answer(
                self._asked, time_left_seconds=time_left_seconds, on_delta=sink
            )
            describe(span, outcome)
        return outcome

    async def _judged(self, outcome: Outcome, attempt: StartedAttempt) -> Answer | HandedOff | None:
        if isinstance(outcome, Declined):
            self._attempts.append(attempt.failed(ErrorClass.DECLINED, detail=outcome.reason))
            return None
        if isinstance(outcome, HandedOff):
            self._attempts.append(attempt.succeeded(usage=None))
            return outcome
        judgement = await self._judge(outcome) if self._judge else Judgement(accepted=True)
        if not judgement.accepted:
            self._attempts.append(
                attempt.failed(ErrorClass.REJECTED, detail=judgement.reason, usage=outcome.usage)
            )
            raise RejectedAnswer(judgement)
        self._attempts.append(
            attempt.succeeded(usage=outcome.usage, model=outcome.model, detail=judgement.reason)
        )
        return judgement.answer or outcome

    def _start(self, provider: Provider) -> StartedAttempt:
        return StartedAttempt(
            provider=provider.name,
            model=provider.model_for(self._prompt.model),
            ordinal=len(self._attempts) + 1,
            clock=self._clock,
        )

    @property
    def _time_left_seconds(self) -> float:
        return (self._deadline - self._clock.now()).total_seconds()
