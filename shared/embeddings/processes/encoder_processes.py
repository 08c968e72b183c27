"""Several processes of models, each with one batch at a time; whoever waits longest comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from shared.embeddings.cards import EncoderRole
from shared.embeddings.encoder import EncoderPrompt, EncoderUnavailable
from shared.embeddings.processes.encoder_process import EncoderProcess
from shared.embeddings.processes.frames import TextsEncoded
from shared.settings.indexing.embeddings import EmbeddingSettings

_LAST_SECONDS: Final = 5.0
"""For batches under way when all is closed."""


class EncoderProcesses:
    """`count` processes, each started when all before it are busy."""

    def __init__(self, settings: EmbeddingSettings, *, count: int, niceness: int) -> None:
        self.count = count
        self._all = [EncoderProcess(settings, niceness=niceness) for _ in range(count)]
        # Last in, first out: what a short question needs is loaded in the one that was used last.
        self._free: asyncio.LifoQueue[EncoderProcess] = asyncio.LifoQueue()
        for process in reversed(self._all):
            self._free.put_nowait(process)
        self._running: set[asyncio.Task[TextsEncoded]] = set()
        self._is_closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """Of those that run now."""
        return tuple(each.pid for each in self._all if each.pid is not None)

    async def encode(
        self, role: EncoderRole, texts: Sequence[str], prompt: EncoderPrompt, *, seconds: float
    ) -> TextsEncoded:
        """One batch, `seconds` from where it begins; raises EncoderUnavailable.

        A caller that is cancelled leaves it to be finished: its process cannot be interrupted.
        """
        if self._is_closed:
            raise EncoderUnavailable("The encoder is closed.")
        running = asyncio.create_task(self._encode(role, texts, prompt, seconds=seconds))
        self._running.add(running)
        running.add_done_callback(self._forget)
        return await asyncio.shield(running)

    async def warm_up(self, role: EncoderRole, *, seconds: float) -> None:
        """Load the model into every process; raises EncoderUnavailable."""
        asked = (self.encode(role, (), EncoderPrompt.PASSAGE, seconds=seconds) for _ in self._all)
        await asyncio.gather(*asked)

    async def close(self) -> None:
        """Wait a little for what runs, end the processes, and refuse everything after."""
        self._is_closed = True
        if self._running:
            await asyncio.wait(self._running, timeout=_LAST_SECONDS)
        await asyncio.gather(*(each.close() for each in self._all))

    async def _encode(
        self, role: EncoderRole, texts: Sequence[str], prompt: EncoderPrompt, *, seconds: float
    ) -> TextsEncoded:
        process = await self._free.get()
        try:
            if self._is_closed:
                raise EncoderUnavailable("The encoder is closed.")
            return await process.encode(role, texts, prompt, seconds=seconds)
        finally:
            self._free.put_nowait(process)

    def _forget(self, running: asyncio.Task[TextsEncoded]) -> None:
        self._running.discard(running)
        if not running.cancelled():
            running.exception()  # seen, whether or not its caller still waits
