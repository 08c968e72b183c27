"""How long each part of a provider's call may take."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.providers import ProviderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Bounds of one call, in seconds. The time left of the turn bounds `total_seconds` further."""

    connect_seconds: float = 5.0
    first_token_seconds: float = 30.0
    """Until the first piece of text of the answer."""
    idle_seconds: float = 20.0
    """Between two pieces of text."""
    last_words_seconds: float = 2.0
    """For what may follow once the model has said why it stopped: figures, and the end."""
    total_seconds: float = 120.0

    @classmethod
    def of(cls, settings: ProviderSettings) -> Timeouts:
        """The bounds that the settings name."""
        return cls(
            connect_seconds=settings.connect_timeout_seconds,
            first_token_seconds=settings.first_token_timeout_seconds,
            idle_seconds=settings.idle_timeout_seconds,
            total_seconds=settings.total_timeout_seconds,
        )
