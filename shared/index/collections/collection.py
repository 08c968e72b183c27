"""A collection, as its row has it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row

UNSETTLED: Final = ""
"""The generation of a collection whose models its first indexer chooses."""


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection without its documents. `notes` is what its callers attached to it.

    One whose `expires_at` has passed is searched no more, and is deleted some days later.
    """

    id: str
    tenant_id: str
    name: str
    created_at: datetime
    last_active_at: datetime
    generation: str
    description: str | None = None
    notes: dict[str, str] = {}
    life_days: int | None = None
    expires_at: datetime | None = None
    next_generation: str | None = None
    leaving_generation: str | None = None
    edition: int = 1

    @property
    def target(self) -> str:
        """The generation that documents are indexed in now."""
        return self.next_generation or self.generation


def collection_of(row: Row[Any]) -> Collection:
    """The collection of a row that has its fields."""
    return Collection(**{**row._mapping, "notes": _decoder.decode(row.notes or "{}")})


def encoded_notes(notes: dict[str, str]) -> str | None:
    """As the column keeps them."""
    return msgspec.json.encode(notes).decode() if notes else None


_decoder: Final = msgspec.json.Decoder(dict[str, str])
