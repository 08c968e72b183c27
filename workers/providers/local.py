"""The model of this machine: a process of our own that speaks OpenAI's chat completions."""

from __future__ import annotations

from typing import Final

import aiohttp

from workers.providers.openai_compatible import OpenAICompatibleProvider
from workers.providers.wire.model_choice import ModelChoice
from workers.providers.wire.timeouts import Timeouts

# llama.cpp closes a connection after a stream without saying so; the next call on it would fail.
_ONE_CALL_EACH: Final = {"Connection": "close"}


class LocalProvider(OpenAICompatibleProvider):
    """Asks the process that `python -m workers.local_model` runs, and sends it no key.

    The model computes there, so this loop never waits for it. While that process is away or still
    loads, a call fails as with any server, and the chain goes on.
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
