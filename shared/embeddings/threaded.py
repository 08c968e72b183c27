"""A model in threads of this process: for short texts that somebody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final, NamedTuple

from shared.embeddings.batching import encode_in_batches
from shared.embeddings.carded import CardedEncoder
from shared.embeddings.cards import ModelCard
from shared.embeddings.encoder import EncodedMany, EncoderPrompt, EncoderUnavailable
from shared.embeddings.text_model import TextModel, encode_all
from shared.resilience.group_commit import GroupCommit
from shared.telemetry.logs import get_logger

_CALLS_A_GROUP: Final = 4


class _Call(NamedTuple):
    texts: Sequence[str]
    prompt: EncoderPrompt


class ThreadedEncoder(CardedEncoder):
    """A model in `threads` threads of its own, which `load` gives once, on one of them.

    Callers at once share trips to a thread. What `load` raises is raised again by every later
    call: what is not installed does not appear by itself.
    """

    gains_by_company = False  # its model reads one text at a time

    def __init__(self, card: ModelCard, load: Callable[[], TextModel], *, threads: int = 2) -> None:
        super().__init__(card)
        self._load = load
        self._count = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="encoder")
        self._calls: GroupCommit[_Call, EncodedMany] = GroupCommit(
            self._encode_group, limit=_CALLS_A_GROUP, concurrency=threads
        )
        self._loading = Lock()
        self._model: TextModel | EncoderUnavailable | None = None

    async def encode_many(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> EncodedMany:
        """The same, and which texts were cut; each thread has one batch under way."""
        self._refuse_when_closed()
        return await encode_in_batches(
            texts,
            lambda some: self._calls.submit(_Call(some, prompt)),
            dimensions=self._card.dimensions,
            token_limit=self._card.token_limit,
            budget=self._card.batch_tokens,
            at_once=self._count,
        )

    async def warm_up(self) -> None:
        """Load the model now; raises EncoderUnavailable."""
        self._refuse_when_closed()
        await self._calls.submit(_Call((), EncoderPrompt.PASSAGE))

    async def close(self) -> None:
        """Finish what runs, give back threads and memory, and refuse everything after."""
        self._is_closed = True
        await self._calls.close()
        self._threads.shutdown(wait=False)
        self._model = None

    async def _encode_group(self, calls: list[_Call]) -> list[EncodedMany]:
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._threads, self._encode_each, calls)

    def _encode_each(self, calls: list[_Call]) -> list[EncodedMany]:
        model, budget = self._loaded(), self._card.batch_tokens
        return [
            encode_all(model, call.texts, prompt=call.prompt, batch_tokens=budget) for call in calls
        ]

    def _loaded(self) -> TextModel:
        with self._loading:
            if self._model is None:
                try:
                    self._model = self._load()
                except EncoderUnavailable as error:
                    self._model = error
                    get_logger(__name__).error("encoder_off", reason=error.message)
        if isinstance(self._model, EncoderUnavailable):
            raise EncoderUnavailable(self._model.message)
        return self._model
