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
    """Tokens of one call; `cached_tokens` are a part of `input_tokens`."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens."""

    input_per_million: Decimal
    output_per_million: Decimal
    cached_per_million: Decimal

    def cost(self, tokens: TokenCount) -> Decimal:
        """Dollars, to the billionth."""
        cached = min(tokens.cached_tokens, tokens.input_tokens)
        dollars = (
            self.input_per_million * (tokens.input_tokens - cached)
            + self.cached_per_million * cached
            + self.output_per_million * tokens.output_tokens
        ) / MILLION
        return dollars.quantize(NANO, ROUND_HALF_EVEN)


FREE: Final = Price(Decimal(0), Decimal(0), Decimal(0))


def nano_dollars(amount: Decimal) -> int:
    """The amount in billionths of a dollar, rounded up, for where there are no decimals."""
    return int(amount.scaleb(9).to_integral_value("ROUND_CEILING"))
