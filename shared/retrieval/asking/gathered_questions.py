"""Questions of callers at once, encoded together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from shared.embeddings.encoder import Encoder, EncoderPrompt, EncoderUnavailable
from shared.resilience.group_commit import GroupCommit

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors

_CROWD: Final = 8
_LARGEST: Final = 32
_PATIENCE_SECONDS: Final = 0.005
_AT_ONCE: Final = 4


class EncodedQuestion(NamedTuple):
    """The vector of a question, and whether it has an end that the model did not see."""

    vector: Vectors
    truncated: bool


class GatheredQuestions:
    """Asks an encoder that takes many texts in little more time than one.

    A question that finds nothing under way goes at once. Beside others it goes as soon as eight
    wait, and after five milliseconds in any case. Where an encoder gains nothing by company, each
    is asked for by itself. No call takes longer than `timeout_seconds`, whoever still waits for it.
    """

    def __init__(self, encoder: Encoder, *, timeout_seconds: float) -> None:
        self._encoder = encoder
        self._timeout_seconds = timeout_seconds
        self._group: GroupCommit[str, EncodedQuestion] = GroupCommit(
            self._encode_all,
            limit=_LARGEST,
            concurrency=_AT_ONCE,
            crowd=_CROWD,
            patience_seconds=_PATIENCE_SECONDS,
        )

    async def encode(self, text: str) -> EncodedQuestion:
        """Raises EncoderUnavailable, of which no other question is the cause, and TimeoutError."""
        if self._encoder.gains_by_company:
            return await self._group.submit(text)
        return (await self._encoded([text]))[0]

    async def close(self) -> None:
        """Wait for what is under way."""
        await self._group.close()

    async def _encode_all(self, texts: list[str]) -> list[EncodedQuestion | BaseException]:
        try:
            return [*await self._encoded(texts)]
        except EncoderUnavailable:
            if len(texts) == 1:
                raise
        # Perhaps one of them is what it cannot take.
        alone = [self._encoded([text]) for text in texts]
        told = await asyncio.gather(*alone, return_exceptions=True)
        return [each if isinstance(each, BaseException) else each[0] for each in told]

    async def _encoded(self, texts: list[str]) -> list[EncodedQuestion]:
        async with asyncio.timeout(self._timeout_seconds):
            many = await self._encoder.encode_many(texts, prompt=EncoderPrompt.QUERY)
        pairs = zip(many.vectors, many.truncated, strict=True)
        return [EncodedQuestion(vector, is_cut) for vector, is_cut in pairs]
