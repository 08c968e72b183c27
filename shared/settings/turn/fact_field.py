"""One fact that a source knows: what it is, and what an answer calls it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec


class FactType(StrEnum):
    """What a value is, and so how an answer would tell it."""

    MONEY = "money"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"


class FactField(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fact of a source: a column of its row, or a value of its JSON."""

    type: FactType | None = None
    """What it is; without it the value decides: two decimals make money, YYYY-MM-DD a date."""
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] | None = None
    """The ISO code of money; without it any currency fits."""
    words: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=64)], ...] = ()
    """What an answer calls it; without them its name, with spaces for underscores."""
    pointer: str | None = None
    """Where it stands in the JSON of an `http` source, such as /account/balance; else its name."""
