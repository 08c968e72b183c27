"""Which of a provider's models answers for the name that a caller asked for."""

from __future__ import annotations

from dataclasses import dataclass

from shared.messages.turn_report import Tier
from shared.settings.providers import ProviderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A requested name that the provider serves is kept; a tier gets the provider's model of it.

    Any other name, `auto` too, gets the default. At least one model must be given; without a
    default it is the large one, the first of `served`, or the small one.
    """

    default: str | None = None
    served: tuple[str, ...] = ()
    small: str | None = None
    large: str | None = None

    @classmethod
    def of(cls, settings: ProviderSettings) -> ModelChoice:
        """The choice that the settings leave."""
        return cls(
            default=settings.model,
            served=settings.named_models,
            small=settings.small_model,
            large=settings.large_model,
        )

    @property
    def has_tiers(self) -> bool:
        """Whether easy and hard messages get different models here."""
        return self.model_for(Tier.SMALL) != self.model_for(Tier.LARGE)

    def model_for(self, requested: str) -> str:
        if requested in self.served:
            return requested
        if requested == Tier.SMALL:
            return self.small or self._usual
        if requested == Tier.LARGE:
            return self.large or self._usual
        return self._usual

    @property
    def _usual(self) -> str:
        usual = self.default or self.large or (self.served[0] if self.served else self.small)
        if usual is None:
            raise ValueError("a choice needs at least one model")
        return usual
