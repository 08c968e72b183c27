"""An encoder behind HTTP, and the scripted provider that it asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from deploy.scripted_provider.embeddings import DIMENSIONS
from deploy.scripted_provider.provider import ScriptedProvider
from shared.embeddings.encoder import Encoder
from shared.embeddings.opening import open_encoders
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderKind, EncoderSettings
from shared.settings.secret import ServerUrl


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


def remote(provider: ScriptedProvider, **changed: Any) -> EmbeddingSettings:
    settings = EncoderSettings(
        kind=EncoderKind.OPENAI,
        model="small",
        dimensions=DIMENSIONS,
        url=ServerUrl(provider.openai_url),
        query_prompt="query: ",
        passage_prompt="passage: ",
    )
    return EmbeddingSettings(text=msgspec.structs.replace(settings, **changed))


@pytest.fixture
async def encoder(provider: ScriptedProvider) -> AsyncIterator[Encoder]:
    async with open_encoders(remote(provider)) as encoders:
        yield encoders.text
