"""A reranker behind HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from shared.embeddings.encoder import EncoderUnavailable, TextsRefused
from shared.embeddings.remote.exchange import ModelExchange
from shared.retrieval.reranking.rerank_answer import from_0_to_1, read_scores
from shared.retrieval.reranking.reranker import PassageScores, RerankerUnavailable
from shared.settings.indexing.reranker import RerankerKind, RerankerSettings

_MOST_TEXTS: Final = 32
"""In one request to TEI, which refuses more unless it is set otherwise."""
_SHORTEST: Final = 200
"""Characters: a passage of no more is not refused for its length."""
_TRIES: Final = 2


class RemoteReranker:
    """Passages that the server refuses are sent again cut to half of the longest, as long as that
    may help: vLLM answers 400 to one that is longer than its model reads, and scores none."""

    def __init__(self, settings: RerankerSettings) -> None:
        self._settings = settings
        self._who = f"The server of search.reranker ({settings.model or settings.kind})"
        self._exchange = ModelExchange(
            f"{settings.url.rstrip('/')}/rerank",
            key=settings.api_key.reveal() if settings.api_key else None,
            who=self._who,
            # Whoever asks waits for less: it is not the connection that says what was too late.
            seconds=2 * settings.timeout_seconds,
            tries=_TRIES,
        )

    async def scores(self, question: str, passages: Sequence[str]) -> PassageScores:
        """In the order of the passages; raises RerankerUnavailable."""
        try:
            return await self._scores(question, passages)
        except EncoderUnavailable as error:
            raise RerankerUnavailable(error.message) from error

    async def close(self) -> None:
        """Give back the connections."""
        await self._exchange.close()

    async def _scores(self, question: str, passages: Sequence[str]) -> PassageScores:
        most, is_cut = max(map(len, passages), default=0), False
        while True:
            try:
                scores = await self._ask(question, [each[:most] or " " for each in passages])
            except TextsRefused:
                most, is_cut = most // 2, True
                if most < _SHORTEST:
                    raise
            else:
                return PassageScores(from_0_to_1(scores), is_cut)

    async def _ask(self, question: str, texts: Sequence[str]) -> list[float]:
        if self._settings.kind is RerankerKind.JINA:
            return await self._post(question, texts)
        parts = range(0, len(texts), _MOST_TEXTS)
        asking = (self._post(question, texts[at : at + _MOST_TEXTS]) for at in parts)
        return [score for scores in await asyncio.gather(*asking) for score in scores]

    async def _post(self, question: str, texts: Sequence[str]) -> list[float]:
        if self._settings.kind is RerankerKind.JINA:
            asked = {
                "model": self._settings.model,
                "query": question,
                "documents": texts,
                "top_n": len(texts),
            }
        else:
            asked = {"query": question, "texts": texts, "truncate": True}
        body = await self._exchange.post(asked)
        return read_scores(self._settings.kind, body, count=len(texts), who=self._who)
