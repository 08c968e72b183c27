"""What a number of tokens costs: exact decimals, in US dollars."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Final

import msgspec

MILLION: Final = 1_000_000
NANO: Final = Decimal("0.000000001")
"""The smallest amount that is booked, a billionth of a dollar."""


class ServedTier(StrEnum):
    """At which of its prices a provider served a call."""

    STANDARD = "standard"
    BATCH = "batch"
    FLEX = "flex"
    PRIORITY = "priority"


class TokenCount(msgspec.Struct, frozen=True):
    """Tokens of one call; `cached_tokens` and `cache_write_tokens` are parts of `input_tokens`,
    and `reasoning_tokens` of `output_tokens`."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    named_cost: Decimal | None = None
    """Dollars, where the provider itself says what it asks for the call."""
    reasoning_tokens: int = 0
    tier: ServedTier = ServedTier.STANDARD


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens, and for the call itself."""

    input_per_million: Decimal
    output_per_million: Decimal
    cached_per_million: Decimal
    cache_write_per_million: Decimal | None = None
    """As input when None."""
    per_call: Decimal = Decimal(0)
    reasoning_per_million: Decimal | None = None
    """As output when None."""
    batch_share: Decimal = Decimal(1)
    """The part of it that is asked for an item of a batch, and for a call of the flex tier."""
    flex_share: Decimal = Decimal(1)

    def cost(self, tokens: TokenCount) -> Decimal:
        """Dollars, to the billionth."""
        cached = min(tokens.cached_tokens, tokens.input_tokens)
        written = min(tokens.cache_write_tokens, tokens.input_tokens - cached)
        write_price = self.cache_write_per_million
        if write_price is None:
            write_price = self.input_per_million
        thought = min(tokens.reasoning_tokens, tokens.output_tokens)
        thought_price = self.reasoning_per_million
        if thought_price is None:
            thought_price = self.output_per_million
        dollars = (
            self.per_call
            + (
                self.input_per_million * (tokens.input_tokens - cached - written)
                + write_price * written
                + self.cached_per_million * cached
                + self.output_per_million * (tokens.output_tokens - thought)
                + thought_price * thought
            )
            / MILLION
        )
        return (dollars * self._share(tokens.tier)).quantize(NANO, ROUND_HALF_EVEN)

    def _share(self, tier: ServedTier) -> Decimal:
        if tier is ServedTier.BATCH:
            return self.batch_share
        return self.flex_share if tier is ServedTier.FLEX else Decimal(1)


FREE: Final = Price(Decimal(0), Decimal(0), Decimal(0))


def nano_dollars(amount: Decimal) -> int:
    """The amount in billionths of a dollar, rounded up, for where there are no decimals."""
    return int(amount.scaleb(9).to_integral_value("ROUND_CEILING"))
