"""The vectors of a question, each made in time or named as missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from shared.embeddings.encoder import DualEncoders, Encoder, EncoderPrompt
from shared.index.generation_name import is_made_with
from shared.retrieval.asking.deadlines import Dropped, within
from shared.retrieval.legs import LegName

_OTHER_MODELS: Final = "other_models"
_VECTORS: Final = (LegName.TEXT, LegName.CODE)


class QuestionVector(msgspec.Struct, frozen=True):
    """One leg's vector of a question, or why there is none."""

    vector: list[float] | None
    milliseconds: float = 0.0
    truncated: bool = False
    dropped: str | None = None


class QuestionVectors:
    """Both encoders of a question, side by side; one that serves both legs is asked once.

    A generation that other models made is not asked by vectors: its words still answer, until
    it is swapped for the one that is built by the models of now.
    """

    def __init__(self, encoders: DualEncoders | None, *, timeout_seconds: float) -> None:
        self._encoders = encoders
        self._timeout_seconds = timeout_seconds

    async def of(self, text: str, legs: Collection[LegName]) -> Mapping[LegName, QuestionVector]:
        """Of those of these legs that need one."""
        wanted = [name for name in _VECTORS if name in legs]
        if self._encoders is None:
            return {name: QuestionVector(None, dropped="no_encoder") for name in wanted}
        if self._encoders.text is self._encoders.code and wanted:
            return dict.fromkeys(wanted, await self._encode(self._encoders.text, text))
        encoders = {LegName.TEXT: self._encoders.text, LegName.CODE: self._encoders.code}
        made = await asyncio.gather(*(self._encode(encoders[name], text) for name in wanted))
        return dict(zip(wanted, made, strict=True))

    def for_generation(
        self, generation: str, vectors: Mapping[LegName, QuestionVector]
    ) -> Mapping[LegName, QuestionVector]:
        """The same, where the generation's vectors may be compared with them."""
        encoders = self._encoders
        if encoders is None or is_made_with(generation, encoders.text.name, encoders.code.name):
            return vectors
        return dict.fromkeys(vectors, QuestionVector(None, dropped=_OTHER_MODELS))

    async def _encode(self, encoder: Encoder, text: str) -> QuestionVector:
        begun = time.perf_counter()
        asking = encoder.encode_many([text], prompt=EncoderPrompt.QUERY)
        made = await within(self._timeout_seconds, asking)
        spent = (time.perf_counter() - begun) * 1000
        if isinstance(made, Dropped):
            return QuestionVector(None, spent, dropped=made.reason)
        return QuestionVector(made.vectors[0].tolist(), spent, made.truncated[0])
