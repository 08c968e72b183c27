"""Encoders: the models that make vectors of texts and of source code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from shared.settings.indexing.encoder import MINILM_TOKEN_LIMIT, EncoderKind, EncoderSettings

_CODE_TOKEN_LIMIT: Final = 128
"""Of MiniLM, to which the beginning of a function says more than all of it: measured."""
_TOKEN_LIMIT: Final = 512


class EmbeddingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Two models behind the index: one reads words, one reads source code."""

    text: EncoderSettings = EncoderSettings()
    """Of questions, and of what is written for people."""
    code: EncoderSettings = EncoderSettings()
    """Of source code as it stands."""

    def token_limit_of(self, role: str) -> int:
        """Tokens that are seen of a text or of a piece of code, where nothing else is set."""
        settings: EncoderSettings = getattr(self, role)
        if settings.token_limit is not None:
            return settings.token_limit
        if settings.kind is not EncoderKind.MINILM:
            return min(_TOKEN_LIMIT, settings.batch_tokens)
        return _CODE_TOKEN_LIMIT if role == "code" else MINILM_TOKEN_LIMIT

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        for role in self.__struct_fields__:
            yield from getattr(self, role).faults(f"embeddings.{role}")
