"""Money: what models cost where the built-in list of prices does not say, or says it wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

_LARGEST_PRICE: Final = 1_000_000
"""Dollars for a million tokens; the ledger has room for what the longest answer costs then."""
_AMOUNTS: Final = (
    "input_per_million",
    "output_per_million",
    "cached_per_million",
    "cache_write_per_million",
    "reasoning_per_million",
    "per_call",
)


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
    reasoning_per_million: Decimal | None = None
    """Dollars for a million tokens of output that the model thought; as output when not given."""
    per_call: Decimal = Decimal(0)
    """Dollars for each call, besides its tokens."""
    batch_share: Decimal = Decimal(1)
    """The part of these prices that an item of a provider's batch costs, such as 0.5."""
    flex_share: Decimal = Decimal(1)
    """The part of these prices that a call of the provider's flex tier costs."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the entry, with its fix."""
        for key in _AMOUNTS:
            amount = getattr(self, key)
            if amount is not None and not (amount.is_finite() and 0 <= amount <= _LARGEST_PRICE):
                yield (
                    f"costs.prices: '{self.model}' has {key} = {amount}. Set dollars, "
                    f"0 to {_LARGEST_PRICE}."
                )
        for key in ("batch_share", "flex_share"):
            share = getattr(self, key)
            if not (share.is_finite() and 0 <= share <= 1):
                yield f"costs.prices: '{self.model}' has {key} = {share}. Set a part, 0 to 1."


class CostSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an attempt costs."""

    prices: tuple[PriceSettings, ...] = ()
    """Prices of our own, one `[[costs.prices]]` for each model."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        models = [price.model for price in self.prices]
        for model in sorted({model for model in models if models.count(model) > 1}):
            yield f"costs.prices: '{model}' is priced twice. Keep one entry."
        if "" in models:
            yield "costs.prices: one has no model. Name the model as its provider does."
        for price in self.prices:
            yield from price.faults()
