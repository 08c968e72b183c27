"""An encoder whose model runs in processes of its own."""

from __future__ import annotations

from collections.abc import Sequence

from shared.embeddings.batching import encode_in_batches, readable
from shared.embeddings.carded import CardedEncoder
from shared.embeddings.cards import EncoderRole, ModelCard
from shared.embeddings.encoder import EncodedMany, EncoderPrompt
from shared.embeddings.processes.encoder_processes import EncoderProcesses


class ProcessEncoder(CardedEncoder):
    """One role of `processes`, which it shares with the other; their owner closes them."""

    def __init__(
        self,
        role: EncoderRole,
        card: ModelCard,
        processes: EncoderProcesses,
        *,
        timeout_seconds: float,
    ) -> None:
        self._role = role
        super().__init__(card)
        self._processes = processes
        self._seconds = timeout_seconds

    async def encode_many(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> EncodedMany:
        """The same, and which texts were cut; each process has one batch under way."""
        self._refuse_when_closed()

        async def encode(some: Sequence[str]) -> EncodedMany:
            return await self._encode(some, prompt)

        return await encode_in_batches(
            texts,
            encode,
            dimensions=self._card.dimensions,
            token_limit=self._card.token_limit,
            budget=self._card.batch_tokens,
            at_once=self._processes.count,
        )

    async def warm_up(self) -> None:
        """Load the model into every process now; raises EncoderUnavailable."""
        self._refuse_when_closed()
        await self._processes.warm_up(self._role, seconds=self._seconds)

    async def close(self) -> None:
        """Refuse everything after."""
        self._is_closed = True

    async def _encode(self, texts: Sequence[str], prompt: EncoderPrompt) -> EncodedMany:
        import numpy

        read = [readable(text, self._card.token_limit) for text in texts]
        told = await self._processes.encode(
            self._role, [text for text, _ in read], prompt, seconds=self._seconds
        )
        vectors = numpy.frombuffer(told.vectors, numpy.float32).copy()  # bytes cannot be written
        pairs = zip(read, told.truncated, strict=True)
        return EncodedMany(
            vectors.reshape(len(texts), self._card.dimensions),
            tuple(was_cut or is_cut for (_, was_cut), is_cut in pairs),
            told.tokens,
        )
