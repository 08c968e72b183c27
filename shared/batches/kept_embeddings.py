"""What a line of texts to embed has come to, as its row keeps it."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode

import msgspec

from shared.embeddings.requests import Embedding, EmbeddingList, EmbeddingTokens


class KeptEmbeddings(msgspec.Struct, frozen=True, kw_only=True):
    """Vectors in base64, a quarter of what they have as numbers; `is_packed` where they were asked
    for so."""

    model: str
    tokens: int
    vectors: list[str]
    is_packed: bool = False

    def told(self) -> EmbeddingList:
        """As the request by itself would have been answered."""
        written = (each if self.is_packed else _numbers(each) for each in self.vectors)
        return EmbeddingList(
            [Embedding(index, vector) for index, vector in enumerate(written)],
            self.model,
            EmbeddingTokens(self.tokens, self.tokens),
        )


def _numbers(packed: str) -> list[float]:
    numbers = array("f", b64decode(packed))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
