"""Vectors of texts, each made once however many sets have the text."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.evaluation.following import EvaluationProgress
from shared.embeddings.encoder import Encoder, EncoderPrompt

_AT_ONCE = 256


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
        wanted = dict.fromkeys(texts)
        missing = [each for each in wanted if (encoder.name, prompt, each) not in self._known]
        # Of like length together: a batch is padded to its longest.
        missing.sort(key=len)
        self._progress.begin(step, len(missing))
        for begun in range(0, len(missing), _AT_ONCE):
            some = missing[begun : begun + _AT_ONCE]
            encoded = await encoder.encode_many(some, prompt=prompt)
            self.tokens += encoded.tokens
            for text, row in zip(some, encoded.vectors.astype("<f4", copy=False), strict=True):
                self._known[encoder.name, prompt, text] = row.tobytes()
            self._progress.advance(len(some))

    def of(
        self, encoder: Encoder, text: str, *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> list[float]:
        """One that was learnt."""
        import numpy

        kept = self._known[encoder.name, prompt, text]
        vector: list[float] = numpy.frombuffer(kept, "<f4").tolist()
        return vector
