"""Which of a provider's models answers for the name that a caller asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A requested name that the provider serves is kept; any other, `auto` too, gets the default.

    At least one of the two must be given; without a default the first of `served` is it.
    """

    default: str | None = None
    served: tuple[str, ...] = ()

    def model_for(self, requested: str) -> str:
        if requested in self.served:
            return requested
        return self.default or self.served[0]
