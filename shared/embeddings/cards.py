"""What is known of an encoder without loading its model: from the settings alone."""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from shared.embeddings.minilm.names import DIMENSIONS, name_at
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderKind, EncoderSettings


class EncoderRole(StrEnum):
    """What an encoder reads; its section of the settings is called so."""

    TEXT = "text"
    CODE = "code"


class ModelCard(NamedTuple):
    """What a model is called, and its measures."""

    name: str
    dimensions: int
    token_limit: int
    batch_tokens: int
    """Tokens of one batch at most: what bounds the memory, and how long a batch takes."""


def settings_of(settings: EmbeddingSettings, role: EncoderRole) -> EncoderSettings:
    """The section of the role."""
    return settings.code if role is EncoderRole.CODE else settings.text


def card_of(settings: EmbeddingSettings, role: EncoderRole) -> ModelCard:
    """The encoder's card; its name changes with all that changes the vector of a passage."""
    one, token_limit = settings_of(settings, role), settings.token_limit_of(role)
    if one.kind is EncoderKind.MINILM:
        return ModelCard(name_at(token_limit), DIMENSIONS, token_limit, one.batch_tokens)
    # A prompt for questions is left out: it may be bettered while the passages stay.
    made_by = (one.kind, one.passage_prompt, token_limit, one.dimensions, one.pooling)
    digest = blake2b(msgspec.json.encode(made_by), digest_size=4).hexdigest()
    revision = f"@{one.revision}" if one.revision else ""
    name = f"{one.model}{revision}/{digest}"
    return ModelCard(name, one.dimensions or 0, token_limit, one.batch_tokens)
