"""The model of this machine: a process of our own that speaks OpenAI's chat completions."""

from __future__ import annotations

from typing import Final

import aiohttp

from workers.providers.openai_compatible import OpenAICompatibleProvider
from workers.providers.outcome import Answer
from workers.providers.provider import Prompt, TextSink
from workers.providers.wire.model_choice import ModelChoice
from workers.providers.wire.timeouts import Timeouts

# llama.cpp closes a connection after a stream without saying so; the next call on it would fail.
_ONE_CALL_EACH: Final = {"Connection": "close"}


class LocalProvider(OpenAICompatibleProvider):
    """Asks the process that `python -m workers.local_model` runs, and sends it no key.

    The model computes there, so this loop never waits for it. While that process is away or still
    loads, a call fails as with any server, and the chain goes on.

    Every answer is streamed on the wire, whoever waits for it: llama.cpp notices at the next token
    that the caller of a stream has left, and may write for the caller of a whole answer to its end.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        name: str,
        base_url: str,
        models: ModelChoice,
        timeouts: Timeouts | None = None,
    ) -> None:
        super().__init__(
            session,
            name=name,
            base_url=base_url,
            models=models,
            timeouts=timeouts,
            headers=_ONE_CALL_EACH,
        )

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: TextSink | None = None
    ) -> Answer:
        return await super().answer(
            prompt, time_left_seconds=time_left_seconds, on_delta=on_delta or _unheard
        )


async def _unheard(piece: str) -> None:
    """For a caller who wants the whole answer only."""
