"""An encoder that asks a server: OpenAI, or any that speaks as it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from shared.embeddings.batching import encode_in_batches, estimated_tokens, readable
from shared.embeddings.carded import CardedEncoder
from shared.embeddings.cards import EncoderRole, ModelCard
from shared.embeddings.encoder import EncodedMany, EncoderPrompt, TextsRefused
from shared.embeddings.remote.answer import read_answer
from shared.embeddings.remote.exchange import ModelExchange
from shared.settings.indexing.encoder import EncoderSettings

_AT_ONCE: Final = 4
_CHARACTERS_A_TOKEN: Final = 4
"""What is longer than the limit times this is cut before it is sent."""
_SHORTEST: Final = 32
"""Characters; a text of fewer is not refused for its length."""


class RemoteEncoder(CardedEncoder):
    """Its tokens are counted by the server; here they are estimated, at four characters each.

    A text that the server refuses is sent again cut in half, and said to be truncated.
    """

    def __init__(self, role: EncoderRole, card: ModelCard, settings: EncoderSettings) -> None:
        super().__init__(card)
        self._settings = settings
        self._who = f"The server of embeddings.{role} ({settings.model})"
        self._exchange = ModelExchange(
            f"{(settings.url or '').rstrip('/')}/embeddings",
            key=settings.api_key.reveal() if settings.api_key else None,
            who=self._who,
            seconds=settings.timeout_seconds,
        )

    async def encode_many(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> EncodedMany:
        """The same, and which texts were cut; a few batches are under way at once."""
        self._refuse_when_closed()
        if not texts:
            return _nothing(self._card.dimensions)

        async def encode(some: Sequence[str]) -> EncodedMany:
            return await self._encode_cut(some, prompt)

        return await encode_in_batches(
            texts,
            encode,
            dimensions=self._card.dimensions,
            token_limit=self._card.token_limit,
            budget=self._card.batch_tokens,
            at_once=_AT_ONCE,
        )

    async def warm_up(self) -> None:
        """Ask for one vector; raises EncoderUnavailable."""
        await self.encode(["warm"])

    async def close(self) -> None:
        """Give back the connections, and refuse everything after."""
        self._is_closed = True
        await self._exchange.close()

    async def _encode_cut(self, texts: Sequence[str], prompt: EncoderPrompt) -> EncodedMany:
        settings, most = self._settings, self._card.token_limit * _CHARACTERS_A_TOKEN
        is_query = prompt is EncoderPrompt.QUERY
        before = settings.query_prompt if is_query else settings.passage_prompt
        read = [readable(text, self._card.token_limit)[0] for text in texts]
        many = await self._encode([f"{before}{text[:most]}" for text in read])
        truncated = (
            is_cut or len(text) > most for is_cut, text in zip(many.truncated, texts, strict=True)
        )
        return EncodedMany(many.vectors, tuple(truncated), many.tokens)

    async def _encode(self, texts: Sequence[str]) -> EncodedMany:
        try:
            return await self._ask(texts)
        except TextsRefused:
            if len(texts) > 1:  # one of them may be what is refused
                half = len(texts) // 2
                return _joined(await self._encode(texts[:half]), await self._encode(texts[half:]))
            if len(texts[0]) < _SHORTEST:
                raise
        shorter = await self._encode([texts[0][: len(texts[0]) // 2]])
        return EncodedMany(shorter.vectors, (True,), shorter.tokens)

    async def _ask(self, texts: Sequence[str]) -> EncodedMany:
        asked: dict[str, Any] = {
            "model": self._settings.model,
            # OpenAI refuses a text of nothing.
            "input": [text or " " for text in texts],
            "encoding_format": "float",
        }
        if self._settings.asks_dimensions:
            asked["dimensions"] = self._card.dimensions
        body = await self._exchange.post(asked)
        answer = read_answer(
            body, count=len(texts), dimensions=self._card.dimensions, who=self._who
        )
        estimate = sum(estimated_tokens(text, self._card.token_limit) for text in texts)
        return EncodedMany(answer.vectors, (False,) * len(texts), answer.tokens or estimate)


def _nothing(dimensions: int) -> EncodedMany:
    import numpy

    return EncodedMany(numpy.empty((0, dimensions), numpy.float32), (), 0)


def _joined(first: EncodedMany, second: EncodedMany) -> EncodedMany:
    import numpy

    return EncodedMany(
        numpy.concatenate([first.vectors, second.vectors]),
        first.truncated + second.truncated,
        first.tokens + second.tokens,
    )
