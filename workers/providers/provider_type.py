"""A kind of provider as the chain builds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from shared.errors import SettingsError
from shared.settings.providers import ProviderKind, ProviderSettings
from workers.providers.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderType:
    """One line of the table of providers; what follows from the kind is said by `kind` itself."""

    kind: ProviderKind
    build: Callable[[ProviderSettings, aiohttp.ClientSession], Provider]
    """Raises `SettingsError` that names what the settings lack."""


def required(settings: ProviderSettings, key: str, value: str | None) -> str:
    """The value; raises `SettingsError` where the provider has none."""
    if not value:
        raise SettingsError([f"providers: '{settings.name}' needs {key}. Add it to its table."])
    return value
