"""The keys that an indexer needs: those of its stores and its encoders, and of no provider."""

from __future__ import annotations

from shared.settings import Settings
from shared.settings.loading.secrets import with_encoder_keys, with_index_keys


def require_keys(settings: Settings) -> None:
    """Raises SettingsError with one finding for each key that cannot be had."""
    with_index_keys(settings.index)
    with_encoder_keys(settings.embeddings)
