"""A kind of provider as the chain builds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.settings.providers import ProviderKind, ProviderSettings
from workers.providers.provider import Provider
from workers.providers.wire.http.connections import ProviderConnections


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderType:
    """One line of the table of providers; what follows from the kind is said by `kind` itself."""

    kind: ProviderKind
    build: Callable[[ProviderSettings, ProviderConnections], Provider]
    """Raises `SettingsError` that names what the settings lack."""
