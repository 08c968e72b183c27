"""Chaos: an answer that no model gave: a lie, a forbidden span, nothing at all."""

from __future__ import annotations

from workers.providers.chaos.injection import DisturbedProvider
from workers.providers.outcome import Answer, FinishReason, Outcome, Usage
from workers.providers.provider import Prompt, Sink

_NOTHING_USED = Usage(input_tokens=0, output_tokens=0, reported=False)


class LyingProvider(DisturbedProvider):
    """Answers with the scripted text instead of calling, so it is booked at no cost."""

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Outcome:
        if not self._is_struck(prompt):
            return await self._provider.answer(
                prompt, time_left_seconds=time_left_seconds, on_delta=on_delta
            )
        text = self._injection.settings.text or ""
        if on_delta is not None and text:
            await on_delta(text)
        return Answer(
            text=text,
            model=self.model_for(prompt.model),
            finish=FinishReason.STOP,
            usage=_NOTHING_USED,
        )
