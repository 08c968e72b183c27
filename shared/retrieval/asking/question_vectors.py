"""The vectors of a question, each made in time or named as missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from shared.embeddings.encoder import DualEncoders
from shared.index.generation_name import is_made_with
from shared.retrieval.asking.deadlines import Dropped, within
from shared.retrieval.asking.gathered_questions import GatheredQuestions
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
        self._asked = None if encoders is None else _gathered(encoders, timeout_seconds)
        self._timeout_seconds = timeout_seconds

    async def of(self, text: str, legs: Collection[LegName]) -> Mapping[LegName, QuestionVector]:
        """Of those of these legs that need one."""
        wanted = [name for name in _VECTORS if name in legs]
        if self._asked is None:
            return {name: QuestionVector(None, dropped="no_encoder") for name in wanted}
        asked = {self._asked[name] for name in wanted}
        made = await asyncio.gather(*(self._encode(each, text) for each in asked))
        vector_of = dict(zip(asked, made, strict=True))
        return {name: vector_of[self._asked[name]] for name in wanted}

    async def close(self) -> None:
        """Wait for what is under way, which is not long."""
        for each in (self._asked or {}).values():
            await each.close()

    def for_generation(
        self, generation: str, vectors: Mapping[LegName, QuestionVector]
    ) -> Mapping[LegName, QuestionVector]:
        """The same, where the generation's vectors may be compared with them."""
        encoders = self._encoders
        if encoders is None or is_made_with(generation, encoders.text.name, encoders.code.name):
            return vectors
        return dict.fromkeys(vectors, QuestionVector(None, dropped=_OTHER_MODELS))

    async def _encode(self, questions: GatheredQuestions, text: str) -> QuestionVector:
        begun = time.perf_counter()
        made = await within(self._timeout_seconds, questions.encode(text))
        spent = (time.perf_counter() - begun) * 1000
        if isinstance(made, Dropped):
            return QuestionVector(None, spent, dropped=made.reason)
        return QuestionVector(made.vector.tolist(), spent, made.truncated)


def _gathered(encoders: DualEncoders, seconds: float) -> dict[LegName, GatheredQuestions]:
    text = code = GatheredQuestions(encoders.text, timeout_seconds=seconds)
    if encoders.code is not encoders.text:
        code = GatheredQuestions(encoders.code, timeout_seconds=seconds)
    return {LegName.TEXT: text, LegName.CODE: code}
