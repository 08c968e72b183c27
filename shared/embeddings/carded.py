"""What every encoder tells of its model, wherever that runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.embeddings.cards import ModelCard
from shared.embeddings.encoder import EncodedMany, EncoderPrompt, EncoderUnavailable

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors


class CardedEncoder(ABC):
    """An encoder whose figures are on a card; what it does is of those that are made of it."""

    gains_by_company: bool = True

    def __init__(self, card: ModelCard) -> None:
        self._card = card
        self._is_closed = False

    @property
    def name(self) -> str:
        """The model and its revision; vectors of two names cannot be compared."""
        return self._card.name

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return self._card.dimensions

    @property
    def token_limit(self) -> int:
        """Tokens that are seen of a text, by its own count or an estimate."""
        return self._card.token_limit

    async def encode(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> Vectors:
        """Float32 of shape (texts, dimensions), in order; raises EncoderUnavailable."""
        return (await self.encode_many(texts, prompt=prompt)).vectors

    @abstractmethod
    async def encode_many(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> EncodedMany:
        """The same, and which texts were cut; some batches are under way at once."""

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise EncoderUnavailable("The encoder is closed.")
