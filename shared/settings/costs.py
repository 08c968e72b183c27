"""Money: what models cost where the built-in list of prices does not say, or says it wrongly."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class PriceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The price of one model in US dollars per million tokens; it goes before the built-in list."""

    model: str
    """The model as its provider names it; an answer's dated name counts as it."""
    input_per_million: Decimal
    """Dollars for a million tokens of input."""
    output_per_million: Decimal
    """Dollars for a million tokens of output."""
    cached_per_million: Decimal | None = None
    """Dollars for a million tokens of input that the provider had cached; as input when not
    given.
    """
    cache_write_per_million: Decimal | None = None
    """Dollars for a million tokens of input that went into the provider's cache; as input when not
    given.
    """
    per_call: Decimal = Decimal(0)
    """Dollars for each call, besides its tokens."""


class CostSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an attempt costs."""

    prices: tuple[PriceSettings, ...] = ()
    """Prices of our own, one `[[costs.prices]]` for each model."""
