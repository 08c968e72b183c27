"""Who may post, and how much."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

import msgspec

MOST_PRINCIPALS: Final = 64
LONGEST_PRINCIPAL: Final = 128

Principals = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_PRINCIPAL)], ...],
    msgspec.Meta(max_length=MOST_PRINCIPALS),
]
"""Names of who may find a document, such as user:ann or group:sales."""


class KeyScope(StrEnum):
    """What an API key opens.

    A producer posts messages and reads its own; a reader sees everything in the console, an
    operator acts there too. An admin may do all of it.
    """

    PRODUCER = "producer"
    READER = "reader"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: KeyScope) -> bool:
        """Whether it may do in the console what takes the role `needed`."""
        return self in _RANKS and _RANKS.index(self) >= _RANKS.index(needed)


POSTING: Final = frozenset({KeyScope.PRODUCER, KeyScope.ADMIN})
"""What opens whatever takes messages, and what belongs to them."""
_RANKS: Final = (KeyScope.READER, KeyScope.OPERATOR, KeyScope.ADMIN)
"""The roles of the console, each of which may do what those before it may."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A tenant's limits. Tokens are estimates at the door, corrected by real usage afterwards.

    `daily_budget` is US dollars for each day in UTC; None is no cap. `weight` is its share of the
    workers where more waits than they can do, beside the weights of the others that wait.
    """

    requests_per_minute: int
    tokens_per_minute: int
    user_requests_per_minute: int
    user_tokens_per_minute: int
    max_in_flight: int
    daily_budget: Decimal | None = None
    weight: float = 1.0


class Tenant(msgspec.Struct, frozen=True):
    """The owner of keys, limits and data; None is what the settings say.

    `retention_days` is for who asks for the tenant by its name: no message is judged by it.
    """

    id: str
    name: str
    plan: Plan | None = None
    retention_days: int | None = None
