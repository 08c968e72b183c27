"""From the settings of a provider to the one that takes its batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shared.settings.providers import ProviderKind, ProviderSettings
from workers.providers.batching.anthropic_batches import AnthropicBatchProvider
from workers.providers.batching.batch_provider import BatchProvider
from workers.providers.batching.openai_batches import OpenAIBatchProvider
from workers.providers.wire.http.connections import ProviderConnections

BATCH_PROVIDERS: Final[
    dict[ProviderKind, Callable[[ProviderSettings, ProviderConnections], BatchProvider]]
] = {
    ProviderKind.OPENAI_COMPATIBLE: OpenAIBatchProvider,
    ProviderKind.ANTHROPIC: AnthropicBatchProvider,
}
"""Every kind of provider that batches can be handed to."""


def build_batch_provider(
    settings: ProviderSettings, connections: ProviderConnections
) -> BatchProvider:
    """Raises `SettingsError` that names what the settings lack."""
    return BATCH_PROVIDERS[settings.kind](settings, connections)
