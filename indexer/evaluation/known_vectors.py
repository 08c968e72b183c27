"""Vectors of texts, each made once however many sets have the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from indexer.evaluation.following import EvaluationProgress
from shared.embeddings.encoder import EncodedMany, Encoder, EncoderPrompt

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors

_AT_ONCE: Final = 256


class KnownVectors:
    """Kept until the evaluation ends; a vector is 4 bytes for each of its numbers here."""

    def __init__(self, progress: EvaluationProgress) -> None:
        self._progress = progress
        self._known: dict[tuple[str, EncoderPrompt, str], bytes] = {}
        self.tokens = 0
        """That encoders have read so far."""

    async def learn(
        self, step: str, encoder: Encoder, texts: Sequence[str], *, prompt: EncoderPrompt
    ) -> None:
        """Make those that are not known; raises EncoderUnavailable."""
        missing = self._missing(encoder, texts, prompt)
        self._progress.begin(step, len(missing))
        for begun in range(0, len(missing), _AT_ONCE):
            some = missing[begun : begun + _AT_ONCE]
            await self.complete(encoder, some, prompt=prompt)
            self._progress.advance(len(some))

    async def complete(
        self, encoder: Encoder, texts: Sequence[str], *, prompt: EncoderPrompt
    ) -> None:
        """The same for a few, without a step of their own."""
        missing = self._missing(encoder, texts, prompt)
        if missing:
            encoded = await encoder.encode_many(missing, prompt=prompt)
            self.tokens += encoded.tokens
            for text, row in zip(missing, encoded.vectors.astype("<f4", copy=False), strict=True):
                self._known[encoder.name, prompt, text] = row.tobytes()

    def of(
        self, encoder: Encoder, text: str, *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> list[float]:
        """One that was learnt."""
        import numpy

        kept = self._known[encoder.name, prompt, text]
        vector: list[float] = numpy.frombuffer(kept, "<f4").tolist()
        return vector

    def _missing(self, encoder: Encoder, texts: Sequence[str], prompt: EncoderPrompt) -> list[str]:
        wanted = dict.fromkeys(texts)
        missing = [each for each in wanted if (encoder.name, prompt, each) not in self._known]
        # Of like length together: a batch is padded to its longest.
        return sorted(missing, key=len)


class RememberingEncoder:
    """An encoder that makes no vector twice in an evaluation, however often it is asked."""

    def __init__(self, encoder: Encoder, known: KnownVectors) -> None:
        self._encoder = encoder
        self._known = known

    @property
    def name(self) -> str:
        """The encoder's."""
        return self._encoder.name

    @property
    def dimensions(self) -> int:
        """The encoder's."""
        return self._encoder.dimensions

    @property
    def token_limit(self) -> int:
        """The encoder's."""
        return self._encoder.token_limit

    @property
    def gains_by_company(self) -> bool:
        """The encoder's."""
        return self._encoder.gains_by_company

    async def encode(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> Vectors:
        """As the encoder makes them."""
        return (await self.encode_many(texts, prompt=prompt)).vectors

    async def encode_many(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> EncodedMany:
        """The same; which were cut is not remembered."""
        import numpy

        await self._known.complete(self._encoder, texts, prompt=prompt)
        rows = [self._known.of(self._encoder, each, prompt=prompt) for each in texts]
        vectors = numpy.asarray(rows, numpy.float32).reshape(len(texts), self.dimensions)
        return EncodedMany(vectors, (False,) * len(texts), 0)

    async def warm_up(self) -> None:
        """Nothing: it is loaded when it is asked for something new."""

    async def close(self) -> None:
        """Nothing: whoever opened the encoder closes it."""
