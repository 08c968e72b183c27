"""Amounts of money as a demo shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

NOTHING: Final = Decimal(0)


def amount(dollars: Decimal) -> str:
    """A decimal number without zeros at its end, as in a response's `cost`."""
    return f"{dollars.normalize():f}"


def price_tag(dollars: Decimal) -> str:
    """For people: `$0.00031`, to the millionth."""
    return f"${amount(dollars.quantize(Decimal('0.000001')))}"
