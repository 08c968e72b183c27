"""What a number of tokens costs: exact decimals, in US dollars."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

MILLION: Final = 1_000_000
NANO: Final = Decimal("0.000000001")
"""The smallest amount that is booked, a billionth of a dollar."""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of one call; `cached_tokens` and `cache_write_tokens` are parts of `input_tokens`,
    and `reasoning_tokens` of `output_tokens`."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    named_cost: Decimal | None = None
    """Dollars, where the provider itself says what it asks for the call."""
    reasoning_tokens: int = 0


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
        return dollars.quantize(NANO, ROUND_HALF_EVEN)


FREE: Final = Price(Decimal(0), Decimal(0), Decimal(0))


def nano_dollars(amount: Decimal) -> int:
    """The amount in billionths of a dollar, rounded up, for where there are no decimals."""
    return int(amount.scaleb(9).to_integral_value("ROUND_CEILING"))
