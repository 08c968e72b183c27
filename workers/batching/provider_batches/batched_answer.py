"""A chain whose one answer is there already: the result of an item of a provider's batch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.clock import Clock
from workers.providers.attempt import Attempt, Called, ChainResult, Judge, Judgement
from workers.providers.batching.batch_provider import BatchProvider, BatchResult
from workers.providers.chain import Chain
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError
from workers.providers.outcome import Answer, Usage
from workers.providers.provider import Prompt

_PASSED = Judgement(accepted=True)


class ItemFailed(Exception):
    """The item has no answer that stands; its attempt is booked."""


class BatchedAnswer(Chain):
    """Reads the result and has it judged. Raises ItemFailed where it does not stand."""

    def __init__(
        self,
        provider: BatchProvider,
        result: BatchResult,
        *,
        submitted_at: datetime,
        clock: Clock,
    ) -> None:
        super().__init__((), clock=clock)
        self._provider = provider
        self._result = result
        self._submitted_at = submitted_at
        self._clock = clock

    async def answer(
        self,
        prompt: Prompt,
        *,
        judge: Judge | None = None,
        on_called: Called | None = None,
        **_: Any,
    ) -> ChainResult:
        try:
            answer = self._read(prompt)
        except ProviderError as error:
            self._tell(on_called, prompt, error.usage, error.error_class, error.message)
            raise ItemFailed from error
        judgement = await judge(answer) if judge else _PASSED
        if not judgement.accepted:
            failed = ErrorClass.REJECTED
            self._tell(on_called, prompt, answer.usage, failed, judgement.reason)
            raise ItemFailed
        attempt = self._tell(on_called, prompt, answer.usage, None, judgement.reason)
        return ChainResult(
            outcome=judgement.answer or answer,
            provider=self._provider.name,
            prompt=prompt,
            attempts=(attempt,),
        )

    def lost(self, prompt: Prompt) -> Attempt | None:
        """What it cost, where its message was answered otherwise; None where that is nothing."""
        try:
            usage: Usage | None = self._read(prompt).usage
        except ProviderError as error:
            usage = error.usage
        if usage is None:
            return None
        why = "its message was taken back"
        return self._tell(None, prompt, usage, ErrorClass.HEDGED_AWAY, why)

    def _read(self, prompt: Prompt) -> Answer:
        if self._result.error is not None:
            raise self._result.error
        return self._provider.read(prompt, self._result.body or {})

    def _tell(
        self,
        on_called: Called | None,
        prompt: Prompt,
        usage: Usage | None,
        error_class: ErrorClass | None,
        detail: str,
    ) -> Attempt:
        took = self._clock.now() - self._submitted_at
        attempt = Attempt(
            provider=self._provider.name,
            model=self._provider.model_for(prompt.model),
            ordinal=1,
            started_at=self._submitted_at,
            latency_seconds=max(0.0, took.total_seconds()),
            error_class=error_class,
            usage=usage,
            detail=detail,
        )
        if on_called is not None:
            on_called((attempt,))
        return attempt
